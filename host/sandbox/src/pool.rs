//! The threads that run tools: one tool, one thread, started when first needed.

use crate::{cancel::lock, context::Context, weight};
use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    thread::Thread,
};
use tokio::runtime::{Builder, Runtime};

/// Something to do on a thread of the pool. The runtime is the thread's own, and `block_on` may be called on it.
pub(crate) type Job = Box<dyn FnOnce(&Runtime) + Send>;

/// A bounded pool of threads. Dropping it lets jobs in the queue finish and ends the threads.
pub(crate) struct Pool(Arc<Shared>);

/// What the threads share with the pool.
///
/// Waking a thread costs about as much as a short call. So one is woken at a time, and wakes the next when it arrives
/// and jobs are left; and the one that went to sleep last is woken first, because its caches are warm.
struct Shared {
    queue: Mutex<Queue>,
    most: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: Vec<Thread>,
    /// Threads that were woken or started and did not arrive yet.
    coming: usize,
    closed: bool,
}

/// The runtime of one thread: timers and I/O for the one tool that it runs.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(4).build()
}

/// Lets connections that a call left open see that nobody wants them: they were told to end when it did, and end when the
/// runtime next runs.
pub(crate) fn tidy(runtime: &Runtime, context: &Context) {
    if context.was_connected() {
        runtime.block_on(tokio::task::yield_now());
    }
}

impl Pool {
    /// A pool of at most `most` threads.
    pub(crate) fn new(most: u32) -> Self {
        Self(Arc::new(Shared { queue: Mutex::default(), most: (most as usize).max(1) }))
    }

    /// Whether no job waits for a thread.
    pub(crate) fn is_prompt(&self) -> bool {
        lock(&self.0.queue).jobs.is_empty()
    }

    /// Hands in a job. It waits when all threads are busy.
    ///
    /// # Errors
    /// When no thread is there and none can be started.
    pub(crate) fn submit(&self, job: Job) -> io::Result<()> {
        let mut queue = lock(&self.0.queue);
        let sleeper = self.0.rouse(&mut queue)?;
        queue.jobs.push_back(job);
        drop(queue);
        if let Some(thread) = sleeper {
            thread.unpark();
        }
        Ok(())
    }
}

impl Shared {
    /// Gets one more thread on its way, unless one is: a sleeping one, for the caller to unpark, or a new one.
    fn rouse(self: &Arc<Self>, queue: &mut Queue) -> io::Result<Option<Thread>> {
        if queue.coming > 0 {
            return Ok(None);
        }
        let sleeper = queue.idle.pop();
        if sleeper.is_some() {
            queue.coming += 1;
        } else if queue.threads < self.most {
            match self.spawn() {
                Ok(()) => {
                    queue.threads += 1;
                    queue.coming += 1;
                }
                Err(error) if queue.threads == 0 => return Err(error),
                Err(error) => tracing::warn!(%error, threads = queue.threads, "cannot start another tool thread"),
            }
        }
        Ok(sleeper)
    }

    /// As [`rouse`](Self::rouse), where there is nobody to report to.
    fn rouse_another(self: &Arc<Self>, queue: &mut Queue) -> Option<Thread> {
        let roused = self.rouse(queue);
        roused.inspect_err(|error| tracing::error!(%error, "no tool thread can be started; jobs wait")).ok().flatten()
    }

    fn spawn(self: &Arc<Self>) -> io::Result<()> {
        let runtime = runtime()?;
        let shared = Arc::clone(self);
        std::thread::Builder::new().name("tomas-tool".to_owned()).spawn(move || shared.serve(runtime))?;
        Ok(())
    }

    /// A thread's life. A job that panics takes nothing with it: whoever waits for it sees that it is gone.
    fn serve(self: &Arc<Self>, runtime: Runtime) {
        weight::adopt();
        lock(&self.queue).coming -= 1;
        while let Some(job) = self.next() {
            if catch_unwind(AssertUnwindSafe(|| job(&runtime))).is_err() {
                tracing::error!("a tool thread panicked; the call is lost, the thread goes on");
            }
            if !weight::restore() {
                self.leave();
                break;
            }
        }
        runtime.shutdown_background();
    }

    fn next(self: &Arc<Self>) -> Option<Job> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                let sleeper = if queue.jobs.is_empty() { None } else { self.rouse_another(&mut queue) };
                drop(queue);
                if let Some(thread) = sleeper {
                    thread.unpark();
                }
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            let own = std::thread::current();
            queue.idle.push(own.clone());
            drop(queue);
            std::thread::park();
            queue = lock(&self.queue);
            // Who was roused was taken out of the list; otherwise it woke by itself.
            match queue.idle.iter().position(|thread| thread.id() == own.id()) {
                Some(at) => drop(queue.idle.remove(at)),
                None => queue.coming -= 1,
            }
        }
    }

    /// Takes the current thread off the books; another takes its place where jobs wait.
    fn leave(self: &Arc<Self>) {
        let mut queue = lock(&self.queue);
        queue.threads -= 1;
        let sleeper = if queue.jobs.is_empty() { None } else { self.rouse_another(&mut queue) };
        drop(queue);
        if let Some(thread) = sleeper {
            thread.unpark();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.closed = true;
        queue.idle.iter().for_each(Thread::unpark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn jobs_outnumber_threads_and_panics_do_no_harm() {
        let pool = Pool::new(2);
        let (send, receive) = channel();
        for n in 0..50 {
            let send = send.clone();
            let job: Job = Box::new(move |_| if n % 5 == 0 { panic!("as planned") } else { send.send(n).unwrap() });
            pool.submit(job).unwrap();
        }
        drop(send);
        assert_eq!(receive.iter().count(), 40);
        assert_eq!(lock(&pool.0.queue).threads, 2);
    }
}
