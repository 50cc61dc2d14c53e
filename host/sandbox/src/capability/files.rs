//! `wasi:filesystem`: the session's folder at `/workspace`, where the call may have it.
//!
//! WASI itself confines a guest to the folder. Added here: attempts to open what no grant allows are noted, so that the
//! call can say which permission it lacked, and only regular files and folders can be opened, because opening a FIFO or
//! a device may block a thread for ever. What is written counts against the call's output quota and the room of the folder
//! before it is written, however it is: by writes, streams, growth, new files or new folders. Links cannot be made, because
//! other programs would follow them.

use crate::{
    call::{Room, Workspace},
    context::{Context, Denied, Stop},
    state::State,
};
use std::sync::Arc;
use tomas_core::manifest::FileAccess;
use wasmtime::{
    StoreContextMut,
    component::{HasData, Linker, Resource},
};
use wasmtime_wasi::{
    WasiView as _, async_trait,
    filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView},
    p2::{
        DynOutputStream, FsError, OutputStream, Pollable, StreamError, StreamResult,
        bindings::filesystem::{
            preopens,
            types::{DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor, OpenFlags, PathFlags},
        },
        pipe::ClosedOutputStream,
    },
};

/// Where the guest sees the folder.
pub(crate) const WORKSPACE: &str = "/workspace";

/// The interface whose `open-at` is replaced, spelled as `wasmtime_wasi` links it.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// What a new file or folder counts as, in bytes.
const ENTRY: u64 = 4096;

/// The call's folder, if it has one.
pub(crate) fn granted(context: &Context) -> Option<&Workspace> {
    context.given.workspace.as_ref().filter(|_| context.given.permissions.files != FileAccess::None)
}

/// How much the call may write, if it may.
pub(crate) fn room(context: &Context) -> Option<&Room> {
    let writes = context.given.permissions.files == FileAccess::ReadWrite;
    context.given.workspace.as_ref().filter(|_| writes)?.writable.as_ref()
}

/// Counts bytes on their way into the folder: `false` when it has no room for them.
///
/// # Errors
/// When the output quota is exceeded, which ends the call.
fn charge(context: &Context, bytes: u64) -> Result<bool, Stop> {
    context.emit(usize::try_from(bytes).unwrap_or(usize::MAX))?;
    Ok(room(context).is_none_or(|room| room.take(bytes)))
}

/// Replaces what `wasmtime_wasi` defined for `open-at`, and defines the folders to begin from.
///
/// # Errors
/// When wasmtime refuses the definition.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    preopens::add_to_linker::<State, Folders>(linker, |state| FolderView(state))?;
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap_async("[method]descriptor.open-at", |mut store, arguments: Open| {
        Box::new(async move { Ok((open_at(&mut store, arguments).await?,)) })
    })?;
    types.func_wrap_async("[method]descriptor.write", |mut store, (file, bytes, at): Write| {
        Box::new(async move {
            let state = store.data_mut();
            let full = may_write(state, bytes.len() as u64)?;
            Ok((match full {
                Err(code) => Err(code),
                Ok(()) => answer(state.filesystem().write(file, bytes, at).await)?,
            },))
        })
    })?;
    types.func_wrap_async("[method]descriptor.set-size", |mut store, (file, size): (Resource<Descriptor>, u64)| {
        Box::new(async move {
            let state = store.data_mut();
            let now = state.filesystem().stat(Resource::new_borrow(file.rep())).await.map_or(0, |stat| stat.size);
            let full = may_write(state, size.saturating_sub(now))?;
            Ok((match full {
                Err(code) => Err(code),
                Ok(()) => answer(state.filesystem().set_size(file, size).await)?,
            },))
        })
    })?;
    types.func_wrap_async("[method]descriptor.create-directory-at", |mut store, (folder, path): At| {
        Box::new(async move {
            let state = store.data_mut();
            let full = may_write(state, ENTRY)?;
            Ok((match full {
                Err(code) => Err(code),
                Ok(()) => answer(state.filesystem().create_directory_at(folder, path).await)?,
            },))
        })
    })?;
    types.func_wrap("[method]descriptor.write-via-stream", |mut store, (file, at): (Resource<Descriptor>, u64)| {
        let state = store.data_mut();
        let stream = state.filesystem().write_via_stream(file, at);
        Ok((counted(state, stream)?,))
    })?;
    types.func_wrap("[method]descriptor.append-via-stream", |mut store, (file,): (Resource<Descriptor>,)| {
        let state = store.data_mut();
        let stream = state.filesystem().append_via_stream(file);
        Ok((counted(state, stream)?,))
    })?;
    types.func_wrap("[method]descriptor.symlink-at", |_, (_, _, _): (Resource<Descriptor>, String, String)| {
        Ok((Err::<(), _>(ErrorCode::NotPermitted),))
    })?;
    types.func_wrap("[method]descriptor.link-at", |_, (_, _, _, _, _): Link| {
        Ok((Err::<(), _>(ErrorCode::NotPermitted),))
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
        if granted(&self.0.context).is_none() {
            self.0.deny(Denied::Files);
        }
        preopens::Host::get_directories(&mut self.0.filesystem())
    }
}

