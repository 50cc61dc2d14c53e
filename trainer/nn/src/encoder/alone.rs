//! Reading one sequence on the calling thread, in memory that is known beforehand, with a pause after each millisecond or
//! so of work: the encoder for work that somebody else's quota pays for. The same network as [`Encoder::forward`].

use candle_core::Tensor;

use super::{Dense, Encoder, Layer};
use crate::config::EncoderConfig;
use crate::error::{Error, Result};
use crate::kernels::{alone, with_f32};

/// Buffers of one sequence, each a row per piece unless it says otherwise.
struct Room {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    mixed: Vec<f32>,
    /// Room for as many rows as are computed at once.
    inner: Vec<f32>,
    /// Room for the scores of the queries that are computed at once.
    scores: Vec<f32>,
}

impl Encoder {
    /// States `(length, hidden)` of the pieces of one sequence and their segments (0 or 1), in row-major order. `pause` is
    /// called again and again; what it fails with ends the reading.
    ///
    /// # Errors
    /// [`Error::Input`] if an id, a segment or the length is out of range, or what `pause` returns.
    pub fn read(&self, ids: &[u32], segments: &[u32], pause: &dyn Fn() -> Result<()>) -> Result<Vec<f32>> {
        let (length, width) = (ids.len(), self.config.hidden);
        if length > self.config.positions || length != segments.len() {
            return Err(Error::Input(format!(
                "`{length}` pieces of `{}` segments; this encoder reads at most `{}`, each of one segment",
                segments.len(),
                self.config.positions
            )));
        }
        let mut x = vec![0.0; length * width];
        self.embed(ids, segments, &mut x)?;
        pause()?;
        let numbers = length * width;
        let mut room = Room {
            q: vec![0.0; numbers],
            k: vec![0.0; numbers],
            v: vec![0.0; numbers],
            mixed: vec![0.0; numbers],
            inner: vec![0.0; alone::ROWS.min(length) * self.config.intermediate],
            scores: vec![0.0; alone::QUERIES.min(length) * length],
        };
        for layer in &self.layers {
            self.pass(layer, &mut x, &mut room, pause)?;
        }
        Ok(x)
    }

    /// Bytes that [`read`](Self::read) allocates at most for a sequence of this length, its result included.
    #[must_use]
    pub fn room(&self, length: usize) -> usize {
        let EncoderConfig { hidden, intermediate, heads, .. } = self.config;
        let (rows, queries) = (alone::ROWS.min(length), alone::QUERIES.min(length));
        let buffers = 5 * length * hidden + rows * intermediate + queries * length;
        let products = alone::packed(rows, hidden.max(intermediate)).max((hidden / heads + 64) * (length + 64));
        (buffers + products) * size_of::<f32>()
    }

    /// Sizes of the network.
    #[must_use]
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Embeddings of pieces, positions and segments, and their norm.
    fn embed(&self, ids: &[u32], segments: &[u32], x: &mut [f32]) -> Result<()> {
        let width = self.config.hidden;
        // What is asked for comes from a guest, so a wrong number is told without candle's own backtrace.
        let rows = |table: &Tensor, numbers: &mut dyn Iterator<Item = u32>, x: &mut [f32]| -> Result<()> {
            let wrong = with_f32(table, |table| {
                let missing = x.chunks_mut(width).zip(numbers).find_map(|(to, number)| {
                    let from = (number as usize).saturating_mul(width);
                    match table.get(from..from.saturating_add(width)) {
                        Some(row) => alone::add_to(to, row),
                        None => return Some(number),
                    }
                    None
                });
                Ok(missing)
            })?;
            let size = table.elem_count() / width;
            wrong.map_or(Ok(()), |number| {
                Err(Error::Input(format!("there is no row `{number}` in an embedding of `{size}`")))
            })
        };
        rows(&self.positions, &mut (0..), x)?;
        rows(&self.segments, &mut segments.iter().copied(), x)?;
        rows(&self.pieces, &mut ids.iter().copied(), x)?;
        Ok(self.norm.apply(x, None)?)
    }

    fn pass(&self, layer: &Layer, x: &mut [f32], room: &mut Room, pause: &dyn Fn() -> Result<()>) -> Result<()> {
        let (width, heads) = (self.config.hidden, self.config.heads);
        let Room { q, k, v, mixed, inner, scores } = room;
        layer.query.apply(x, q, pause)?;
        layer.key.apply(x, k, pause)?;
        layer.value.apply(x, v, pause)?;
        let block = alone::QUERIES * width;
        for (q, mixed) in q.chunks(block).zip(mixed.chunks_mut(block)) {
            alone::attention(q, [k, v], heads, width, scores, mixed)?;
            pause()?;
        }
        // The queries are done with; their room takes what attention gives.
        layer.mixed.apply(mixed, q, pause)?;
        layer.mixed_norm.apply(x, Some(q))?;
        let block = alone::ROWS * width;
        for (x, out) in x.chunks_mut(block).zip(q.chunks_mut(block)) {
            let inner = &mut inner[..x.len() / width * self.config.intermediate];
            layer.up.apply(x, inner, pause)?;
            alone::gelu(inner);
            layer.down.apply(inner, out, pause)?;
            layer.down_norm.apply(x, Some(out))?;
        }
        Ok(())
    }
}

impl Dense {
    /// The layer's output for rows of `x`, a part at a time.
    fn apply(&self, x: &[f32], y: &mut [f32], pause: &dyn Fn() -> Result<()>) -> Result<()> {
        let (n, k) = self.weight.dims2()?;
        for (x, y) in x.chunks(alone::ROWS * k).zip(y.chunks_mut(alone::ROWS * n)) {
            for columns in alone::columns(n, k) {
                with_f32(&self.weight, |w| with_f32(&self.bias, |b| alone::linear(x, w, b, columns, y)))?;
                pause()?;
            }
        }
        Ok(())
    }
}

impl super::Norm {
    /// The norm of each row of `x`, or of `x + more`.
    fn apply(&self, x: &mut [f32], more: Option<&[f32]>) -> candle_core::Result<()> {
        with_f32(&self.weight, |w| {
            with_f32(&self.bias, |b| {
                alone::add_and_norm(x, more.unwrap_or_default(), w, b, self.epsilon);
                Ok(())
            })
        })
    }
}
