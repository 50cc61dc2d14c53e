//! Gaussian blur by three extended box filters (Gwosdek et al., "Theoretical Foundations of Gaussian
//! Convolution by Extended Box Filtering", 2011): the cost does not depend on sigma, and the variance is exact.

use crate::picture::Picture;

/// Box filters in a row; three come within a few percent of the Gaussian everywhere.
const PASSES: usize = 3;
/// Lines that are filtered together; their samples become lanes of vector instructions.
const LINES: usize = 16;

/// Blurs with a Gaussian of this standard deviation in pixels.
pub(crate) fn blur(picture: &mut Picture, sigma: f32) {
    let kernel = Kernel::new(sigma);
    premultiply(picture);
    rows(picture, &kernel);
    columns(picture, &kernel);
    divide(picture);
}

/// One extended box: `2 * radius + 1` weights of one and `edge` at both ends.
struct Kernel {
    radius: usize,
    edge: f32,
}

impl Kernel {
    fn new(sigma: f32) -> Self {
        let variance = sigma * sigma / PASSES as f32;
        let radius = (((12.0 * variance + 1.0).sqrt() - 1.0) / 2.0).floor();
        let edge = (2.0 * radius + 1.0) * (radius * (radius + 1.0) - 3.0 * variance)
            / (6.0 * (variance - (radius + 1.0) * (radius + 1.0)));
        Self { radius: radius as usize, edge }
    }

    /// Filters `length` positions of `lanes` values each, from `from` to `to`; beyond both ends the last
    /// value goes on.
    fn pass(&self, from: &[f32], to: &mut [f32], sums: &mut [f32], lanes: usize) {
        let length = from.len() / lanes;
        let at = |position: isize| {
            let position = position.clamp(0, length as isize - 1) as usize;
            from.get(position * lanes..(position + 1) * lanes).unwrap_or_default()
        };
        let radius = self.radius as isize;
        let scale = 1.0 / (2.0 * self.radius as f32 + 1.0 + 2.0 * self.edge);
        sums.fill(0.0);
        for position in -radius..=radius {
            sums.iter_mut().zip(at(position)).for_each(|(sum, value)| *sum += value);
        }
        for (position, out) in (0..).zip(to.chunks_exact_mut(lanes)) {
            let (before, after) = (at(position - radius - 1), at(position + radius + 1));
            let leaving = at(position - radius);
            for lane in 0..lanes {
                out[lane] = (sums[lane] + self.edge * (before[lane] + after[lane])) * scale;
                sums[lane] += after[lane] - leaving[lane];
            }
        }
    }

    fn smooth(&self, lines: &mut Vec<f32>, spare: &mut Vec<f32>, sums: &mut [f32], lanes: usize) {
        spare.resize(lines.len(), 0.0);
        for _ in 0..PASSES {
            self.pass(lines, spare, sums, lanes);
            std::mem::swap(lines, spare);
        }
    }
}

/// Several rows at once, turned so that their samples at one place lie side by side.
fn rows(picture: &mut Picture, kernel: &Kernel) {
    let (width, channels, stride) = (picture.width, picture.channels, picture.stride());
    let (mut lines, mut spare) = (Vec::new(), Vec::new());
    for block in picture.data.chunks_mut(stride * LINES) {
        let lanes = block.len() / stride * channels;
        lines.resize(width * lanes, 0.0);
        for (row, samples) in block.chunks_exact(stride).enumerate() {
            for (pixel, out) in samples.chunks_exact(channels).zip(lines.chunks_exact_mut(lanes)) {
                for (out, sample) in out.iter_mut().skip(row * channels).zip(pixel) {
                    *out = f32::from(*sample);
                }
            }
        }
        kernel.smooth(&mut lines, &mut spare, &mut vec![0.0; lanes], lanes);
        for (row, samples) in block.chunks_exact_mut(stride).enumerate() {
            for (pixel, line) in samples.chunks_exact_mut(channels).zip(lines.chunks_exact(lanes)) {
                for (sample, value) in pixel.iter_mut().zip(line.iter().skip(row * channels)) {
                    *sample = (value + 0.5) as u8;
                }
            }
        }
    }
}

fn columns(picture: &mut Picture, kernel: &Kernel) {
    let stride = picture.stride();
    let (mut lines, mut spare) = (Vec::new(), Vec::new());
    for start in (0..stride).step_by(LINES * 4) {
        let lanes = (stride - start).min(LINES * 4);
        lines.resize(picture.height * lanes, 0.0);
        for (row, out) in picture.data.chunks_exact(stride).zip(lines.chunks_exact_mut(lanes)) {
            out.iter_mut().zip(row.iter().skip(start)).for_each(|(out, sample)| *out = f32::from(*sample));
        }
        kernel.smooth(&mut lines, &mut spare, &mut vec![0.0; lanes], lanes);
        for (row, line) in picture.data.chunks_exact_mut(stride).zip(lines.chunks_exact(lanes)) {
            row.iter_mut().skip(start).zip(line).for_each(|(sample, value)| *sample = (value + 0.5) as u8);
        }
    }
}

/// Colours times alpha, so that hidden pixels do not bleed.
fn premultiply(picture: &mut Picture) {
    if picture.channels == 4 {
        for [red, green, blue, alpha] in picture.data.as_chunks_mut::<4>().0 {
            for colour in [red, green, blue] {
                *colour = u8::try_from((u32::from(*colour) * u32::from(*alpha) + 127) / 255).unwrap_or(u8::MAX);
            }
        }
    }
}

fn divide(picture: &mut Picture) {
    if picture.channels == 4 {
        for [red, green, blue, alpha] in picture.data.as_chunks_mut::<4>().0 {
            for colour in [red, green, blue] {
                let whole = (u32::from(*colour) * 255).checked_div(u32::from(*alpha)).unwrap_or(0);
                *colour = u8::try_from(whole).unwrap_or(u8::MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests::grey;

    #[test]
    fn a_flat_picture_stays_flat() {
        for channels in [1, 3, 4] {
            let mut picture = Picture { width: 33, height: 21, channels, data: vec![255; 33 * 21 * channels] };
            blur(&mut picture, 7.5);
            assert!(picture.data.iter().all(|sample| *sample == 255));
        }
    }

    #[test]
    fn a_line_spreads_with_the_right_variance() {
        for sigma in [0.6_f32, 1.0, 2.5, 6.0] {
            let mut data = vec![0; 81 * 3];
            data[81 + 40] = 255;
            data[40] = 255;
            data[162 + 40] = 255;
            let mut picture = grey(81, &data);
            blur(&mut picture, sigma);
            let row: Vec<f32> = picture.row(1).iter().map(|sample| f32::from(*sample)).collect();
            let mass: f32 = row.iter().sum();
            let variance: f32 =
                row.iter().enumerate().map(|(x, value)| value * (x as f32 - 40.0).powi(2)).sum::<f32>() / mass;
            assert!((variance.sqrt() / sigma - 1.0).abs() < 0.08, "sigma {sigma} became {}", variance.sqrt());
        }
    }

    #[test]
    fn a_huge_sigma_on_a_small_picture_is_the_mean() {
        let mut picture = grey(2, &[0, 200]);
        blur(&mut picture, 100.0);
        assert!(picture.data.iter().all(|sample| (95..=105).contains(sample)), "{:?}", picture.data);
    }
}
