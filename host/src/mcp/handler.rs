//! Answers a client: lists tools, and calls them under a quota of the connection's account.

use super::{catalogue::Catalogue, live::Live, result};
use crate::{
    config::QuotaLimits,
    inputs::{self, Inputs, NoRoom},
    kept::Kept,
    place, tools,
};
use anyhow::Context as _;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode,
        Implementation, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProgressToken,
        ProtocolVersion, ServerCapabilities, ServerConfig, SubscriptionFilter,
    },
    service::{NotificationContext, Peer, RequestContext, SubscriptionContext},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tomas_core::{
    accountant::{Account, Limits},
    amount::Bytes,
    manifest::Measure,
    name::ToolName,
    observation::Outcome,
    plan,
    quota::Quota,
    registry::Tolerance,
    tool::Tool,
};
use tomas_sandbox::{Finished, Progress, ProgressSink, Workspace};

/// What clients are told about the server.
const INSTRUCTIONS: &str = "Every tool runs in a sandbox under a quota of CPU and memory. A result's `_meta` says what \
     it used. `_meta` of a call may tighten its quota: {\"tomas/quota\": {\"cpu\": \"250m\", \"memory\": \"16MiB\"}}. Where \
     an argument takes a file, write `blob:NAME`.";

/// The key under which a call may tighten its quota.
const QUOTA: &str = "tomas/quota";

/// Tools in one page of a list.
const PAGE: usize = 500;

/// Answers the client of one connection.
#[derive(Clone)]
pub struct Handler(Arc<Connection>);

/// A client, and what it may use.
pub struct Connection {
    /// What it can list and call.
    pub tools: Live,
    /// What its calls may hold at once.
    pub account: Account,
    /// The most that one call gets.
    pub most: QuotaLimits,
    /// What calls may read; what they write joins it.
    pub inputs: Mutex<Inputs>,
    /// What its tools keep between calls.
    pub kept: Kept,
    /// Bytes of all files together.
    pub attachments: Bytes,
    /// Whether it is one connection in every era of the protocol: over HTTP, the era without `initialize` has no
    /// sessions, and each of its requests is a connection of its own.
    pub lasts: bool,
    /// What tells the client of changes.
    pub notices: Notices,
    /// Dropped with the connection.
    pub held: Box<dyn Send + Sync>,
}

/// What tells a client of changes, once however often it says that it is there, and ends with the connection.
pub struct Notices {
    begun: AtomicBool,
    gone: DropGuard,
}

impl Default for Notices {
    fn default() -> Self {
        Self { begun: AtomicBool::new(false), gone: CancellationToken::new().drop_guard() }
    }
}

impl From<Connection> for Handler {
    fn from(connection: Connection) -> Self {
        Self(Arc::new(connection))
    }
}

impl Connection {
    fn files(&self) -> MutexGuard<'_, Inputs> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call is held to: the registry's best configuration for the size of its input where the tool was measured,
    /// else the tool's ceiling; and never more than the call asks for.
    async fn quota(
        &self,
        catalogue: &Catalogue,
        tool: &Tool,
        arguments: &Value,
        asked: &Limits,
    ) -> Result<Quota, String> {
        let budget = asked.tighten(&self.account.budget()).map_err(|error| error.to_string())?;
        if tool.manifest.size.measure == Measure::Folder {
            self.size_folder().await.map_err(|error| format!("{error:#}"))?;
        }
        let size = {
            let inputs = self.files();
            tool.class(arguments, &inputs.attachments, inputs.folder_bytes)
        };
        let measured = catalogue.measured(tool).and_then(|registry| {
            let best = registry.best(tool.name(), size, &budget, Tolerance::MEASURED)?;
            Some(place::quota(&self.most, tool, registry.levels(), best))
        });
        Ok(measured.unwrap_or_else(|| place::ceiling(&self.most, tool, &budget)))
    }

