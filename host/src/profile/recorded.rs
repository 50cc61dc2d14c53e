//! Recorded calls: what sessions really asked of tools, replayed beside the manifests' samples.

use super::grid::{Case, Subject};
use crate::{blobs::Blobs, inputs::Inputs, store::Store};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    path::Path,
};
use tomas_core::{
    observation::{BlobRef, Outcome},
    plan::{self, Plan},
    session::{Entry, Event},
};

/// Adds up to `most` recorded calls to the subjects, the latest first. Calls that did not end `ok`, were recorded
/// before, or whose files are gone are left out. Returns how many were added.
///
/// # Errors
/// When the store cannot be read.
pub async fn add(subjects: &mut [Subject], store: &Store, blobs: &Blobs, most: usize) -> anyhow::Result<usize> {
    let mut seen = HashSet::new();
    let mut added = 0;
    for session in store.sessions().await?.iter().rev() {
        let folder = store.folder(session).await?;
        let mut log = Log::default();
        let mut after = 0;
        loop {
            let page = store.events(session, after, 1000).await?;
            let Some(last) = page.last() else { break };
            after = last.sequence;
            for entry in page {
                let sequence = entry.sequence;
                if let Some(call) = log.take(entry) {
                    if added >= most {
                        return Ok(added);
                    }
                    if seen.insert((call.tool.clone(), call.arguments.to_string(), call.digests())) {
                        let name = format!("{session}-{sequence}");
                        added += usize::from(keep(subjects, blobs, folder.as_deref(), name, call));
                    }
                }
            }
        }
    }
    Ok(added)
}

/// A call that ended `ok`, as it was made.
struct Recorded {
    tool: String,
    arguments: Value,
    attachments: Vec<BlobRef>,
}

impl Recorded {
    fn digests(&self) -> String {
        self.attachments.iter().map(|b| b.digest.as_str()).collect()
    }
}

/// Follows a session's log.
#[derive(Default)]
struct Log {
    attachments: Vec<BlobRef>,
    plans: Vec<(u64, Vec<tomas_core::plan::Step>, Vec<Option<String>>)>,
    /// The files of the session when a step of a request was granted.
    given: HashMap<(u64, usize), Vec<BlobRef>>,
}

impl Log {
    /// Takes in an event; gives the call that it ended, if it did.
    fn take(&mut self, entry: Entry) -> Option<Recorded> {
        match entry.event {
            Event::Attached { blob } => {
                self.attachments.retain(|b| b.name != blob.name);
                self.attachments.push(blob);
                None
            }
            Event::Planned { request, plan: Plan::Steps(steps), .. } => {
                let values = vec![None; steps.len()];
                self.plans.push((request, steps, values));
                None
            }
            Event::Granted { request, step, .. } => {
                self.given.insert((request, step), self.attachments.clone());
                None
            }
            Event::Observed { request, step: k, observation } if observation.outcome == Outcome::Ok => {
                let (_, steps, values) = self.plans.iter_mut().find(|(r, ..)| *r == request)?;
                let step = steps.get(k)?;
                let arguments = step.resolve(k, |d| values.get(d)?.clone()).ok()?;
                let tool = step.configuration.tool.to_string();
                *values.get_mut(k)? = observation.value();
                let named = |b: &&BlobRef| plan::names_blob(&arguments, &b.name);
                // What it was given, not what it wrote since under the same name.
                let given = self.given.get(&(request, k)).unwrap_or(&self.attachments);
                let attachments = given.iter().filter(named).cloned().collect();
                Some(Recorded { tool, arguments, attachments })
            }
            Event::Answered { request, .. } | Event::Failed { request, .. } => {
                self.plans.retain(|(r, ..)| *r != request);
                self.given.retain(|(r, _), _| *r != request);
                None
            }
            _ => None,
        }
    }
}

fn keep(subjects: &mut [Subject], blobs: &Blobs, folder: Option<&Path>, name: String, call: Recorded) -> bool {
    let Some(subject) = subjects.iter_mut().find(|s| s.tool.name().as_str() == call.tool) else { return false };
    let mut inputs = Inputs::default();
    for blob in &call.attachments {
        let Ok(bytes) = blobs.get(&blob.digest) else { return false };
        inputs.attach(&blob.name, bytes);
    }
    if let Some(folder) = folder
        && inputs.grant_folder(folder).is_err()
    {
        return false;
    }
    subject.cases.push(Case { name, arguments: call.arguments, inputs });
    true
}
