//! The accountant: one ledger for CPU, memory, GPU SMs and GPU memory.
//!
//! Whoever wants to run a call *reserves* its quota and gets a [`Grant`]; when the call is over the grant is
//! *settled*: what was used is spent, the rest refunded. While a grant lives its whole quota is held, so that calls
//! can never together use more than there is.
//!
//! Budgets come in three layers, the server's capacity, a session's and a request's, and each may only tighten the one
//! above ([`Limits::tighten`]). A grant is held in its own layer and in all above. A quota that can never fit is
//! refused at once with what would; one that does not fit now waits in a fair, bounded queue. The ledger always
//! balances: reserved = spent + refunded + held, whatever is dropped and wherever.
//!
//! ```
//! use std::{pin::pin, task::{Context, Poll, Waker}};
//! use tomas_core::accountant::{Accountant, Limits, Refusal};
//! use tomas_core::amount::{Bytes, MilliCpu, Span};
//! use tomas_core::{observation::Usage, quota::Quota, resource::Resources};
//!
//! let capacity = Resources { cpu: MilliCpu(2000), memory: Bytes::mib(256), ..Resources::default() };
//! let accountant = Accountant::new(capacity, 64);
//! let session = accountant.open(&Limits { cpu: Some(MilliCpu(1000)), ..Limits::default() })?;
//! let request = session.open(&Limits::default())?;
//!
//! let deadline = Span(std::time::Duration::from_secs(5));
//! let quota = |cpu| Quota::new(Resources { cpu: MilliCpu(cpu), ..capacity }, deadline, Bytes::mib(1));
//!
//! // More than the session may ever have: refused at once, with what would fit.
//! let Err(Refusal::Never { fits, .. }) = request.try_reserve(quota(1500)) else { panic!("does not fit") };
//! assert_eq!(fits.cpu, MilliCpu(1000));
//!
//! // Two grants do not fit at once, so the second waits for the first (in the host, by `.await`).
//! let first = request.try_reserve(quota(600))?;
//! let mut second = pin!(request.reserve(quota(600)));
//! let mut cx = Context::from_waker(Waker::noop());
//! assert!(second.as_mut().poll(&mut cx).is_pending());
//!
//! // A quarter of a core and 16 MiB were used: that is spent, the rest refunded.
//! let usage = Usage { cpu_ms: 5.0, wall_ms: 20.0, peak_memory_bytes: 16 << 20, ..Usage::default() };
//! let settlement = first.settle(&usage);
//! assert_eq!(settlement.spent.cpu, MilliCpu(250));
//! assert_eq!(settlement.refunded.memory, Bytes::mib(240));
//!
//! let Poll::Ready(second) = second.as_mut().poll(&mut cx) else { panic!("its turn") };
//! drop(second?); // never ran: all of it is refunded
//! assert!(accountant.ledger().balanced());
//! assert_eq!(accountant.ledger().cpu.held, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod budget;
pub mod grant;
pub mod ledger;
pub mod queue;

pub use budget::{Amount, BudgetError, Layer, Limits};
pub use grant::{Grant, Refusal, Settlement};
pub use ledger::{Row, Snapshot};
pub use queue::Reserve;

use crate::{quota::Quota, resource::Resources};
use ledger::{Ledger, ROOT, amounts};
use queue::Queue;
use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    task::Waker,
};

/// What all handles of one accountant share.
struct Shared {
    queue: Mutex<Queue>,
}

impl Shared {
    /// Runs `f` under the lock, and afterwards wakes whomever it granted something.
    fn with<T>(&self, f: impl FnOnce(&mut Queue) -> T) -> T {
        // A panic elsewhere cannot leave the ledger half written: nothing under the lock runs foreign code.
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let out = f(&mut queue);
        let woken = mem::take(&mut queue.woken);
        drop(queue);
        woken.into_iter().for_each(Waker::wake);
        out
    }
}

/// An account's place in the ledger, kept for as long as an account, reservation, grant or account below needs it.
struct Handle {
    shared: Arc<Shared>,
    at: usize,
    layer: Layer,
    budget: Resources,
    parent: Option<Arc<Handle>>,
}

impl Handle {
    fn open(self: &Arc<Self>, limits: &Limits) -> Result<Account, BudgetError> {
        let budget = limits.tighten(&self.budget)?;
        let layer = self.layer.below();
        let opened = self
            .shared
            .with(|queue| (!queue.ledger.closed(self.at)).then(|| queue.ledger.open(self.at, layer, &budget)));
        let at = opened.ok_or(BudgetError::Closed { layer: self.layer })?;
        let (shared, parent) = (Arc::clone(&self.shared), Some(Arc::clone(self)));
        Ok(Account { handle: Arc::new(Self { shared, at, layer, budget, parent }) })
    }

