//! Serving a request, in one place for every way in: query → plan → grants → observations → answer.
//!
//! Every stage is stored in the session's log before the next one begins. [`step`] runs one step of a plan, [`report`]
//! is what a request came to, [`fault`] is why it came to nothing.

pub mod fault;
pub mod report;
pub mod step;

use crate::{
    config::{Or, PlannerChoice, QuotaLimits},
    inputs::Inputs,
    session::Session,
    tools::Toolbox,
};
use anyhow::Context as _;
use fault::Fault;
use futures::{StreamExt as _, stream::FuturesUnordered};
use report::{Report, StepReport};
use std::{sync::Arc, time::Instant};
use tokio::sync::{Semaphore, mpsc};
use tomas_core::{
    accountant::{Account, Limits},
    observation::{Observation, Outcome},
    plan::{MAX_STEPS, Plan, Step},
    query::{self, Query},
    registry::Registry,
    session::{Entry, Event},
};
use tomas_planner::{PlanError, Planner};
use tomas_sandbox::CancelToken;

/// Who answers requests: a planner, the registry it plans for, and the tools.
pub struct Agent {
    /// The components.
    pub toolbox: Arc<Toolbox>,
    /// What the planner may name.
    pub registry: Arc<Registry>,
    /// Who decides.
    pub planner: Arc<dyn Planner>,
    most: QuotaLimits,
    planning: Arc<Semaphore>,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// As typed.
    pub text: String,
    /// What it may hold at once, within the session's budget.
    pub limits: Limits,
    /// Stops it.
    pub cancel: CancelToken,
    /// Who hears of its events as they are stored. At most three and a few for each step are sent.
    pub events: Option<mpsc::UnboundedSender<Arc<Entry>>>,
}

/// One request under way.
pub(crate) struct Run<'a> {
    agent: &'a Agent,
    session: &'a Arc<Session>,
    account: Account,
    request: u64,
    folder: Inputs,
    cancel: CancelToken,
    events: Option<mpsc::UnboundedSender<Arc<Entry>>>,
}

