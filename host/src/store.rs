//! The store: sessions and their events in SQLite. Events are only ever appended.
//!
//! Every process that uses a store holds a locked file in `owners/` under its own name, and each session names the
//! process that has it open. When a process is gone its lock is free, and [`Store::recover`] closes the requests that it
//! left open. The system frees the lock whatever way a process ends.

use anyhow::{Context as _, bail};
use futures::TryStreamExt as _;
use sqlx::{
    Row as _, Sqlite, SqlitePool,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tomas_core::session::{Entry, Event, State};

/// The form of the tables; a store of a newer form is refused.
const VERSION: i64 = 1;

const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS sessions (
        id TEXT PRIMARY KEY, opened_ms INTEGER NOT NULL, owner TEXT, folder TEXT, closed INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS events (
        session TEXT NOT NULL REFERENCES sessions (id), sequence INTEGER NOT NULL, time_ms INTEGER NOT NULL,
        event TEXT NOT NULL, PRIMARY KEY (session, sequence)
    ) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS sessions_by_owner ON sessions (owner) WHERE owner IS NOT NULL",
];

/// What a request that a killed process left open is closed with.
pub const INTERRUPTED: &str = "the host stopped before the request was answered\nhint: send it again";

/// An open store.
#[derive(Debug)]
pub struct Store {
    /// SQLite has one writer at a time anyway; one connection lets the others queue here instead of polling for the lock.
    writer: SqlitePool,
    reader: SqlitePool,
    folder: PathBuf,
    owner: String,
    /// Held for as long as this process uses the store.
    _lock: File,
}

/// A session as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The folder granted to it.
    pub folder: Option<PathBuf>,
    /// Whether it takes no more requests.
    pub closed: bool,
}

/// A page of events ends after so many bytes, because one event can hold a whole result.
const PAGE_BYTES: usize = 8 << 20;

impl Store {
    /// Opens or makes the store of a folder.
    ///
    /// # Errors
    /// When the folder cannot be written, or holds a store of a newer form.
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        let failed = || {
            let folder = folder.display();
            format!(
                "the store `{folder}` cannot be opened\nhint: is the disk full, or the folder not yours? [paths] store names another"
            )
        };
        let owners = folder.join("owners");
        fs::create_dir_all(&owners).with_context(failed)?;
        let owner = uuid::Uuid::now_v7().to_string();
        let lock = File::create(owners.join(&owner)).with_context(failed)?;
        lock.try_lock().with_context(failed)?;
        let options = SqliteConnectOptions::new()
            .filename(folder.join("sessions.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // In WAL mode a commit survives the death of the process at any moment without waiting for the disk; only
            // a power cut can take the last ones, and then whole, from the end. Waiting costs milliseconds an event.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let pool = |n| SqlitePoolOptions::new().max_connections(n).connect_with(options.clone());
        let (writer, reader) = (pool(1).await.with_context(failed)?, pool(4).await.with_context(failed)?);
        let store = Self { writer, reader, folder: folder.to_owned(), owner, _lock: lock };
        store.migrate().await.with_context(failed)?;
        Ok(store)
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(&self.writer).await?.get(0);
        if version > VERSION {
            bail!("it has form `{version}`, this host knows forms up to `{VERSION}`\nhint: use a newer tomas-host");
        }
        for table in TABLES {
            sqlx::query(table).execute(&self.writer).await?;
        }
        if version < VERSION {
            sqlx::query("PRAGMA user_version = 1").execute(&self.writer).await?;
        }
        Ok(())
    }

    /// Claims the store for a server: only one may serve its sessions. Keep the file for as long as it serves.
    ///
    /// # Errors
    /// When another server has it.
    pub fn claim(&self) -> anyhow::Result<File> {
        let path = self.folder.join("server.lock");
        let file = File::create(&path).with_context(|| format!("`{}` cannot be made", path.display()))?;
        file.try_lock().with_context(|| {
            let folder = self.folder.display();
            format!("another server uses the store `{folder}`\nhint: stop it, or give this one another [paths] store")
        })?;
        Ok(file)
    }

    /// Adds a session, with its first event.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn create(&self, id: &str, folder: Option<&Path>, first: &Event) -> anyhow::Result<Entry> {
        let (time, folder) = (now(), folder.map(|f| f.to_string_lossy().into_owned()));
        let json = serde_json::to_string(first)?;
        let done = async {
            let mut both = self.writer.begin().await?;
            sqlx::query("INSERT INTO sessions (id, opened_ms, owner, folder) VALUES (?, ?, ?, ?)")
                .bind(id)
                .bind(signed(time))
                .bind(&self.owner)
                .bind(folder)
                .execute(&mut *both)
                .await?;
            sqlx::query("INSERT INTO events (session, sequence, time_ms, event) VALUES (?, 1, ?, ?)")
                .bind(id)
                .bind(signed(time))
                .bind(json)
                .execute(&mut *both)
                .await?;
            both.commit().await
        };
        done.await.context("the session cannot be stored\nhint: is the disk full?")?;
        Ok(Entry { sequence: 1, time_ms: time, event: first.clone() })
    }

