//! The accountant by example: budgets, refusals and their wording, settlement, waiting, closing.
#![allow(clippy::unwrap_used)]

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};
use tomas_core::{
    accountant::{Account, Accountant, BudgetError, Grant, Layer, Limits, Refusal, Reserve},
    amount::{Bytes, MilliCpu, Span},
    observation::Usage,
    quota::Quota,
    resource::Resources,
};

/// A quota of `cpu` millicores and `memory` MiB.
fn quota(cpu: u32, memory: u64) -> Quota {
    let resources = Resources { cpu: MilliCpu(cpu), memory: Bytes::mib(memory), ..Resources::default() };
    Quota::new(resources, Span(Duration::from_secs(1)), Bytes::mib(1))
}

/// Two cores and 100 MiB, no GPU.
fn server(queue: usize) -> Accountant {
    Accountant::new(quota(2000, 100).resources(), queue)
}

fn cpu(millicores: u32) -> Limits {
    Limits { cpu: Some(MilliCpu(millicores)), ..Limits::default() }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(reserve: &mut Reserve) -> Poll<Result<Grant, Refusal>> {
    Pin::new(reserve).poll(&mut Context::from_waker(Waker::noop()))
}

/// A reservation that has begun to wait.
fn waiting(account: &Account, quota: Quota) -> Reserve {
    let mut reserve = account.reserve(quota);
    assert!(poll(&mut reserve).is_pending());
    reserve
}

fn granted(reserve: &mut Reserve) -> Grant {
    match poll(reserve) {
        Poll::Ready(grant) => grant.unwrap(),
        Poll::Pending => panic!("still waits"),
    }
}

#[test]
fn a_quota_that_can_never_fit_is_refused_with_what_fits() {
    let accountant = server(4);
    let session = accountant.open(&cpu(1000)).unwrap();
    let request = session.open(&cpu(500)).unwrap();
    let text = |asked| request.try_reserve(asked).unwrap_err().to_string();
    let hint = "hint: what fits is cpu 500m, memory 100MiB, gpu_sms 0, gpu_memory 0";
    assert_eq!(text(quota(501, 1)), format!("`501m` cpu can never fit in the request's budget of `500m`\n{hint}"));
    assert_eq!(text(quota(1001, 1)), format!("`1001m` cpu can never fit in the session's budget of `1000m`\n{hint}"));
    assert_eq!(
        text(quota(1, 101)),
        format!("`101MiB` memory can never fit in the server's budget of `100MiB`\n{hint}")
    );
    let gpu = Quota { gpu_sms: 40, ..quota(1, 1) };
    assert_eq!(text(gpu), format!("`40` gpu_sms can never fit in the server's budget of `0`\n{hint}"));
    assert!(matches!(poll(&mut request.reserve(gpu)), Poll::Ready(Err(Refusal::Never { .. }))));
    assert_eq!(accountant.ledger().cpu.reserved_total, 0);
}

#[test]
fn refusals_say_what_was_found_and_what_is_allowed() {
    let accountant = server(1);
    let session = accountant.open(&Limits::default()).unwrap();
    let _held = session.try_reserve(quota(1500, 10)).unwrap();
    assert_eq!(
        session.try_reserve(quota(600, 10)).unwrap_err().to_string(),
        "`600m` cpu does not fit now: the session has `500m` left that is neither held nor waited for\n\
         hint: it will fit once others are done"
    );
    let _waits = waiting(&session, quota(600, 10));
    let Poll::Ready(Err(full)) = poll(&mut session.reserve(quota(600, 10))) else { panic!("queue is full") };
    assert_eq!(full, Refusal::QueueFull { waiting: 1, bound: 1 });
    assert_eq!(full.to_string(), "`1` reservations wait already, and at most `1` may\nhint: try again later");
    session.close();
    let closed = session.try_reserve(quota(1, 1)).unwrap_err();
    assert_eq!(closed.to_string(), "the account is closed and reserves nothing more\nhint: open a new session");
    let error = session.open(&Limits::default()).unwrap_err();
    assert_eq!(error, BudgetError::Closed { layer: Layer::Session });
    assert!(error.to_string().starts_with("the session's account is closed"), "{error}");
}

#[test]
fn refusals_serialise_with_their_kind_and_units() {
    let accountant = server(0);
    let session = accountant.open(&cpu(1000)).unwrap();
    let refusal = session.try_reserve(quota(1500, 10)).unwrap_err();
    assert_eq!(
        serde_json::to_value(&refusal).unwrap(),
        serde_json::json!({
            "kind": "never", "asked": "1500m", "allowed": "1000m", "layer": "session",
            "fits": {"cpu": "1000m", "memory": "100MiB", "gpu_sms": 0, "gpu_memory": "0"}
        })
    );
    assert_eq!(serde_json::to_value(Refusal::Closed).unwrap(), serde_json::json!({"kind": "closed"}));
}

#[test]
fn settlement_spends_what_was_used_and_refunds_the_rest() {
    let accountant = Accountant::new(Resources { gpu_sms: 8, ..quota(2000, 100).resources() }, 4);
    let session = accountant.open(&Limits::default()).unwrap();
    let used = |cpu_ms, wall_ms, peak_memory_bytes| {
        let grant = session.try_reserve(Quota { gpu_sms: 4, ..quota(250, 16) }).unwrap();
        grant.settle(&Usage { cpu_ms, wall_ms, peak_memory_bytes, ..Usage::default() })
    };
    let settled = used(1.0, 10.0, 1 << 20);
    assert_eq!((settled.spent.cpu, settled.refunded.cpu), (MilliCpu(100), MilliCpu(150)));
    assert_eq!((settled.spent.memory, settled.refunded.memory), (Bytes::mib(1), Bytes::mib(15)));
    assert_eq!((settled.spent.gpu_sms, settled.refunded.gpu_sms), (4, 0));
    for (cpu_ms, wall_ms, spent) in [
        (1.0, 0.0, 0),
        (1.0, 3000.0, 1),
        (0.1001, 1.0, 101),
        (50.0, 10.0, 250),
        (-1.0, 1.0, 0),
        (f64::NAN, 1.0, 0),
        (1.0, f64::NAN, 0),
        (f64::INFINITY, 1.0, 250),
    ] {
        assert_eq!(used(cpu_ms, wall_ms, 0).spent.cpu, MilliCpu(spent), "{cpu_ms} ms of {wall_ms} ms");
    }
    assert_eq!(used(1.0, 1.0, u64::MAX).refunded.memory, Bytes(0));
    assert!(accountant.ledger().balanced());
    assert_eq!(accountant.ledger().grants, 0);
}

#[test]
fn a_grant_is_held_in_every_layer_and_dropping_it_refunds_all() {
    let accountant = server(4);
    let session = accountant.open(&cpu(1500)).unwrap();
    let request = session.open(&cpu(1000)).unwrap();
    let other = session.open(&cpu(1000)).unwrap();
    let grant = request.try_reserve(quota(700, 10)).unwrap();
    assert_eq!(request.free().cpu, MilliCpu(300));
    assert_eq!(other.free().cpu, MilliCpu(800));
    assert_eq!(session.free(), Resources { cpu: MilliCpu(800), ..quota(0, 90).resources() });
    drop((request, other, session));
    assert_eq!(accountant.ledger().cpu.held, 700);
    drop(grant);
    let cpu = accountant.ledger().cpu;
    assert_eq!((cpu.held, cpu.spent_total, cpu.refunded_total), (0, 0, 700));
}

#[test]
fn a_large_reservation_is_not_starved_by_small_ones() {
    let accountant = server(8);
    let [one, two] = [(); 2].map(|()| accountant.open(&Limits::default()).unwrap());
    let held = one.try_reserve(quota(500, 1)).unwrap();
    let mut large = waiting(&one, quota(2000, 1));
    assert!(matches!(two.try_reserve(quota(10, 1)), Err(Refusal::Busy { .. })));
    let mut small = waiting(&two, quota(10, 1));
    drop(held);
    assert!(poll(&mut small).is_pending());
    drop(granted(&mut large));
    drop(granted(&mut small));
}

#[test]
fn one_that_waits_for_its_own_session_holds_up_nobody_else() {
    let accountant = server(8);
    let [narrow, wide] = [cpu(500), cpu(2000)].map(|limits| accountant.open(&limits).unwrap());
    let held = narrow.try_reserve(quota(400, 1)).unwrap();
    let mut second = waiting(&narrow, quota(500, 1));
    // The server has 1600m; 100m of it are what the narrow session could already take, and stay for it.
    assert!(matches!(wide.try_reserve(quota(1501, 1)), Err(Refusal::Busy { .. })));
    let overtakes = wide.try_reserve(quota(1500, 1)).unwrap();
    drop(held);
    drop(granted(&mut second));
    drop(overtakes);
    assert_eq!(accountant.ledger().cpu.held, 0);
}

#[test]
fn who_needs_nothing_scarce_passes() {
    let accountant = server(8);
    let session = accountant.open(&Limits::default()).unwrap();
    let _held = session.try_reserve(quota(100, 100)).unwrap();
    let _waits = waiting(&session, quota(100, 1));
    // Memory is gone, and of CPU the first in the queue claims 100m.
    assert!(session.try_reserve(quota(1801, 0)).is_err());
    assert!(session.try_reserve(quota(1800, 0)).is_ok());
}

#[test]
fn dropping_a_waiting_reservation_wakes_the_next() {
    let accountant = server(8);
    let session = accountant.open(&Limits::default()).unwrap();
    let _held = session.try_reserve(quota(500, 1)).unwrap();
    let large = waiting(&session, quota(2000, 1));
    let bell = Arc::new(Bell::default());
    let mut small = session.reserve(quota(100, 1));
    let waker = Waker::from(Arc::clone(&bell));
    assert!(Pin::new(&mut small).poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!((accountant.ledger().waiting, bell.0.load(Ordering::SeqCst)), (2, 0));
    drop(large);
    assert_eq!((accountant.ledger().waiting, bell.0.load(Ordering::SeqCst)), (0, 1));
    // Granted, but the future is dropped before it learns of it.
    assert_eq!(accountant.ledger().grants, 2);
    drop(small);
    assert_eq!((accountant.ledger().grants, accountant.ledger().cpu.held), (1, 500));
}

#[test]
fn only_the_last_waker_is_woken() {
    let accountant = server(8);
    let session = accountant.open(&Limits::default()).unwrap();
    let held = session.try_reserve(quota(2000, 1)).unwrap();
    let bells = [(); 2].map(|()| Arc::new(Bell::default()));
    let mut reserve = session.reserve(quota(1, 1));
    for bell in &bells {
        let waker = Waker::from(Arc::clone(bell));
        assert!(Pin::new(&mut reserve).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(held);
    assert_eq!(bells.map(|bell| bell.0.load(Ordering::SeqCst)), [0, 1]);
}

/// Owns a grant, and so takes the accountant's lock when it is woken or dropped.
struct Reentrant(std::sync::Mutex<Option<Grant>>);

impl Wake for Reentrant {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().take();
    }
}

#[test]
fn wakers_run_and_die_outside_the_lock() {
    let accountant = server(8);
    let session = accountant.open(&Limits::default()).unwrap();
    let reentrant = || {
        let grant = session.try_reserve(quota(10, 1)).unwrap();
        Waker::from(Arc::new(Reentrant(std::sync::Mutex::new(Some(grant)))))
    };
    let wakers = [(); 3].map(|()| reentrant());
    let held = session.try_reserve(quota(1500, 1)).unwrap();
    let mut reserves = [(); 3].map(|()| session.reserve(quota(1000, 1)));
    for (reserve, waker) in reserves.iter_mut().zip(wakers) {
        assert!(Pin::new(reserve).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let [mut first, mut second, third] = reserves;
    drop(third); // drops its waker, whose grant ends
    assert!(poll(&mut second).is_pending()); // replaces its waker, whose grant ends
    drop(held); // wakes the first, whose waker's grant ends: now both fit
    drop((granted(&mut first), granted(&mut second)));
    assert_eq!(accountant.ledger().cpu.held, 0);
}

#[test]
fn closing_a_session_refuses_what_waits_in_it_and_lets_others_proceed() {
    let accountant = server(8);
    let [one, two] = [(); 2].map(|()| accountant.open(&Limits::default()).unwrap());
    let request = one.open(&Limits::default()).unwrap();
    let held = request.try_reserve(quota(1000, 1)).unwrap();
    let mut closed = waiting(&request, quota(2000, 1));
    let mut next = waiting(&two, quota(1000, 1));
    one.close();
    assert!(matches!(poll(&mut closed), Poll::Ready(Err(Refusal::Closed))));
    drop(granted(&mut next));
    assert!(matches!(request.try_reserve(quota(1, 1)), Err(Refusal::Closed)));
    assert_eq!(accountant.ledger().cpu.held, 1000);
    drop(held);
    accountant.close();
    assert!(accountant.open(&Limits::default()).is_err());
    assert!(matches!(two.try_reserve(quota(1, 1)), Err(Refusal::Closed)));
    assert_eq!(accountant.ledger().cpu.held, 0);
}

#[test]
fn slots_of_dropped_accounts_are_used_again() {
    let accountant = server(8);
    for round in 1..=1000 {
        let session = accountant.open(&cpu(round)).unwrap();
        let request = session.open(&Limits::default()).unwrap();
        assert_eq!(request.ledger().cpu.reserved_total, 0);
        drop(session);
        drop(request.try_reserve(quota(round, 1)).unwrap());
    }
    assert_eq!(accountant.ledger().cpu.reserved_total, 500_500);
    assert!(accountant.ledger().balanced());
}

#[test]
fn the_ledger_serialises_as_plain_numbers() {
    let accountant = server(8);
    let session = accountant.open(&Limits::default()).unwrap();
    let _held = session.try_reserve(quota(250, 1)).unwrap();
    let json = serde_json::to_value(accountant.ledger()).unwrap();
    let row = serde_json::json!({
        "capacity": 2000, "held": 250, "reserved_total": 250, "spent_total": 0, "refunded_total": 0
    });
    assert_eq!((&json["cpu"], &json["grants"], &json["waiting"]), (&row, &1.into(), &0.into()));
}
