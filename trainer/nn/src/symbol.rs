//! Numbers of the decoder's symbols.
//!
//! Bytes first, then the symbols that can be chosen, then those that are only ever input. Behind
//! them stand the configurations, one number each.

/// Begins every sequence.
pub const BOS: u32 = 256;
/// Chosen where a span of the request is copied; its first piece is chosen with it.
pub const COPY: u32 = 257;
/// Input after the route to no tool: the number of a reply follows.
pub const NO_TOOL: u32 = 258;
/// The route that ends a plan. Nothing follows it, so it is never input.
pub const END_PLAN: u32 = 259;
/// Input for the level of the first resource's budget; see [`budget`].
pub const BUDGET: u32 = 260;
/// Input after the last piece of a copied span was chosen.
pub const STEP: u32 = 276;
/// The first configuration; configuration `i` is `CONFIGURATION + i`.
pub const CONFIGURATION: u32 = 277;

/// How many symbols can be chosen where bytes are written: bytes, [`BOS`] (never chosen), [`COPY`].
pub const OUTPUTS: usize = 258;
/// How many rows the symbol embedding has.
pub const COUNT: usize = 277;

/// Resources that a budget names: CPU cores, CPU memory, GPU SMs, GPU memory.
pub const RESOURCES: usize = 4;
/// Levels of a resource: none, low, med, high.
pub const LEVELS: usize = 4;

/// The symbol for a level of a resource, or `None` if either is out of range.
#[must_use]
pub fn budget(resource: usize, level: u8) -> Option<u32> {
    let known = resource < RESOURCES && usize::from(level) < LEVELS;
    known.then(|| BUDGET + (resource * LEVELS) as u32 + u32::from(level))
}