    /// Appends an event. When this returns, it is stored.
    ///
    /// # Errors
    /// When the disk does not take it; the event is then not in the log.
    pub async fn append(&self, id: &str, event: Event) -> anyhow::Result<Entry> {
        let (time_ms, json) = (now(), serde_json::to_string(&event)?);
        let append = sqlx::query(
            "INSERT INTO events (session, sequence, time_ms, event)
             SELECT ?1, COALESCE(MAX(sequence), 0) + 1, ?2, ?3 FROM events WHERE session = ?1 RETURNING sequence",
        );
        let append = append.bind(id).bind(signed(time_ms)).bind(json);
        let sequence =
            self.returned(append).await.and_then(|row| Ok(row.context("nothing was inserted")?.try_get(0)?));
        let sequence = sequence.context("the event cannot be stored\nhint: is the disk full?")?;
        Ok(Entry { sequence: unsigned(sequence), time_ms, event })
    }

    /// Runs a statement that writes and returns at most one row. All rows are asked for: SQLite hands out what
    /// `RETURNING` returns *before* it commits, so that reading only the first row would acknowledge what a full disk
    /// then refuses.
    async fn returned(&self, statement: Query<'_, Sqlite, SqliteArguments>) -> anyhow::Result<Option<SqliteRow>> {
        Ok(statement.fetch_all(&self.writer).await?.pop())
    }

    /// Up to `limit` events of a session after a sequence number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn events(&self, id: &str, after: u64, limit: u32) -> anyhow::Result<Vec<Entry>> {
        let mut rows = sqlx::query(
            "SELECT sequence, time_ms, event FROM events WHERE session = ? AND sequence > ? ORDER BY sequence LIMIT ?",
        )
        .bind(id)
        .bind(signed(after))
        .bind(limit)
        .fetch(&self.reader);
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await.context("the events cannot be read")? {
            let text: &str = row.try_get(2)?;
            let event: Event = serde_json::from_str(text)
                .with_context(|| format!("session `{id}` has an event that does not parse"))?;
            events.push(Entry { sequence: unsigned(row.try_get(0)?), time_ms: unsigned(row.try_get(1)?), event });
            bytes += text.len();
            if bytes > PAGE_BYTES {
                break;
            }
        }
        Ok(events)
    }

    /// What a session amounts to: the fold over its events.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn state(&self, id: &str) -> anyhow::Result<State> {
        let (mut state, mut after) = (State::default(), 0);
        loop {
            let page = self.events(id, after, 1000).await?;
            let Some(last) = page.last() else { return Ok(state) };
            after = last.sequence;
            page.iter().for_each(|entry| state.apply(&entry.event));
        }
    }

    /// A session, if there is one, which this process has open from now on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn take(&self, id: &str) -> anyhow::Result<Option<Row>> {
        let take = sqlx::query("UPDATE sessions SET owner = ? WHERE id = ? RETURNING folder, closed");
        let row = self.returned(take.bind(&self.owner).bind(id)).await.context("the session cannot be read")?;
        Ok(row
            .map(|r| Row { folder: r.get::<Option<String>, _>(0).map(PathBuf::from), closed: r.get::<i64, _>(1) != 0 }))
    }

    /// Marks a session as closed.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn close(&self, id: &str) -> anyhow::Result<()> {
        sqlx::query("UPDATE sessions SET closed = 1, owner = NULL WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await
            .context("the session cannot be closed")?;
        Ok(())
    }

    /// All sessions, in the order in which they were opened.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sessions(&self) -> anyhow::Result<Vec<String>> {
        let rows = sqlx::query("SELECT id FROM sessions ORDER BY opened_ms, id").fetch_all(&self.reader).await?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    /// The folder granted to a session, which stays with whoever has it open.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn folder(&self, id: &str) -> anyhow::Result<Option<PathBuf>> {
        let row = sqlx::query("SELECT folder FROM sessions WHERE id = ?").bind(id).fetch_all(&self.reader).await?;
        Ok(row.first().and_then(|r| r.get::<Option<String>, _>(0)).map(PathBuf::from))
    }

    /// Closes the requests that processes left open which are gone. Returns how many there were.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn recover(&self) -> anyhow::Result<usize> {
        let rows =
            sqlx::query("SELECT DISTINCT owner FROM sessions WHERE owner IS NOT NULL").fetch_all(&self.reader).await?;
        let mut closed = 0;
        for owner in rows.iter().map(|r| r.get::<String, _>(0)).filter(|o| *o != self.owner) {
            let path = self.folder.join("owners").join(&owner);
            // Kept until the sessions are disowned, so that two processes cannot recover the same ones.
            let _lock = match File::open(&path) {
                Ok(file) if file.try_lock().is_err() => continue,
                Ok(file) => Some(file),
                Err(_) => None,
            };
            closed += self.disown(&owner).await?;
            drop(fs::remove_file(&path));
        }
        Ok(closed)
    }

    async fn disown(&self, owner: &str) -> anyhow::Result<usize> {
        let rows = sqlx::query("SELECT id FROM sessions WHERE owner = ?").bind(owner).fetch_all(&self.reader).await?;
        let mut closed = 0;
        for id in rows.iter().map(|r| r.get::<String, _>(0)) {
            // A log that does not read must not keep the host from starting; whoever asks for the session is told.
            let open = match self.state(&id).await {
                Ok(state) => state.open,
                Err(error) => {
                    tracing::error!(session = id, "{error:#}");
                    Vec::new()
                }
            };
            for request in open {
                self.append(&id, Event::Failed { request, error: INTERRUPTED.to_owned() }).await?;
                closed += 1;
            }
            sqlx::query("UPDATE sessions SET owner = NULL WHERE id = ? AND owner = ?")
                .bind(&id)
                .bind(owner)
                .execute(&self.writer)
                .await?;
        }
        Ok(closed)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(fs::remove_file(self.folder.join("owners").join(&self.owner)));
    }
}

