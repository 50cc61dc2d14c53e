//! `wasi:nn`: who may compute with which graph, and who pays for it. The graphs are stand-ins, one for each question.

use crate::support::{config, fixture, grant, quota, within};
use serde_json::json;
use std::{
    sync::{Arc, LazyLock},
    thread,
    time::{Duration, Instant},
};
use tomas_core::{
    amount::{Bytes, MilliCpu},
    graph::{Allowance, Element, Graph, GraphError, Graphs, Held, Named, Tensor},
    manifest::Permissions,
    observation::{Observation, Outcome},
    quota::Quota,
};
use tomas_sandbox::{Call, LoadedComponent, Outside, Sandbox};

/// Every name is a graph but `none` and `broken`.
struct Fake;

struct Stand(String);

impl Graphs for Fake {
    fn load(&self, name: &str) -> Result<Arc<dyn Graph>, GraphError> {
        match name {
            "none" => return Err(GraphError::NotFound("no model `none`\nhint: name it under [models]".to_owned())),
            "broken" => return Err(GraphError::Failed("the weights are torn".to_owned())),
            "panics" => panic!("as planned"),
            "slow" => thread::sleep(Duration::from_secs(2)),
            _ => {}
        }
        Ok(Arc::new(Stand(name.to_owned())))
    }
}

/// Works until `done`, a little at a time.
fn work(allowance: &dyn Allowance, done: impl Fn() -> bool) -> Result<(), GraphError> {
    while !done() {
        std::hint::black_box((0..20_000u64).fold(0, |sum, n| sum ^ std::hint::black_box(n)));
        allowance.check()?;
    }
    Ok(())
}

fn zeros(bytes: usize) -> Tensor {
    let dimensions = vec![u32::try_from(bytes).unwrap()];
    Tensor { dimensions, element: Element::U8, data: vec![0; bytes].into() }
}

impl Graph for Stand {
    fn compute(&self, inputs: Vec<Named>, allowance: &dyn Allowance) -> Result<Vec<Named>, GraphError> {
        match self.0.as_str() {
            "spin" => work(allowance, || false)?,
            "burn" => {
                let begun = cpu();
                work(allowance, || cpu() - begun > 0.05)?;
            }
            "greedy" => drop(Held::take(allowance, 1 << 40)?),
            "fair" => drop(Held::take(allowance, 8 << 20)?),
            "large" => return Ok(vec![("large".to_owned(), zeros(100 << 20))]),
            "refuses" => return Err(GraphError::TooLarge("it has too much of everything".to_owned())),
            "lies" => return Err(GraphError::Interrupted(tomas_core::graph::Interrupted)),
            "crashes" => panic!("as planned"),
            "granted" => {
                let Quota { cpu, gpu_sms, gpu_memory, .. } = *allowance.quota();
                let name = format!("{cpu} {gpu_sms} {gpu_memory}");
                return Ok(vec![(name, zeros(0))]);
            }
            _ => {}
        }
        Ok(inputs)
    }
}

/// CPU time of this thread in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    Sandbox::with_outside(config(), Outside { graphs: Arc::new(Fake), ..Outside::default() }).unwrap()
});
static HOSTILE: LazyLock<Arc<LoadedComponent>> = LazyLock::new(|| SANDBOX.load(&fixture("hostile")).unwrap());

/// A call that may use the model `path`.
fn call(tool: &str, model: &str, n: u64, work: u64) -> Call {
    let arguments = json!({ "path": model, "n": n, "work": work }).to_string();
    let mut call = Call::new(Arc::clone(&HOSTILE), tool.parse().unwrap(), arguments);
    call.permissions = Permissions { models: vec![model.to_owned()], ..Permissions::default() };
    call
}

#[track_caller]
fn expect(outcome: Outcome, quota: Quota, call: Call) -> Observation {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let observation = runtime.block_on(SANDBOX.call(grant(quota), call)).unwrap().observation;
    assert_eq!(observation.outcome, outcome, "{observation:#?}");
    observation
}

