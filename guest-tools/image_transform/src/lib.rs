//! Changes pictures: decode, resize, rotate, crop, flip, greyscale, blur, encode.
//!
//! [`codec`] is the only door to the image crate; everything else works on a plain [`picture::Picture`]
//! of 8-bit samples, so that each change exists once and not once for each kind of pixel.

mod blur;
mod codec;
mod picture;
mod resample;
mod spec;

use serde::Deserialize;
use serde_json::{Value, json};
use tomas_tool_sdk::{Tool, ToolError, blobs, progress, shown};

use picture::Picture;

/// The largest sigma of a blur.
const MOST_BLUR: f64 = 100.0;

struct ImageTransform;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    image: String,
    resize: Option<String>,
    rotate: Option<i64>,
    crop: Option<String>,
    flip: Option<Flip>,
    greyscale: Option<bool>,
    blur: Option<f64>,
    format: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Flip {
    Horizontal,
    Vertical,
}

impl Tool for ImageTransform {
    const NAME: &'static str = "image_transform";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["image"],"properties":{
"image":{"type":"string","x-tomas-source":"blob","description":"blob:NAME of the attached picture"},
"resize":{"type":"string","description":"800x600, 50%, width 400, height 300 or fit 200x200"},
"rotate":{"type":"integer","description":"degrees clockwise, a multiple of 90; negative is counter-clockwise"},
"crop":{"type":"string","description":"x,y,width,height in pixels, or around the centre: square, 16:9 or 400x300"},
"flip":{"type":"string","enum":["horizontal","vertical"],"description":"mirror left-right or top-bottom"},
"greyscale":{"type":"boolean","description":"black and white"},
"blur":{"type":"number","exclusiveMinimum":0,"maximum":100,"description":"sigma of a Gaussian blur in pixels"},
"format":{"type":"string","enum":["png","jpeg","webp","bmp","gif"],"description":"format of the result; the same when absent"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","value","blob","width","height","format","bytes"],"properties":{
"text":{"type":"string","description":"what was done"},
"value":{"type":"string","description":"blob:NAME of the result"},
"blob":{"type":"string","description":"name of the result"},
"width":{"type":"integer"},"height":{"type":"integer"},"format":{"type":"string"},"bytes":{"type":"integer"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        check(&arguments)?;
        let name = blobs::name(&arguments.image).unwrap_or(arguments.image.trim());
        let format = arguments.format.as_deref().map(named).transpose()?;
        let bytes = blobs::read(name)?;
        progress::report(0, 3, "decoding");
        let (mut picture, found) = codec::decode(&bytes, name)?;
        drop(bytes);
        let before = (picture.width, picture.height);
        progress::report(1, 3, "changing");
        let mut done = change(&mut picture, &arguments)?;
        let (width, height) = (picture.width, picture.height);
        let format = format.unwrap_or(found);
        let (format_name, ending) = codec::names(format);
        if format != found {
            done.push(format!("converted to {format_name}"));
        }
        progress::report(2, 3, "encoding");
        let data = codec::encode(picture, format)?;
        let output = output_name(name, format == found, ending);
        blobs::write(&output, &data)?;
        let (old_width, old_height) = before;
        let text = format!(
            "{name} ({old_width}×{old_height}) {}; saved as {output}, {width}×{height} pixels, {}.",
            list(&done),
            size(data.len())
        );
        let value = format!("{}{output}", blobs::PREFIX);
        Ok(json!({
            "text": text, "value": value, "blob": output,
            "width": width, "height": height, "format": format_name, "bytes": data.len(),
        }))
    }
}

/// Refuses what can be refused before the picture is decoded.
fn check(arguments: &Arguments) -> Result<(), ToolError> {
    let Arguments { image: _, resize, rotate, crop, flip, greyscale, blur, format } = arguments;
    if let Some(angle) = rotate.filter(|angle| angle % 90 != 0) {
        return Err(ToolError::invalid(format!("`rotate` is `{angle}`, allowed are multiples of 90")));
    }
    if let Some(sigma) = blur.filter(|sigma| !(*sigma > 0.0 && *sigma <= MOST_BLUR)) {
        return Err(ToolError::invalid(format!("`blur` is `{sigma}`, allowed is above 0 up to {MOST_BLUR}")));
    }
    let nothing = resize.is_none() && rotate.is_none() && crop.is_none() && flip.is_none() && blur.is_none();
    if nothing && greyscale.is_none() && format.is_none() {
        return Err(ToolError::invalid(
            "no change is asked for\nhint: give at least one of resize, rotate, crop, flip, greyscale, blur, format",
        ));
    }
    Ok(())
}

fn named(name: &str) -> Result<image::ImageFormat, ToolError> {
    codec::format_named(name).ok_or_else(|| {
        ToolError::invalid(format!("`format` is `{}`, allowed are png, jpeg, webp, bmp and gif", shown(name)))
    })
}

/// Does the changes in the order of the arguments; says what was done.
fn change(picture: &mut Picture, arguments: &Arguments) -> Result<Vec<String>, ToolError> {
    let mut done = Vec::new();
    if let Some(text) = &arguments.resize {
        let (width, height) = spec::size(text, picture.width, picture.height)?;
        if (width, height) != (picture.width, picture.height) {
            *picture = resample::resize(picture, width, height);
        }
        done.push(format!("resized to {width}×{height}"));
    }
    if let Some(angle) = arguments.rotate {
        let clockwise = angle.rem_euclid(360);
        picture.rotate(u32::try_from(clockwise / 90).unwrap_or(0));
        done.push(match clockwise {
            0 => "not turned".to_owned(),
            180 => "rotated by 180°".to_owned(),
            270 => "rotated by 90° counter-clockwise".to_owned(),
            _ => format!("rotated by {clockwise}° clockwise"),
        });
    }
    if let Some(text) = &arguments.crop {
        let (x, y, width, height) = spec::part(text, picture.width, picture.height)?;
        picture.crop(x, y, width, height);
        done.push(format!("cropped to {width}×{height}"));
    }
    if let Some(flip) = arguments.flip {
        match flip {
            Flip::Horizontal => picture.flip_horizontal(),
            Flip::Vertical => picture.flip_vertical(),
        }
        done.push(format!("flipped {}", if matches!(flip, Flip::Horizontal) { "horizontally" } else { "vertically" }));
    }
    if arguments.greyscale == Some(true) {
        picture.greyscale();
        done.push("made greyscale".to_owned());
    }
    if let Some(sigma) = arguments.blur {
        blur::blur(picture, sigma as f32);
        done.push(format!("blurred with sigma {sigma}"));
    }
    Ok(done)
}

/// `photo.jpg` as png is `photo.png`; in its own format it keeps its name.
fn output_name(name: &str, same: bool, ending: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, old)) if !stem.is_empty() && !old.contains('/') => {
            if same {
                name.to_owned()
            } else {
                format!("{stem}.{ending}")
            }
        }
        _ => format!("{name}.{ending}"),
    }
}

/// `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts {
        [] => "kept as it was".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

tomas_tool_sdk::export!(ImageTransform);

#[cfg(test)]
mod tests;