    /// Sizes the granted folder anew, because files come and go.
    async fn size_folder(&self) -> anyhow::Result<()> {
        let Some(folder) = self.files().folder.clone() else { return Ok(()) };
        let sized = tokio::task::spawn_blocking(move || {
            let mut sized = Inputs::default();
            sized.grant_folder(&folder).map(|()| sized.folder_bytes)
        });
        self.files().folder_bytes = sized.await.context("sizing the folder panicked")??;
        Ok(())
    }

    async fn call(
        &self,
        catalogue: &Catalogue,
        tool: &Tool,
        arguments: &Value,
        quota: Quota,
        progress: Option<ProgressSink>,
    ) -> Result<Finished, CallToolResult> {
        let failed = |error: String| result::refused(&error);
        let component = catalogue.component(tool.name()).await.map_err(|error| failed(format!("{error:#}")))?;
        let grant = self.account.reserve(quota).await.map_err(|error| failed(error.to_string()))?;
        let mut call = tools::call(component, tool, arguments.to_string());
        (call.blobs, call.workspace) = self.inputs(arguments);
        call.keyvalue = self.kept.of(tool);
        call.progress = progress;
        catalogue.run(tool, grant, call).await.map_err(|error| failed(error.to_string()))
    }

    /// The blobs that the arguments name, and the folder.
    fn inputs(&self, arguments: &Value) -> (BTreeMap<String, Arc<[u8]>>, Option<Workspace>) {
        let inputs = self.files();
        let blobs = inputs.blobs.iter().filter(|(name, _)| plan::names_blob(arguments, name));
        (blobs.map(|(name, bytes)| (name.clone(), Arc::clone(bytes))).collect(), inputs.workspace())
    }

    /// Keeps what a call wrote for later calls, all of it or nothing.
    fn keep(&self, written: Vec<(String, Vec<u8>)>) -> Result<(), NoRoom> {
        let mut inputs = self.files();
        let new: Vec<(&str, u64)> = written.iter().map(|(name, bytes)| (name.as_str(), bytes.len() as u64)).collect();
        inputs::room(&inputs.attachments, &new, self.attachments)?;
        for (name, bytes) in written {
            inputs.attach(&name, bytes);
        }
        Ok(())
    }

