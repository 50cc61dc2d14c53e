//! A well-behaved tool that is called again and again while something else goes on.

use crate::support::{grant, quota};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tomas_core::{amount::Span, observation::Outcome, quota::Quota};
use tomas_sandbox::{Call, LoadedComponent, Sandbox};

/// How long a call of the neighbour may take, which needs a millisecond on a machine at rest.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the neighbour saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) calls: u32,
    pub(crate) worst: Duration,
    pub(crate) fault: Option<String>,
}

/// Calls the neighbour once.
pub(crate) fn once(sandbox: &Sandbox, noop: &Arc<LoadedComponent>, seen: &mut Seen) {
    let quota = Quota { deadline: Span(PATIENCE), ..quota() };
    let call = Call::new(Arc::clone(noop), "noop".parse().unwrap(), r#"{"text":"hello"}"#.to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    let fault = match runtime.block_on(sandbox.call(grant(quota), call)) {
        Ok(finished) if finished.observation.outcome == Outcome::Ok && finished.observation.text() == "ok" => None,
        Ok(finished) => Some(format!("{:?}", finished.observation)),
        Err(error) => Some(error.to_string()),
    };
    seen.calls += 1;
    seen.worst = seen.worst.max(begun.elapsed());
    let late = (seen.worst > PATIENCE).then(|| format!("a call took {:?}", seen.worst));
    seen.fault = seen.fault.take().or(fault).or(late);
}

/// Calls the neighbour until it is told that it is over.
pub(crate) fn on_and_on(sandbox: &Sandbox, noop: &Arc<LoadedComponent>, over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !over.load(Ordering::Acquire) {
        once(sandbox, noop, &mut seen);
        std::thread::sleep(Duration::from_millis(2));
    }
    seen
}
