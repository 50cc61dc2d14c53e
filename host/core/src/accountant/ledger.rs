//! The ledger: what each account holds, and what it has reserved, spent and been refunded so far.
//!
//! Accounts form a tree (server, sessions, requests). Every reservation is booked in its account and in all accounts
//! above it, so one number in each row answers "how much is left here".

use super::budget::Layer;
use crate::resource::{Resource, Resources};
use serde::{Serialize, Serializer};

/// Base-unit amounts in the order of [`Resource::ALL`].
pub(super) type Amounts = [u64; 4];

/// The amounts of `resources` as an array.
pub(super) fn amounts(resources: &Resources) -> Amounts {
    Resource::ALL.map(|r| resources.get(r))
}

/// The inverse of [`amounts`].
pub(super) fn resources([cpu, memory, sms, gpu_memory]: Amounts) -> Resources {
    Resources::from_fn(|r| match r {
        Resource::Cpu => cpu,
        Resource::Memory => memory,
        Resource::GpuSms => sms,
        Resource::GpuMemory => gpu_memory,
    })
}

/// One resource's line in the ledger, in its base unit (millicores, bytes, SMs, bytes).
///
/// Totals sum the amounts of all grants since the account was opened; they are wider than 64 bits because memory
/// alone can pass 2^64 bytes within a month of full load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Row {
    /// The most that may be held at once.
    pub capacity: u64,
    /// Held by live grants now.
    pub held: u64,
    /// Reserved by all grants so far.
    #[serde(serialize_with = "number")]
    pub reserved_total: u128,
    /// Used by settled grants.
    #[serde(serialize_with = "number")]
    pub spent_total: u128,
    /// Given back by settled and dropped grants.
    #[serde(serialize_with = "number")]
    pub refunded_total: u128,
}

/// Writes a JSON number, exact up to 64 bits and rounded beyond (`serde_json` values hold no wider integers).
#[expect(clippy::cast_precision_loss, reason = "only beyond 64 bits")]
fn number<S: Serializer>(total: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    match u64::try_from(*total) {
        Ok(exact) => serializer.serialize_u64(exact),
        Err(_) => serializer.serialize_f64(*total as f64),
    }
}

impl Row {
    /// Whether every amount reserved is spent, refunded or held, and no more is held than there is.
    #[must_use]
    pub fn balanced(&self) -> bool {
        let parts = self.spent_total.checked_add(self.refunded_total).and_then(|s| s.checked_add(self.held.into()));
        parts == Some(self.reserved_total) && self.held <= self.capacity
    }
}

/// The ledger of one account at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// CPU, in millicores.
    pub cpu: Row,
    /// CPU memory, in bytes.
    pub memory: Row,
    /// GPU streaming multiprocessors.
    pub gpu_sms: Row,
    /// GPU memory, in bytes.
    pub gpu_memory: Row,
    /// Grants that live.
    pub grants: u64,
    /// Reservations that wait.
    pub waiting: u64,
}

impl Snapshot {
    /// The row of one resource.
    #[must_use]
    pub const fn row(&self, resource: Resource) -> &Row {
        match resource {
            Resource::Cpu => &self.cpu,
            Resource::Memory => &self.memory,
            Resource::GpuSms => &self.gpu_sms,
            Resource::GpuMemory => &self.gpu_memory,
        }
    }

    /// Whether reserved = spent + refunded + held in every row.
    #[must_use]
    pub fn balanced(&self) -> bool {
        Resource::ALL.iter().all(|&r| self.row(r).balanced())
    }
}

/// One account's place in the ledger.
#[derive(Debug)]
struct Entry {
    parent: Option<usize>,
    layer: Layer,
    closed: bool,
    /// The round in which `shadow` was taken; older than the ledger's means "no claims here".
    round: u64,
    /// What is left to newcomers once every waiting reservation has claimed what it can.
    shadow: Amounts,
    rows: [Row; 4],
    grants: u64,
    waiting: u64,
}

impl Entry {
    fn new(parent: Option<usize>, layer: Layer, budget: &Resources) -> Self {
        let rows = amounts(budget).map(|capacity| Row { capacity, ..Row::default() });
        Self { parent, layer, closed: false, round: 0, shadow: [0; 4], rows, grants: 0, waiting: 0 }
    }

    fn free(&self) -> Amounts {
        self.rows.each_ref().map(|row| row.capacity - row.held)
    }
}

/// Where a reservation does not fit at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// The layer that lacks room.
    pub(super) layer: Layer,
    /// What it lacks.
    pub(super) resource: Resource,
    /// What it could give.
    pub(super) free: u64,
}

/// All accounts. The first is the server's and is never removed.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    vacant: Vec<usize>,
    granted: u64,
    round: u64,
}

/// The server's account.
pub(super) const ROOT: usize = 0;

impl Ledger {
    pub(super) fn new(capacity: &Resources) -> Self {
        Self { entries: vec![Entry::new(None, Layer::Server, capacity)], vacant: Vec::new(), granted: 0, round: 1 }
    }