    /// What a client is told of a call. Files that no later call can name are part of it whatever their length.
    fn answer(&self, finished: Finished, later: bool) -> CallToolResult {
        let Finished { mut observation, written, .. } = finished;
        let most = if later { result::EMBEDDED } else { usize::MAX };
        let answer = result::result(&observation, &written, most);
        if !later || written.is_empty() {
            return answer;
        }
        match self.keep(written) {
            Ok(()) => answer,
            Err(full) => {
                observation.outcome = Outcome::OutputExceeded;
                observation.result = None;
                observation.error = Some(full.to_string());
                result::result(&observation, &[], most)
            }
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("tomas-host", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    /// Tells a client of the era with `initialize` when tools come, change or go.
    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if self.0.notices.begun.swap(true, Ordering::AcqRel) {
            return;
        }
        let (mut tools, gone) = (self.0.tools.from_now(), self.0.notices.gone.token().clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = gone.cancelled() => return,
                    more = tools.changed() => if !more { return },
                }
                if context.peer.notify_tool_list_changed().await.is_err() {
                    return;
                }
            }
        });
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = SubscriptionFilter::default();
        accepted.tools_list_changed = requested.tools_list_changed;
        Some(accepted)
    }

    /// Tells a client of the era without `initialize`, for as long as it listens.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut tools = self.0.tools.from_now();
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                more = tools.changed() => if !more { return Ok(()) },
            }
            if context.sink().notify_tool_list_changed().await.is_err() {
                return Ok(());
            }
        }
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let catalogue = self.0.tools.now();
        let listed = catalogue.listed();
        let cursor = request.and_then(|request| request.cursor);
        let from = match cursor.as_deref().map(str::parse::<usize>) {
            None => 0,
            Some(Ok(from)) if from < listed.len() => from,
            Some(_) => return Err(ErrorData::invalid_params("the cursor is none that this server gave", None)),
        };
        let tools: Vec<_> = listed.iter().skip(from).take(PAGE).cloned().collect();
        let end = from + tools.len();
        let mut page = ListToolsResult::with_all_items(tools);
        page.next_cursor = (end < listed.len()).then(|| end.to_string());
        Ok(page)
    }

    /// What is not a request that the protocol knows, or is one whose parameters do not fit.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let CustomRequest { method, params, .. } = request;
        Err(match method.as_str() {
            "tools/call" => ErrorData::invalid_params(misshapen(params.as_ref()), None),
            "initialize" | "ping" | "tools/list" | "server/discover" | "subscriptions/listen" => {
                ErrorData::invalid_params(format!("the parameters of `{method}` do not fit"), None)
            }
            _ => {
                let shown: String = method.chars().take(80).collect();
                ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("there is no method `{shown}`"), None)
            }
        })
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let connection = &self.0;
        let tool = request.name.parse::<ToolName>().ok();
        let catalogue = connection.tools.now();
        let Some(tool) = tool.and_then(|name| catalogue.tool(&name)) else {
            let message = format!("there is no tool `{}`", request.name.chars().take(80).collect::<String>());
            return Err(ErrorData::invalid_params(message, None));
        };
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let asked = asked(context.meta.get(QUOTA))?;
        let quota = match connection.quota(&catalogue, tool, &arguments, &asked).await {
            Ok(quota) => quota,
            Err(why) => return Ok(result::refused(&why).into()),
        };
        let inline = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let later = connection.lasts || !inline;
        let progress = context.meta.get_progress_token().map(|token| sink(token, context.peer.clone()));
        // Dropping the call stops the guest, and its grant is settled.
        let finished = tokio::select! {
            biased;
            () = context.ct.cancelled() => return Ok(result::refused("cancelled").into()),
            finished = connection.call(&catalogue, tool, &arguments, quota, progress) => finished,
        };
        Ok(match finished {
            Ok(finished) => connection.answer(finished, later).into(),
            Err(refused) => refused.into(),
        })
    }
}

/// What is wrong with the parameters of a call.
fn misshapen(params: Option<&Value>) -> String {
    let named = params.and_then(|params| params.get("name")).is_some_and(Value::is_string);
    match params.and_then(|params| params.get("arguments")) {
        _ if !named => "`params.name` must be the name of a tool, a string".to_owned(),
        Some(other) if !other.is_object() => format!("`params.arguments` is {}; an object is wanted", kind(other)),
        _ => "`params` are not those of a call: `name`, `arguments` and `_meta`".to_owned(),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What a call asks to be held to.
fn asked(meta: Option<&Value>) -> Result<Limits, ErrorData> {
    let Some(meta) = meta else { return Ok(Limits::default()) };
    serde_json::from_value(meta.clone()).map_err(|error| {
        let message =
            format!("`_meta[\"{QUOTA}\"]` is refused: {error}; allowed are amounts such as {{\"cpu\": \"250m\"}}");
        ErrorData::invalid_params(message, None)
    })
}

/// Hands reports of progress to the client.
fn sink(token: ProgressToken, peer: Peer<RoleServer>) -> ProgressSink {
    let (send, mut reports) = mpsc::channel::<Progress>(16);
    tokio::spawn(async move {
        while let Some(Progress { done, total, message }) = reports.recv().await {
            #[expect(clippy::cast_precision_loss, reason = "units of work")]
            let mut report = ProgressNotificationParam::new(token.clone(), done as f64);
            #[expect(clippy::cast_precision_loss, reason = "units of work")]
            let all = (total > 0).then_some(total as f64);
            report.total = all;
            report.message = (!message.is_empty()).then_some(message);
            if peer.notify_progress(report).await.is_err() {
                break;
            }
        }
    });
    // It runs on the tool's thread: a report that finds no room is dropped.
    ProgressSink::new(move |progress| drop(send.try_send(progress)))
}
