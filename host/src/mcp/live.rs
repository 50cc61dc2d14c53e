//! The catalogue that is served now. It follows the tools on disk: what is built, added, changed or removed while the host
//! runs is listed and called a moment later, and clients are told.

use super::catalogue::Catalogue;
use crate::{lock, place::Place, tools::Toolbox, trust};
use anyhow::Context as _;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{sync::watch, task::spawn_blocking};
use tomas_core::registry::Registry;

/// How often the folders of tools are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// See the module. Clones follow the same tools.
#[derive(Clone)]
pub struct Live(watch::Receiver<Arc<Catalogue>>);

/// Looks at the tools on disk.
struct Eye {
    place: Place,
    toolbox: Arc<Toolbox>,
    registry: Arc<Registry>,
}

/// The files that the tools of a host are made of, with what shows that one changed.
type State = Vec<(PathBuf, u64, Option<SystemTime>)>;

impl Live {
    /// Opens the catalogue of a place, and follows its tools for as long as somebody listens.
    ///
    /// # Errors
    /// When the tools cannot be listed or a manifest is refused. Later such errors are warnings, and the catalogue stays.
    pub async fn open(place: Place, toolbox: Arc<Toolbox>, registry: Arc<Registry>) -> anyhow::Result<Self> {
        let eye = Arc::new(Eye { place, toolbox, registry });
        let first = Arc::clone(&eye);
        let (seen, catalogue) = spawn_blocking(move || anyhow::Ok((first.state(), first.catalogue()?)))
            .await
            .context("looking at the tools panicked")??;
        let (send, receive) = watch::channel(Arc::new(catalogue));
        tokio::spawn(follow(eye, seen, send));
        Ok(Self(receive))
    }

    /// The catalogue as it is now.
    #[must_use]
    pub fn now(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.borrow())
    }

    /// A clone that hears of changes from now on.
    #[must_use]
    pub fn from_now(&self) -> Self {
        let mut this = self.clone();
        this.0.mark_unchanged();
        this
    }

    /// Waits for the next change. `false` when there will be none.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

async fn follow(eye: Arc<Eye>, mut seen: State, send: watch::Sender<Arc<Catalogue>>) {
    loop {
        tokio::select! {
            () = send.closed() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        let (looking, before) = (Arc::clone(&eye), seen.clone());
        let look = move || {
            let state = looking.state();
            (state != before).then(|| (state, looking.catalogue()))
        };
        match spawn_blocking(look).await {
            Ok(Some((state, Ok(catalogue)))) => {
                seen = state;
                drop(send.send(Arc::new(catalogue)));
            }
            Ok(Some((state, Err(error)))) => {
                seen = state;
                tracing::warn!("the tools stay as they were: {error:#}");
            }
            Ok(None) | Err(_) => {}
        }
    }
}

impl Eye {
    fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let found = self.place.tools(self.toolbox.sandbox())?;
        Ok(Catalogue::open(Arc::clone(&self.toolbox), &found, Arc::clone(&self.registry)))
    }

    fn state(&self) -> State {
        let mut state = Vec::new();
        for folder in &self.place.config.paths.tools {
            let folder = self.place.at(folder);
            look(&folder, &mut state);
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    look(&entry.path(), &mut state);
                }
            }
        }
        // A manifest may name a component anywhere.
        let found = self.place.found().unwrap_or_default();
        found.into_iter().filter_map(|found| found.component).for_each(|component| note(component, &mut state));
        state.sort();
        state.dedup();
        state
    }
}

/// Adds the components of a folder, and the files that say what they are and may.
fn look(folder: &Path, state: &mut State) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let said = ["tool.toml", trust::SIGNATURE, lock::FILE].contains(&&*name);
        if said || name.ends_with(".wasm") || name.ends_with(".policy.yaml") {
            note(path, state);
        }
    }
}

fn note(path: PathBuf, state: &mut State) {
    if let Ok(file) = path.metadata() {
        state.push((path, file.len(), file.modified().ok()));
    }
}
