//! `wasi:filesystem`: the session's folder at `/workspace`, where the call may have it.
//!
//! WASI itself confines a guest to the folder. Added here: attempts to open what no grant allows are noted, so that the
//! call can say which permission it lacked, and only regular files and folders can be opened, because opening a FIFO or
//! a device may block a thread for ever. What is written counts against the call's output quota and the room of the folder
//! before it is written, however it is: by writes, streams, growth, new files or new folders. Links cannot be made, because
//! other programs would follow them. A call with a folder never begins on its caller's thread, since files may block.

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
            types::{DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor, NewTimestamp, OpenFlags, PathFlags},
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
    let fits = room(context).is_none_or(|room| room.take(bytes));
    if !fits {
        context.deny(Denied::Room);
    }
    Ok(fits)
}

/// Replaces what `wasmtime_wasi` defined for all that opens and changes, and defines the folders to begin from.
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
            let cost = growth(state, &file, at, bytes.len() as u64).await.max(bytes.len() as u64);
            if let Err(code) = may_write(state, cost)? {
                return Ok((Err(code),));
            }
            let written = answer(state.filesystem().write(file, bytes, at).await)?;
            Ok((settled(state, cost, written),))
        })
    })?;
    types.func_wrap_async("[method]descriptor.set-size", |mut store, (file, size): (Resource<Descriptor>, u64)| {
        Box::new(async move {
            let state = store.data_mut();
            let cost = growth(state, &file, size, 0).await;
            if let Err(code) = may_write(state, cost)? {
                return Ok((Err(code),));
            }
            let set = answer(state.filesystem().set_size(file, size).await)?;
            Ok((settled(state, cost, set),))
        })
    })?;
    types.func_wrap_async("[method]descriptor.create-directory-at", |mut store, (folder, path): At| {
        Box::new(async move {
            let state = store.data_mut();
            if let Err(code) = may_write(state, ENTRY)? {
                return Ok((Err(code),));
            }
            let made = answer(state.filesystem().create_directory_at(folder, path).await)?;
            Ok((settled(state, ENTRY, made),))
        })
    })?;
    types.func_wrap_async(
        "[method]descriptor.write-via-stream",
        |mut store, (file, at): (Resource<Descriptor>, u64)| {
            Box::new(async move {
                let state = store.data_mut();
                let gap = growth(state, &file, at, 0).await;
                let stream = state.filesystem().write_via_stream(file, at);
                Ok((counted(state, stream, gap)?,))
            })
        },
    )?;
    types.func_wrap("[method]descriptor.append-via-stream", |mut store, (file,): (Resource<Descriptor>,)| {
        let state = store.data_mut();
        let stream = state.filesystem().append_via_stream(file);
        Ok((counted(state, stream, 0)?,))
    })?;
    types.func_wrap_async("[method]descriptor.rename-at", |mut store, (from, path, to, name): Rename| {
        Box::new(async move {
            let state = store.data_mut();
            // What is checked before it is opened must not become something else in between.
            if kind(&mut state.filesystem(), &from, PathFlags::empty(), &path).await.is_some_and(is_special) {
                return Ok((refused(state),));
            }
            let renamed = answer(state.filesystem().rename_at(from, path, to, name).await)?;
            Ok((settled(state, 0, renamed),))
        })
    })?;
    types.func_wrap("[method]descriptor.symlink-at", |store, (_, _, _): (Resource<Descriptor>, String, String)| {
        Ok((refused::<()>(store.data()),))
    })?;
    types.func_wrap("[method]descriptor.link-at", |store, (_, _, _, _, _): Link| Ok((refused::<()>(store.data()),)))?;
    // It opens what it is given, whatever that is.
    types.func_wrap("[method]descriptor.set-times-at", |store, (_, _, _, _, _): Times| {
        Ok((refused::<()>(store.data()),))
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

/// Parameters of `rename-at`.
type Rename = (Resource<Descriptor>, String, Resource<Descriptor>, String);

/// Parameters of `set-times-at`.
type Times = (Resource<Descriptor>, PathFlags, String, NewTimestamp, NewTimestamp);

/// Parameters of `link-at`.
type Link = (Resource<Descriptor>, PathFlags, String, Resource<Descriptor>, String);

/// Makes room for bytes, or says that there is none. A call that may not write at all is refused by the file itself.
fn may_write(state: &State, bytes: u64) -> wasmtime::Result<Result<(), ErrorCode>> {
    if room(&state.context).is_none() || charge(&state.context, bytes)? {
        Ok(Ok(()))
    } else {
        Ok(Err(ErrorCode::InsufficientSpace))
    }
}

/// By how much a file grows when `length` bytes are written at `at`.
async fn growth(state: &mut State, file: &Resource<Descriptor>, at: u64, length: u64) -> u64 {
    let size = state.filesystem().stat(Resource::new_borrow(file.rep())).await.map_or(0, |stat| stat.size);
    at.saturating_add(length).saturating_sub(size)
}

/// What was refused, or failed, took no room; and what was refused is noted.
fn settled<T>(state: &State, cost: u64, done: Result<T, ErrorCode>) -> Result<T, ErrorCode> {
    if let Err(code) = &done {
        if let Some(room) = room(&state.context) {
            room.give(cost);
            state.context.output.give(cost);
        }
        if matches!(code, ErrorCode::NotPermitted | ErrorCode::Access | ErrorCode::ReadOnly) {
            state.deny(Denied::Files);
        }
    }
    done
}

/// What no call may do.
fn refused<T>(state: &State) -> Result<T, ErrorCode> {
    state.deny(Denied::Files);
    Err(ErrorCode::NotPermitted)
}

/// Neither a file nor a folder: opening it may block a thread for ever.
const fn is_special(kind: DescriptorType) -> bool {
    !matches!(kind, DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink)
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
    gap: u64,
) -> wasmtime::Result<Result<Resource<DynOutputStream>, ErrorCode>> {
    let stream = match answer(stream)? {
        Ok(stream) => stream,
        Err(code) => return Ok(settled(state, 0, Err(code))),
    };
    let context = Arc::clone(&state.context);
    let slot = state.ctx().table.get_mut(&stream)?;
    let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
    *slot = Box::new(Counted { inner, context, gap });
    Ok(Ok(stream))
}

/// A stream into a file, counted before it is written.
struct Counted {
    inner: DynOutputStream,
    context: Arc<Context>,
    /// By how much the first write makes the file grow beside its own bytes.
    gap: u64,
}

impl Counted {
    fn charge(&mut self, bytes: usize) -> StreamResult<()> {
        match charge(&self.context, (bytes as u64).saturating_add(self.gap)) {
            Ok(true) => {
                self.gap = 0;
                Ok(())
            }
            Ok(false) => Err(StreamError::LastOperationFailed(std::io::Error::from_raw_os_error(libc::ENOSPC).into())),
            Err(stop) => Err(StreamError::Trap(stop.into())),
        }
    }
}

#[async_trait]
impl OutputStream for Counted {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.charge(bytes.len())?;
        self.inner.write(bytes)
    }

    /// In place, so that what it costs is charged to the call.
    async fn blocking_write_and_flush(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.charge(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
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
    let kind = kind(&mut state.filesystem(), &folder, path_flags, &path).await;
    let cost = if kind.is_none() && open_flags.contains(OpenFlags::CREATE) { ENTRY } else { 0 };
    if let Err(code) = may_write(state, cost)? {
        return Ok(Err(code));
    }
    if kind.is_some_and(is_special) {
        return Ok(refused(state));
    }
    let opened = answer(state.filesystem().open_at(folder, path_flags, path, open_flags, flags).await)?;
    Ok(settled(state, cost, opened))
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
