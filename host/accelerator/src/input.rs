//! What a guest hands in, read as what an encoder needs. Nothing of it is believed.

use tomas_core::graph::{Element, GraphError, Named, Tensor};

/// Names of the inputs of a batch, as BERT has them in ONNX.
const NAMES: [&str; 3] = ["input_ids", "attention_mask", "token_type_ids"];

/// Sequences of one length, some of them padded.
#[derive(Debug)]
pub(crate) struct Batch {
    /// How many there are.
    pub(crate) rows: usize,
    /// Pieces of each, padding included.
    pub(crate) length: usize,
    ids: Vec<u32>,
    segments: Vec<u32>,
    /// Pieces of each that are no padding.
    lengths: Vec<usize>,
}

/// One sequence without its padding.
pub(crate) struct Sequence<'a> {
    pub(crate) ids: &'a [u32],
    pub(crate) segments: &'a [u32],
}

/// The text of a tensor of bytes.
///
/// # Errors
/// When it is none.
pub(crate) fn text(tensor: &Tensor) -> Result<&str, GraphError> {
    if tensor.element != Element::U8 {
        return Err(GraphError::Invalid(format!(
            "`text` is a tensor of `{}`; `u8` is wanted, the text in UTF-8",
            tensor.element.name()
        )));
    }
    std::str::from_utf8(&tensor.data).map_err(|error| GraphError::Invalid(format!("`text` is not UTF-8: {error}")))
}

impl Batch {
    /// Reads the three inputs, of which the last two may be missing.
    ///
    /// # Errors
    /// Says which input is wrong, what was found and what is wanted.
    pub(crate) fn of(inputs: &[Named]) -> Result<Self, GraphError> {
        let named = |name: &str| inputs.iter().find(|(found, _)| found == name).map(|(_, tensor)| tensor);
        let Some(first) = named(NAMES[0]).filter(|_| inputs.len() <= NAMES.len()) else {
            return Err(GraphError::Invalid(wanted(inputs)));
        };
        if inputs.iter().filter(|(name, _)| NAMES.contains(&name.as_str())).count() != inputs.len() {
            return Err(GraphError::Invalid(wanted(inputs)));
        }
        let [rows, length] = *first.dimensions.as_slice() else {
            return Err(GraphError::Invalid(format!(
                "`input_ids` has dimensions `{:?}`, two are wanted: [batch, length]",
                first.dimensions
            )));
        };
        let ids = numbers(NAMES[0], first, u32::MAX)?;
        let of = |name, most| {
            named(name)
                .map(|tensor| match tensor.dimensions == first.dimensions {
                    true => numbers(name, tensor, most),
                    false => Err(GraphError::Invalid(format!(
                        "`{name}` has dimensions `{:?}`, those of `input_ids` are wanted: `{:?}`",
                        tensor.dimensions, first.dimensions
                    ))),
                })
                .transpose()
        };
        let segments = of(NAMES[2], 1)?.unwrap_or_else(|| vec![0; ids.len()]);
        let (rows, length) = (rows as usize, length as usize);
        let lengths = match of(NAMES[1], 1)? {
            Some(mask) if length > 0 => mask.chunks(length).map(unpadded).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        Ok(Self { rows, length, ids, segments, lengths })
    }

    /// The sequences in their order.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = Sequence<'_>> {
        let rows = self.ids.chunks(self.length.max(1)).zip(self.segments.chunks(self.length.max(1)));
        rows.enumerate().map(|(i, (ids, segments))| {
            let length = self.lengths.get(i).copied().unwrap_or(self.length);
            let cut = |row: &'_ [u32]| ..length.min(row.len());
            Sequence { ids: &ids[cut(ids)], segments: &segments[cut(segments)] }
        })
    }
}

/// How many ones a row of a mask begins with, if only zeros follow.
fn unpadded(mask: &[u32]) -> Result<usize, GraphError> {
    let ones = mask.iter().take_while(|x| **x == 1).count();
    match mask.iter().skip(ones).all(|x| *x == 0) {
        true => Ok(ones),
        false => Err(GraphError::Invalid(
            "`attention_mask` has a row in which a 1 follows a 0; ones, then zeros are wanted: padding on the right"
                .to_owned(),
        )),
    }
}

/// The elements of a tensor of integers, each at most `most`.
fn numbers(name: &str, tensor: &Tensor, most: u32) -> Result<Vec<u32>, GraphError> {
    let read = |value: i64| {
        let fits = u32::try_from(value).ok().filter(|value| *value <= most);
        fits.ok_or_else(|| GraphError::Invalid(format!("`{name}` holds `{value}`; allowed are 0 to `{most}`")))
    };
    match tensor.element {
        Element::I64 => tensor.data.as_chunks().0.iter().map(|bytes| read(i64::from_le_bytes(*bytes))).collect(),
        Element::I32 => tensor.data.as_chunks().0.iter().map(|bytes| read(i32::from_le_bytes(*bytes).into())).collect(),
        other => {
            Err(GraphError::Invalid(format!("`{name}` is a tensor of `{}`; `i64` or `i32` are wanted", other.name())))
        }
    }
}

/// Says which inputs there should be.
fn wanted(inputs: &[Named]) -> String {
    let shown = |(name, _): &Named| format!("`{}`", name.chars().take(40).collect::<String>().escape_debug());
    let found = inputs.iter().take(4).map(shown).collect::<Vec<_>>().join(", ");
    let found = if found.is_empty() { "none".to_owned() } else { found };
    format!(
        "the inputs are {found}; wanted is `text`, or `input_ids` and, where they matter, `attention_mask` and \
         `token_type_ids`"
    )
}
