use super::*;
use tomas_tool_sdk::testing::{call, faults, put};

/// A blob with a picture of four coloured quarters.
fn quarters(name: &str, width: usize, height: usize, channels: usize) -> Picture {
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let pixel = [if x * 2 < width { 255 } else { 0 }, if y * 2 < height { 255 } else { 0 }, 64, 255];
            data.extend_from_slice(&pixel[..channels]);
        }
    }
    let picture = Picture { width, height, channels, data };
    let format = codec::format_named(name.rsplit('.').next().unwrap_or("png")).expect("a format");
    put(name, &codec::encode(picture.clone(), format).expect("an image"));
    picture
}

fn read(name: &str) -> (Picture, image::ImageFormat) {
    codec::decode(&blobs::read(name).expect("a blob"), name).expect("an image")
}

#[test]
fn the_description_is_sound() {
    assert_eq!(faults::<ImageTransform>(), Vec::<String>::new());
}

#[test]
fn every_format_comes_back_the_same_or_nearly() {
    for (_, _, ending) in codec::FORMATS {
        let name = format!("a.{ending}");
        let picture = quarters(&name, 64, 48, 3);
        let (mut back, _) = read(&name);
        back.flatten();
        let far = back.data.iter().zip(&picture.data).filter(|(a, b)| a.abs_diff(**b) > 40).count();
        assert!(far < picture.data.len() / 20, "{name}: {far} samples differ");
        assert_eq!((back.width, back.height), (64, 48));
    }
}

#[test]
fn changes_happen_in_order() {
    quarters("p.png", 40, 20, 3);
    let result = call::<ImageTransform>(json!({
        "image": "blob:p.png", "resize": "200%", "rotate": -90, "crop": "square", "flip": "vertical", "greyscale": true,
        "blur": 1.5, "format": "webp",
    }))
    .expect("a result");
    assert_eq!(result["value"], "blob:p.webp");
    assert_eq!(
        (result["width"].as_u64(), result["height"].as_u64(), result["format"].as_str()),
        (Some(40), Some(40), Some("webp"))
    );
    let (picture, format) = read("p.webp");
    assert_eq!((picture.width, picture.height, format), (40, 40, image::ImageFormat::WebP));
    assert!(result["text"].as_str().is_some_and(|text| text.starts_with("p.png (40×20) resized to 80×40, rotated by 90° counter-clockwise, cropped to 40×40, flipped vertically, made greyscale, blurred")), "{result}");
}

#[test]
fn a_turn_moves_the_corners() {
    quarters("q.bmp", 4, 2, 3);
    call::<ImageTransform>(json!({ "image": "q.bmp", "rotate": 90 })).expect("a result");
    let (picture, _) = read("q.bmp");
    // The upper left corner is now the upper right one.
    assert_eq!((picture.width, picture.height), (2, 4));
    assert_eq!(&picture.row(0)[3..], [255, 255, 64]);
}

#[test]
fn jpeg_lays_alpha_over_white() {
    put(
        "t.png",
        &codec::encode(Picture { width: 8, height: 8, channels: 4, data: vec![0; 256] }, image::ImageFormat::Png)
            .expect("png"),
    );
    call::<ImageTransform>(json!({ "image": "blob:t.png", "format": "jpeg" })).expect("a result");
    assert!(read("t.jpg").0.data.iter().all(|sample| *sample > 250));
}

#[test]
fn bad_input_is_an_error_and_not_a_panic() {
    let picture = quarters("ok.png", 16, 16, 4);
    assert_eq!(picture.data.len(), 1024);
    let whole = blobs::read("ok.png").expect("a blob");
    put("text.png", b"this is not a picture");
    put("cut.png", &whole[..whole.len() / 2]);
    put("empty.png", b"");
    for name in ["text.png", "cut.png", "empty.png"] {
        let result = call::<ImageTransform>(json!({ "image": format!("blob:{name}"), "rotate": 90 }));
        assert!(matches!(result, Err(ToolError::Failed(_))), "{name}: {result:?}");
    }
    assert!(matches!(
        call::<ImageTransform>(json!({ "image": "blob:none.png", "rotate": 90 })),
        Err(ToolError::NotFound(_))
    ));
    for arguments in [
        json!({ "image": "blob:ok.png" }),
        json!({ "image": "blob:ok.png", "rotate": 45 }),
        json!({ "image": "blob:ok.png", "blur": 0 }),
        json!({ "image": "blob:ok.png", "blur": 101 }),
        json!({ "image": "blob:ok.png", "format": "tiff" }),
        json!({ "image": "blob:ok.png", "crop": "17x1" }),
        json!({ "image": "blob:ok.png", "flip": "diagonal" }),
    ] {
        assert!(
            matches!(call::<ImageTransform>(arguments.clone()), Err(ToolError::InvalidArguments(_))),
            "{arguments}"
        );
    }
}

#[test]
fn broken_files_never_panic() {
    for (_, _, ending) in codec::FORMATS {
        let name = format!("fuzz.{ending}");
        quarters(&name, 24, 24, 3);
        let whole = blobs::read(&name).expect("a blob");
        for at in 0..whole.len().min(400) {
            let mut broken = whole.clone();
            broken[at] ^= 0x5a;
            let _ = codec::decode(&broken, &name);
        }
    }
}

/// Half of a measurement: `tests/examples/native.rs` runs it, and the same call as a component.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement is for reading")]
fn speed() {
    let arguments: Value = serde_json::from_str(&std::env::var("ARGUMENTS").unwrap()).unwrap();
    if let Ok(path) = std::env::var("BLOB") {
        tomas_tool_sdk::testing::put("blob", &std::fs::read(path).unwrap());
    }
    println!("milliseconds {}", tomas_tool_sdk::testing::speed::<ImageTransform>(&arguments, 15).unwrap());
}
