//! Components of plain typed functions: each function they export is a tool.
//!
//! [`functions`] finds them, [`docs`] what the component says of them, [`shape`] has their types, [`schema`] the JSON
//! schema of each type, [`value`] carries values over, [`call`] calls, [`program`] runs what has a `main`, and [`service`]
//! sends a request to what serves HTTP.

pub(crate) mod call;
pub(crate) mod docs;
pub(crate) mod functions;
pub(crate) mod program;
mod schema;
mod service;
pub(crate) mod shape;
pub(crate) mod value;