    /// Adds an account under `parent`.
    pub(super) fn open(&mut self, parent: usize, layer: Layer, budget: &Resources) -> usize {
        let entry = Entry::new(Some(parent), layer, budget);
        if let Some(slot) = self.vacant.pop() {
            self.entries[slot] = entry;
            return slot;
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Frees the slot of an account that holds nothing and has no accounts under it.
    pub(super) fn remove(&mut self, account: usize) {
        debug_assert!(self.entries[account].grants == 0 && self.entries[account].waiting == 0);
        self.entries[account].parent = None;
        self.vacant.push(account);
    }

    /// The account and all above it.
    fn path(&self, account: usize) -> impl Iterator<Item = &Entry> {
        std::iter::successors(self.entries.get(account), |e| e.parent.and_then(|p| self.entries.get(p)))
    }

    /// Calls `f` on the account and all above it.
    fn each(&mut self, account: usize, mut f: impl FnMut(&mut Entry)) {
        let mut next = Some(account);
        while let Some(entry) = next.and_then(|at| self.entries.get_mut(at)) {
            f(entry);
            next = entry.parent;
        }
    }

    /// Closes the account and all under it.
    pub(super) fn close(&mut self, account: usize) {
        for at in 0..self.entries.len() {
            let mut path = std::iter::successors(Some(at), |&at| self.entries.get(at)?.parent);
            if path.any(|at| at == account) {
                self.entries[at].closed = true;
            }
        }
    }

    /// Whether the account, or one above it, was closed.
    pub(super) fn closed(&self, account: usize) -> bool {
        self.entries[account].closed
    }

    /// Budget minus held, the least of the account and all above it.
    pub(super) fn free(&self, account: usize) -> Amounts {
        self.path(account).fold([u64::MAX; 4], |least, e| lesser(least, e.free()))
    }

    /// What `entry` can give to a newcomer.
    fn left(&self, entry: &Entry) -> Amounts {
        if entry.round == self.round { entry.shadow } else { entry.free() }
    }

    /// Whether the server itself has less left than `least` of anything.
    pub(super) fn exhausted(&self, least: &Amounts) -> bool {
        let left = self.left(&self.entries[ROOT]);
        left.iter().zip(least).any(|(left, least)| left < least)
    }

    /// Where `ask` does not fit now, if anywhere.
    pub(super) fn blocked(&self, account: usize, ask: &Amounts) -> Option<Block> {
        self.path(account).find_map(|entry| {
            let left = self.left(entry);
            let mut lines = Resource::ALL.into_iter().zip(left).zip(ask);
            lines.find(|((_, free), ask)| *free < **ask).map(|((resource, free), _)| Block {
                layer: entry.layer,
                resource,
                free,
            })
        })
    }

    /// Books a reservation that fits, and gives it a number.
    pub(super) fn reserve(&mut self, account: usize, ask: &Amounts) -> u64 {
        let round = self.round;
        self.each(account, |entry| {
            for (row, ask) in entry.rows.iter_mut().zip(ask).filter(|(_, ask)| **ask > 0) {
                row.held += ask;
                row.reserved_total += u128::from(*ask);
            }
            if entry.round == round {
                entry.shadow = less(entry.shadow, ask);
            }
            entry.grants += 1;
        });
        self.granted += 1;
        self.granted
    }

    /// Ends a reservation: `spent` of it was used, the rest is refunded.
    pub(super) fn release(&mut self, account: usize, ask: &Amounts, spent: &Amounts) {
        self.each(account, |entry| {
            for ((row, ask), spent) in entry.rows.iter_mut().zip(ask).zip(spent).filter(|((_, ask), _)| **ask > 0) {
                row.held -= ask;
                row.spent_total += u128::from(*spent);
                row.refunded_total += u128::from(ask - spent);
            }
            entry.grants -= 1;
        });
    }

    /// Forgets all claims.
    pub(super) fn forget_claims(&mut self) {
        self.round += 1;
    }

    /// Sets aside, for a reservation that must wait, what newcomers may not take without delaying it.
    ///
    /// What a layer lacks will come back by grants that end within that layer, and each of those gives the same
    /// amount back to all layers above. So a layer above must set aside only what the layer below has already.
    pub(super) fn claim(&mut self, account: usize, ask: &Amounts) {
        let round = self.round;
        let mut want = *ask;
        self.each(account, |entry| {
            if entry.round != round {
                entry.shadow = entry.free();
                entry.round = round;
            }
            want = lesser(want, entry.shadow);
            entry.shadow = less(entry.shadow, &want);
        });
    }

    /// Counts one reservation that begins to wait.
    pub(super) fn wait(&mut self, account: usize) {
        self.each(account, |entry| entry.waiting += 1);
    }

    /// Counts one reservation that no longer waits.
    pub(super) fn unwait(&mut self, account: usize) {
        self.each(account, |entry| entry.waiting -= 1);
    }

    /// The rows of one account.
    pub(super) fn snapshot(&self, account: usize) -> Snapshot {
        let Entry { rows: [cpu, memory, gpu_sms, gpu_memory], grants, waiting, .. } = self.entries[account];
        Snapshot { cpu, memory, gpu_sms, gpu_memory, grants, waiting }
    }
}

/// The smaller of each amount.
fn lesser(a: Amounts, b: Amounts) -> Amounts {
    let mut least = a;
    least.iter_mut().zip(b).for_each(|(a, b)| *a = (*a).min(b));
    least
}

/// `a - b`, which the caller knows to be no less than zero.
fn less(a: Amounts, b: &Amounts) -> Amounts {
    let mut rest = a;
    rest.iter_mut().zip(b).for_each(|(a, b)| *a -= b);
    rest
}
