//! `tool new | build | watch`.

use super::{
    check::check,
    output::{explain, note, say},
};
use crate::{files, place::Place, tools::Found};
use anyhow::Context as _;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};
use tomas_authoring::Language;

/// How often `watch` looks at the files.
const INTERVAL: Duration = Duration::from_millis(300);

/// Makes a folder with a new tool.
///
/// # Errors
/// When the name cannot be one, or the folder is taken.
pub fn new(name: &str, language: Language, into: Option<&Path>) -> anyhow::Result<ExitCode> {
    let folder = into.unwrap_or(Path::new(name));
    tomas_authoring::scaffold(folder, name, language)?;
    let shown = folder.display();
    let prepare = language.needs(folder);
    let place = if folder.is_absolute() { shown.to_string() } else { format!("./{shown}") };
    say(&format!(
        "{shown} has a tool in {language}: what it exports is in wit/world.wit, what it may use in tool.toml. Next:\n\
         \x20 {prepare}\n  tomas-host tool build {place}\n  tomas-host tool check {place}\n  \
         tomas-host tool run {place} '{{\"text\": \"ha\", \"times\": 3}}'\n  tomas-host tool watch {place}"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds a tool's component and puts it where its manifest says.
///
/// # Errors
/// When the toolchain is missing or fails, or the component is refused.
pub fn build(place: &Place, folder: &Path) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let built = tomas_authoring::build(folder)?;
    let path = output(folder)?;
    // Refused before it replaces one that works.
    let described = place.sandbox()?.describe(&built.component).context("what was built is refused")?;
    files::replace(&path, &built.component)?;
    let names = described.exports.iter().map(|export| format!("`{}`", export.name)).collect::<Vec<_>>().join(", ");
    say(&format!(
        "{}: {} bytes from {} in {:.1} s; exports {names}",
        path.display(),
        built.component.len(),
        built.language,
        begun.elapsed().as_secs_f64()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the component of a tool's folder belongs.
fn output(folder: &Path) -> anyhow::Result<PathBuf> {
    let Found { manifest, component, .. } = Found::read(folder)?;
    Ok(match (manifest.component, component) {
        (Some(file), _) => folder.join(file),
        // Where it is found today, or it would be built and not seen.
        (None, Some(found)) => found,
        (None, None) => folder.join(format!("{}.wasm", manifest.name)),
    })
}

/// Builds and checks at once and after every change, until it is stopped.
///
/// # Errors
/// When the folder cannot be read. What does not build or check is reported, and waited for.
pub fn watch(place: &Place, folder: &Path) -> anyhow::Result<ExitCode> {
    let mut seen = Vec::new();
    loop {
        let now = state(folder)?;
        if now != seen {
            seen = now;
            let done = build(place, folder).and_then(|_| check(place, folder));
            if let Err(error) = done {
                note(&explain(&error));
            }
            note(&format!("watching {}; stop with Ctrl-C", folder.display()));
        }
        std::thread::sleep(INTERVAL);
    }
}

/// The files of a tool, and when each was changed. A file that goes away between two looks is a change.
fn state(folder: &Path) -> anyhow::Result<Vec<(PathBuf, Option<SystemTime>)>> {
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    Ok(tomas_authoring::sources(folder)?.into_iter().map(|path| (path.clone(), changed(&path))).collect())
}
