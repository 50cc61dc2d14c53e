//! Live sessions: an account, what the log amounts to, and whoever listens.

use crate::{
    blobs::Blobs,
    config::Config,
    inputs::{self, Inputs, NoRoom, check_name, describe},
    kept::Kept,
    store::Store,
};
use anyhow::Context as _;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::broadcast;
use tomas_core::{
    accountant::{Account, Accountant, BudgetError, Limits},
    amount::Bytes,
    observation::BlobRef,
    query::Query,
    session::{Entry, Event, State},
};
use tomas_sandbox::CancelToken;

/// Events that a slow listener may lag behind before it has to read the log again.
const NEWS: usize = 256;

/// What all sessions of a host share.
pub struct Sessions {
    /// The ledger.
    pub accountant: Accountant,
    /// The log.
    pub store: Arc<Store>,
    /// Attachments and what tools wrote.
    pub blobs: Blobs,
    limits: Limits,
    attachments: Bytes,
    kept: Bytes,
}

/// Why there is no session, or an attachment is refused.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The budget asked for is not within the server's.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The folder cannot be granted.
    #[error("{0:#}")]
    Folder(anyhow::Error),
    /// The attachment's name cannot be used.
    #[error("{0:#}")]
    Name(anyhow::Error),
    /// There is no room for the attachment.
    #[error(transparent)]
    Room(#[from] NoRoom),
    /// The session takes nothing more.
    #[error("the session is closed\nhint: open a new session")]
    Closed,
    /// The host is at fault.
    #[error(transparent)]
    Host(#[from] anyhow::Error),
}

/// A session in memory. State is a fold over its log; the log comes first.
pub struct Session {
    /// Unguessable.
    pub id: String,
    /// What it may hold at once.
    pub account: Account,
    /// The folder granted to it.
    pub folder: Option<PathBuf>,
    /// What its tools keep between calls, for as long as it is in memory.
    pub kept: Kept,
    /// Stops everything that it runs.
    pub cancel: CancelToken,
    active: AtomicUsize,
    shared: Arc<Sessions>,
    state: Mutex<State>,
    /// Held while an event is stored and taken in, so that state follows the order of the log.
    order: tokio::sync::Mutex<()>,
    /// Held while a file is checked and stored, so that two at the same time cannot both take the last room.
    attaching: tokio::sync::Mutex<()>,
    news: broadcast::Sender<Arc<Entry>>,
}

impl Sessions {
    /// Sessions of a host that has `accountant`'s capacity in all.
    #[must_use]
    pub fn new(config: &Config, accountant: Accountant, store: Arc<Store>, blobs: Blobs) -> Self {
        let limits = config.session_limits(&accountant.capacity());
        Self { accountant, store, blobs, limits, attachments: config.session.attachments, kept: config.session.kept }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// When the budget or the folder is refused, or the session cannot be stored.
    pub async fn open(self: &Arc<Self>, asked: &Limits, folder: Option<PathBuf>) -> Result<Arc<Session>, SessionError> {
        // The configured limits are a layer of their own between server and session: a budget is checked against them.
        let most = self.limits.tighten(&self.accountant.capacity())?;
        let budget = asked.tighten(&most)?;
        let account = self.accountant.open(&limits(&budget))?;
        if let Some(folder) = folder.clone() {
            let sized = tokio::task::spawn_blocking(move || Inputs::default().grant_folder(&folder));
            sized.await.context("sizing the folder panicked")?.map_err(SessionError::Folder)?;
        }
        let id = unguessable()?;
        let opened = Event::Opened { budget };
        self.store.create(&id, folder.as_deref(), &opened).await?;
        Ok(Session::new(self, id, account, folder, State::fold([&opened])))
    }

    /// Brings a stored session back to life; `None` when there is none of that id.
    ///
    /// # Errors
    /// When it is closed, or the store cannot be read.
    pub async fn resume(self: &Arc<Self>, id: &str) -> Result<Option<Arc<Session>>, SessionError> {
        let Some(row) = self.store.take(id).await? else { return Ok(None) };
        if row.closed {
            return Err(SessionError::Closed);
        }
        let mut state = self.store.state(id).await?;
        state.trajectories.clear();
        // The machine may be smaller than the one on which the session was opened.
        let budget = state.budget.min(&self.accountant.capacity());
        let account = self.accountant.open(&limits(&budget))?;
        Ok(Some(Session::new(self, id.to_owned(), account, row.folder, state)))
    }
}

const fn limits(budget: &tomas_core::resource::Resources) -> Limits {
    Limits {
        cpu: Some(budget.cpu),
        memory: Some(budget.memory),
        gpu_sms: Some(budget.gpu_sms),
        gpu_memory: Some(budget.gpu_memory),
    }
}

/// A version 4 UUID: 122 random bits.
fn unguessable() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

impl Session {
    fn new(shared: &Arc<Sessions>, id: String, account: Account, folder: Option<PathBuf>, state: State) -> Arc<Self> {
        Arc::new(Self {
            id,
            account,
            folder,
            kept: Kept::new(shared.kept),
            cancel: CancelToken::new(),
            active: AtomicUsize::new(0),
            shared: Arc::clone(shared),
            state: Mutex::new(state),
            order: tokio::sync::Mutex::new(()),
            attaching: tokio::sync::Mutex::new(()),
            news: broadcast::Sender::new(NEWS),
        })
    }

    /// Stores an event, takes it in, and tells whoever listens. Goes on when the caller goes away.
    ///
    /// # Errors
    /// When the disk does not take it; the event then did not happen.
    pub async fn append(self: &Arc<Self>, event: Event) -> anyhow::Result<Arc<Entry>> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let _order = this.order.lock().await;
            let entry = Arc::new(this.shared.store.append(&this.id, event).await?);
            this.with(|state| {
                state.apply(&entry.event);
                // What the trainer learns from is read from the store.
                state.trajectories.clear();
            });
            drop(this.news.send(Arc::clone(&entry)));
            Ok(entry)
        })
        .await?
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stores a request under the next number.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub async fn request(self: &Arc<Self>, query: Query) -> anyhow::Result<(u64, Arc<Entry>)> {
        // The number is taken at once, so that two requests at the same time have two numbers.
        let request = self.with(|state| {
            state.requests += 1;
            state.requests
        });
        Ok((request, self.append(Event::Request { request, query }).await?))
    }

    /// The files that requests can name.
    #[must_use]
    pub fn attachments(&self) -> Vec<BlobRef> {
        self.with(|state| state.attachments.clone())
    }

    /// How many requests there were.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.with(|state| state.requests)
    }

    /// Stores a file under a name; a later one replaces an earlier one.
    ///
    /// # Errors
    /// When the name is refused, attachments get too large together, or the disk does not take it.
    pub async fn attach(self: &Arc<Self>, name: &str, bytes: Vec<u8>) -> Result<BlobRef, SessionError> {
        check_name(name).map_err(SessionError::Name)?;
        let _attaching = self.attaching.lock().await;
        inputs::room(&self.attachments(), &[(name, bytes.len() as u64)], self.shared.attachments)?;
        let blob = describe(name, &bytes);
        self.keep(blob.clone(), bytes).await?;
        self.append(Event::Attached { blob: blob.clone() }).await?;
        Ok(blob)
    }

    /// Writes bytes to the blobs.
    async fn keep(&self, blob: BlobRef, bytes: Vec<u8>) -> anyhow::Result<()> {
        let blobs = self.shared.blobs.clone();
        tokio::task::spawn_blocking(move || blobs.put(&blob, &bytes)).await?
    }

    /// Reads the bytes of a blob.
    ///
    /// # Errors
    /// When they are not there or are damaged.
    pub async fn bytes(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let (blobs, digest) = (self.shared.blobs.clone(), digest.to_owned());
        tokio::task::spawn_blocking(move || blobs.get(&digest)).await?
    }

    /// Events from now on.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.news.subscribe()
    }

    /// Stored events after a sequence number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn log(&self, after: u64, limit: u32) -> anyhow::Result<Vec<Entry>> {
        self.shared.store.events(&self.id, after, limit).await
    }

    /// Stops what runs, and takes no more requests.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.account.close();
        self.cancel.cancel();
        self.shared.store.close(&self.id).await
    }

    /// How many requests are under way.
    #[must_use]
    pub fn active(&self) -> usize {
        self.active.load(Ordering::Acquire)
    }

    /// Counts a request until what is returned is dropped.
    ///
    /// # Errors
    /// When `most` are under way: how many.
    pub fn enter(self: &Arc<Self>, most: usize) -> Result<Active, usize> {
        let active = self.active.fetch_add(1, Ordering::AcqRel);
        let entered = Active(Arc::clone(self));
        if active < most { Ok(entered) } else { Err(active) }
    }

    /// Whether it could be put away: no request is under way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.active() == 0
    }
}

/// A request under way in a session.
pub struct Active(Arc<Session>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::AcqRel);
    }
}
