//! What people write for a size and for a crop.

use tomas_tool_sdk::{ToolError, shown};

/// The longest side of a result in pixels.
const MOST_SIDE: f64 = 20_000.0;
/// The most pixels of a result.
const MOST_PIXELS: f64 = 100_000_000.0;
/// What a size may be.
const SIZES: &str = "`800x600`, `50%`, `width 400`, `height 300` or `fit 200x200`";
/// What a crop may be.
const CROPS: &str = "`x,y,width,height`, `400x300`, `square` or `16:9`";

/// Width and height of the result of `resize` on a picture of this width and height.
pub(crate) fn size(text: &str, width: usize, height: usize) -> Result<(usize, usize), ToolError> {
    let found = shown(text);
    let bad = || ToolError::invalid(format!("`resize` is `{found}`, allowed are {SIZES}"));
    let plain = normal(text);
    let (old_width, old_height) = (width as f64, height as f64);
    let scaled = |factor: f64| (old_width * factor, old_height * factor);
    let fit = |w: f64, h: f64| scaled((w / old_width).min(h / old_height));
    let wanted = if let Some(number) = plain.strip_suffix('%') {
        number.trim().parse().ok().map(|percent: f64| scaled(percent / 100.0))
    } else if let Some(rest) = plain.strip_prefix("fit") {
        pair(rest).or_else(|| number(rest).map(|side| (side, side))).map(|(w, h)| fit(w, h))
    } else if let Some(rest) = labelled(&plain, "width", "wide") {
        number(rest).map(|w| scaled(w / old_width))
    } else if let Some(rest) = labelled(&plain, "height", "high") {
        number(rest).map(|h| scaled(h / old_height))
    } else {
        match plain.as_str() {
            "half" => Some(scaled(0.5)),
            "double" => Some(scaled(2.0)),
            plain => pair(plain).or_else(|| number(plain).map(|w| (w, old_height * w / old_width))),
        }
    };
    let (new_width, new_height) = wanted.ok_or_else(bad)?;
    if !(new_width > 0.0 && new_height > 0.0) {
        return Err(bad());
    }
    let (new_width, new_height) = (new_width.round().max(1.0), new_height.round().max(1.0));
    if new_width > MOST_SIDE || new_height > MOST_SIDE || new_width * new_height > MOST_PIXELS {
        return Err(ToolError::invalid(format!(
            "`resize` is `{found}`, which makes {new_width} by {new_height} pixels; allowed are {MOST_SIDE} on a side and {MOST_PIXELS} in all"
        )));
    }
    Ok((new_width as usize, new_height as usize))
}

/// The part to keep: left, top, width and height.
pub(crate) fn part(text: &str, width: usize, height: usize) -> Result<(usize, usize, usize, usize), ToolError> {
    let found = shown(text);
    let bad = || ToolError::invalid(format!("`crop` is `{found}`, allowed are {CROPS}"));
    let plain = normal(text);
    let numbers: Vec<usize> = plain.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    let (x, y, w, h) = match numbers.as_slice() {
        &[x, y, w, h] if plain.matches(',').count() == 3 => (x, y, w, h),
        _ => {
            let (w, h) = centred(&plain, width, height).ok_or_else(bad)?;
            (width.saturating_sub(w) / 2, height.saturating_sub(h) / 2, w, h)
        }
    };
    let fits = |start: usize, length: usize, whole: usize| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
    };
    if fits(x, w, width) && fits(y, h, height) {
        Ok((x, y, w, h))
    } else {
        Err(ToolError::invalid(format!(
            "`crop` is `{found}`, which does not lie inside the picture of {width} by {height} pixels"
        )))
    }
}

/// Width and height of a crop around the centre.
fn centred(plain: &str, width: usize, height: usize) -> Option<(usize, usize)> {
    let ratio = match plain {
        "square" => Some((1.0, 1.0)),
        plain => plain.split_once(':').and_then(|(w, h)| Some((number(w)?, number(h)?))),
    };
    match ratio {
        Some((w, h)) if w > 0.0 && h > 0.0 => {
            let unit = (width as f64 / w).min(height as f64 / h);
            Some((((unit * w).round() as usize).clamp(1, width), ((unit * h).round() as usize).clamp(1, height)))
        }
        Some(_) => None,
        None => {
            pair(plain).filter(|(w, h)| w.fract() == 0.0 && h.fract() == 0.0).map(|(w, h)| (w as usize, h as usize))
        }
    }
}

