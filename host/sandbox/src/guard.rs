//! The guard around a running instance: its CPU time is charged, its debts are paid, its deadline holds.

use crate::{
    context::{Context, Stop},
    cpu::Spent,
};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Instant,
};

/// Runs `future` under the quota of `context`, on a thread of its own: where the CPU quota is in debt, the thread
/// sleeps. A future that waits is ended by the deadline or by cancelling.
///
/// # Errors
/// Why the host ended it. Wasm that computes is stopped from within, by the epoch, and ends with an error of its own.
pub(crate) async fn guarded<F: Future>(context: &Context, future: F) -> Result<F::Output, Stop> {
    let mut future = pin!(future);
    let mut alarm = None;
    poll_fn(|task| {
        let begun = Instant::now();
        if alarm.is_some() {
            context.bucket.waited(begun);
        }
        if let Err(stop) = context.pay(begun) {
            return Poll::Ready(Err(stop));
        }
        // Between polls the thread's runtime works for this call alone: connections are encrypted there.
        if alarm.is_none() {
            Spent::begin();
        }
        let polled = future.as_mut().poll(task);
        let now = Spent::charge(&context.bucket);
        Spent::polled(now.saturating_duration_since(begun));
        match polled {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            // It goes on on a thread of its own.
            Poll::Pending if context.is_guest() => Poll::Pending,
            // Only a call that waits needs a timer.
            Poll::Pending => alarm.get_or_insert_with(|| Box::pin(context.alarm())).as_mut().poll(task).map(Err),
        }
    })
    .await
}
