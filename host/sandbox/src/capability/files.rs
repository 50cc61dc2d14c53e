//! `wasi:filesystem`: the session's folder, read-only at `/workspace`, where the call may have it.
//!
//! WASI itself confines a guest to the folder. Added here: attempts to open what no grant allows are noted, so that the
//! call can say which permission it lacked, and only regular files and folders can be opened, because opening a FIFO or
//! a device may block a thread for ever.

use crate::{
    context::{Context, Denied},
    state::State,
};
use tomas_core::manifest::FileAccess;
use wasmtime::{
    StoreContextMut,
    component::{HasData, Linker, Resource},
};
use wasmtime_wasi::{
    filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView},
    p2::{
        FsError,
        bindings::filesystem::{
            preopens,
            types::{DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor, OpenFlags, PathFlags},
        },
    },
};

/// Where the guest sees the folder.
pub(crate) const WORKSPACE: &str = "/workspace";

/// The interface whose `open-at` is replaced, spelled as `wasmtime_wasi` links it.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// Whether the call has a folder.
pub(crate) fn granted(context: &Context) -> bool {
    context.given.permissions.files == FileAccess::Read && context.given.workspace.is_some()
}

/// Replaces what `wasmtime_wasi` defined for `open-at`, and defines the folders to begin from.
///
/// # Errors
/// When wasmtime refuses the definition.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    preopens::add_to_linker::<State, Folders>(linker, |state| FolderView(state))?;
    linker.allow_shadowing(true);
    linker.instance(TYPES)?.func_wrap_async("[method]descriptor.open-at", |mut store, arguments: Open| {
        Box::new(async move { Ok((open_at(&mut store, arguments).await?,)) })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Folders;

struct FolderView<'a>(&'a mut State);

impl HasData for Folders {
    type Data<'a> = FolderView<'a>;
}

impl preopens::Host for FolderView<'_> {
    /// The C library asks for the folders when it first opens a path, so asking without a grant is an attempt.
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        if !granted(&self.0.context) {
            self.0.deny(Denied::Files);
        }
        preopens::Host::get_directories(&mut self.0.filesystem())
    }
}

/// Parameters of `open-at`.
type Open = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);

async fn open_at(
    store: &mut StoreContextMut<'_, State>,
    (folder, path_flags, path, open_flags, flags): Open,
) -> wasmtime::Result<Result<Resource<Descriptor>, ErrorCode>> {
    let state = store.data_mut();
    let mut files = state.filesystem();
    let opened = match is_special(&mut files, &folder, path_flags, &path).await {
        true => Err(ErrorCode::NotPermitted.into()),
        false => files.open_at(folder, path_flags, path, open_flags, flags).await,
    };
    match opened.map_err(FsError::downcast) {
        Ok(descriptor) => Ok(Ok(descriptor)),
        Err(Ok(code)) => {
            if matches!(code, ErrorCode::NotPermitted | ErrorCode::Access | ErrorCode::ReadOnly) {
                state.deny(Denied::Files);
            }
            Ok(Err(code))
        }
        Err(Err(fault)) => Err(fault),
    }
}

/// Whether the path leads to something that is neither a file nor a folder. What cannot be looked at is left to
/// `open-at` to report.
async fn is_special(
    files: &mut WasiFilesystemCtxView<'_>,
    folder: &Resource<Descriptor>,
    path_flags: PathFlags,
    path: &str,
) -> bool {
    let stat = files.stat_at(Resource::new_borrow(folder.rep()), path_flags, path.to_owned()).await;
    stat.is_ok_and(|stat| {
        !matches!(stat.type_, DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink)
    })
}
