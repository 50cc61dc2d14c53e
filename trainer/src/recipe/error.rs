//! Why a training run stops.

use super::start::StartError;
use crate::{data::store, encode::EncodeError};
use std::{io, path::PathBuf};
use tomas_core::registry::RegistryError;

/// Why a run stops.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The data.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A sample of another registry.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The network.
    #[error(transparent)]
    Network(#[from] tomas_nn::Error),
    /// The run's folder cannot be written.
    #[error(
        "`{path}`: {source}\nhint: is the disk full? the last complete state is kept; run the same command again to resume"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder holds a run of another configuration.
    #[error("`{0}` holds a run of another configuration\nhint: give another `out`, or remove the folder to start anew")]
    OtherRun(PathBuf),
    /// The loss is not a number.
    #[error(
        "the loss at step {step} is `{loss}`; training stops before it does harm\nhint: lower schedule.peak; the last state is kept"
    )]
    Diverged {
        /// Which step.
        step: u64,
        /// What it was.
        loss: f32,
    },
    /// More replies than a byte can number.
    #[error(
        "the data holds `{found}` distinct replies; allowed are `{allowed}`\nhint: let intents of data/language share their replies"
    )]
    Replies {
        /// How many there are.
        found: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// There is nothing to train on.
    #[error("`{0}` holds no training samples\nhint: run `tomas-host data build`")]
    Empty(PathBuf),
}
