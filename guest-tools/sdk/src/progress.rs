//! What a long call tells those who wait.

/// `done` of `total` units are finished (`total` 0: unknown). Outside a component nothing happens.
pub fn report(done: u64, total: u64, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::component::tomas::tool::progress::report(done, total, message);
    #[cfg(not(target_family = "wasm"))]
    let _ = (done, total, message);
}