/// Lower case without pixels, `to` and the like; every way to write a cross is `x`.
fn normal(text: &str) -> String {
    let lower = text.to_lowercase().replace(['×', '*'], "x").replace("percent", "%").replace(" by ", "x");
    let lower = lower
        .replace("pixels", " ")
        .replace("px", " ")
        .replace(['=', ':'], if text.contains("width") || text.contains("height") { " " } else { ":" });
    lower.trim().trim_start_matches("to ").trim_start_matches("centre ").trim_start_matches("center ").trim().to_owned()
}

/// `width 400`, `400 wide`, `400 width`, `w400`: the rest of it.
fn labelled<'a>(plain: &'a str, noun: &str, adjective: &str) -> Option<&'a str> {
    plain
        .strip_prefix(noun)
        .or_else(|| plain.strip_suffix(noun))
        .or_else(|| plain.strip_suffix(adjective))
        .or_else(|| noun.get(..1).and_then(|initial| plain.strip_prefix(initial)).filter(|rest| number(rest).is_some()))
}

fn pair(text: &str) -> Option<(f64, f64)> {
    let (one, other) = text.split_once('x')?;
    Some((number(one)?, number(other)?))
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, expected) in [
            ("800x600", (800, 600)),
            ("800 × 600 px", (800, 600)),
            ("800 by 600", (800, 600)),
            ("50%", (200, 100)),
            ("25 percent", (100, 50)),
            ("half", (200, 100)),
            ("width 100", (100, 50)),
            ("100 wide", (100, 50)),
            ("width: 100px", (100, 50)),
            ("height 50", (100, 50)),
            ("100", (100, 50)),
            ("fit 100x100", (100, 50)),
            ("fit 100", (100, 50)),
            ("to 40x40", (40, 40)),
            ("0.01%", (1, 1)),
        ] {
            assert_eq!(size(text, 400, 200), Ok(expected), "{text}");
        }
    }

    #[test]
    fn impossible_sizes() {
        for text in ["", "x", "0x10", "-5x5", "big", "width", "0%", "nan", "99999x5", "20000x20000", "infx2", "1e3x2"] {
            assert!(matches!(size(text, 400, 200), Err(ToolError::InvalidArguments(_))), "{text}");
        }
    }

    #[test]
    fn crops_as_people_write_them() {
        for (text, expected) in [
            ("10,20,30,40", (10, 20, 30, 40)),
            ("square", (100, 0, 200, 200)),
            ("1:1", (100, 0, 200, 200)),
            ("16:9", (22, 0, 356, 200)),
            ("100x50", (150, 75, 100, 50)),
            ("400x200", (0, 0, 400, 200)),
        ] {
            assert_eq!(part(text, 400, 200), Ok(expected), "{text}");
        }
    }

    #[test]
    fn impossible_crops() {
        for text in ["", "1,2,3", "390,0,20,20", "0,0,0,10", "500x10", "0:1", "a:b", "18446744073709551615,0,2,2"] {
            assert!(matches!(part(text, 400, 200), Err(ToolError::InvalidArguments(_))), "{text}");
        }
    }

    /// Texts of these pieces in every order that a generator comes up with.
    fn texts(pieces: &'static [&'static str]) -> impl Iterator<Item = String> {
        let mut state = 1_u64;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        std::iter::repeat_with(move || (0..next(12)).map(|_| pieces[next(pieces.len())]).collect()).take(50_000)
    }

    #[test]
    fn no_text_panics() {
        let pieces = &[
            "1", "20", "0", "-", ".", "x", "×", "%", "w", "width", "height", "fit", "square", ":", ",", " ", "px",
            "by", "é", "half", "e9", "high",
        ];
        for text in texts(pieces) {
            if let Ok((width, height)) = size(&text, 40, 30) {
                assert!(width > 0 && height > 0, "{text}");
            }
            if let Ok((x, y, width, height)) = part(&text, 40, 30) {
                assert!(width > 0 && height > 0 && x + width <= 40 && y + height <= 30, "{text}");
            }
        }
    }
}
