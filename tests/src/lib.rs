//! The tests of the house as a whole live in `main.rs` and `cases/`. This package has no library of its own.
