//! One step of a plan: class check → quota → reservation → grant → call → observation.

use super::{Run, fault::Fault, milliseconds, report::StepReport};
use crate::{inputs::Inputs, place::quota, session::SessionError, tools};
use anyhow::Context as _;
use serde_json::Value;
use std::time::Instant;
use tomas_core::{
    configuration::Configuration,
    observation::{BlobRef, Observation},
    plan::{self, Step},
    query::Query,
    resource::Resources,
    session::Event,
    tool::Tool,
};
use tomas_sandbox::Finished;

impl Run<'_> {
    fn tool(&self, configuration: &Configuration) -> Result<&Tool, Fault> {
        let name = &configuration.tool;
        Ok(self
            .agent
            .registry
            .tool(name)
            .with_context(|| format!("the plan names `{name}`, which is not registered"))?)
    }

    /// Corrects the size class of a step to that of its input: the planner guessed it, here it can be measured.
    pub(crate) fn classed(&self, step: &mut Step, query: &Query) {
        let Ok(tool) = self.tool(&step.configuration) else { return };
        let free = query.budget;
        step.configuration = self.fitting(tool, step, &step.arguments, &query.attachments, &free);
    }

    /// The step's configuration where its size class is that of `arguments`; else the same levels for the true class
    /// if they are known to work, else the best configuration that does.
    fn fitting(
        &self,
        tool: &Tool,
        step: &Step,
        arguments: &Value,
        blobs: &[BlobRef],
        free: &Resources,
    ) -> Configuration {
        let (registry, planned) = (&self.agent.registry, &step.configuration);
        let size = tool.class(arguments, blobs, self.folder.folder_bytes);
        if size == planned.size {
            return planned.clone();
        }
        let same = Configuration { size, ..planned.clone() };
        let feasible = registry.profile(&same).is_none_or(tomas_core::profile::Profile::feasible);
        if feasible && registry.fits(&same, free) && registry.configurations().contains(&same) {
            return same;
        }
        registry.best(tool.name(), size, free, tomas_core::registry::Tolerance::EXACT).cloned().unwrap_or(same)
    }

    /// Runs step `k` with its arguments filled in.
    pub(crate) async fn step(
        &self,
        k: usize,
        step: &Step,
        arguments: Value,
    ) -> Result<(StepReport, Observation), Fault> {
        let Run { agent, request, .. } = self;
        let request = *request;
        let tool = self.tool(&step.configuration)?;
        let blobs = self.session.attachments();
        let configuration = self.fitting(tool, step, &arguments, &blobs, &self.account.budget());
        let quota = quota(&agent.most, tool, agent.registry.levels(), &configuration);
        let component = agent.toolbox.get(tool.name()).await?;

        let waiting = Instant::now();
        let grant = self.account.reserve(quota).await?;
        self.append(Event::Granted { request, step: k, quota, waited_ms: milliseconds(waiting) }).await?;
        let mut call = tools::call(component, tool, arguments.to_string());
        // Read when its turn has come: what waits in the queue holds no files.
        call.blobs = self.inputs(&arguments, &blobs).await?.blobs;
        call.workspace = self.folder.workspace();
        call.keyvalue = self.session.kept.of(tool);
        call.cancel = self.cancel.child();
        let Finished { mut observation, written, settlement } =
            agent.toolbox.call(tool, grant, call).await.map_err(anyhow::Error::from)?;
        tracing::debug!(
            session = self.session.id,
            request,
            step = k,
            ?settlement,
            outcome = observation.outcome.name()
        );

        observation.blobs.clear();
        for (name, bytes) in written {
            match self.session.attach(&name, bytes).await {
                Ok(blob) => observation.blobs.push(blob),
                // The tool did its work; that there is no room for it is for the user to hear.
                Err(refused @ (SessionError::Room(_) | SessionError::Name(_))) => {
                    observation.outcome = tomas_core::observation::Outcome::OutputExceeded;
                    observation.result = None;
                    observation.error = Some(refused.to_string());
                }
                Err(error) => return Err(anyhow::Error::from(error).into()),
            }
        }
        self.append(Event::Observed { request, step: k, observation: observation.clone() }).await?;
        Ok((StepReport::new(k, &configuration, arguments, &observation), observation))
    }

    /// The blobs that the arguments name. A tool sees no others.
    async fn inputs(&self, arguments: &Value, blobs: &[BlobRef]) -> Result<Inputs, Fault> {
        let mut inputs = Inputs::default();
        for blob in blobs.iter().filter(|b| plan::names_blob(arguments, &b.name)) {
            let bytes = self.session.bytes(&blob.digest).await?;
            inputs.blobs.insert(blob.name.clone(), bytes.into());
        }
        Ok(inputs)
    }
}
