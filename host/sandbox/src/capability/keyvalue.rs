//! `wasi:keyvalue`, in the two drafts that components are built with: one bucket, which is the call's store.

use crate::{
    context::Denied,
    keyvalue::{CountError, Full, KeyValue},
    state::State,
};
use wasmtime::{
    StoreContextMut,
    component::{ComponentType, Lift, Linker, Lower, Resource, ResourceType},
};

/// What guests may call the bucket; other hosts know it by both names.
const NAMES: [&str; 2] = ["", "default"];

/// A handle to the store.
struct Bucket(KeyValue);

/// `store.error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<Full> for Error {
    fn from(full: Full) -> Self {
        Self::Other(full.to_string())
    }
}

impl From<CountError> for Error {
    fn from(error: CountError) -> Self {
        Self::Other(error.to_string())
    }
}

/// `store.key-response`: all keys at once, since there are not many.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Keys<C> {
    keys: Vec<String>,
    cursor: Option<C>,
}

type Answer<T> = wasmtime::Result<(Result<T, Error>,)>;
type Store<'a> = StoreContextMut<'a, State>;
type Handle = Resource<Bucket>;

/// Defines both drafts.
///
/// # Errors
/// When wasmtime refuses the definition.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    draft::<u64>(linker, "0.2.0-draft")?;
    linker.instance("wasi:keyvalue/atomics@0.2.0-draft")?.func_wrap(
        "increment",
        |store: Store<'_>, (bucket, key, delta): (Handle, String, u64)| -> Answer<u64> {
            let counted = of(&store, &bucket)?.count(key, delta.into(), 0..=u64::MAX.into());
            Ok((counted.map(|n| u64::try_from(n).unwrap_or(u64::MAX)).map_err(Error::from),))
        },
    )?;
    draft::<String>(linker, "0.2.0-draft2")?;
    linker.instance("wasi:keyvalue/atomics@0.2.0-draft2")?.func_wrap(
        "increment",
        |store: Store<'_>, (bucket, key, delta): (Handle, String, i64)| -> Answer<i64> {
            let counted = of(&store, &bucket)?.count(key, delta.into(), i64::MIN.into()..=i64::MAX.into());
            Ok((counted.map(|n| i64::try_from(n).unwrap_or(i64::MAX)).map_err(Error::from),))
        },
    )
}

/// The interfaces `store` and `batch` of a draft whose cursors are of type `C`.
fn draft<C>(linker: &mut Linker<State>, version: &str) -> wasmtime::Result<()>
where
    C: ComponentType + Lift + Lower + Send + Sync + 'static,
{
    let mut interface = linker.instance(&format!("wasi:keyvalue/store@{version}"))?;
    interface.resource("bucket", ResourceType::host::<Bucket>(), |mut store, rep| {
        store.data_mut().table().delete(Resource::<Bucket>::new_own(rep))?;
        Ok(())
    })?;
    interface.func_wrap("open", |mut store: Store<'_>, (name,): (String,)| -> Answer<Handle> {
        Ok((open(store.data_mut(), &name)?,))
    })?;
    interface.func_wrap("[method]bucket.get", |store: Store<'_>, (bucket, key): (Handle, String)| -> Answer<_> {
        Ok((Ok(of(&store, &bucket)?.get(&key)),))
    })?;
    interface.func_wrap(
        "[method]bucket.set",
        |store: Store<'_>, (bucket, key, value): (Handle, String, Vec<u8>)| -> Answer<()> {
            Ok((of(&store, &bucket)?.set(key, value).map_err(Error::from),))
        },
    )?;
    interface.func_wrap(
        "[method]bucket.delete",
        |store: Store<'_>, (bucket, key): (Handle, String)| -> Answer<()> {
            of(&store, &bucket)?.delete(&key);
            Ok((Ok(()),))
        },
    )?;
    interface.func_wrap(
        "[method]bucket.exists",
        |store: Store<'_>, (bucket, key): (Handle, String)| -> Answer<bool> {
            Ok((Ok(of(&store, &bucket)?.has(&key)),))
        },
    )?;
    interface.func_wrap(
        "[method]bucket.list-keys",
        |store: Store<'_>, (bucket, _): (Handle, Option<C>)| -> Answer<Keys<C>> {
            Ok((Ok(Keys { keys: of(&store, &bucket)?.keys(), cursor: None }),))
        },
    )?;
    batch(linker, version)
}

fn batch(linker: &mut Linker<State>, version: &str) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&format!("wasi:keyvalue/batch@{version}"))?;
    interface.func_wrap("get-many", |store: Store<'_>, (bucket, keys): (Handle, Vec<String>)| -> Answer<Vec<_>> {
        let kept = of(&store, &bucket)?;
        let found = |key: String| kept.get(&key).map(|value| (key, value));
        Ok((Ok(keys.into_iter().map(found).collect()),))
    })?;
    interface.func_wrap(
        "set-many",
        |store: Store<'_>, (bucket, values): (Handle, Vec<(String, Vec<u8>)>)| -> Answer<()> {
            let kept = of(&store, &bucket)?;
            Ok((values.into_iter().try_for_each(|(key, value)| kept.set(key, value)).map_err(Error::from),))
        },
    )?;
    interface.func_wrap("delete-many", |store: Store<'_>, (bucket, keys): (Handle, Vec<String>)| -> Answer<()> {
        let kept = of(&store, &bucket)?;
        keys.iter().for_each(|key| kept.delete(key));
        Ok((Ok(()),))
    })
}

/// Opens the bucket, where the call may have one.
fn open(state: &mut State, name: &str) -> wasmtime::Result<Result<Handle, Error>> {
    let granted = state.context.given.permissions.keyvalue;
    let Some(store) = state.context.given.keyvalue.clone().filter(|_| granted) else {
        state.deny(Denied::KeyValue);
        return Ok(Err(Error::AccessDenied));
    };
    if !NAMES.contains(&name) {
        return Ok(Err(Error::NoSuchStore));
    }
    Ok(Ok(state.table().push(Bucket(store))?))
}

/// The store behind a handle.
fn of(store: &Store<'_>, bucket: &Handle) -> wasmtime::Result<KeyValue> {
    Ok(store.data().handles().get(bucket)?.0.clone())
}