/// Milliseconds since the Unix epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// SQLite has no unsigned integers.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tomas_core::{query::Query, resource::Resources};

    fn opened() -> Event {
        Event::Opened { budget: Resources::default() }
    }

    fn request(request: u64) -> Event {
        let query = Query { text: "x".to_owned(), attachments: vec![], folder_bytes: 0, budget: Resources::default() };
        Event::Request { request, query }
    }

    #[tokio::test]
    async fn events_are_numbered_without_gaps_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        store.create("a", Some(Path::new("/f")), &opened()).await.unwrap();
        store.create("b", None, &opened()).await.unwrap();
        assert!(store.create("a", None, &opened()).await.is_err());
        for n in 1..=5 {
            assert_eq!(store.append("a", request(n)).await.unwrap().sequence, n + 1);
        }
        let some = store.events("a", 2, 2).await.unwrap();
        assert_eq!(some.iter().map(|e| e.sequence).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(some[0].event, request(2));
        assert_eq!(store.state("a").await.unwrap().open, [1, 2, 3, 4, 5]);
        assert_eq!(store.take("a").await.unwrap(), Some(Row { folder: Some("/f".into()), closed: false }));
        store.close("a").await.unwrap();
        assert!(store.take("a").await.unwrap().unwrap().closed);
        assert_eq!(store.take("c").await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_not_committed_is_not_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        // SQLite finds a foreign key that is not there when it ends the statement, after it has returned its row.
        assert!(store.append("absent", request(1)).await.is_err());
        store.create("a", None, &opened()).await.unwrap();
        assert_eq!(store.append("a", request(1)).await.unwrap().sequence, 2);
    }

    #[tokio::test]
    async fn requests_of_a_dead_process_are_closed_and_those_of_a_living_one_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let dead = Store::open(folder.path()).await.unwrap();
        dead.create("a", None, &opened()).await.unwrap();
        dead.append("a", request(1)).await.unwrap();
        let living = Store::open(folder.path()).await.unwrap();
        living.create("b", None, &opened()).await.unwrap();
        living.append("b", request(1)).await.unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        assert_eq!(store.recover().await.unwrap(), 0);
        drop(dead);
        assert_eq!(store.recover().await.unwrap(), 1);
        assert_eq!(store.recover().await.unwrap(), 0);
        assert_eq!(store.state("a").await.unwrap().open, [] as [u64; 0]);
        assert_eq!(store.state("b").await.unwrap().open, [1]);
    }

    #[tokio::test]
    async fn one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let claim = store.claim().unwrap();
        let error = Store::open(folder.path()).await.unwrap().claim().unwrap_err().to_string();
        assert!(error.starts_with("another server uses"), "{error}");
        drop(claim);
        store.claim().unwrap();
    }
}