    /// Refuses what can never fit. No lock: budgets do not change, and each is within those above.
    fn check(&self, asked: &Resources) -> Result<(), Refusal> {
        if asked.fits(&self.budget) {
            return Ok(());
        }
        let above = std::iter::successors(Some(self), |handle| handle.parent.as_deref());
        let culprit = above.filter_map(|h| asked.exceeds(&h.budget).map(|resource| (h, resource))).last();
        let Some((Self { layer, budget, .. }, resource)) = culprit else { return Ok(()) };
        Err(Refusal::Never {
            asked: Amount::of(resource, asked),
            allowed: Amount::of(resource, budget),
            layer: *layer,
            fits: self.budget,
        })
    }

    fn snapshot(&self) -> Snapshot {
        self.shared.with(|queue| queue.ledger.snapshot(self.at))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.parent.is_some() {
            self.shared.with(|queue| queue.ledger.remove(self.at));
        }
    }
}

/// The accountant of a server. Clones share one ledger.
#[derive(Clone)]
pub struct Accountant {
    root: Arc<Handle>,
}

impl Accountant {
    /// An accountant of `capacity`, with room for `queue` reservations to wait.
    #[must_use]
    pub fn new(capacity: Resources, queue: usize) -> Self {
        let queue = Mutex::new(Queue::new(Ledger::new(&capacity), queue));
        let shared = Arc::new(Shared { queue });
        Self { root: Arc::new(Handle { shared, at: ROOT, layer: Layer::Server, budget: capacity, parent: None }) }
    }

    /// What there is in all.
    #[must_use]
    pub fn capacity(&self) -> Resources {
        self.root.budget
    }

    /// The ledger of the whole server as it stands.
    #[must_use]
    pub fn ledger(&self) -> Snapshot {
        self.root.snapshot()
    }

    /// Opens a session's account.
    ///
    /// # Errors
    /// Where `limits` do not tighten the capacity, or the accountant is closed.
    pub fn open(&self, limits: &Limits) -> Result<Account, BudgetError> {
        self.root.open(limits)
    }

    /// Closes all accounts, as [`Account::close`] does one: for a server that shuts down.
    pub fn close(&self) {
        self.root.shared.with(|queue| queue.close(ROOT));
    }
}

/// An account: a budget, and what is held of it. Clones are handles of the same account.
///
/// Dropping handles closes nothing: grants and reservations keep their account, and an account keeps those above it.
#[derive(Clone)]
pub struct Account {
    handle: Arc<Handle>,
}

impl Account {
    /// Opens an account under this one: a request's under a session's.
    ///
    /// # Errors
    /// Where `limits` do not tighten this account's budget, or this account or one above it is closed.
    pub fn open(&self, limits: &Limits) -> Result<Self, BudgetError> {
        self.handle.open(limits)
    }

    /// The most that may be held at once in this account.
    #[must_use]
    pub fn budget(&self) -> Resources {
        self.handle.budget
    }

    /// What is not held at the moment: the least of budget minus held over this account and those above it.
    #[must_use]
    pub fn free(&self) -> Resources {
        ledger::resources(self.handle.shared.with(|queue| queue.ledger.free(self.handle.at)))
    }

    /// The ledger of this account, including all accounts under it.
    #[must_use]
    pub fn ledger(&self) -> Snapshot {
        self.handle.snapshot()
    }

    /// Reserves a quota, waiting for its turn if need be. It ends in a [`Refusal`] where the quota can never fit, the
    /// queue is full, or the account is or becomes closed. Dropping the future gives up the reservation.
    pub fn reserve(&self, quota: Quota) -> Reserve {
        Reserve::new(self.clone(), quota)
    }

    /// Reserves a quota now or not at all.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve), with [`Refusal::Busy`] where it would have to wait, be it only for those that
    /// wait already.
    pub fn try_reserve(&self, quota: Quota) -> Result<Grant, Refusal> {
        let resources = quota.resources();
        self.handle.check(&resources)?;
        let ask = amounts(&resources);
        let id = self.handle.shared.with(|queue| queue.grant_now(self.handle.at, &ask))?;
        Ok(Grant::new(Arc::clone(&self.handle), quota, id))
    }

    /// Closes this account and all under it: whatever waits or is asked for from now on is refused with
    /// [`Refusal::Closed`]. Grants live on until they end.
    pub fn close(&self) {
        self.handle.shared.with(|queue| queue.close(self.handle.at));
    }
}

impl fmt::Debug for Accountant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accountant").field("ledger", &self.ledger()).finish()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Handle { layer, budget, .. } = &*self.handle;
        f.debug_struct("Account").field("layer", layer).field("budget", budget).finish_non_exhaustive()
    }
}
