//! The files that a command gives to tools.

use crate::inputs::Inputs;
use clap::Args;
use std::path::PathBuf;
use tomas_core::amount::Bytes;
use tomas_sandbox::Room;

/// See the module.
#[derive(Debug, Args)]
pub struct Files {
    /// A file that arguments name as `blob:FILENAME`; may be repeated
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// A folder that tools with the permission may read
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Let tools with the permission write at most so much into the folder, all calls together
    #[arg(long, value_name = "BYTES", requires = "folder")]
    writable: Option<Bytes>,
}

impl Files {
    /// Reads the files, which may have `most` bytes together, and opens the folder.
    ///
    /// # Errors
    /// When one cannot be read, or they are too large.
    pub fn inputs(&self, most: Bytes) -> anyhow::Result<Inputs> {
        let mut inputs = Inputs::default();
        for path in &self.attach {
            inputs.attach_file(path, most)?;
        }
        if let Some(folder) = &self.folder {
            inputs.grant_folder(folder)?;
            inputs.room = self.writable.map(Room::new);
        }
        Ok(inputs)
    }
}
