//! `wasi:nn`: tensors, graphs by name, and computing with them.
//!
//! Defined by hand instead of through generated traits, because the bytes of a tensor are charged before they are copied out
//! of the guest, and are lowered into it without a copy on the host. Tensors count as the call's memory; what a graph
//! itself holds is the host's. Computing runs on the call's own thread, with pauses in which it is charged.

mod lent;
mod types;

use crate::{
    context::{Context, Denied},
    state::State,
};
use lent::Lent;
use std::sync::Arc;
use tomas_core::graph::{GraphError, Named, Tensor as Numbers};
use types::{Code, Encoding, Entry, Fault, Graph, Held, Session, Target, Tensor, Type};
use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType, WasmList},
};

/// The interfaces' names in WIT.
const TENSOR: &str = "wasi:nn/tensor@0.2.0-rc-2024-10-28";
const GRAPH: &str = "wasi:nn/graph@0.2.0-rc-2024-10-28";
const INFERENCE: &str = "wasi:nn/inference@0.2.0-rc-2024-10-28";
const ERRORS: &str = "wasi:nn/errors@0.2.0-rc-2024-10-28";

/// Most inputs of one computation.
const INPUTS: usize = 64;

/// Most characters of a name shown.
const NAME: usize = 80;

/// What a guest gets: a value, or an error of its own.
type Answer<T> = wasmtime::Result<Result<T, Resource<Fault>>>;

/// Inputs or outputs, as they cross the border.
type Tensors = Vec<(String, Resource<Tensor>)>;

/// Defines the four interfaces.
///
/// # Errors
/// When wasmtime refuses a definition.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    add_errors(linker)?;
    add_tensor(linker)?;
    add_inference(linker)?;
    add_graph(linker)
}

fn add_errors(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut errors = linker.instance(ERRORS)?;
    errors.resource("error", ResourceType::host::<Fault>(), dropped::<Fault>)?;
    errors.func_wrap("[method]error.code", |mut store: StoreContextMut<'_, State>, (error,): (Resource<Fault>,)| {
        Ok((store.data_mut().table().get(&error)?.code,))
    })?;
    errors.func_wrap("[method]error.data", |mut store: StoreContextMut<'_, State>, (error,): (Resource<Fault>,)| {
        Ok((store.data_mut().table().get(&error)?.message.clone(),))
    })
}

fn add_tensor(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type New = (WasmList<u32>, Type, WasmList<u8>);
    let mut tensor = linker.instance(TENSOR)?;
    tensor.resource("tensor", ResourceType::host::<Tensor>(), dropped::<Tensor>)?;
    tensor.func_wrap("[constructor]tensor", |mut store: StoreContextMut<'_, State>, (sizes, ty, data): New| {
        let bytes = data.len() + sizes.len() * size_of::<u32>();
        let held = Held::take(&store.data().context, bytes)?;
        let dimensions = sizes.as_le_slice(&store).iter().map(|size| u32::from_le(*size)).collect();
        let data = Arc::from(data.as_le_slice(&store));
        let numbers = Numbers { dimensions, element: ty.into(), data };
        Ok((store.data_mut().table().push(Entry::new(numbers, held))?,))
    })?;
    tensor.func_wrap(
        "[method]tensor.dimensions",
        |mut store: StoreContextMut<'_, State>, (this,): (Resource<Tensor>,)| {
            Ok((store.data_mut().table().get(&this)?.value.dimensions.clone(),))
        },
    )?;
    tensor.func_wrap("[method]tensor.ty", |mut store: StoreContextMut<'_, State>, (this,): (Resource<Tensor>,)| {
        Ok((Type::from(store.data_mut().table().get(&this)?.value.element),))
    })?;
    tensor.func_wrap("[method]tensor.data", |mut store: StoreContextMut<'_, State>, (this,): (Resource<Tensor>,)| {
        Ok((Arc::clone(&store.data_mut().table().get(&this)?.value.data),))
    })
}

fn add_graph(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut graph = linker.instance(GRAPH)?;
    graph.resource("graph", ResourceType::host::<Graph>(), dropped::<Graph>)?;
    graph.func_wrap(
        "load",
        |mut store: StoreContextMut<'_, State>, (_, _, _): (WasmList<WasmList<u8>>, Encoding, Target)| {
            let why =
                "graphs are not loaded from bytes\nhint: call `load-by-name`; the operator names the models there are";
            Ok((fault::<Resource<Graph>>(store.data_mut(), Code::UnsupportedOperation, why.to_owned())?,))
        },
    )?;
    graph.func_wrap_async("load-by-name", |mut store, (name,): (String,)| {
        Box::new(async move { Ok((load(store.data_mut(), name).await?,)) })
    })?;
    graph.func_wrap(
        "[method]graph.init-execution-context",
        |mut store: StoreContextMut<'_, State>, (this,): (Resource<Graph>,)| {
            let state = store.data_mut();
            let graph = Arc::clone(&state.table().get(&this)?.value.0);
            let held = Held::take(&state.context, 0)?;
            let session: Result<_, Resource<Fault>> = Ok(state.table().push(Entry::new(types::Bound(graph), held))?);
            Ok((session,))
        },
    )
}

