//! Cancelling a call from outside.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::sync::Notify;

/// Locks a mutex whose data stay consistent when a holder panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops calls. Clones are the same token; a [`child`](CancelToken::child) is cancelled with its parent but not the
/// other way round, so that one token can stand for a session and its children for the calls.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    cancelled: AtomicBool,
    /// Keeps the tokens between this one and the one that is cancelled.
    _parent: Option<Arc<Inner>>,
    children: Mutex<Vec<Weak<Inner>>>,
    wake: Condvar,
    notify: Notify,
}

impl CancelToken {
    /// A token of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled when this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        let child = Self(Arc::new(Inner { _parent: Some(Arc::clone(&self.0)), ..Inner::default() }));
        let mut children = lock(&self.0.children);
        if self.is_cancelled() {
            child.0.cancelled.store(true, Ordering::Release);
        }
        if children.len() == children.capacity() {
            children.retain(|weak| weak.strong_count() > 0);
        }
        children.push(Arc::downgrade(&child.0));
        child
    }

    /// Stops every call that holds this token or a child of it, within a millisecond or two.
    pub fn cancel(&self) {
        let mut found = vec![Arc::clone(&self.0)];
        while let Some(inner) = found.pop() {
            // The flag is set under the lock, so that neither a new child nor a sleeper can miss it.
            let mut children = lock(&inner.children);
            inner.cancelled.store(true, Ordering::Release);
            found.extend(children.drain(..).filter_map(|weak| weak.upgrade()));
            inner.wake.notify_all();
            inner.notify.notify_waiters();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called on this token or on one above it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }

    /// Resolves when the token is cancelled.
    pub async fn cancelled(&self) {
        loop {
            let notified = self.0.notify.notified();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
    }

    /// Blocks the thread until `until`, or until the token is cancelled.
    pub(crate) fn sleep_until(&self, until: Instant) {
        let mut guard = lock(&self.0.children);
        while !self.is_cancelled() {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return;
            };
            guard = match self.0.wake.wait_timeout(guard, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

/// Cancels its token when it goes away: a call whose future was dropped.
#[derive(Debug)]
pub(crate) struct CancelOnDrop(pub(crate) CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn cancelling_reaches_children_and_not_parents() {
        let root = CancelToken::new();
        let (left, right) = (root.child(), root.child());
        let leaf = left.child().child(); // nobody holds the token between
        left.cancel();
        assert!(left.is_cancelled() && leaf.is_cancelled());
        assert!(!root.is_cancelled() && !right.is_cancelled());
        root.cancel();
        assert!(right.is_cancelled() && root.child().is_cancelled());
    }

    #[test]
    fn a_sleeper_wakes_when_cancelled() {
        let token = CancelToken::new();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| token.sleep_until(begun + Duration::from_secs(60)));
            std::thread::sleep(Duration::from_millis(20));
            token.cancel();
        });
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
