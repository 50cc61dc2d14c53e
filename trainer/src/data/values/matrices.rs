//! Matrices and vectors as people write them.

use super::pick;
use fastrand::Rng;

/// `2x3`, or letters for dimensions drawn between 2 and 4 (`NxN` is square).
pub(super) fn matrix(spec: &str, rng: &mut Rng) -> Result<String, String> {
    let (rows, columns) = spec.split_once('x').ok_or("a matrix is ROWSxCOLUMNS")?;
    let mut drawn = Vec::<(String, usize)>::new();
    let mut dimension = |text: &str, rng: &mut Rng| match text.parse::<usize>() {
        Ok(n) if (1..=9).contains(&n) => Ok(n),
        Ok(_) => Err("dimensions are 1 to 9".to_owned()),
        Err(_) => Ok(drawn.iter().find(|(t, _)| t == text).map(|(_, n)| *n).unwrap_or_else(|| {
            let n = rng.usize(2..=4);
            drawn.push((text.to_owned(), n));
            n
        })),
    };
    let (rows, columns) = (dimension(rows, rng)?, dimension(columns, rng)?);
    let cells: Vec<Vec<String>> = (0..rows).map(|_| (0..columns).map(|_| entry(rng)).collect()).collect();
    Ok(match rng.u32(0..8) {
        0..3 => bracketed(&cells, ",", ","),
        3..6 => bracketed(&cells, ", ", ", "),
        6 => cells.iter().map(|r| r.join(" ")).collect::<Vec<_>>().join("; "),
        _ => cells.iter().map(|r| r.join(",")).collect::<Vec<_>>().join(";"),
    })
}

/// A vector of N entries.
pub(super) fn vector(spec: &str, rng: &mut Rng) -> Result<String, String> {
    let n = spec.parse::<usize>().unwrap_or_else(|_| rng.usize(2..=4));
    if !(1..=9).contains(&n) {
        return Err("vectors have 1 to 9 entries".to_owned());
    }
    let cells: Vec<String> = (0..n).map(|_| entry(rng)).collect();
    Ok(format!("[{}]", cells.join(if rng.bool() { "," } else { ", " })))
}

fn bracketed(cells: &[Vec<String>], inner: &str, outer: &str) -> String {
    let rows: Vec<String> = cells.iter().map(|r| format!("[{}]", r.join(inner))).collect();
    format!("[{}]", rows.join(outer))
}

fn entry(rng: &mut Rng) -> String {
    match rng.u32(0..12) {
        0..8 => rng.i32(0..10).to_string(),
        8..10 => rng.i32(-9..0).to_string(),
        10 => rng.i32(10..100).to_string(),
        _ => format!("{}.{}", rng.i32(0..10), pick(&["5", "25", "1", "75"], rng)),
    }
}
