//! The queue: reservations that wait their turn.
//!
//! Fairness is first come, first served, over the whole server. A later reservation may overtake an earlier one only
//! where that cannot delay it. To decide that, every waiting reservation claims, in order of arrival, what it can of
//! each of its layers (`Ledger::claim`), and a later one is granted only what no earlier one claims:
//!
//! - a reservation for which the *server* lacks something claims all that is left of it, so nobody overtakes it with
//!   a reservation that needs the same; a large one cannot starve behind a stream of small ones;
//! - a reservation for which its own *session* lacks something waits for grants of that session, which will give the
//!   server as much as they give the session. It claims of the server only what the session has left already, and
//!   others may have the rest.

use super::{
    Account, Handle,
    budget::Amount,
    grant::{Grant, Refusal},
    ledger::{Amounts, Block, Ledger, amounts},
};
use crate::quota::Quota;
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// A reservation that waits.
#[derive(Debug)]
struct Waiter {
    account: usize,
    ask: Amounts,
    waker: Waker,
}

/// What a reservation waited for.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is booked under this number, and its future has not taken it yet.
    Granted(u64),
    /// Its account was closed.
    Closed,
}

/// What became of a reservation that was willing to wait.
#[derive(Debug)]
enum Entered {
    Granted(u64),
    Waiting(u64),
}

/// Everything behind the accountant's lock.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) ledger: Ledger,
    /// Wakers to be called once the lock is given back.
    pub(super) woken: Vec<Waker>,
    waiting: BTreeMap<u64, Waiter>,
    answers: BTreeMap<u64, Answer>,
    /// At most what any waiting reservation asks for; bounds the search for one that fits.
    least: Amounts,
    bound: usize,
    tickets: u64,
}

impl Queue {
    pub(super) fn new(ledger: Ledger, bound: usize) -> Self {
        let (waiting, answers) = (BTreeMap::new(), BTreeMap::new());
        Self { ledger, woken: Vec::new(), waiting, answers, least: [0; 4], bound, tickets: 0 }
    }

    /// Grants `ask` now or not at all.
    pub(super) fn grant_now(&mut self, account: usize, ask: &Amounts) -> Result<u64, Refusal> {
        if self.ledger.closed(account) {
            return Err(Refusal::Closed);
        }
        self.consider(ask);
        match self.ledger.blocked(account, ask) {
            None => Ok(self.ledger.reserve(account, ask)),
            Some(block) => Err(busy(ask, block)),
        }
    }

    /// Grants `ask` now or lets it wait; the waker is taken only where it waits.
    fn enter(&mut self, account: usize, ask: &Amounts, waker: &mut Option<Waker>) -> Result<Entered, Refusal> {
        match self.grant_now(account, ask) {
            Err(Refusal::Busy { .. }) => {}
            now => return now.map(Entered::Granted),
        }
        let waiting = self.waiting.len();
        let Some(waker) = waker.take_if(|_| waiting < self.bound) else {
            return Err(Refusal::QueueFull { waiting, bound: self.bound });
        };
        if waiting == 0 {
            self.least = *ask;
        }
        self.tickets += 1;
        self.waiting.insert(self.tickets, Waiter { account, ask: *ask, waker });
        self.ledger.wait(account);
        self.ledger.claim(account, ask);
        Ok(Entered::Waiting(self.tickets))
    }

    /// Ends a grant and lets others have what it held.
    pub(super) fn release(&mut self, account: usize, ask: &Amounts, spent: &Amounts) {
        self.ledger.release(account, ask, spent);
        self.serve();
    }

    /// Refuses everything in `account` and under it from now on.
    pub(super) fn close(&mut self, account: usize) {
        self.ledger.close(account);
        let Self { waiting, ledger, .. } = self;
        let gone: Vec<u64> = waiting.iter().filter(|(_, w)| ledger.closed(w.account)).map(|(&t, _)| t).collect();
        for ticket in gone {
            self.answer(ticket, Answer::Closed);
        }
        self.serve();
    }

    /// Keeps `least` true of a newcomer. Where it falls, claims that [`serve`](Self::serve) skipped may matter.
    fn consider(&mut self, ask: &Amounts) {
        if self.waiting.is_empty() || self.least.iter().zip(ask).all(|(least, ask)| least <= ask) {
            return;
        }
        self.least.iter_mut().zip(ask).for_each(|(least, ask)| *least = (*least).min(*ask));
        self.serve();
    }

