//! The threads that run tools: one tool, one thread, started when first needed.

use crate::cancel::lock;
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

/// What the threads share with the pool.
///
/// Waking a thread costs more than a short call. So a new job wakes one only while fewer than `cores` jobs are *fresh*,
/// which is running since the last tick at most; otherwise one of those threads will take it when it is done. If it is
/// not done by the next tick ([`relieve`](Shared::relieve)), others are woken.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    most: usize,
    cores: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that wait for a job, those that were woken but did not get here yet among them.
    idle: usize,
    /// Threads that were woken or started and did not get here yet.
    coming: usize,
    /// Jobs running that began in this generation, which ends at each tick.
    fresh: usize,
    generation: u64,
    closed: bool,
}

/// The runtime of one thread: timers and I/O for the one tool that it runs.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(4).build()
}

impl Pool {
    /// A pool of at most `most` threads.
    pub(crate) fn new(most: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Shared { queue: Mutex::default(), wake: Condvar::new(), most: (most as usize).max(1), cores }))
    }

    /// What has to be relieved at each tick.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.0)
    }

    /// Hands in a job. It waits when all threads are busy.
    ///
    /// # Errors
    /// When no thread is there and none can be started.
    pub(crate) fn submit(&self, job: Job) -> io::Result<()> {
        let mut queue = lock(&self.0.queue);
        if queue.fresh + queue.coming < self.0.cores {
            self.0.rouse(&mut queue)?;
        }
        queue.jobs.push_back(job);
        Ok(())
    }

    /// Hands in a job that others wait for while they work: a thread is woken in any case.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub(crate) fn submit_now(&self, job: Job) -> io::Result<()> {
        let mut queue = lock(&self.0.queue);
        self.0.rouse(&mut queue)?;
        queue.jobs.push_back(job);
        Ok(())
    }
}

impl Shared {
    /// Wakes a thread or starts one, unless all are busy.
    fn rouse(self: &Arc<Self>, queue: &mut Queue) -> io::Result<()> {
        if queue.idle > queue.coming {
            queue.coming += 1;
            self.wake.notify_one();
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
        Ok(())
    }

    /// A tick: whoever still runs is no longer fresh, and jobs that still wait get threads.
    pub(crate) fn relieve(self: &Arc<Self>) {
        let mut queue = lock(&self.queue);
        queue.generation += 1;
        queue.fresh = 0;
        for _ in queue.coming..queue.jobs.len() {
            if let Err(error) = self.rouse(&mut queue) {
                tracing::warn!(%error, "cannot start a tool thread");
            }
        }
    }

    fn spawn(self: &Arc<Self>) -> io::Result<()> {
        let runtime = runtime()?;
        let shared = Arc::clone(self);
        std::thread::Builder::new().name("tomas-tool".to_owned()).spawn(move || shared.serve(runtime))?;
        Ok(())
    }

    /// A thread's life. A job that panics takes nothing with it: whoever waits for it sees that it is gone.
    fn serve(&self, runtime: Runtime) {
        lock(&self.queue).coming -= 1;
        let mut done = None;
        while let Some((job, generation)) = self.next(done) {
            if catch_unwind(AssertUnwindSafe(|| job(&runtime))).is_err() {
                tracing::error!("a tool thread panicked; the call is lost, the thread goes on");
            }
            done = Some(generation);
        }
        runtime.shutdown_background();
    }

    /// The next job and the generation in which it begins, after one that began in generation `done`.
    fn next(&self, done: Option<u64>) -> Option<(Job, u64)> {
        let mut queue = lock(&self.queue);
        if done == Some(queue.generation) {
            queue.fresh -= 1;
        }
        while queue.jobs.is_empty() && !queue.closed {
            queue.idle += 1;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
            queue.coming = queue.coming.saturating_sub(1);
        }
        let job = queue.jobs.pop_front()?;
        queue.fresh += 1;
        Some((job, queue.generation))
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
        assert!(lock(&pool.0.queue).threads <= 2);
    }

    #[test]
    fn a_tick_relieves_jobs_behind_long_ones() {
        let pool = Pool::new(1000);
        let (send, receive) = channel();
        let (hold, held) = channel::<()>();
        let held = Arc::new(Mutex::new(held));
        for _ in 0..pool.0.cores {
            let held = Arc::clone(&held);
            pool.submit(Box::new(move |_| drop(held.lock().unwrap().recv()))).unwrap();
        }
        while lock(&pool.0.queue).fresh < pool.0.cores {
            std::thread::yield_now();
        }
        pool.submit(Box::new(move |_| send.send(()).unwrap())).unwrap();
        assert_eq!(lock(&pool.0.queue).threads, pool.0.cores, "no thread is woken for it yet");
        pool.0.relieve();
        receive.recv().unwrap();
        drop(hold);
    }
}
