//! A model of the host, through `wasi:nn`.
#![allow(unsafe_code, reason = "bindings are generated")]

wit_bindgen::generate!({ path: "wit", world: "ml" });

use wasi::nn::{
    errors::Error,
    graph::load_by_name,
    inference::GraphExecutionContext,
    tensor::{Tensor, TensorType},
};

/// A model that embeds texts.
pub(crate) struct Model(GraphExecutionContext);

impl Model {
    /// The model that the host has under this name.
    ///
    /// # Errors
    /// What the host says.
    pub(crate) fn load(name: &str) -> Result<Self, String> {
        let graph = load_by_name(name).map_err(words)?;
        graph.init_execution_context().map(Self).map_err(words)
    }

    /// The vector of a text, and whether the text was longer than the model reads.
    ///
    /// # Errors
    /// What the host says.
    pub(crate) fn embed(&self, text: &str) -> Result<(Vec<f32>, bool), String> {
        let length = u32::try_from(text.len()).map_err(|_| "the text is longer than 4 GiB".to_owned())?;
        let input = Tensor::new(&[length], TensorType::U8, text.as_bytes());
        let outputs = self.0.compute(vec![("text".to_owned(), input)]).map_err(words)?;
        let data = |wanted: &str| {
            let found = outputs.iter().find(|(name, _)| name == wanted);
            found.map(|(_, tensor)| tensor.data()).ok_or_else(|| format!("the model gives no `{wanted}`"))
        };
        let vector = data("embedding")?.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok((vector, data("truncated")? == [1]))
    }
}

fn words(error: Error) -> String {
    error.data()
}
