//! The threads that run tools: one tool, one thread, started when first needed.

use crate::{cancel::lock, weight};
use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, PoisonError},
};
use tokio::runtime::{Builder, Runtime};

/// Something to do on a thread of the pool. The runtime is the thread's own, and `block_on` may be called on it.
pub(crate) type Job = Box<dyn FnOnce(&Runtime) + Send>;

/// A bounded pool of threads. Dropping it lets jobs in the queue finish and ends the threads.
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    most: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

/// The runtime of one thread: timers and I/O for the one tool that it runs.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(4).build()
}

impl Pool {
    /// A pool of at most `most` threads.
    pub(crate) fn new(most: u32) -> Self {
        Self(Arc::new(Shared { queue: Mutex::default(), wake: Condvar::new(), most: (most as usize).max(1) }))
    }

    /// Hands in a job. It waits when all threads are busy.
    ///
    /// # Errors
    /// When no thread is there and none can be started.
    pub(crate) fn submit(&self, job: Job) -> io::Result<()> {
        let mut queue = lock(&self.0.queue);
        if queue.idle <= queue.jobs.len() {
            self.0.grow(&mut queue)?;
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.0.wake.notify_one();
        Ok(())
    }
}

impl Shared {
    /// Starts another thread where there may be one.
    fn grow(self: &Arc<Self>, queue: &mut Queue) -> io::Result<()> {
        if queue.threads >= self.most {
            return Ok(());
        }
        match self.spawn() {
            Ok(()) => queue.threads += 1,
            Err(error) if queue.threads == 0 => return Err(error),
            Err(error) => tracing::warn!(%error, threads = queue.threads, "cannot start another tool thread"),
        }
        Ok(())
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

    fn next(&self) -> Option<Job> {
        let mut queue = lock(&self.queue);
        queue.idle += 1;
        while queue.jobs.is_empty() && !queue.closed {
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.idle -= 1;
        queue.jobs.pop_front()
    }

    /// Takes the current thread off the books; another takes its place where jobs wait.
    fn leave(self: &Arc<Self>) {
        let mut queue = lock(&self.queue);
        queue.threads -= 1;
        if queue.idle < queue.jobs.len()
            && let Err(error) = self.grow(&mut queue)
        {
            tracing::error!(%error, "no tool thread is left and none can be started; jobs wait for the next call");
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.0.queue).closed = true;
        self.0.wake.notify_all();
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
