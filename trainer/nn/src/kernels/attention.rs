//! Scaled dot-product attention.

use super::attention_kernel::Kernel;
use super::{reference, shape};
use candle_core::{Result, Tensor, bail};
use std::sync::Arc;

/// Who sees whom. Build it with the constructors or with `..Attention::default()`.
#[derive(Clone, Debug, Default)]
pub struct Attention {
    /// Query `i` of `sq` sees only keys up to `i + (sk - sq)`: the last query sees the last key.
    pub causal: bool,
    /// Keys that are no padding, per batch row; all if `None`.
    pub key_lengths: Option<Arc<[usize]>>,
    /// Queries that are no padding, per batch row; all if `None`. What a padding query sees is not computed: its output
    /// and its gradient are zero.
    pub query_lengths: Option<Arc<[usize]>>,
}

impl Attention {
    /// A decoder's attention to itself.
    pub fn causal() -> Self {
        Self { causal: true, ..Self::default() }
    }

    /// An encoder's attention to itself; rows beyond their length are padding, as keys and as queries.
    pub fn bidirectional(lengths: Arc<[usize]>) -> Self {
        Self { causal: false, key_lengths: Some(lengths.clone()), query_lengths: Some(lengths) }
    }

    /// Attention of all queries to another sequence whose rows have these lengths.
    pub fn cross(key_lengths: Arc<[usize]>) -> Self {
        Self { key_lengths: Some(key_lengths), ..Self::default() }
    }

    /// How many queries of batch row `b` are no padding.
    pub(crate) fn queries(&self, b: usize, sq: usize) -> usize {
        limit(self.query_lengths.as_deref(), b, sq)
    }

    /// How many keys, from the first, query `i` of batch row `b` sees.
    pub(crate) fn visible(&self, b: usize, i: usize, sq: usize, sk: usize) -> usize {
        let keys = limit(self.key_lengths.as_deref(), b, sk);
        if self.causal { keys.min((i + 1 + sk).saturating_sub(sq)) } else { keys }
    }
}

fn limit(lengths: Option<&[usize]>, b: usize, max: usize) -> usize {
    lengths.and_then(|l| l.get(b)).map_or(max, |&l| l.min(max))
}

/// Sizes of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) b: usize,
    pub(crate) sq: usize,
    pub(crate) sk: usize,
    pub(crate) h: usize,
    pub(crate) kv: usize,
    pub(crate) d: usize,
}

/// `softmax(q kᵀ / sqrt(d)) v` per head: q `(b, sq, h, d)`, k and v `(b, sk, kv, d)` with `h` a multiple of `kv` (query
/// head `i` reads key head `i / (h / kv)`), result `(b, sq, h * d)`.
///
/// A query that sees no key, and a padding query, gives zeros and passes no gradient on.
///
/// # Errors
/// On shapes or dtypes that do not fit together, or lengths that are not one per batch row within the sequence.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, mask: &Attention) -> Result<Tensor> {
    let (b, sq, h, d) = q.dims4()?;
    let (kb, sk, kv, kd) = k.dims4()?;
    if k.dims() != v.dims() || kb != b || kd != d {
        bail!(
            "attention: queries `{:?}`, keys `{:?}` and values `{:?}` do not fit together",
            q.dims(),
            k.dims(),
            v.dims()
        );
    }
    if kv == 0 || h % kv != 0 {
        bail!("attention: `{h}` query heads over `{kv}` key heads, expected a multiple");
    }
    shape::same_dtype("attention", &[q, k, v])?;
    check_lengths("key", mask.key_lengths.as_deref(), b, sk)?;
    check_lengths("query", mask.query_lengths.as_deref(), b, sq)?;
    let sizes = Sizes { b, sq, sk, h, kv, d };
    if !shape::fusible(&[q, k, v]) {
        return reference::attention(q, k, v, mask, sizes);
    }
    q.contiguous()?.apply_op3(&k.contiguous()?, &v.contiguous()?, Kernel::new(mask.clone(), sizes))
}

fn check_lengths(what: &str, lengths: Option<&[usize]>, b: usize, s: usize) -> Result<()> {
    let Some(lengths) = lengths else {
        return Ok(());
    };
    if lengths.len() != b {
        bail!("attention: `{}` {what} lengths, expected one per batch row (`{b}`)", lengths.len());
    }
    match lengths.iter().find(|&&l| l > s) {
        Some(l) => bail!("attention: a {what} length of `{l}`, expected at most `{s}`"),
        None => Ok(()),
    }
}