    /// Grants, in order of arrival, whatever fits beside the claims of those before it.
    fn serve(&mut self) {
        let Self { ledger, waiting, least, .. } = self;
        ledger.forget_claims();
        if waiting.is_empty() {
            return;
        }
        let mut granted = Vec::new();
        for (&ticket, Waiter { account, ask, .. }) in waiting.iter() {
            if ledger.exhausted(least) {
                break;
            }
            if ledger.blocked(*account, ask).is_some() {
                ledger.claim(*account, ask);
            } else {
                granted.push((ticket, ledger.reserve(*account, ask)));
            }
        }
        for (ticket, id) in granted {
            self.answer(ticket, Answer::Granted(id));
        }
    }

    /// Takes a reservation out of the queue with an answer for its future.
    fn answer(&mut self, ticket: u64, answer: Answer) {
        let Some(waiter) = self.waiting.remove(&ticket) else { return };
        self.ledger.unwait(waiter.account);
        self.woken.push(waiter.waker);
        self.answers.insert(ticket, answer);
    }

    /// The answer, or `None` while it waits; then `waker` and the one kept so far change places.
    fn ask_again(&mut self, ticket: u64, waker: &mut Waker) -> Option<Answer> {
        match self.waiting.get_mut(&ticket) {
            Some(waiter) => {
                std::mem::swap(&mut waiter.waker, waker);
                None
            }
            // A ticket neither waiting nor answered does not exist; were it to, its future must not hang.
            None => Some(self.answers.remove(&ticket).unwrap_or(Answer::Closed)),
        }
    }

    /// Forgets a reservation whose future is gone. The waker is for dropping outside the lock.
    fn cancel(&mut self, account: usize, ask: &Amounts, ticket: u64) -> Option<Waker> {
        if let Some(Answer::Granted(_)) = self.answers.remove(&ticket) {
            self.release(account, ask, &[0; 4]);
        }
        let waiter = self.waiting.remove(&ticket)?;
        self.ledger.unwait(waiter.account);
        self.serve();
        Some(waiter.waker)
    }
}

fn busy(ask: &Amounts, Block { layer, resource, free }: Block) -> Refusal {
    let asked = Amount { resource, value: super::ledger::resources(*ask).get(resource) };
    Refusal::Busy { asked, free: Amount { resource, value: free }, layer }
}

/// A reservation under way. It does nothing until it is polled, and takes its place in the queue when it first finds
/// that it must wait. Dropping it gives up the place, or the grant if one was made meanwhile.
#[must_use = "a reservation does nothing unless awaited"]
pub struct Reserve {
    account: Account,
    quota: Quota,
    ticket: Option<u64>,
}

impl Reserve {
    pub(super) fn new(account: Account, quota: Quota) -> Self {
        Self { account, quota, ticket: None }
    }

    fn handle(&self) -> &Arc<Handle> {
        &self.account.handle
    }

    fn grant(&self, id: u64) -> Grant {
        Grant::new(Arc::clone(self.handle()), self.quota, id)
    }

    fn ask(&self) -> Amounts {
        amounts(&self.quota.resources())
    }

    /// The first poll: a grant at once, a place in the queue, or a refusal.
    fn enter(&mut self, cx: &Context<'_>) -> Poll<Result<Grant, Refusal>> {
        match self.account.try_reserve(self.quota) {
            Err(Refusal::Busy { .. }) => {}
            now => return Poll::Ready(now),
        }
        // Wakers run foreign code when cloned or dropped, and so never under the lock.
        let mut waker = Some(cx.waker().clone());
        let (at, ask) = (self.handle().at, self.ask());
        let entered = self.handle().shared.with(|queue| queue.enter(at, &ask, &mut waker));
        match entered {
            Ok(Entered::Granted(id)) => Poll::Ready(Ok(self.grant(id))),
            Ok(Entered::Waiting(ticket)) => {
                self.ticket = Some(ticket);
                Poll::Pending
            }
            Err(refusal) => Poll::Ready(Err(refusal)),
        }
    }
}

impl Future for Reserve {
    type Output = Result<Grant, Refusal>;

    /// After it is ready, polling again makes another reservation.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(ticket) = self.ticket else { return self.enter(cx) };
        let mut waker = cx.waker().clone();
        let answer = self.handle().shared.with(|queue| queue.ask_again(ticket, &mut waker));
        let Some(answer) = answer else { return Poll::Pending };
        self.ticket = None;
        Poll::Ready(match answer {
            Answer::Granted(id) => Ok(self.grant(id)),
            Answer::Closed => Err(Refusal::Closed),
        })
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let (at, ask) = (self.handle().at, self.ask());
        drop(self.handle().shared.with(|queue| queue.cancel(at, &ask, ticket)));
    }
}

impl fmt::Debug for Reserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserve").field("quota", &self.quota).field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
