//! Paints the sample pictures: `cargo run -p image_transform --example make_samples -- image_transform/samples`.
//!
//! A landscape of fractal noise for the photographs and a chart for the drawings, so that the codecs see
//! what they were made for. The same seed gives the same files.

use std::error::Error;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: make_samples FOLDER")?;
    let folder = Path::new(&folder);
    jpeg(&folder.join("hill.jpg"), 400, 300, 80)?;
    jpeg(&folder.join("valley.jpg"), 1280, 960, 70)?;
    jpeg(&folder.join("mountains.jpg"), 4000, 3000, 45)?;
    png(&folder.join("badge.png"), 256, 256)?;
    png(&folder.join("chart.png"), 1200, 800)?;
    png(&folder.join("poster.png"), 4200, 3000)?;
    Ok(())
}

fn jpeg(path: &Path, width: u32, height: u32, quality: u8) -> Result<(), Box<dyn Error>> {
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|at| landscape((at % width) as f32 / width as f32, (at / width) as f32 / height as f32))
        .collect();
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality).write_image(&pixels, width, height, ExtendedColorType::Rgb8)?;
    Ok(std::fs::write(path, out)?)
}

fn png(path: &Path, width: u32, height: u32) -> Result<(), Box<dyn Error>> {
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|at| drawing((at % width) as f32 / width as f32, (at / width) as f32 / height as f32))
        .collect();
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Best, FilterType::Up).write_image(
        &pixels,
        width,
        height,
        ExtendedColorType::Rgba8,
    )?;
    Ok(std::fs::write(path, out)?)
}

/// Sky with a sun, three ranges of hills, the nearest with meadows.
fn landscape(x: f32, y: f32) -> [u8; 3] {
    let sun = (1.0 - ((x - 0.7).powi(2) + (y - 0.22).powi(2)).sqrt() * 6.0).clamp(0.0, 1.0);
    let mut colour = [90.0 + 110.0 * y + 150.0 * sun, 140.0 + 70.0 * y + 100.0 * sun, 220.0 - 40.0 * y + 30.0 * sun];
    for (range, (base, height, tint)) in
        [(0.45, 0.30, [120.0, 130.0, 160.0]), (0.60, 0.25, [80.0, 105.0, 100.0]), (0.78, 0.18, [60.0, 110.0, 50.0])]
            .into_iter()
            .enumerate()
    {
        let seed = range as f32 * 17.0;
        if y > base - height * (fractal(x * 3.0 + seed, seed, 6) - 0.35) {
            let grain = fractal(x * 30.0 + seed, y * 40.0, 3) * 70.0 - 35.0;
            colour = tint.map(|channel: f32| channel + grain * (range as f32 + 1.0) / 3.0 - y * 20.0);
        }
    }
    colour.map(|channel| channel.clamp(0.0, 255.0) as u8)
}

/// Bars, a curve and a disc on a transparent ground.
fn drawing(x: f32, y: f32) -> [u8; 4] {
    let bar = (x * 12.0).floor();
    let inside = x * 12.0 - bar;
    let curve = 0.5 + 0.3 * (x * 9.0).sin() * (1.0 - x);
    if (y - curve).abs() < 0.008 {
        [200, 40, 40, 255]
    } else if (x - 0.8).hypot((y - 0.2) * 0.7) < 0.12 {
        [240, 180, 30, ((x - 0.68) * 1000.0).clamp(60.0, 255.0) as u8]
    } else if (0.2..0.8).contains(&inside) && y > 1.0 - 0.75 * noise(bar, 7.0).abs() {
        [30, (90.0 + bar * 10.0) as u8, 160, 255]
    } else {
        [0, 0, 0, 0]
    }
}

/// Value noise between 0 and 1 on a whole-number grid.
fn noise(x: f32, y: f32) -> f32 {
    let mut hash = (x as i32 as u32).wrapping_mul(0x9e37_79b9) ^ (y as i32 as u32).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ (hash >> 12)).wrapping_mul(0x297a_2d39);
    (hash ^ (hash >> 15)) as f32 / u32::MAX as f32
}

/// Noise that is smooth between grid points, summed over octaves.
fn fractal(x: f32, y: f32, octaves: i32) -> f32 {
    let (mut sum, mut whole) = (0.0, 0.0);
    for octave in 0..octaves {
        let (scale, weight) = (2_f32.powi(octave), 0.5_f32.powi(octave));
        let (gx, gy) = (x * scale, y * scale);
        let (fx, fy) = (gx - gx.floor(), gy - gy.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * ease(t);
        let at = |dx: f32, dy: f32| noise(gx.floor() + dx, gy.floor() + dy);
        sum += weight * mix(mix(at(0.0, 0.0), at(1.0, 0.0), fx), mix(at(0.0, 1.0), at(1.0, 1.0), fx), fy);
        whole += weight;
    }
    sum / whole
}
