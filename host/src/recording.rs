//! Recordings of calls: all that one depended on, so that it can be run again to the same bits.

use crate::{blobs::Blobs, files, inputs};
use anyhow::{Context as _, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tomas_core::{
    amount::Bytes,
    manifest::Permissions,
    name::ToolName,
    observation::{BlobRef, Observation},
    quota::Quota,
    tool::Tool,
};
use tomas_sandbox::{Call, Finished, KeyValue, LoadedComponent, Room, Tape, Track, Workspace};

/// The form in which recordings are written.
const VERSION: u32 = 1;

/// Largest file of a recording that is read.
const MOST: Bytes = Bytes::mib(256);

/// Where recordings are.
#[derive(Debug, Clone)]
pub struct Recordings {
    folder: PathBuf,
    blobs: Blobs,
}

/// A call and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    version: u32,
    /// Which tool, as it is listed.
    pub tool: ToolName,
    /// What its component calls it.
    export: ToolName,
    /// The component's digest.
    pub component: String,
    /// Where the component was, if the tool was named by its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The text of a JSON object.
    pub arguments: String,
    permissions: Permissions,
    environment: Vec<(String, String)>,
    config: Vec<(String, String)>,
    blobs: Vec<BlobRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
    /// Bytes that could be written into the folder, where any could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    writable: Option<Bytes>,
    /// What the tool had kept from calls before, values in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    track: Track,
    /// What came of it.
    pub observation: Observation,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    most: Bytes,
    values: BTreeMap<String, String>,
}

/// A call that is being recorded.
pub struct Pending {
    recording: Recording,
    tape: Tape,
    blobs: BTreeMap<String, Arc<[u8]>>,
}

impl Pending {
    /// Notes where the component is, so that a replay finds it.
    #[must_use]
    pub fn at(mut self, component: &Path) -> Self {
        self.recording.path = component.canonicalize().ok();
        self
    }
}

impl Recordings {
    /// The recordings of a store.
    #[must_use]
    pub fn new(store: &Path) -> Self {
        Self { folder: store.join("recordings"), blobs: Blobs::new(&store.join("blobs")) }
    }

    /// Begins to record a call that is about to be made.
    #[must_use]
    pub fn begin(call: &mut Call, tool: &Tool, quota: Quota) -> Pending {
        let tape = Tape::recorder();
        call.tape = Some(tape.clone());
        let kept = call.keyvalue.as_ref().map(|store| {
            let (most, values) = store.entries();
            Kept { most, values: values.into_iter().map(|(key, value)| (key, BASE64.encode(value))).collect() }
        });
        let workspace = call.workspace.as_ref();
        let recording = Recording {
            version: VERSION,
            tool: tool.name().clone(),
            export: call.tool.clone(),
            component: tool.component.clone(),
            path: None,
            arguments: call.arguments.clone(),
            permissions: call.permissions.clone(),
            environment: call.environment.clone(),
            config: call.config.clone(),
            blobs: call.blobs.iter().map(|(name, bytes)| inputs::describe(name, bytes)).collect(),
            folder: workspace.map(|workspace| workspace.folder.clone()),
            writable: workspace.and_then(|workspace| workspace.writable.as_ref().map(Room::left)),
            kept,
            track: Track::default(),
            observation: Observation::none(quota),
        };
        Pending { recording, tape, blobs: call.blobs.clone() }
    }

