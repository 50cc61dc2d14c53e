//! Calls that begin on the thread of their caller: handing a short call to another thread, and being woken by it, costs
//! more than the call. What is not done at the first tick, or wants to wait, goes on on a thread of the pool.

use crate::{
    call::{Call, Finished},
    context::{Context, Stop},
    cpu::Spent,
    error::SandboxError,
    guard::guarded,
    outcome::Returned,
    pool,
    sandbox::{Core, Task},
    ticker::Running,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{self, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tomas_core::{accountant::Grant, manifest::FileAccess};

/// Most bytes of arguments and attachments of a call that begins on its caller's thread.
const BRIEF: usize = 64 << 10;

/// A component that once held its caller's thread up for more CPU time, in nanoseconds, never begins there again. The
/// epoch stops it after a millisecond, unless it moves memory in bulk, which is not interrupted.
const HELD_UP: u64 = 5_000_000;

/// One of the calls that may begin on threads of their callers.
pub(crate) struct Place(Arc<Core>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.begun.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What became of a call on the thread of its caller.
pub(crate) enum Begun {
    Finished(Result<Finished, SandboxError>),
    UnderWay(UnderWay),
}

/// A call that began on the thread of its caller and is not done.
pub(crate) struct UnderWay {
    future: Pin<Box<dyn Future<Output = Result<Returned, Stop>> + Send>>,
    context: Arc<Context>,
    task: Task,
    grant: Grant,
    started: Instant,
    /// Time that it was ready to run and had no thread.
    queued: Duration,
    /// What it spent there.
    spent: Spent,
    /// When it left that thread.
    left: Instant,
    _ticking: Running,
    _place: Place,
}

impl Core {
    /// A place for a call on the thread of its caller: where its tool is known to be short and has little to read, no call
    /// waits for a thread, and fewer calls have begun so than there are threads to go on with them.
    pub(crate) fn place_for(self: &Arc<Self>, call: &Call) -> Option<Place> {
        let input = call.arguments.len() + call.blobs.values().map(|bytes| bytes.len()).sum::<usize>();
        // Files may block, and what takes long to copy would hold the thread up before the guest begins.
        let may_block = call.workspace.is_some() && call.permissions.files != FileAccess::None;
        if may_block || input > BRIEF || !call.component.pace.is_short(&call.tool) || !self.pool.is_prompt() {
            return None;
        }
        let most = self.config.workers.max(1) as usize;
        let place = Place(Arc::clone(self));
        (self.begun.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }

    /// Begins a call on the current thread.
    pub(crate) fn begin(self: &Arc<Self>, place: Place, grant: Grant, call: Call, started: Instant) -> Begun {
        let quota = *grant.quota();
        let (given, task) = call.taken();
        Spent::reset();
        let queued = started.elapsed();
        let context = Arc::new(Context::new(Arc::clone(self), quota, given, started));
        context.set_guest(true);
        let ticking = self.ticker.running();
        let mut under_way = UnderWay {
            future: {
                let (context, task) = (Arc::clone(&context), task.clone());
                Box::pin(async move { guarded(&context, task.run(&context)).await })
            },
            context,
            task,
            grant,
            started,
            queued,
            spent: Spent::default(),
            left: started,
            _ticking: ticking,
            _place: place,
        };
        let mut nobody = task::Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| under_way.future.as_mut().poll(&mut nobody)));
        if under_way.context.bucket.used() > HELD_UP {
            under_way.context.given.component.pace.distrust();
        }
        match polled {
            Ok(Poll::Ready(returned)) => Begun::Finished(under_way.finished(returned)),
            Ok(Poll::Pending) => {
                under_way.context.set_guest(false);
                under_way.spent = Spent::so_far();
                under_way.left = Instant::now();
                Begun::UnderWay(under_way)
            }
            Err(_) => {
                tracing::error!("a call panicked; it is lost, its caller goes on");
                Begun::Finished(Err(SandboxError::Panicked))
            }
        }
    }
}

impl UnderWay {
    /// Goes on with it on a thread of the pool, to its end.
    pub(crate) fn end(mut self, runtime: &Runtime) -> Result<Finished, SandboxError> {
        self.spent.resume();
        self.queued += self.left.elapsed();
        let returned = runtime.block_on(&mut self.future);
        pool::tidy(runtime, &self.context);
        self.finished(returned)
    }

    fn finished(self, returned: Result<Returned, Stop>) -> Result<Finished, SandboxError> {
        let Self { future, context, task, grant, started, queued, .. } = self;
        drop(future);
        Ok(task.over(&context, returned, started, queued)?.settled(grant))
    }
}