impl Agent {
    /// An agent.
    #[must_use]
    pub fn new(
        toolbox: Arc<Toolbox>,
        registry: Arc<Registry>,
        planner: Arc<dyn Planner>,
        choice: &PlannerChoice,
        most: QuotaLimits,
    ) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let planning = match choice.concurrent {
            Or::Auto => cores(),
            Or::Given(n) => n.max(1),
        };
        Self {
            toolbox,
            registry,
            planner,
            most,
            planning: Arc::new(Semaphore::new(planning.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Answers a request in a session. A tool going wrong is part of the report.
    ///
    /// # Errors
    /// When there is no answer; the session's log then says so, as far as it can still be written.
    pub async fn answer(&self, session: &Arc<Session>, ask: Ask) -> Result<Report, Fault> {
        let begun = Instant::now();
        query::check_text(&ask.text)?;
        let account = session.account.open(&ask.limits)?;
        let folder = folder(session).await?;
        let query = Query {
            text: ask.text,
            attachments: session.attachments(),
            folder_bytes: folder.folder_bytes,
            budget: account.free(),
        };
        let (request, entry) = session.request(query.clone()).await?;
        let run = Run { agent: self, session, account, request, folder, cancel: ask.cancel, events: ask.events };
        run.tell(&entry);
        let done = tokio::select! {
            biased;
            () = run.cancel.cancelled() => Err(Fault::Cancelled),
            () = session.cancel.cancelled() => Err(Fault::Cancelled),
            done = run.serve(query, begun) => done,
        };
        if let Err(fault) = &done {
            run.failed(fault).await;
        }
        done
    }

    /// Plans for what is free at the moment; where nothing fits in that, for what the request may have at most, and the
    /// steps then wait for their turn.
    async fn plan(&self, mut query: Query, account: &Account) -> Result<Plan, Fault> {
        let permit = Arc::clone(&self.planning).acquire_owned().await.context("the planner is gone")?;
        let (planner, budget) = (Arc::clone(&self.planner), account.budget());
        let planned = tokio::task::spawn_blocking(move || {
            // Held until planning is over, even if nobody waits for it any more.
            let _permit = permit;
            match planner.plan(&query) {
                Err(PlanError::NothingFits { .. }) if query.budget != budget => {
                    query.budget = budget;
                    planner.plan(&query)
                }
                planned => planned,
            }
        });
        Ok(planned.await.context("the planner panicked")??)
    }
}

/// The granted folder, sized anew for each request, because files come and go.
async fn folder(session: &Session) -> Result<Inputs, Fault> {
    let Some(folder) = session.folder.clone() else { return Ok(Inputs::default()) };
    let sized = tokio::task::spawn_blocking(move || {
        let mut inputs = Inputs::default();
        inputs.grant_folder(&folder).map(|()| inputs)
    });
    sized.await.context("sizing the folder panicked")?.map_err(Fault::Folder)
}

impl Run<'_> {
    fn tell(&self, entry: &Arc<Entry>) {
        if let Some(events) = &self.events {
            drop(events.send(Arc::clone(entry)));
        }
    }

    /// Stores an event, and tells whoever waits for it.
    async fn append(&self, event: Event) -> anyhow::Result<()> {
        let entry = self.session.append(event).await?;
        self.tell(&entry);
        Ok(())
    }

    async fn failed(&self, fault: &Fault) {
        let event = Event::Failed { request: self.request, error: fault.told() };
        if let Err(error) = self.append(event).await {
            tracing::error!(
                session = self.session.id,
                request = self.request,
                "the failure is not in the log: {error:#}"
            );
        }
    }

    async fn serve(&self, query: Query, begun: Instant) -> Result<Report, Fault> {
        let planning = Instant::now();
        let mut plan = self.agent.plan(query.clone(), &self.account).await?;
        let planning_ms = milliseconds(planning);
        if let Plan::Steps(steps) = &mut plan {
            check(steps)?;
            steps.iter_mut().for_each(|step| self.classed(step, &query));
        }
        self.append(Event::Planned {
            request: self.request,
            plan: plan.clone(),
            policy: self.agent.planner.policy().to_owned(),
            registry: self.agent.registry.digest().to_owned(),
            planning_ms,
        })
        .await?;
        let (answer, steps) = match plan {
            Plan::Reply(text) => (text, Vec::new()),
            Plan::Steps(steps) => {
                let done = self.steps(&steps).await?;
                (report::answer(&steps, &done), done)
            }
        };
        let total_ms = milliseconds(begun);
        self.append(Event::Answered { request: self.request, answer: answer.clone(), total_ms }).await?;
        let tool_ms = steps.iter().map(|s| s.usage.wall_ms).sum();
        Ok(Report { answer, steps, planning_ms, tool_ms, total_ms })
    }

    /// Runs the steps of a plan, those that do not need each other at the same time. What needs a step that failed is
    /// left out.
    async fn steps(&self, steps: &[Step]) -> Result<Vec<StepReport>, Fault> {
        let mut observations: Vec<Option<Observation>> = vec![None; steps.len()];
        let mut reports: Vec<Option<StepReport>> = vec![None; steps.len()];
        let mut started = vec![false; steps.len()];
        let mut running = FuturesUnordered::new();
        loop {
            for (k, step) in steps.iter().enumerate() {
                let ok = |d: &usize| {
                    observations.get(*d).is_some_and(|o| o.as_ref().is_some_and(|o| o.outcome == Outcome::Ok))
                };
                let Some(begun) = started.get_mut(k).filter(|begun| !**begun) else { continue };
                if step.dependencies(k).iter().all(ok) {
                    *begun = true;
                    let value = |d: usize| observations.get(d)?.as_ref()?.value();
                    let arguments = step.resolve(k, value).map_err(|d| anyhow::anyhow!("step {d} has no value"))?;
                    running.push(async move { (k, self.step(k, step, arguments).await) });
                }
            }
            let Some((k, done)) = running.next().await else { break };
            let (report, observation) = done?;
            if let (Some(o), Some(r)) = (observations.get_mut(k), reports.get_mut(k)) {
                (*o, *r) = (Some(observation), Some(report));
            }
        }
        Ok(reports.into_iter().flatten().collect())
    }
}

/// A plan that no planner of ours makes, but that a plan may be.
fn check(steps: &[Step]) -> Result<(), Fault> {
    if steps.is_empty() || steps.len() > MAX_STEPS {
        return Err(anyhow::anyhow!("the plan has {} steps, 1 to {MAX_STEPS} are allowed", steps.len()).into());
    }
    Ok(())
}

pub(crate) fn milliseconds(since: Instant) -> f64 {
    // Whole microseconds, which print short.
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}