/// Parameters of `write`.
type Write = (Resource<Descriptor>, Vec<u8>, u64);

/// Parameters of `create-directory-at`.
type At = (Resource<Descriptor>, String);

/// Parameters of `link-at`.
type Link = (Resource<Descriptor>, PathFlags, String, Resource<Descriptor>, String);

/// Makes room for bytes, or says that there is none. A call that may not write at all is refused by the file itself.
fn may_write(state: &State, bytes: u64) -> wasmtime::Result<Result<(), ErrorCode>> {
    if room(&state.context).is_none() || charge(&state.context, bytes)? {
        Ok(Ok(()))
    } else {
        state.deny(Denied::Room);
        Ok(Err(ErrorCode::InsufficientSpace))
    }
}

/// What the guest is told; faults of the host end the call.
fn answer<T>(result: Result<T, FsError>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result.map_err(FsError::downcast) {
        Ok(value) => Ok(Ok(value)),
        Err(Ok(code)) => Ok(Err(code)),
        Err(Err(fault)) => Err(fault),
    }
}

/// Puts a counter before a stream into a file.
fn counted(
    state: &mut State,
    stream: Result<Resource<DynOutputStream>, FsError>,
) -> wasmtime::Result<Result<Resource<DynOutputStream>, ErrorCode>> {
    let stream = match answer(stream)? {
        Ok(stream) => stream,
        Err(code) => return Ok(Err(code)),
    };
    let context = Arc::clone(&state.context);
    let slot = state.ctx().table.get_mut(&stream)?;
    let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
    *slot = Box::new(Counted { inner, context });
    Ok(Ok(stream))
}

/// A stream into a file, counted before it is written.
struct Counted {
    inner: DynOutputStream,
    context: Arc<Context>,
}

#[async_trait]
impl OutputStream for Counted {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        match charge(&self.context, bytes.len() as u64) {
            Ok(true) => self.inner.write(bytes),
            Ok(false) => {
                self.context.deny(Denied::Room);
                let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
                Err(StreamError::LastOperationFailed(full.into()))
            }
            Err(stop) => Err(StreamError::Trap(stop.into())),
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for Counted {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

/// Parameters of `open-at`.
type Open = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);

async fn open_at(
    store: &mut StoreContextMut<'_, State>,
    (folder, path_flags, path, open_flags, flags): Open,
) -> wasmtime::Result<Result<Resource<Descriptor>, ErrorCode>> {
    let state = store.data_mut();
    state.at_home().await;
    let kind = kind(&mut state.filesystem(), &folder, path_flags, &path).await;
    if kind.is_none()
        && open_flags.contains(OpenFlags::CREATE)
        && let Err(code) = may_write(state, ENTRY)?
    {
        return Ok(Err(code));
    }
    let special = kind.is_some_and(|kind| {
        !matches!(kind, DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink)
    });
    let opened = match special {
        true => Err(ErrorCode::NotPermitted.into()),
        false => state.filesystem().open_at(folder, path_flags, path, open_flags, flags).await,
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

/// What the path leads to. What cannot be looked at is left to `open-at` to report.
async fn kind(
    files: &mut WasiFilesystemCtxView<'_>,
    folder: &Resource<Descriptor>,
    path_flags: PathFlags,
    path: &str,
) -> Option<DescriptorType> {
    let stat = files.stat_at(Resource::new_borrow(folder.rep()), path_flags, path.to_owned()).await;
    stat.ok().map(|stat| stat.type_)
}
