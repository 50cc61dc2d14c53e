//! Graphs: networks that tools compute with by name, and the door between who runs tools and who runs networks.
//!
//! The sandbox asks for a graph through [`Graphs`] and lends it the caller's [`Allowance`]; the accelerator answers. Neither
//! knows the other. What a graph may use is what the call was granted: CPU and memory today, and SMs and bytes of a GPU by
//! the same [`Quota`] where a backend has one.

use crate::quota::Quota;
use std::sync::Arc;

/// What the elements of a tensor are; `wasi:nn` knows these seven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Element {
    F16,
    F32,
    F64,
    BF16,
    U8,
    I32,
    I64,
}

impl Element {
    /// Bytes of one element.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::U8 => 1,
            Self::F16 | Self::BF16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }

    /// The name used in error messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::BF16 => "bf16",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::I64 => "i64",
        }
    }
}

/// An array of numbers: little-endian, in row-major order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its size in each dimension.
    pub dimensions: Vec<u32>,
    /// What its elements are.
    pub element: Element,
    /// The elements. Shared, so that they go in and out of a guest without another copy.
    pub data: Arc<[u8]>,
}

/// The most dimensions of a tensor: no network that is known has more.
pub const RANK: usize = 8;

impl Tensor {
    /// Whether the data is as long as dimensions and type say. A guest may claim anything.
    ///
    /// # Errors
    /// Says what was found and what was expected.
    pub fn check(&self) -> Result<(), String> {
        if self.dimensions.len() > RANK {
            return Err(format!("a tensor has `{}` dimensions, at most `{RANK}` are allowed", self.dimensions.len()));
        }
        let elements = self.dimensions.iter().try_fold(1u64, |product, size| product.checked_mul(u64::from(*size)));
        let expected = elements.and_then(|elements| elements.checked_mul(self.element.bytes()));
        if expected == Some(self.data.len() as u64) {
            return Ok(());
        }
        let expected = expected.map_or_else(|| "more than there can be".to_owned(), |bytes| bytes.to_string());
        Err(format!(
            "a tensor of dimensions `{:?}` and type `{}` has `{}` bytes, `{expected}` are expected",
            self.dimensions,
            self.element.name(),
            self.data.len(),
        ))
    }
}

/// A tensor and its name among the inputs or outputs of a graph.
pub type Named = (String, Tensor);

/// The call must end: its deadline passed, it was cancelled, or it needs more memory than it may have. Whoever lent the
/// [`Allowance`] knows which; hand it on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call must end")]
pub struct Interrupted;

/// What a call lends to a graph that computes for it, on the thread of the call.
///
/// The rule for CPU: nothing is done for the call on any other thread, because the thread's clock is what is charged.
pub trait Allowance {
    /// What the call was granted. A backend on a GPU takes its SMs and its bytes from here.
    fn quota(&self) -> &Quota;

    /// Charges what the thread did since the last check, and sleeps where the CPU quota says so. Call it at least once for
    /// every few milliseconds of work.
    ///
    /// # Errors
    /// When the call must end.
    fn check(&self) -> Result<(), Interrupted>;

    /// Takes bytes of the call's memory, before they are allocated. [`Held`] gives them back by itself.
    ///
    /// # Errors
    /// When the quota does not allow it, with which the call ends.
    fn take(&self, bytes: u64) -> Result<(), Interrupted>;

    /// Gives back what [`take`](Self::take) took.
    fn give(&self, bytes: u64);
}

/// Memory of a call for as long as this lives.
pub struct Held<'a> {
    allowance: &'a dyn Allowance,
    bytes: u64,
}

impl<'a> Held<'a> {
    /// Takes bytes.
    ///
    /// # Errors
    /// As [`Allowance::take`].
    pub fn take(allowance: &'a dyn Allowance, bytes: u64) -> Result<Self, Interrupted> {
        allowance.take(bytes)?;
        Ok(Self { allowance, bytes })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.allowance.give(self.bytes);
    }
}

/// Why a graph did not do what it was asked. The messages are for whoever wrote the tool, or configured the host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The call must end; there is nobody to tell.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// No graph has this name.
    #[error("{0}")]
    NotFound(String),
    /// The inputs are not what the graph reads.
    #[error("{0}")]
    Invalid(String),
    /// The inputs are larger than what the graph reads.
    #[error("{0}")]
    TooLarge(String),
    /// The graph is there and does not work.
    #[error("{0}")]
    Failed(String),
}

/// Graphs by name.
pub trait Graphs: Send + Sync {
    /// The graph of exactly this name. Loads it when it is first asked for, and blocks meanwhile. What it holds belongs to
    /// the host and is shared by all calls.
    ///
    /// # Errors
    /// When there is none, or it cannot be loaded; names the keys of the configuration.
    fn load(&self, name: &str) -> Result<Arc<dyn Graph>, GraphError>;
}

/// A network that can be computed.
pub trait Graph: Send + Sync {
    /// Computes outputs from inputs whose [`Tensor::check`] holds. Everything that is allocated for the call, outputs
    /// included, is taken from the allowance first, and given back at the end; outputs are the caller's to charge.
    ///
    /// # Errors
    /// When the inputs are not what the graph reads, or the call must end.
    fn compute(&self, inputs: Vec<Named>, allowance: &dyn Allowance) -> Result<Vec<Named>, GraphError>;
}

/// Where there are no graphs.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGraphs;

impl Graphs for NoGraphs {
    fn load(&self, _: &str) -> Result<Arc<dyn Graph>, GraphError> {
        Err(GraphError::NotFound("this host was started without models".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dimensions: &[u32], element: Element, bytes: usize) -> Tensor {
        Tensor { dimensions: dimensions.to_vec(), element, data: vec![0; bytes].into() }
    }

    #[test]
    fn data_must_be_as_long_as_dimensions_say() {
        for (dimensions, element, bytes) in [
            (&[2, 3][..], Element::F32, 24),
            (&[], Element::I64, 8),
            (&[0, 7], Element::F16, 0),
            (&[5], Element::U8, 5),
        ] {
            assert_eq!(tensor(dimensions, element, bytes).check(), Ok(()));
        }
        for (dimensions, element, bytes) in [
            (&[2, 3][..], Element::F32, 23),
            (&[u32::MAX, u32::MAX, u32::MAX], Element::F64, 8),
            (&[1 << 31, 1 << 31, 4], Element::U8, 0),
            (&[1 << 31, 1 << 31, 2], Element::I64, 0),
            (&[1; 9], Element::U8, 1),
        ] {
            let error = tensor(dimensions, element, bytes).check().unwrap_err();
            assert!(error.contains("dimensions") && error.len() < 300, "{error}");
        }
    }
}
