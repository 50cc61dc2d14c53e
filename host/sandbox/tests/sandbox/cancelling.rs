//! Calls that nobody waits for any more.

use crate::support::{SANDBOX, hostile, quota};
use serde_json::json;
use std::time::{Duration, Instant};
use tomas_core::{
    accountant::{Accountant, Limits},
    amount::{Bytes, MilliCpu},
    observation::Outcome,
    quota::Quota,
    resource::Resources,
};
use tomas_sandbox::CancelToken;

/// Far below the deadline of a minute, far above what a loaded machine needs.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn cancelling_stops_the_guest_whatever_it_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let throttled = Quota { cpu: MilliCpu(10), ..quota() };
    let wide = Quota { cpu: MilliCpu(2000), ..quota() };
    for (quota, tool, arguments) in [
        (quota(), "spin", json!({})),
        (quota(), "sleep", json!({})),
        (throttled, "spin", json!({})),
        (wide, "fork", json!({ "n": 8, "work": 60_000 })),
    ] {
        let session = CancelToken::new();
        let mut call = hostile(tool, arguments);
        call.cancel = session.child();
        let begun = Instant::now();
        let (finished, ()) = runtime.block_on(async {
            tokio::join!(SANDBOX.call(crate::support::grant(quota), call), async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                session.cancel();
            })
        });
        assert_eq!(finished.unwrap().observation.outcome, Outcome::Cancelled, "{tool}");
        assert!(begun.elapsed() < SOON, "{tool}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_call_that_is_cancelled_before_it_begins_does_nothing() {
    let call = hostile("spin", json!({}));
    call.cancel.cancel();
    let observation = crate::support::expect(Outcome::Cancelled, quota(), call);
    assert_eq!(observation.usage.peak_memory_bytes, 0);
}

#[test]
fn dropping_the_future_stops_the_guest_and_refunds_the_grant() {
    let capacity = Resources { cpu: MilliCpu(2000), memory: Bytes::mib(256), gpu_sms: 0, gpu_memory: Bytes(0) };
    let accountant = Accountant::new(capacity, 8);
    let account = accountant.open(&Limits::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for tool in ["spin", "sleep"] {
        let call = SANDBOX.call(account.try_reserve(quota()).unwrap(), hostile(tool, json!({})));
        let gone = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(50), call).await });
        assert!(gone.is_err());
    }
    let begun = Instant::now();
    while accountant.ledger().cpu.held > 0 {
        assert!(begun.elapsed() < SOON, "the grants are still held");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(accountant.ledger().balanced());
}

#[test]
fn blocking_inside_a_runtime_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = hostile("burn", json!({ "n": 0 }));
    let refused = runtime.block_on(async { SANDBOX.call_blocking(crate::support::grant(quota()), call.clone()) });
    assert!(refused.unwrap_err().to_string().contains("use `call`"));
    let finished = SANDBOX.call_blocking(crate::support::grant(quota()), call).unwrap();
    assert_eq!(finished.observation.outcome, Outcome::Ok);
}