#[track_caller]
fn says(outcome: Outcome, call: Call, part: &str) -> String {
    let error = expect(outcome, quota(), call).error.unwrap();
    assert!(error.contains(part) && error.len() < 1000, "{error}");
    error
}

#[test]
fn tensors_go_in_and_out() {
    let observation = expect(Outcome::Ok, quota(), call("nn_compute", "echo", 3, 2));
    assert_eq!(observation.text(), "text [3072] TensorType::U8 3072");
    let text = expect(Outcome::Ok, quota(), call("nn_compute", "granted", 0, 1)).text();
    assert!(text.starts_with("1000m 0 0"), "{text}");
}

#[test]
fn a_model_is_used_only_where_the_manifest_names_it() {
    let mut other = call("nn_compute", "echo", 1, 1);
    for models in [vec![], vec!["ECHO".to_owned(), "echo ".to_owned(), String::new(), "*".to_owned()]] {
        other.permissions.models = models;
        says(Outcome::PermissionDenied, other.clone(), "`models = [\"echo\"]` under [permissions] of its tool.toml");
    }
    // Whether the host has it makes no difference.
    for path in ["none", "../echo", "/etc/passwd"] {
        let mut denied = call("nn_compute", path, 1, 1);
        denied.permissions.models.clear();
        says(Outcome::PermissionDenied, denied, "which it may not use");
    }
    let mut long = call("nn_name", "echo", 1000, 1);
    long.permissions.models.clear();
    says(Outcome::PermissionDenied, long, "xxxx");
}

#[test]
fn what_the_host_lacks_is_told_in_its_words() {
    says(
        Outcome::ToolError,
        call("nn_compute", "none", 1, 1),
        "NotFound: no model `none`\nhint: name it under [models]",
    );
    says(Outcome::ToolError, call("nn_compute", "broken", 1, 1), "RuntimeError: the weights are torn");
    says(Outcome::ToolError, call("nn_compute", "panics", 1, 1), "the host failed while it loaded the model");
    says(Outcome::ToolError, call("nn_compute", "refuses", 1, 1), "TooLarge: it has too much of everything");
    says(Outcome::ToolError, call("nn_compute", "lies", 1, 1), "must end");
    says(Outcome::ToolError, call("nn_bytes", "echo", 1, 1), "UnsupportedOperation: graphs are not loaded from bytes");
    let mut allowed = crate::support::hostile("nn_compute", json!({ "path": "echo", "n": 1 }));
    allowed.permissions.models = vec!["echo".to_owned()];
    let error = crate::support::expect(Outcome::ToolError, quota(), allowed).error.unwrap();
    assert!(error.contains("started without models"), "{error}");
}

#[test]
fn wrong_tensors_are_refused_before_a_graph_sees_them() {
    for n in 1..=5 {
        says(Outcome::ToolError, call("nn_wrong", "echo", n, 0), "InvalidArgument");
    }
    says(Outcome::ToolError, call("nn_wrong", "echo", 7, 0), "\\u{1b}[2J");
    // What is merely odd is for the graph to judge.
    for (n, outputs) in [(0, 0), (6, 1), (8, 1)] {
        let text = expect(Outcome::Ok, quota(), call("nn_wrong", "echo", n, 0)).text();
        assert_eq!(text, format!("{outputs} outputs"), "{n}");
    }
}