fn add_inference(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut inference = linker.instance(INFERENCE)?;
    inference.resource("graph-execution-context", ResourceType::host::<Session>(), dropped::<Session>)?;
    inference.func_wrap_async(
        "[method]graph-execution-context.compute",
        |mut store, (this, inputs): (Resource<Session>, Tensors)| {
            Box::new(async move { Ok((compute(store.data_mut(), &this, inputs).await?,)) })
        },
    )
}

fn dropped<T: Send + 'static>(mut store: StoreContextMut<'_, State>, rep: u32) -> wasmtime::Result<()> {
    store.data_mut().table().delete(Resource::<T>::new_own(rep))?;
    Ok(())
}

/// An error for the guest.
fn fault<T>(state: &mut State, code: Code, message: String) -> Answer<T> {
    let held = Held::take(&state.context, message.len())?;
    Ok(Err(state.table().push(Fault { code, message, _held: held })?))
}

/// What a graph's error is to the guest. What ended the call ends it here.
fn failed<T>(state: &mut State, error: GraphError) -> Answer<T> {
    let code = match &error {
        GraphError::Interrupted(_) => Code::RuntimeError,
        GraphError::NotFound(_) => Code::NotFound,
        GraphError::Invalid(_) => Code::InvalidArgument,
        GraphError::TooLarge(_) => Code::TooLarge,
        GraphError::Failed(_) => Code::RuntimeError,
    };
    fault(state, code, error.to_string())
}

/// The graph of a name, if the call may use it. Others wait while the host loads it, at its own cost.
async fn load(state: &mut State, name: String) -> Answer<Resource<Graph>> {
    // Whether a model is there is nobody's business who may not use it.
    if !state.context.given.permissions.models.contains(&name) {
        let shown = shown(&name);
        let message = format!("the model `{shown}` is not permitted");
        state.context.model.get_or_init(|| shown);
        state.deny(Denied::Model);
        return fault(state, Code::Security, message);
    }
    state.at_home().await;
    let graphs = Arc::clone(&state.context.core.outside.graphs);
    let loaded = tokio::task::spawn_blocking(move || graphs.load(&name)).await;
    match loaded.unwrap_or_else(|_| Err(GraphError::Failed("the host failed while it loaded the model".to_owned()))) {
        Ok(graph) => {
            let held = Held::take(&state.context, 0)?;
            Ok(Ok(state.table().push(Entry::new(types::Loaded(graph), held))?))
        }
        Err(error) => failed(state, error),
    }
}

fn shown(name: &str) -> String {
    name.chars().take(NAME).collect::<String>().escape_debug().to_string()
}

async fn compute(state: &mut State, session: &Resource<Session>, inputs: Tensors) -> Answer<Tensors> {
    state.at_home().await;
    let graph = Arc::clone(&state.table().get(session)?.value.0);
    let names = inputs.iter().map(|(name, _)| name.len()).sum();
    let _names = Held::take(&state.context, names)?;
    // The inputs are the graph's now, whatever comes of it.
    let inputs: Vec<(String, Tensor)> = inputs
        .into_iter()
        .map(|(name, tensor)| Ok((name, state.table().delete(tensor)?)))
        .collect::<wasmtime::Result<_>>()?;
    if inputs.len() > INPUTS {
        let why = format!("there are `{}` inputs, at most `{INPUTS}` are allowed", inputs.len());
        return fault(state, Code::InvalidArgument, why);
    }
    let wrong = inputs.iter().find_map(|(name, tensor)| Some((shown(name), tensor.value.check().err()?)));
    if let Some((name, why)) = wrong {
        return fault(state, Code::InvalidArgument, format!("input `{name}`: {why}"));
    }
    let (named, _held): (Vec<Named>, Vec<Held>) = inputs.into_iter().map(|(name, t)| ((name, t.value), t.held)).unzip();
    let lent = Lent::to(state);
    match graph.compute(named, &lent) {
        Ok(outputs) => Ok(Ok(handed(state, outputs)?)),
        Err(GraphError::Interrupted(_)) if let Some(stop) = lent.stopped() => Err(stop.into()),
        Err(error) => failed(state, error),
    }
}

/// Outputs as the guest's.
fn handed(state: &mut State, outputs: Vec<Named>) -> wasmtime::Result<Tensors> {
    let context: Arc<Context> = Arc::clone(&state.context);
    let each = outputs.into_iter().map(|(name, numbers)| {
        let held = Held::take(&context, numbers.data.len() + numbers.dimensions.len() * size_of::<u32>())?;
        Ok((name, state.table().push(Entry::new(numbers, held))?))
    });
    each.collect()
}
