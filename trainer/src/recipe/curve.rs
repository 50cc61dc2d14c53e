//! The loss curve of a run, as an SVG beside its metrics.

use super::supervised::Metrics;
use plotters::prelude::*;
use std::{fs, io, path::Path};

/// Draws `loss.svg` from `metrics.jsonl` in a run's folder: the training loss, and the development loss with points.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn draw(folder: &Path) -> io::Result<()> {
    let text = fs::read_to_string(folder.join("metrics.jsonl"))?;
    let lines: Vec<Metrics> = text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
    let side = |name: &str| -> Vec<(f64, f64)> {
        lines.iter().filter(|m| m.side == name).map(|m| (m.step as f64, f64::from(m.loss))).collect()
    };
    let (train, dev) = (side("train"), side("dev"));
    plot(&folder.join("loss.svg"), &train, &dev).map_err(io::Error::other)
}

fn plot(path: &Path, train: &[(f64, f64)], dev: &[(f64, f64)]) -> Result<(), String> {
    let all = || train.iter().chain(dev);
    let last = all().map(|p| p.0).fold(1.0, f64::max);
    let top = all().map(|p| p.1).filter(|l| l.is_finite()).fold(0.1, f64::max);
    let root = SVGBackend::new(path, (900, 480)).into_drawing_area();
    let text = |e: &dyn std::fmt::Display| e.to_string();
    root.fill(&WHITE).map_err(|e| text(&e))?;
    let mut chart = ChartBuilder::on(&root)
        .caption("loss (nats)", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..last, 0.0..top * 1.05)
        .map_err(|e| text(&e))?;
    chart.configure_mesh().x_desc("step").y_desc("loss").draw().map_err(|e| text(&e))?;
    let series = chart.draw_series(LineSeries::new(train.iter().copied(), &BLUE)).map_err(|e| text(&e))?;
    series.label("train").legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BLUE));
    let series = chart.draw_series(LineSeries::new(dev.iter().copied(), &RED).point_size(3)).map_err(|e| text(&e))?;
    series.label("dev").legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], RED));
    chart.configure_series_labels().border_style(BLACK).draw().map_err(|e| text(&e))?;
    root.present().map_err(|e| text(&e))
}
