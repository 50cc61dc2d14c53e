//! The profile plot: one panel a tool, latency over CPU, a line for each size class and memory level.

use anyhow::Context as _;
use plotters::prelude::*;
use std::{collections::BTreeMap, path::Path};
use tomas_core::{
    configuration::SizeClass,
    level::{Level, LevelTable},
    name::ToolName,
    profile::Profile,
    resource::Resource,
};

/// Panels beside each other.
const COLUMNS: usize = 2;
/// Pixels of a panel.
const PANEL: (u32, u32) = (560, 380);

/// Draws all profiles as SVG. Points are expected latencies; a cross at the top is a configuration that failed.
///
/// # Errors
/// When the picture cannot be drawn or written.
pub fn draw(path: &Path, profiles: &[Profile], levels: &LevelTable) -> anyhow::Result<()> {
    let mut tools: BTreeMap<&ToolName, Vec<&Profile>> = BTreeMap::new();
    profiles.iter().for_each(|p| tools.entry(&p.configuration.tool).or_default().push(p));
    let rows = tools.len().div_ceil(COLUMNS).max(1);
    let mut svg = String::new();
    {
        let size = (PANEL.0 * COLUMNS as u32, PANEL.1 * u32::try_from(rows).unwrap_or(1));
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).map_err(anyhow::Error::msg)?;
        for (panel, (tool, profiles)) in area.split_evenly((rows, COLUMNS)).iter().zip(&tools) {
            draw_tool(panel, tool, profiles, levels).map_err(|e| anyhow::Error::msg(e.to_string()))?;
        }
        area.present().map_err(anyhow::Error::msg)?;
    }
    crate::files::replace(path, svg.as_bytes()).context("the profile plot is not written")
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), Box<dyn std::error::Error + 'a>>;

fn draw_tool<'a>(panel: &Area<'a>, tool: &ToolName, profiles: &[&Profile], levels: &LevelTable) -> Drawn<'a> {
    let cores = |l| levels.amount(Resource::Cpu, l) as f64 / 1000.0;
    let feasible = || profiles.iter().filter(|p| p.feasible()).map(|p| p.latency_ms.max(0.01));
    let low = feasible().fold(f64::INFINITY, f64::min).min(1.0) * 0.7;
    let high = feasible().fold(0.0, f64::max).max(low * 10.0) * 2.0;
    let mut chart = ChartBuilder::on(panel)
        .caption(tool.as_str(), ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(56)
        // The room on the right is the legend's.
        .build_cartesian_2d(
            (cores(Level::Low) * 0.8..cores(Level::High) * 5.0).log_scale().with_key_points(vec![
                cores(Level::Low),
                cores(Level::Med),
                cores(Level::High),
            ]),
            (low..high).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("cores")
        .y_desc("expected latency, ms")
        .light_line_style(WHITE)
        .x_label_formatter(&|x| format!("{x:.2}"))
        .draw()?;
    for (size, memory) in SizeClass::ALL.into_iter().flat_map(|s| Level::ALL.into_iter().skip(1).map(move |m| (s, m))) {
        let mine = |p: &&&Profile| p.configuration.size == size && p.configuration.levels.memory == memory;
        let at = |p: &&Profile| cores(p.configuration.levels.cpu);
        let points: Vec<_> =
            profiles.iter().filter(mine).filter(|p| p.feasible()).map(|p| (at(p), p.latency_ms)).collect();
        let failed: Vec<_> = profiles.iter().filter(mine).filter(|p| !p.feasible()).map(at).collect();
        let color = color(size, memory);
        if !points.is_empty() {
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?
                .label(format!("{} {}", size.name(), levels_name(memory)))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], color.stroke_width(2)));
        }
        // Failures of different memory levels lie beside each other at the top.
        let shift = 1.0 + 0.06 * memory.index() as f64 + 0.02 * (size as usize) as f64;
        chart.draw_series(failed.into_iter().map(|x| Cross::new((x * shift, high * 0.8), 4, color.stroke_width(2))))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.7))
        .label_font(("sans-serif", 11))
        .draw()?;
    Ok(())
}

fn levels_name(level: Level) -> String {
    format!("{level} memory").to_lowercase()
}

/// A hue for each size class, lighter for more memory.
fn color(size: SizeClass, memory: Level) -> RGBColor {
    let light = memory.index().saturating_sub(1) as u8 * 60;
    match size {
        SizeClass::Small => RGBColor(light, 110 + light / 2, 40 + light),
        SizeClass::Medium => RGBColor(20 + light, 70 + light, 200),
        SizeClass::Large => RGBColor(200, 30 + light, light),
    }
}
