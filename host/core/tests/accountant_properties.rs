//! The accountant under random interleavings, beside a model that recomputes everything from scratch at every step.
#![allow(clippy::unwrap_used)]

mod accountant_support;

use accountant_support::{Ask, CAPACITY, Wanted, ask, config, limits, quota, resources, wanted};
use proptest::prelude::*;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};
use tomas_core::{
    accountant::{Account, Accountant, Grant, Refusal, Reserve, Snapshot},
    observation::Usage,
    resource::Resource,
};

#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A reservation under way.
struct Pending {
    reserve: Reserve,
    bell: Arc<Bell>,
    account: usize,
    ask: Ask,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    /// Never polled.
    Fresh,
    /// The model says it waits.
    Waits,
    /// The model says it was granted, and the future does not know yet.
    Granted,
    /// The model says its account was closed.
    Closed,
}

impl Pending {
    fn poll(&mut self) -> Poll<Result<Grant, Refusal>> {
        let waker = Waker::from(Arc::clone(&self.bell));
        Pin::new(&mut self.reserve).poll(&mut Context::from_waker(&waker))
    }
}

/// An account, and what the model knows of it.
struct Known {
    handle: Option<Account>,
    parent: Option<usize>,
    budget: Ask,
    closed: bool,
}

struct Live {
    grant: Grant,
    account: usize,
    ask: Ask,
}

/// The accountant and its model. `pending` is in order of arrival: a reservation moves to the end when it begins to
/// wait.
struct World {
    accountant: Accountant,
    accounts: Vec<Known>,
    pending: Vec<Pending>,
    live: Vec<Live>,
    bound: usize,
    last_id: u64,
}

impl World {
    fn new(capacity: Ask, bound: usize) -> Self {
        let accountant = Accountant::new(resources(capacity), bound);
        let server = Known { handle: None, parent: None, budget: capacity, closed: false };
        Self { accountant, accounts: vec![server], pending: vec![], live: vec![], bound, last_id: 0 }
    }

    fn path(&self, account: usize) -> Vec<usize> {
        std::iter::successors(Some(account), |&at| self.accounts[at].parent).collect()
    }

    fn closed(&self, account: usize) -> bool {
        self.path(account).iter().any(|&at| self.accounts[at].closed)
    }

    /// All that is held, as (account, ask).
    fn held(&self) -> Vec<(usize, Ask)> {
        let granted = self.pending.iter().filter(|p| p.state == State::Granted).map(|p| (p.account, p.ask));
        self.live.iter().map(|l| (l.account, l.ask)).chain(granted).collect()
    }

    fn free(&self) -> Vec<Ask> {
        let mut free: Vec<Ask> = self.accounts.iter().map(|a| a.budget).collect();
        for (account, ask) in self.held() {
            for at in self.path(account) {
                (0..4).for_each(|r| free[at][r] -= ask[r]);
            }
        }
        free
    }

    fn fits(&self, left: &[Ask], account: usize, ask: &Ask) -> bool {
        self.path(account).iter().all(|&at| (0..4).all(|r| ask[r] <= left[at][r]))
    }

    /// Grants what the rules grant, and returns what is left beside the claims of the rest.
    fn serve(&mut self) -> Vec<Ask> {
        let mut left = self.free();
        for i in 0..self.pending.len() {
            let Pending { account, ask, state, .. } = self.pending[i];
            if state != State::Waits {
                continue;
            }
            let granted = self.fits(&left, account, &ask);
            let mut take = ask;
            for at in self.path(account) {
                (0..4).for_each(|r| take[r] = take[r].min(left[at][r]));
                (0..4).for_each(|r| left[at][r] -= take[r]);
            }
            if granted {
                self.pending[i].state = State::Granted;
            }
        }
        left
    }

    fn open(&mut self, parent: usize, limits: Wanted) {
        let parent = parent % self.accounts.len();
        let wanted = wanted(limits);
        let above = self.accounts[parent].budget;
        let opened = match (parent, &self.accounts[parent].handle) {
            (0, _) => self.accountant.open(&wanted),
            (_, Some(handle)) => handle.open(&wanted),
            (_, None) => return,
        };
        let allowed = (0..4).all(|r| limits[r].is_none_or(|n| n <= above[r] && (n > 0 || r > 1)));
        assert_eq!(opened.is_ok(), allowed && !self.closed(parent), "{wanted:?} under {above:?}");
        if let Ok(handle) = opened {
            let budget = std::array::from_fn(|r| limits[r].unwrap_or(above[r]));
            assert_eq!(handle.budget(), resources(budget));
            self.accounts.push(Known { handle: Some(handle), parent: Some(parent), budget, closed: false });
        }
    }

