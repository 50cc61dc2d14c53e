//! What `wasi:nn` hands out: host objects, each of which holds memory of its call, and enumerations of the interface.

use crate::context::{Context, Stop};
use std::sync::Arc;
use tomas_core::graph::{self, Element};
use wasmtime::component::{ComponentType, Lift, Lower};

/// Bytes that the host holds for an object besides its content.
const OBJECT: usize = 256;

/// Memory of a call for as long as this lives.
pub(super) struct Held {
    context: Arc<Context>,
    bytes: usize,
}

impl Held {
    /// Takes the memory of an object with a content of so many bytes.
    ///
    /// # Errors
    /// When the quota does not allow it, which ends the call.
    pub(super) fn take(context: &Arc<Context>, bytes: usize) -> Result<Self, Stop> {
        let bytes = bytes.saturating_add(OBJECT);
        context.hold(bytes)?;
        Ok(Self { context: Arc::clone(context), bytes })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.context.release(self.bytes);
    }
}

/// A host object of a call.
pub(super) struct Entry<T> {
    pub(super) value: T,
    pub(super) held: Held,
}

impl<T> Entry<T> {
    pub(super) const fn new(value: T, held: Held) -> Self {
        Self { value, held }
    }
}

/// A graph that was loaded.
pub(super) struct Loaded(pub(super) Arc<dyn graph::Graph>);

/// A graph that is to be computed.
pub(super) struct Bound(pub(super) Arc<dyn graph::Graph>);

pub(super) type Tensor = Entry<graph::Tensor>;
pub(super) type Graph = Entry<Loaded>;
pub(super) type Session = Entry<Bound>;

/// An error of the interface.
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) _held: Held,
}

/// `errors.error-code`.
#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "the interface has all of them")]
pub(super) enum Code {
    #[component(name = "invalid-argument")]
    InvalidArgument,
    #[component(name = "invalid-encoding")]
    InvalidEncoding,
    #[component(name = "timeout")]
    Timeout,
    #[component(name = "runtime-error")]
    RuntimeError,
    #[component(name = "unsupported-operation")]
    UnsupportedOperation,
    #[component(name = "too-large")]
    TooLarge,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "security")]
    Security,
    #[component(name = "unknown")]
    Unknown,
}

/// `tensor.tensor-type`.
#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub(super) enum Type {
    #[component(name = "FP16")]
    F16,
    #[component(name = "FP32")]
    F32,
    #[component(name = "FP64")]
    F64,
    #[component(name = "BF16")]
    BF16,
    #[component(name = "U8")]
    U8,
    #[component(name = "I32")]
    I32,
    #[component(name = "I64")]
    I64,
}

impl From<Type> for Element {
    fn from(ty: Type) -> Self {
        match ty {
            Type::F16 => Self::F16,
            Type::F32 => Self::F32,
            Type::F64 => Self::F64,
            Type::BF16 => Self::BF16,
            Type::U8 => Self::U8,
            Type::I32 => Self::I32,
            Type::I64 => Self::I64,
        }
    }
}

impl From<Element> for Type {
    fn from(element: Element) -> Self {
        match element {
            Element::F16 => Self::F16,
            Element::F32 => Self::F32,
            Element::F64 => Self::F64,
            Element::BF16 => Self::BF16,
            Element::U8 => Self::U8,
            Element::I32 => Self::I32,
            Element::I64 => Self::I64,
        }
    }
}

/// `graph.graph-encoding`.
#[derive(Debug, Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "graphs are not loaded from bytes")]
pub(super) enum Encoding {
    #[component(name = "openvino")]
    Openvino,
    #[component(name = "onnx")]
    Onnx,
    #[component(name = "tensorflow")]
    Tensorflow,
    #[component(name = "pytorch")]
    Pytorch,
    #[component(name = "tensorflowlite")]
    Tensorflowlite,
    #[component(name = "ggml")]
    Ggml,
    #[component(name = "autodetect")]
    Autodetect,
}

/// `graph.execution-target`.
#[derive(Debug, Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "as above")]
pub(super) enum Target {
    #[component(name = "cpu")]
    Cpu,
    #[component(name = "gpu")]
    Gpu,
    #[component(name = "tpu")]
    Tpu,
}
