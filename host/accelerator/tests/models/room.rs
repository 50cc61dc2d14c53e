//! What computing takes, against what it says it takes: bytes from an allocator that counts them, time from the clocks of
//! thread and process.

use crate::allowance::{Counted, TINY, ids, text};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    path::PathBuf,
    sync::Arc,
};
use tomas_accelerator::Models;
use tomas_core::graph::{Graph, Graphs as _, Named};
use tomas_nn::sentence::Sentences;

thread_local! {
    /// Bytes that this thread holds, and the most that it held.
    static USED: Cell<(i64, i64)> = const { Cell::new((0, 0)) };
}

/// The system's allocator, counting for each thread.
pub(crate) struct Counting;

fn count(bytes: i64) {
    // A thread that ends frees after its locals are gone.
    let _ = USED.try_with(|used| {
        let now = used.get().0 + bytes;
        used.set((now, used.get().1.max(now)));
    });
}

#[allow(unsafe_code, clippy::cast_possible_wrap, reason = "it hands everything on; no allocation is that large")]
// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The most bytes that `work` holds at once beside what was there.
fn peak(work: impl FnOnce()) -> u64 {
    let before = USED.with(|used| {
        used.set((used.get().0, used.get().0));
        used.get().0
    });
    work();
    u64::try_from(USED.get().1 - before).unwrap()
}

/// What is measured: texts of many kinds and lengths, and batches.
fn inputs() -> Vec<Vec<Named>> {
    let words = "it was a bright cold day in april, and the clocks were striking thirteen. ";
    let texts = ["", "a", "hello", &words.repeat(5), &words.repeat(500), &"!".repeat(50_000), &" ".repeat(50_000)];
    let odd = ["中文".repeat(3000), "é̈".repeat(5000), "İ".repeat(5000), "x".repeat(90), "\u{fb03} ".repeat(4000)];
    let texts = texts.into_iter().chain(odd.iter().map(String::as_str)).map(text);
    let rows = |rows: usize, length: usize| {
        let row = vec![5i64; length];
        let one = vec![1i64; length];
        vec![ids("input_ids", &vec![row.as_slice(); rows]), ids("attention_mask", &vec![one.as_slice(); rows])]
    };
    texts.chain([rows(1, 1), rows(3000, 1), rows(1, 512), rows(20, 100), rows(2, 64)]).collect()
}

fn takes_what_it_says(graph: &dyn Graph) {
    let mut largest: f64 = 0.0;
    // Packing buffers of the matrix products are the thread's and stay; the first run makes them.
    drop(graph.compute(text("hello"), &Counted::plenty()));
    drop(graph.compute(vec![ids("input_ids", &[&[5; 512]])], &Counted::plenty()));
    for inputs in inputs() {
        let name = inputs[0].0.clone();
        let shape = inputs[0].1.dimensions.clone();
        let allowance = Counted::plenty();
        // The inputs themselves are there before, and freed on the way.
        let copy = inputs.clone();
        let mut outputs = None;
        let used = peak(|| outputs = Some(graph.compute(copy, &allowance)));
        outputs.unwrap().unwrap();
        let said = allowance.peak.get();
        largest = largest.max(used as f64 / said as f64);
        assert!(used <= said, "`{name}` {shape:?} takes {used} bytes and says {said}");
    }
    assert!(largest > 0.3, "what is said has something to do with what is taken: {largest}");
}

#[test]
fn the_tokenizer_takes_no_more_than_it_says() {
    let folder = tempfile::tempdir().unwrap();
    crate::tiny::model(folder.path());
    let model = Sentences::open(folder.path()).unwrap();
    for inputs in inputs().iter().filter(|inputs| inputs[0].0 == "text") {
        let text = std::str::from_utf8(&inputs[0].1.data).unwrap();
        let (used, said) = (peak(|| drop(model.pieces(text))), model.room(text.len()) as u64);
        assert!(used <= said, "{} bytes take {used} bytes, {said} are said", text.len());
    }
}

#[test]
fn no_more_is_allocated_than_was_taken() {
    takes_what_it_says(TINY.as_ref());
}

fn minilm() -> Arc<dyn Graph> {
    let folder = PathBuf::from(std::env::var("TOMAS_MINILM").unwrap());
    Models::new([("minilm".to_owned(), folder)]).load("minilm").unwrap()
}

#[test]
#[ignore = "needs all-MiniLM-L6-v2: set TOMAS_MINILM to its folder"]
fn the_real_minilm_takes_what_it_says() {
    takes_what_it_says(minilm().as_ref());
}

#[allow(unsafe_code, reason = "clock_gettime writes one timespec")]
fn clock(which: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as the reason says.
    unsafe { libc::clock_gettime(which, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Set in the process in which no other test works.
const ALONE: &str = "TOMAS_TEST_ALONE";

#[test]
fn no_other_thread_works() {
    if std::env::var_os(ALONE).is_some() {
        return only_this_thread_works();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "room::no_other_thread_works"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn only_this_thread_works() {
    let graph = Arc::clone(&*TINY);
    let long = || vec![ids("input_ids", &vec![[5i64; 512].as_slice(); 40])];
    let threads_before = threads();
    let before = [libc::CLOCK_THREAD_CPUTIME_ID, libc::CLOCK_PROCESS_CPUTIME_ID].map(clock);
    for _ in 0..5 {
        graph.compute(long(), &Counted::plenty()).unwrap();
        graph.compute(text(&"hello ".repeat(2000)), &Counted::plenty()).unwrap();
    }
    let after = [libc::CLOCK_THREAD_CPUTIME_ID, libc::CLOCK_PROCESS_CPUTIME_ID].map(clock);
    let [thread, process] = [after[0] - before[0], after[1] - before[1]];
    assert!(thread > 0.05, "{thread} s are too little to tell");
    assert!(process - thread < 0.02 * thread + 0.002, "the process worked {process} s, this thread {thread} s");
    assert_eq!(threads(), threads_before, "no thread was started");
}
