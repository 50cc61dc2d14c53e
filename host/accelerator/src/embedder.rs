//! A sentence embedder as a graph.
//!
//! | inputs | outputs |
//! |---|---|
//! | `text`: u8, the text in UTF-8 | `embedding`: f32 `[1, hidden]`, of length 1; `truncated`: u8 `[1]`, 1 where the text was longer than the model reads |
//! | `input_ids`, and if wanted `attention_mask` and `token_type_ids`: i64 or i32 `[batch, length]` | `last_hidden_state`: f32 `[batch, length, hidden]`, zero where the mask is |
//!
//! The first is how WasmEdge's wasi-nn gives text to language models; the second is what BERT is called with as ONNX.
//!
//! Sequences are computed one after the other, each for itself: a batch takes no more memory than its longest row, and its
//! result.

use crate::input;
use std::{iter, path::Path, sync::Arc};
use tomas_core::graph::{Allowance, Element, Graph, GraphError, Held, Interrupted, Named, Tensor};
use tomas_nn::{Error, sentence::Sentences};

/// A model in memory.
#[derive(Debug)]
pub(crate) struct Embedder(Sentences);

impl Embedder {
    /// Reads a model's folder.
    ///
    /// # Errors
    /// Says in words what is wrong with it.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        Sentences::open(folder).map(Self).map_err(|error| error.to_string())
    }

    fn hidden(&self) -> usize {
        self.0.encoder().config().hidden
    }

    /// States of one sequence, in memory that the call holds already.
    fn states(&self, ids: &[u32], segments: &[u32], allowance: &dyn Allowance) -> Result<Vec<f32>, GraphError> {
        let pause = || allowance.check().map_err(|Interrupted| Error::Stopped);
        self.0.encoder().read(ids, segments, &pause).map_err(|error| match error {
            Error::Stopped => GraphError::Interrupted(Interrupted),
            Error::Input(why) => GraphError::Invalid(why),
            error => GraphError::Failed(error.to_string()),
        })
    }

    fn embed(&self, text: &Tensor, allowance: &dyn Allowance) -> Result<Vec<Named>, GraphError> {
        let text = input::text(text)?;
        let pieces = {
            let _held = Held::take(allowance, self.0.room(text.len()) as u64)?;
            self.0.pieces(text).map_err(|error| GraphError::Failed(error.to_string()))
        };
        let (ids, truncated) = pieces?;
        allowance.check()?;
        // States, segments, and the embedding in two spellings.
        let bytes = self.0.encoder().room(ids.len()) + 16 * (ids.len() + self.hidden());
        let _held = Held::take(allowance, bytes as u64)?;
        let states = self.states(&ids, &vec![0; ids.len()], allowance)?;
        let embedding = floats(&self.0.pooled(&states), vec![1, wide(self.hidden())?]);
        let truncated = Tensor { dimensions: vec![1], element: Element::U8, data: Arc::new([u8::from(truncated)]) };
        Ok(vec![("embedding".to_owned(), embedding), ("truncated".to_owned(), truncated)])
    }

    fn encode(&self, batch: &input::Batch, allowance: &dyn Allowance) -> Result<Vec<Named>, GraphError> {
        let (hidden, positions) = (self.hidden(), self.0.encoder().config().positions);
        if batch.length > positions {
            return Err(GraphError::TooLarge(format!(
                "`input_ids` has rows of `{}` pieces, this model reads at most `{positions}`",
                batch.length
            )));
        }
        let row = batch.length * hidden * size_of::<f32>();
        // One sequence at work, and all results.
        let bytes = row.checked_mul(batch.rows).and_then(|all| all.checked_add(self.0.encoder().room(batch.length)));
        let _held = Held::take(allowance, bytes.map_or(u64::MAX, |bytes| bytes as u64))?;
        // In one piece from the beginning, and zero where the padding is.
        let mut data: Arc<[u8]> = iter::repeat_n(0, row * batch.rows).collect();
        let rows = Arc::get_mut(&mut data).unwrap_or_default().chunks_mut(row.max(1));
        for (sequence, row) in batch.sequences().zip(rows) {
            let states = self.states(sequence.ids, sequence.segments, allowance)?;
            for (to, x) in row.as_chunks_mut().0.iter_mut().zip(&states) {
                *to = x.to_le_bytes();
            }
            allowance.check()?;
        }
        let dimensions = vec![wide(batch.rows)?, wide(batch.length)?, wide(hidden)?];
        Ok(vec![("last_hidden_state".to_owned(), Tensor { dimensions, element: Element::F32, data })])
    }
}

impl Graph for Embedder {
    fn compute(&self, inputs: Vec<Named>, allowance: &dyn Allowance) -> Result<Vec<Named>, GraphError> {
        match inputs.as_slice() {
            [(name, text)] if name == "text" => self.embed(text, allowance),
            _ => {
                let most = inputs.iter().map(|(_, tensor)| tensor.data.len() as u64).max().unwrap_or_default();
                // Ids, segments, mask and lengths as numbers: 20 bytes for an element, which has 4 at least.
                let _held = Held::take(allowance, most.saturating_mul(5))?;
                self.encode(&input::Batch::of(&inputs)?, allowance)
            }
        }
    }
}

fn floats(values: &[f32], dimensions: Vec<u32>) -> Tensor {
    Tensor { dimensions, element: Element::F32, data: values.iter().flat_map(|x| x.to_le_bytes()).collect() }
}

fn wide(size: usize) -> Result<u32, GraphError> {
    u32::try_from(size).map_err(|_| GraphError::TooLarge(format!("a size of `{size}` is more than a tensor can have")))
}