    /// An account with a handle, if the index happens on one.
    fn account(&self, index: usize) -> Option<(usize, Account)> {
        let at = index % self.accounts.len();
        Some((at, self.accounts[at].handle.clone()?))
    }

    fn reserve(&mut self, index: usize, ask: Ask) {
        let Some((account, handle)) = self.account(index) else { return };
        let (reserve, bell) = (handle.reserve(quota(ask)), Arc::default());
        self.pending.push(Pending { reserve, bell, account, ask, state: State::Fresh });
    }

    fn try_reserve(&mut self, index: usize, ask: Ask) {
        let Some((account, handle)) = self.account(index) else { return };
        let left = self.serve();
        match handle.try_reserve(quota(ask)) {
            Err(Refusal::Never { .. }) => assert!((0..4).any(|r| ask[r] > self.accounts[account].budget[r])),
            Err(Refusal::Closed) => assert!(self.closed(account)),
            Err(Refusal::Busy { .. }) => assert!(!self.fits(&left, account, &ask)),
            Err(other) => panic!("{other:?}"),
            Ok(grant) => {
                assert!(self.fits(&left, account, &ask) && !self.closed(account));
                self.accept(grant, account, ask);
            }
        }
    }

    fn accept(&mut self, grant: Grant, account: usize, ask: Ask) {
        assert_eq!(grant.quota().resources(), resources(ask));
        self.last_id = self.last_id.max(grant.id());
        assert!(self.live.iter().all(|l| l.grant.id() != grant.id()));
        self.live.push(Live { grant, account, ask });
    }

    fn poll(&mut self, index: usize) {
        if self.pending.is_empty() {
            return;
        }
        let left = self.serve();
        let waiting = self.pending.iter().filter(|p| p.state == State::Waits).count();
        let mut pending = self.pending.remove(index % self.pending.len());
        let (account, ask) = (pending.account, pending.ask);
        let never = (0..4).any(|r| ask[r] > self.accounts[account].budget[r]);
        match (pending.state, pending.poll()) {
            (State::Granted, Poll::Ready(Ok(grant))) => self.accept(grant, account, ask),
            (State::Closed, Poll::Ready(Err(Refusal::Closed))) => {}
            (State::Waits, Poll::Pending) => self.pending.insert(index % (self.pending.len() + 1), pending),
            (State::Fresh, Poll::Ready(Err(Refusal::Never { .. }))) => assert!(never),
            (State::Fresh, Poll::Ready(Err(Refusal::Closed))) => assert!(self.closed(account) && !never),
            (State::Fresh, Poll::Ready(Err(Refusal::QueueFull { .. }))) => {
                assert!(waiting == self.bound && !self.fits(&left, account, &ask));
            }
            (State::Fresh, Poll::Ready(Ok(grant))) => {
                assert!(self.fits(&left, account, &ask) && !self.closed(account));
                self.accept(grant, account, ask);
            }
            (State::Fresh, Poll::Pending) => {
                assert!(!never && !self.closed(account) && !self.fits(&left, account, &ask) && waiting < self.bound);
                self.pending.push(Pending { state: State::Waits, ..pending });
            }
            (state, poll) => panic!("the model says {state:?}, the future {poll:?}"),
        }
    }

    fn end_grant(&mut self, index: usize, usage: Option<Usage>) {
        if self.live.is_empty() {
            return;
        }
        let Live { grant, ask, .. } = self.live.remove(index % self.live.len());
        if let Some(usage) = usage {
            let settled = grant.settle(&usage);
            assert_eq!(settled.reserved, resources(ask));
            assert_eq!(settled.spent.plus(&settled.refunded), settled.reserved);
        }
    }

