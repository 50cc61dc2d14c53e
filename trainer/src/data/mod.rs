//! Data: language and registry → samples on three sides of a split.
//!
//! [`language`] reads the intents, [`template`] and [`values`] draw wordings and what fills them, [`noise`] types them
//! as people do, [`budget`] states what may be spent, [`public`] adds people's own wording, [`mod@build`] joins them with the
//! registry's measurements, [`overlap`] proves that nothing crossed the split, [`store`] writes and reads the files.

pub mod budget;
pub mod build;
pub mod language;
pub mod noise;
pub mod overlap;
pub mod public;
pub mod sample;
pub mod split;
pub mod store;
pub mod template;
pub mod values;