    /// Writes what was recorded, and returns under which id. Blocks.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn end(&self, pending: Pending, finished: &Finished) -> anyhow::Result<String> {
        let Pending { mut recording, tape, blobs } = pending;
        recording.track = tape.track();
        recording.observation = finished.observation.clone();
        for blob in &recording.blobs {
            if let Some(bytes) = blobs.get(&blob.name) {
                self.blobs.put(blob, bytes)?;
            }
        }
        let text = serde_json::to_vec_pretty(&recording)?;
        let id: String = blake3::hash(&text).to_hex().chars().take(16).collect();
        // The environment may hold secrets.
        files::replace_private(&self.path(&id)?, &text)?;
        Ok(id)
    }

    /// The recordings, the latest first: their ids.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> anyhow::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| format!("`{}` cannot be read", self.folder.display()))?,
        };
        let mut all: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, name.strip_suffix(".json")?.to_owned()))
            })
            .collect();
        all.sort();
        Ok(all.into_iter().rev().map(|(_, id)| id).collect())
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// When there is none of that id, or it is damaged.
    pub fn read(&self, id: &str) -> anyhow::Result<Recording> {
        let path = self.path(id)?;
        if !path.is_file() {
            bail!("there is no recording `{id}`\nhint: `tomas-host tool replay` lists those there are");
        }
        let refused = || format!("recording `{}` is refused", path.display());
        let recording: Recording = serde_json::from_slice(&files::read(&path, MOST)?).with_context(refused)?;
        if recording.version != VERSION {
            return Err(anyhow::anyhow!("it is of version {}, this host knows {VERSION}", recording.version))
                .with_context(refused);
        }
        Ok(recording)
    }

    /// The call of a recording, with what it was recorded to, and the tape to look at afterwards.
    ///
    /// # Errors
    /// When the component is another one, the recording is not the whole call, or a file is gone.
    pub fn call(&self, recording: &Recording, component: Arc<LoadedComponent>) -> anyhow::Result<(Call, Tape)> {
        if component.digest() != recording.component {
            bail!(
                "the component of `{}` is not the recorded one: `{}` instead of `{}`\n\
                 hint: replay with the component of then, or record again",
                recording.tool,
                component.digest(),
                recording.component
            );
        }
        if recording.writable.is_some() {
            bail!(
                "the call could write into a folder, which a replay would do again\nhint: record it without `--writable`"
            );
        }
        let tape = Tape::player(recording.track.clone())
            .map_err(|why| anyhow::anyhow!("the recording is not the whole call: {why}"))?;
        let mut call = Call::new(component, recording.export.clone(), recording.arguments.clone());
        for blob in &recording.blobs {
            call.blobs.insert(blob.name.clone(), self.blobs.get(&blob.digest)?.into());
        }
        call.permissions.clone_from(&recording.permissions);
        call.environment.clone_from(&recording.environment);
        call.config.clone_from(&recording.config);
        call.workspace = recording.folder.clone().map(|folder| Workspace { folder, writable: None });
        call.keyvalue = recording.kept.as_ref().map(Kept::store).transpose()?;
        call.tape = Some(tape.clone());
        Ok((call, tape))
    }

    /// Ids are hexadecimal, so that none leads out of the folder.
    fn path(&self, id: &str) -> anyhow::Result<PathBuf> {
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            bail!("`{id}` is not the id of a recording\nhint: `tomas-host tool replay` lists those there are");
        }
        Ok(self.folder.join(format!("{id}.json")))
    }
}

impl Kept {
    fn store(&self) -> anyhow::Result<KeyValue> {
        let values = self.values.iter();
        let values =
            values.map(|(key, value)| Ok((key.clone(), BASE64.decode(value).context("a kept value is damaged")?)));
        Ok(KeyValue::of(self.most, values.collect::<anyhow::Result<_>>()?))
    }
}

/// What two runs of one call differ in; usage aside, which is measured and never the same.
#[must_use]
pub fn differences(recorded: &Observation, replayed: &Observation) -> Vec<String> {
    let mut all = Vec::new();
    let mut differ = |what: &str, then: &str, now: &str| {
        if then != now {
            let short = |text: &str| text.chars().take(200).collect::<String>();
            all.push(format!("{what}: `{}` then, `{}` now", short(then), short(now)));
        }
    };
    let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let written = |blobs: &[BlobRef]| {
        let all: Vec<_> = blobs.iter().map(|blob| format!("{} {}", blob.name, blob.digest)).collect();
        all.join(", ")
    };
    differ("outcome", recorded.outcome.name(), replayed.outcome.name());
    differ("result", &text(&recorded.result), &text(&replayed.result));
    differ("error", recorded.error.as_deref().unwrap_or_default(), replayed.error.as_deref().unwrap_or_default());
    differ("log", &recorded.log, &replayed.log);
    differ("files", &written(&recorded.blobs), &written(&replayed.blobs));
    let bytes = |o: &Observation| format!("{} in, {} out", o.usage.input_bytes, o.usage.output_bytes);
    differ("bytes", &bytes(recorded), &bytes(replayed));
    let memory = |o: &Observation| o.usage.peak_memory_bytes.to_string();
    differ("memory", &memory(recorded), &memory(replayed));
    all
}
