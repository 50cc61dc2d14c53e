//! Counters in Prometheus' text format.

use super::App;
use crate::agent::{fault::Fault, report::Report};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};
use tomas_core::resource::Resource;

/// What is counted since the start.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    http: BTreeMap<(String, u16), u64>,
    requests: BTreeMap<&'static str, u64>,
    steps: BTreeMap<(String, &'static str), Step>,
    planning_seconds: f64,
    answer_seconds: f64,
}

#[derive(Debug, Default)]
struct Step {
    calls: u64,
    cpu_seconds: f64,
    wall_seconds: f64,
    throttled_seconds: f64,
}

impl Metrics {
    fn with(&self, f: impl FnOnce(&mut Counts)) {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts an HTTP request. `route` is the pattern, never the path, so that ids make no series.
    pub fn http(&self, route: &str, status: u16) {
        self.with(|c| *c.http.entry((route.to_owned(), status)).or_default() += 1);
    }

    /// Counts what became of a request to the agent.
    pub fn answered(&self, done: &Result<Report, Fault>) {
        self.with(|c| {
            let result = match done {
                Ok(report) if report.ok() => "ok",
                Ok(_) => "step_failed",
                Err(Fault::Cancelled) => "cancelled",
                Err(Fault::Host(_)) => "host_failed",
                Err(_) => "refused",
            };
            *c.requests.entry(result).or_default() += 1;
            let Ok(report) = done else { return };
            c.planning_seconds += report.planning_ms / 1e3;
            c.answer_seconds += report.total_ms / 1e3;
            for step in &report.steps {
                let count = c.steps.entry((step.tool.to_string(), step.outcome.name())).or_default();
                count.calls += 1;
                count.cpu_seconds += step.usage.cpu_ms / 1e3;
                count.wall_seconds += step.usage.wall_ms / 1e3;
                count.throttled_seconds += step.usage.throttled_ms / 1e3;
            }
        });
    }

    /// The text that Prometheus reads.
    pub async fn text(&self, app: &App) -> String {
        let sessions = app.live.count().await;
        let mut out = Text::default();
        self.with(|c| c.write(&mut out));
        out.family("tomas_sessions_live", "gauge", "Sessions in memory", [(String::new(), sessions as f64)]);
        ledger(&mut out, app);
        out.0
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    /// One metric. Writing to a string cannot fail.
    fn family(&mut self, name: &str, kind: &str, help: &str, series: impl IntoIterator<Item = (String, f64)>) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in series {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus counts in floats")]
impl Counts {
    fn write(&self, out: &mut Text) {
        let http = self
            .http
            .iter()
            .map(|((route, status), n)| (format!("{{route=\"{route}\",status=\"{status}\"}}"), *n as f64));
        out.family("tomas_http_requests_total", "counter", "HTTP requests by route and status", http);
        let requests = self.requests.iter().map(|(result, n)| (format!("{{result=\"{result}\"}}"), *n as f64));
        out.family("tomas_requests_total", "counter", "Requests to the agent by result", requests);
        let plain = |value| [(String::new(), value)];
        out.family("tomas_planning_seconds_total", "counter", "Time spent planning", plain(self.planning_seconds));
        out.family("tomas_answer_seconds_total", "counter", "Time from request to answer", plain(self.answer_seconds));
        let steps = |value: fn(&Step) -> f64| {
            self.steps
                .iter()
                .map(move |((tool, outcome), s)| (format!("{{tool=\"{tool}\",outcome=\"{outcome}\"}}"), value(s)))
        };
        out.family("tomas_steps_total", "counter", "Steps by tool and outcome", steps(|s| s.calls as f64));
        out.family("tomas_step_cpu_seconds_total", "counter", "CPU time of steps", steps(|s| s.cpu_seconds));
        out.family("tomas_step_wall_seconds_total", "counter", "Wall time of steps", steps(|s| s.wall_seconds));
        out.family(
            "tomas_step_throttled_seconds_total",
            "counter",
            "Time held back by CPU quotas",
            steps(|s| s.throttled_seconds),
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus counts in floats")]
fn ledger(out: &mut Text, app: &App) {
    let ledger = app.host.sessions.accountant.ledger();
    let rows = |value: fn(&tomas_core::accountant::Row) -> f64| {
        Resource::ALL.map(|r| (format!("{{resource=\"{}\"}}", r.name()), value(ledger.row(r))))
    };
    out.family(
        "tomas_ledger_capacity",
        "gauge",
        "What may be held (millicores, bytes, SMs, bytes)",
        rows(|r| r.capacity as f64),
    );
    out.family("tomas_ledger_held", "gauge", "What grants hold now", rows(|r| r.held as f64));
    out.family("tomas_ledger_reserved_total", "counter", "What all grants reserved", rows(|r| r.reserved_total as f64));
    out.family("tomas_ledger_spent_total", "counter", "What grants used", rows(|r| r.spent_total as f64));
    out.family("tomas_ledger_refunded_total", "counter", "What grants gave back", rows(|r| r.refunded_total as f64));
    out.family("tomas_grants", "gauge", "Grants that live", [(String::new(), ledger.grants as f64)]);
    out.family("tomas_waiting", "gauge", "Reservations that wait", [(String::new(), ledger.waiting as f64)]);
}