    fn close(&mut self, index: usize) {
        let Some((account, handle)) = self.account(index) else { return };
        self.accounts[account].closed = true;
        handle.close();
        for i in 0..self.pending.len() {
            if self.pending[i].state == State::Waits && self.closed(self.pending[i].account) {
                self.pending[i].state = State::Closed;
            }
        }
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Open(parent, limits) => self.open(parent, limits),
            Op::Reserve(account, ask) => {
                self.reserve(account, ask);
                self.poll(self.pending.len().saturating_sub(1));
            }
            Op::ReserveLater(account, ask) => self.reserve(account, ask),
            Op::TryReserve(account, ask) => self.try_reserve(account, ask),
            Op::Poll(index) => self.poll(index),
            Op::DropReserve(index) if !self.pending.is_empty() => {
                self.pending.remove(index % self.pending.len());
            }
            Op::DropReserve(_) => {}
            Op::Settle(index, cpu_ms, peak_memory_bytes) => {
                let usage = Usage { cpu_ms, wall_ms: 1.0, peak_memory_bytes, ..Usage::default() };
                self.end_grant(index, Some(usage));
            }
            Op::DropGrant(index) => self.end_grant(index, None),
            Op::Close(account) => self.close(account),
            Op::DropAccount(index) => {
                let at = index % self.accounts.len();
                self.accounts[at].handle = None;
            }
        }
        self.serve();
        self.check();
    }

    /// Everything that must hold between any two steps.
    fn check(&self) {
        for at in 0..self.accounts.len() {
            let snapshot = match &self.accounts[at].handle {
                Some(handle) => handle.ledger(),
                None if at == 0 => self.accountant.ledger(),
                None => continue,
            };
            self.check_account(at, &snapshot);
        }
        let free = self.free();
        for (at, account) in self.accounts.iter().enumerate() {
            let Some(handle) = &account.handle else { continue };
            let path = self.path(at);
            let least = std::array::from_fn(|r| path.iter().map(|&n| free[n][r]).min().unwrap());
            assert_eq!(handle.free(), resources(least));
        }
        for pending in &self.pending {
            let answered = matches!(pending.state, State::Granted | State::Closed);
            assert_eq!(pending.bell.0.load(Ordering::SeqCst), answered, "woken exactly when there is an answer");
        }
    }

    fn check_account(&self, at: usize, snapshot: &Snapshot) {
        assert!(snapshot.balanced(), "{snapshot:?}");
        let below = |account: usize| self.path(account).contains(&at);
        let held: Vec<Ask> = self.held().into_iter().filter(|(a, _)| below(*a)).map(|(_, ask)| ask).collect();
        for r in Resource::ALL {
            let row = snapshot.row(r);
            assert_eq!(row.held, held.iter().map(|ask| ask[r as usize]).sum::<u64>(), "held {}", r.name());
            assert_eq!(row.capacity, self.accounts[at].budget[r as usize]);
            assert!(row.held <= row.capacity);
        }
        assert_eq!(snapshot.grants, held.len() as u64);
        let waiting = self.pending.iter().filter(|p| p.state == State::Waits && below(p.account)).count();
        assert_eq!(snapshot.waiting, waiting as u64);
    }

    /// Ends grants until nothing waits; whoever waits must get its turn.
    fn drain(&mut self) {
        self.pending.retain(|p| p.state != State::Fresh);
        while !self.pending.is_empty() {
            while let Some(index) = self.pending.iter().position(|p| p.bell.0.load(Ordering::SeqCst)) {
                self.poll(index);
            }
            assert!(self.pending.is_empty() || !self.live.is_empty(), "waits for nothing");
            self.end_grant(0, None);
            self.serve();
            self.check();
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Open(usize, Wanted),
    Reserve(usize, Ask),
    ReserveLater(usize, Ask),
    TryReserve(usize, Ask),
    Poll(usize),
    DropReserve(usize),
    Settle(usize, f64, u64),
    DropGrant(usize),
    Close(usize),
    DropAccount(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let at = any::<usize>;
    prop_oneof![
        4 => (at(), limits()).prop_map(|(p, l)| Op::Open(p, l)),
        12 => (at(), ask()).prop_map(|(a, q)| Op::Reserve(a, q)),
        2 => (at(), ask()).prop_map(|(a, q)| Op::ReserveLater(a, q)),
        4 => (at(), ask()).prop_map(|(a, q)| Op::TryReserve(a, q)),
        6 => at().prop_map(Op::Poll),
        3 => at().prop_map(Op::DropReserve),
        5 => (at(), 0.0..0.01f64, 0u64..8).prop_map(|(g, c, m)| Op::Settle(g, c, m)),
        3 => at().prop_map(Op::DropGrant),
        1 => at().prop_map(Op::Close),
        1 => at().prop_map(Op::DropAccount),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_ledger_balances_and_the_queue_follows_its_rules(
        ops in prop::collection::vec(op(), 1..100),
        bound in prop_oneof![Just(2usize), Just(64)],
    ) {
        let mut world = World::new(CAPACITY, bound);
        (0..3).for_each(|_| world.open(0, [None; 4]));
        ops.iter().for_each(|op| world.step(op));
        world.drain();
        let World { accountant, accounts, pending, live, .. } = world;
        drop((accounts, pending, live));
        let ledger = accountant.ledger();
        prop_assert!(ledger.balanced());
        prop_assert_eq!((ledger.grants, ledger.waiting), (0, 0));
        prop_assert!(Resource::ALL.iter().all(|&r| ledger.row(r).held == 0));
    }

}
