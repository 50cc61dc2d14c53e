//! `run`: one request, answered on standard output.

use super::{
    budget::Budget,
    output::{note, say},
    tool::save,
};
use crate::{
    agent::{Ask, fault::Fault, report::Report},
    config::PlannerKind,
    host::Host,
    inputs::Inputs,
    place::Place,
    session::Session,
};
use anyhow::{Context as _, bail};
use clap::Args;
use std::{io::Read as _, path::PathBuf, process::ExitCode, sync::Arc};
use tokio::sync::mpsc;
use tomas_core::{
    accountant::Limits,
    plan::Plan,
    query::{MAX_REQUEST_BYTES, check_text},
    session::{Entry, Event},
};
use tomas_sandbox::CancelToken;

const EXAMPLES: &str = "\
Examples:
  tomas-host run \"what is 17.5% of 2,340?\"
  tomas-host run \"summarise notes.txt in two sentences\" --attach notes.txt --cpu 500m --memory 32MiB --json
  tomas-host run \"where do we mention the hosting contract\" --folder ~/notes
  echo \"12 miles in km\" | tomas-host run -

The session is kept in the store; `-v` shows plan, grants and observations on standard error.";

/// Answer one request.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The request, or `-` to read it from standard input
    text: String,
    /// A file that the request is about; may be repeated
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// A folder that may be searched
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    budget: Budget,
    /// Print one JSON object: answer, steps, times
    #[arg(long)]
    json: bool,
    /// Which planner decides [default: as configured]
    #[arg(long, value_enum, value_name = "KIND")]
    planner: Option<PlannerKind>,
    /// Folder for files that tools write
    #[arg(long, default_value = ".", value_name = "DIR")]
    out: PathBuf,
}

/// Answers one request.
///
/// # Errors
/// When there is no answer: the request, an attachment or the budget is refused, nothing fits, or the host is at fault.
pub fn run(place: &Place, arguments: &Arguments, verbose: bool) -> anyhow::Result<ExitCode> {
    let text = text(&arguments.text)?;
    check_text(&text)?;
    // What is wrong with files should be told before anything is loaded.
    let mut inputs = Inputs::default();
    for path in &arguments.attach {
        inputs.attach_file(path, place.config.session.attachments)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(answer(place, arguments, text, inputs, verbose))
}

fn text(argument: &str) -> anyhow::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut bytes = Vec::new();
    // One byte more than allowed is enough to know that it is too long.
    std::io::stdin().lock().take(MAX_REQUEST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_REQUEST_BYTES {
        bail!(
            "the request has more than {MAX_REQUEST_BYTES} bytes, which is the most allowed\nhint: put long text into an attachment"
        );
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        anyhow::anyhow!("the request is not UTF-8: byte {at} does not belong to a character\nhint: convert it, or attach it as a file")
    })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

async fn answer(
    place: &Place,
    arguments: &Arguments,
    text: String,
    inputs: Inputs,
    verbose: bool,
) -> anyhow::Result<ExitCode> {
    let host = Host::open(place, arguments.planner).await?;
    let limits = arguments.budget.limits();
    limits.tighten(&host.sessions.accountant.capacity()).context("the budget is refused")?;
    let session = host.sessions.open(&Limits::default(), arguments.folder.clone()).await?;
    for blob in &inputs.attachments {
        let Some(bytes) = inputs.blobs.get(&blob.name) else { continue };
        session.attach(&blob.name, bytes.to_vec()).await?;
    }
    if verbose {
        note(&format!("session: {}", session.id));
    }
    let cancel = CancelToken::new();
    stop_on_signal(cancel.clone());
    let (send, receive) = mpsc::unbounded_channel();
    let printer = verbose.then(|| tokio::spawn(print(receive)));
    let ask = Ask { text, limits, cancel, events: verbose.then_some(send) };
    let done = host.agent.answer(&session, ask).await;
    if let Some(printer) = printer {
        printer.await?;
    }
    session.close().await?;
    let report = match done {
        Ok(report) => report,
        Err(Fault::Host(error)) => return Err(error),
        Err(fault) => return Err(fault.into()),
    };
    let code = if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    keep(&session, &report, arguments).await?;
    say(&if arguments.json { serde_json::to_string(&report)? } else { report.answer })?;
    Ok(code)
}

/// Files that tools wrote go to the output folder.
async fn keep(session: &Session, report: &Report, arguments: &Arguments) -> anyhow::Result<()> {
    for blob in report.steps.iter().flat_map(|s| &s.blobs) {
        let bytes = session.bytes(&blob.digest).await?;
        note(&format!("wrote {}", save(&arguments.out, &blob.name, &bytes)?.display()));
    }
    Ok(())
}

fn stop_on_signal(cancel: CancelToken) {
    let signal = crate::server::signal();
    tokio::spawn(async move {
        signal.await;
        cancel.cancel();
    });
}

/// The stages of a request, a line each.
async fn print(mut events: mpsc::UnboundedReceiver<Arc<Entry>>) {
    while let Some(entry) = events.recv().await {
        note(&match &entry.event {
            Event::Planned { plan: Plan::Reply(_), policy, planning_ms, .. } => {
                format!("plan: no tool ({policy}, {planning_ms:.1} ms)")
            }
            Event::Planned { plan: Plan::Steps(steps), policy, planning_ms, .. } => {
                let steps: Vec<String> =
                    steps.iter().map(|s| format!("\n  {} {}", s.configuration, s.arguments)).collect();
                format!("plan: {policy}, {planning_ms:.1} ms{}", steps.concat())
            }
            Event::Granted { step, quota, waited_ms, .. } => {
                format!(
                    "grant: step {}: {}, within {} (waited {waited_ms:.1} ms)",
                    step + 1,
                    quota.resources(),
                    quota.deadline
                )
            }
            Event::Observed { step, observation, .. } => {
                let usage = &observation.usage;
                format!(
                    "observation: step {}: {}, {:.2} ms CPU, {:.2} ms wall, {:.2} ms throttled, {} bytes of memory",
                    step + 1,
                    observation.outcome.name(),
                    usage.cpu_ms,
                    usage.wall_ms,
                    usage.throttled_ms,
                    usage.peak_memory_bytes
                )
            }
            Event::Answered { total_ms, .. } => format!("answer: after {total_ms:.1} ms"),
            _ => continue,
        });
    }
}
