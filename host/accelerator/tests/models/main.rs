//! Models against tiny random ones: what comes out, what is refused, and what it takes.
#![allow(missing_docs, clippy::unwrap_used)]

mod allowance;
mod answers;
mod hostile;
mod room;
mod tiny;

#[global_allocator]
static ALLOCATOR: room::Counting = room::Counting;
