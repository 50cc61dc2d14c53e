//! An allowance that counts, and models to spend it on.

use std::{
    cell::Cell,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tomas_accelerator::Models;
use tomas_core::{
    amount::{Bytes, MilliCpu, Span},
    graph::{Allowance, Element, Graph, GraphError, Graphs as _, Interrupted, Named, Tensor},
    quota::Quota,
};

/// Counts what is taken, and ends after so many checks.
pub(crate) struct Counted {
    quota: Quota,
    pub(crate) held: Cell<u64>,
    pub(crate) peak: Cell<u64>,
    pub(crate) checks: Cell<u32>,
    pub(crate) last: u32,
}

impl Counted {
    pub(crate) fn of(memory: u64, last: u32) -> Self {
        let quota = Quota {
            cpu: MilliCpu(1000),
            memory: Bytes(memory),
            gpu_sms: 0,
            gpu_memory: Bytes(0),
            deadline: Span(Duration::from_secs(10)),
            output: Bytes::mib(1),
        };
        Self { quota, held: Cell::new(0), peak: Cell::new(0), checks: Cell::new(0), last }
    }

    pub(crate) fn plenty() -> Self {
        Self::of(1 << 30, u32::MAX)
    }
}

impl Allowance for Counted {
    fn quota(&self) -> &Quota {
        &self.quota
    }

    fn check(&self) -> Result<(), Interrupted> {
        self.checks.set(self.checks.get() + 1);
        if self.checks.get() >= self.last { Err(Interrupted) } else { Ok(()) }
    }

    fn take(&self, bytes: u64) -> Result<(), Interrupted> {
        let sum = self.held.get().checked_add(bytes).filter(|sum| *sum <= self.quota.memory.0).ok_or(Interrupted)?;
        self.held.set(sum);
        self.peak.set(self.peak.get().max(sum));
        Ok(())
    }

    fn give(&self, bytes: u64) {
        self.held.set(self.held.get() - bytes);
    }
}

pub(crate) static TINY: LazyLock<Arc<dyn Graph>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    super::tiny::model(folder.path());
    Models::new([("tiny".to_owned(), folder.path().to_owned())]).load("tiny").unwrap()
});

pub(crate) fn compute(inputs: Vec<Named>) -> Result<Vec<Named>, GraphError> {
    let allowance = Counted::plenty();
    let outputs = TINY.compute(inputs, &allowance);
    assert_eq!(allowance.held.get(), 0, "everything is given back");
    outputs
}

pub(crate) fn text(text: &str) -> Vec<Named> {
    let dimensions = vec![u32::try_from(text.len()).unwrap()];
    vec![("text".to_owned(), Tensor { dimensions, element: Element::U8, data: text.as_bytes().into() })]
}

pub(crate) fn ids(name: &str, rows: &[&[i64]]) -> Named {
    let dimensions = [rows.len(), rows.first().map_or(0, |row| row.len())].map(|n| u32::try_from(n).unwrap());
    let data = rows.iter().copied().flatten().flat_map(|id| id.to_le_bytes()).collect();
    (name.to_owned(), Tensor { dimensions: dimensions.into(), element: Element::I64, data })
}

pub(crate) fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.check().unwrap();
    assert_eq!(tensor.element, Element::F32);
    tensor.data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