#[test]
fn tensors_count_as_the_calls_memory() {
    let small = Quota { memory: Bytes::mib(16), ..quota() };
    let observation = expect(Outcome::Ok, small, call("nn_hoard", "echo", 8, 1024));
    assert!(observation.usage.peak_memory_bytes > 9 << 20, "{:?}", observation.usage);
    let observation = expect(Outcome::MemoryExceeded, small, call("nn_hoard", "echo", 1000, 1024));
    assert!(observation.usage.peak_memory_bytes <= 16 << 20);
    let tiny = Quota { memory: Bytes::mib(3), ..quota() };
    expect(Outcome::MemoryExceeded, tiny, call("nn_hoard", "echo", 1_000_000, 0));
    expect(Outcome::MemoryExceeded, tiny, call("nn_handles", "echo", 1_000_000, 0));
    expect(Outcome::MemoryExceeded, small, call("nn_compute", "large", 1, 1));
    let error = expect(Outcome::MemoryExceeded, small, call("nn_compute", "greedy", 1, 1)).error.unwrap();
    assert!(error.contains("memory quota of `16MiB` (it asked for 1024GiB more)"), "{error}");
    // What is held while a graph computes is given back, however often.
    expect(Outcome::Ok, small, call("nn_compute", "fair", 100, 50));
    let observation = expect(Outcome::Ok, small, call("nn_compute", "fair", 0, 1));
    assert!(observation.usage.peak_memory_bytes > 8 << 20);
}

#[test]
fn so_many_handles_and_no_more() {
    expect(Outcome::Ok, quota(), call("nn_handles", "echo", 100, 0));
    let plenty = Quota { memory: Bytes::mib(1024), ..quota() };
    expect(Outcome::MemoryExceeded, plenty, call("nn_handles", "echo", 5000, 0));
    expect(Outcome::MemoryExceeded, plenty, call("nn_hoard", "echo", 1_000_000, 0));
}

#[test]
fn computing_is_charged_and_throttled() {
    let quarter = Quota { cpu: MilliCpu(250), ..quota() };
    let usage = expect(Outcome::Ok, quarter, call("nn_compute", "burn", 0, 1)).usage;
    assert!(usage.cpu_ms > 50.0 && usage.cpu_ms < 80.0, "{usage:?}");
    // 50 ms at a quarter of a core take 200 ms, of which the burst is 10 ms of wall time. What a busy machine kept from the
    // thread counts for what it would have slept.
    assert!(usage.wall_ms > 150.0 && usage.throttled_ms + usage.unscheduled_ms > 80.0, "{usage:?}");
}

#[test]
fn computing_ends_at_the_deadline() {
    let begun = Instant::now();
    expect(Outcome::DeadlineExceeded, within(200), call("nn_compute", "spin", 0, 1));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    expect(Outcome::DeadlineExceeded, within(200), call("nn_compute", "slow", 0, 1));
    assert!(begun.elapsed() < Duration::from_millis(1500), "nobody waits for the host to load");
}

#[test]
fn computing_ends_when_the_call_is_cancelled() {
    for model in ["spin", "slow"] {
        let call = call("nn_compute", model, 0, 1);
        let cancel = call.cancel.clone();
        let stopper = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            cancel.cancel();
        });
        let begun = Instant::now();
        expect(Outcome::Cancelled, quota(), call);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        stopper.join().unwrap();
    }
}

#[test]
fn a_graph_that_crashes_takes_its_call_and_nothing_else() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(SANDBOX.call(grant(quota()), call("nn_compute", "crashes", 0, 1))).is_err());
    expect(Outcome::Ok, quota(), call("nn_compute", "echo", 1, 1));
}

#[test]
fn a_short_tool_leaves_its_callers_thread_before_it_computes() {
    // After many short calls the next one begins on the thread of whoever calls.
    for _ in 0..20 {
        expect(Outcome::Ok, quota(), call("nn_compute", "echo", 0, 1));
    }
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let spinning = SANDBOX.call(grant(within(500)), call("nn_compute", "spin", 0, 1));
    let waited = runtime.block_on(async {
        tokio::select! {
            biased;
            _ = spinning => panic!("it spins until the deadline"),
            () = tokio::time::sleep(Duration::from_millis(20)) => begun.elapsed(),
        }
    });
    assert!(waited < Duration::from_millis(200), "{waited:?}");
}
