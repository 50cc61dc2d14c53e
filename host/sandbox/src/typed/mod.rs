//! Components of plain typed functions: each function they export is a tool.
//!
//! [`functions`] finds them, [`docs`] what the component says of them, [`shape`] has their types, [`schema`] the JSON schema of each type, [`value`] carries
//! values over, and [`call`] calls.

pub(crate) mod call;
pub(crate) mod docs;
pub(crate) mod functions;
mod schema;
mod shape;
mod value;
