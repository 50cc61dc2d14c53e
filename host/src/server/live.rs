//! Sessions in memory. Those that are not needed are put away and come back from the store.

use super::error::ApiError;
use crate::session::{Session, Sessions};
use axum::http::StatusCode;
use std::{collections::HashMap, sync::Arc, time::Instant};
use tokio::sync::Mutex;

/// At most this many sessions at once.
pub struct Live {
    most: usize,
    sessions: Mutex<HashMap<String, (Arc<Session>, Instant)>>,
    /// Held while a session is read back, so that none is in memory twice.
    resuming: Mutex<()>,
}

impl Live {
    /// Room for `most` sessions.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, sessions: Mutex::new(HashMap::new()), resuming: Mutex::new(()) }
    }

    /// Adds a session.
    ///
    /// # Errors
    /// When there is no room and all have something to do.
    pub async fn add(&self, session: Arc<Session>) -> Result<(), ApiError> {
        let mut sessions = self.sessions.lock().await;
        self.insert(&mut sessions, session)
    }

    fn insert(
        &self,
        sessions: &mut HashMap<String, (Arc<Session>, Instant)>,
        session: Arc<Session>,
    ) -> Result<(), ApiError> {
        if sessions.len() >= self.most {
            // Whoever else holds the session works with it, or listens to it.
            let idle = sessions.iter().filter(|(_, (s, _))| s.idle() && Arc::strong_count(s) == 1);
            let Some(id) = idle.min_by_key(|(_, (_, used))| *used).map(|(id, _)| id.clone()) else {
                let told =
                    format!("`{}` sessions are busy, which is the most allowed\nhint: try again later", self.most);
                return Err(ApiError {
                    retry_after: Some(5),
                    ..ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "full", told)
                });
            };
            sessions.remove(&id);
        }
        sessions.insert(session.id.clone(), (session, Instant::now()));
        Ok(())
    }

    /// The session of an id, from memory or from the store.
    ///
    /// # Errors
    /// The same for an id that never was and for a malformed one.
    pub async fn get(&self, id: &str, all: &Arc<Sessions>) -> Result<Arc<Session>, ApiError> {
        // Ids have one spelling; anything else need not bother the store.
        if uuid::Uuid::try_parse(id).map(|u| u.to_string()).ok().as_deref() != Some(id) {
            return Err(ApiError::not_found("the session"));
        }
        if let Some(session) = self.known(&mut *self.sessions.lock().await, id) {
            return Ok(session);
        }
        // Reading a long log takes time that the other sessions need not wait for. Nor do two who ask for the same one.
        let _turn = self.resuming.lock().await;
        if let Some(session) = self.known(&mut *self.sessions.lock().await, id) {
            return Ok(session);
        }
        let session = all.resume(id).await?.ok_or_else(|| ApiError::not_found("the session"))?;
        self.insert(&mut *self.sessions.lock().await, Arc::clone(&session))?;
        Ok(session)
    }

    fn known(&self, sessions: &mut HashMap<String, (Arc<Session>, Instant)>, id: &str) -> Option<Arc<Session>> {
        let (session, used) = sessions.get_mut(id)?;
        *used = Instant::now();
        Some(Arc::clone(session))
    }

    /// Takes a session out of memory.
    pub async fn remove(&self, id: &str) {
        self.sessions.lock().await.remove(id);
    }

    /// How many there are.
    pub async fn count(&self) -> usize {
        self.sessions.lock().await.len()
    }

    /// Stops everything that sessions run.
    pub async fn cancel(&self) {
        self.sessions.lock().await.values().for_each(|(session, _)| session.cancel.cancel());
    }
}
