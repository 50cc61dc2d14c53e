//! Between bytes and pixels.

use std::io::Cursor;

use image::codecs::{bmp::BmpEncoder, gif::GifEncoder, jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::metadata::Orientation;
use image::{ColorType, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};
use tomas_tool_sdk::ToolError;

use crate::picture::Picture;

/// Quality of JPEG output: hardly any visible loss at about a tenth of the size.
const JPEG_QUALITY: u8 = 85;
/// GIF palettes are searched on every n-th pixel (1 best, 30 fastest).
const GIF_SPEED: i32 = 10;

/// The formats, with the name that people use and the ending of files.
pub(crate) const FORMATS: [(ImageFormat, &str, &str); 5] = [
    (ImageFormat::Png, "png", "png"),
    (ImageFormat::Jpeg, "jpeg", "jpg"),
    (ImageFormat::WebP, "webp", "webp"),
    (ImageFormat::Bmp, "bmp", "bmp"),
    (ImageFormat::Gif, "gif", "gif"),
];

/// The format called `name` (`jpg` is `jpeg`).
pub(crate) fn format_named(name: &str) -> Option<ImageFormat> {
    let name = name.trim().trim_start_matches('.').to_ascii_lowercase();
    FORMATS.iter().find(|(_, known, ending)| name == *known || name == *ending).map(|(format, ..)| *format)
}

/// What people call a format, and the ending of its files.
pub(crate) fn names(format: ImageFormat) -> (&'static str, &'static str) {
    FORMATS.iter().find(|(known, ..)| *known == format).map_or(("png", "png"), |(_, name, ending)| (*name, *ending))
}

/// Decodes the first picture of `bytes`, upright as the camera's note says.
pub(crate) fn decode(bytes: &[u8], name: &str) -> Result<(Picture, ImageFormat), ToolError> {
    let bad = |error: image::ImageError| ToolError::failed(format!("`{name}` cannot be decoded: {error}"));
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| ToolError::failed(format!("`{name}` cannot be read: {error}")))?;
    // The sandbox limits memory.
    reader.limits(Limits::no_limits());
    let format = reader.format().filter(|found| FORMATS.iter().any(|(known, ..)| known == found)).ok_or_else(|| {
        ToolError::failed(format!(
            "`{name}` is not an image that can be read\nhint: allowed are png, jpeg, webp, bmp and gif"
        ))
    })?;
    let mut decoder = reader.into_decoder().map_err(bad)?;
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let total = usize::try_from(decoder.total_bytes())
        .map_err(|_| ToolError::failed(format!("`{name}` is too large: {width} by {height} pixels")))?;
    let mut data = vec![0; total];
    decoder.read_image(&mut data).map_err(bad)?;
    let (channels, data) = to_eight_bit(colour, data).ok_or_else(|| {
        ToolError::failed(format!("`{name}` has pixels of a kind that is not supported, `{colour:?}`"))
    })?;
    let mut picture = Picture { width: width as usize, height: height as usize, channels, data };
    upright(&mut picture, orientation);
    Ok((picture, format))
}

/// Channels and 8-bit samples; grey with alpha becomes RGB with alpha, 16 bits lose the lower eight.
fn to_eight_bit(colour: ColorType, mut data: Vec<u8>) -> Option<(usize, Vec<u8>)> {
    if matches!(colour, ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16) {
        let (samples, _) = data.as_chunks::<2>();
        data = samples.iter().map(|sample| u16::from_ne_bytes(*sample).to_be_bytes()[0]).collect();
    }
    match colour {
        ColorType::L8 | ColorType::L16 => Some((1, data)),
        ColorType::Rgb8 | ColorType::Rgb16 => Some((3, data)),
        ColorType::Rgba8 | ColorType::Rgba16 => Some((4, data)),
        ColorType::La8 | ColorType::La16 => {
            let (pixels, _) = data.as_chunks::<2>();
            Some((4, pixels.iter().flat_map(|&[grey, alpha]| [grey, grey, grey, alpha]).collect()))
        }
        _ => None,
    }
}

fn upright(picture: &mut Picture, orientation: Orientation) {
    match orientation {
        Orientation::NoTransforms => {}
        Orientation::Rotate90 => picture.rotate(1),
        Orientation::Rotate180 => picture.rotate(2),
        Orientation::Rotate270 => picture.rotate(3),
        Orientation::FlipHorizontal => picture.flip_horizontal(),
        Orientation::FlipVertical => picture.flip_vertical(),
        Orientation::Rotate90FlipH => {
            picture.rotate(1);
            picture.flip_horizontal();
        }
        Orientation::Rotate270FlipH => {
            picture.rotate(3);
            picture.flip_horizontal();
        }
    }
}

/// Encodes a picture; alpha is laid over white where the format has none.
pub(crate) fn encode(mut picture: Picture, format: ImageFormat) -> Result<Vec<u8>, ToolError> {
    if matches!(format, ImageFormat::Jpeg) {
        picture.flatten();
    }
    if matches!(format, ImageFormat::Gif) && picture.channels == 1 {
        picture.data = picture.data.iter().flat_map(|&grey| [grey; 3]).collect();
        picture.channels = 3;
    }
    let colour = match picture.channels {
        1 => ExtendedColorType::L8,
        3 => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let (data, width, height) = (&picture.data, side(picture.width), side(picture.height));
    let mut out = Vec::new();
    match format {
        ImageFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY).write_image(data, width, height, colour)
        }
        ImageFormat::WebP => WebPEncoder::new_lossless(&mut out).write_image(data, width, height, colour),
        ImageFormat::Bmp => BmpEncoder::new(&mut out).write_image(data, width, height, colour),
        ImageFormat::Gif => GifEncoder::new_with_speed(&mut out, GIF_SPEED).encode(data, width, height, colour),
        _ => PngEncoder::new(&mut out).write_image(data, width, height, colour),
    }
    .map_err(|error| {
        let (name, _) = names(format);
        ToolError::failed(format!("a picture of {width} by {height} pixels cannot be written as {name}: {error}"))
    })?;
    Ok(out)
}
