//! Baselines: BM25 over tool descriptions, with the fastest or the cheapest feasible configuration.
//!
//! They quote the whole request for every required string and take the first attachment for every blob, which is what a
//! planner without a model can honestly do. A model must beat them to be worth its milliseconds.

use crate::{PlanError, Planner, feasible};
use bm25::{Document, Language, SearchEngine, SearchEngineBuilder};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tomas_core::{
    configuration::{Configuration, SizeClass},
    plan::{Plan, Step},
    query::{self, Query},
    registry::{Registry, Tolerance},
    tool::Tool,
};

/// Which feasible configuration a baseline takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The one with the lowest measured median latency.
    Fastest,
    /// The one that holds the least.
    Cheapest,
}

/// BM25 over descriptions.
pub struct Bm25Planner {
    registry: Arc<Registry>,
    engine: SearchEngine<usize>,
    choice: Choice,
}

impl Bm25Planner {
    /// Indexes a registry's descriptions.
    #[must_use]
    pub fn new(registry: Arc<Registry>, choice: Choice) -> Self {
        let text = |t: &Tool| format!("{} {}", t.name().as_str().replace('_', " "), t.description());
        let documents = registry.tools().iter().enumerate().map(|(id, tool)| Document { id, contents: text(tool) });
        let engine = SearchEngineBuilder::with_documents(Language::English, documents.collect::<Vec<_>>()).build();
        Self { registry, engine, choice }
    }

    fn choose(&self, tool: &Tool, query: &Query) -> Option<&Configuration> {
        let smallest = query.sizes(tool).into_iter().min()?;
        self.configuration(tool, smallest, query)
    }

    /// The configuration that this baseline takes for an input of a size class.
    #[must_use]
    pub fn configuration(&self, tool: &Tool, size: SizeClass, query: &Query) -> Option<&Configuration> {
        match self.choice {
            Choice::Fastest => self.registry.best(tool.name(), size, &query.budget, Tolerance::EXACT),
            Choice::Cheapest => self.registry.cheapest(tool.name(), size, &query.budget),
        }
    }
}

impl Planner for Bm25Planner {
    fn policy(&self) -> &str {
        match self.choice {
            Choice::Fastest => "bm25-fastest",
            Choice::Cheapest => "bm25-cheapest",
        }
    }

    fn plan(&self, query: &Query) -> Result<Plan, PlanError> {
        query::check_text(&query.text)?;
        let found = self.engine.search(&query.text, 1);
        let tool = found.first().and_then(|hit| self.registry.tools().get(hit.document.id));
        let Some(tool) = tool.filter(|t| feasible::callable(t, query)) else {
            return Ok(Plan::Reply("No registered tool matches this request.".to_owned()));
        };
        let size = query.sizes(tool).into_iter().min().unwrap_or(SizeClass::Small);
        let configuration =
            self.choose(tool, query).ok_or_else(|| feasible::nothing_fits(&self.registry, tool, size, query))?;
        Ok(Plan::Steps(vec![Step { configuration: configuration.clone(), arguments: arguments(tool, query) }]))
    }
}

/// Required arguments only: enumerations take their first value, blobs the first attachment, strings the request.
fn arguments(tool: &Tool, query: &Query) -> Value {
    let schema = &tool.export.parameters;
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut arguments = Map::new();
    for name in required {
        let Some(property) = schema.pointer(&format!("/properties/{name}")) else { continue };
        let source = property.get("x-tomas-source").and_then(Value::as_str).unwrap_or_default();
        let first = property.pointer("/enum/0").cloned();
        let value = match (first, query.attachments.first(), property.get("type").and_then(Value::as_str)) {
            (Some(value), ..) => value,
            (None, Some(blob), _) if source.contains("blob") => json!(format!("blob:{}", blob.name)),
            (None, _, Some("integer" | "number")) => property.get("minimum").cloned().unwrap_or(json!(1)),
            (None, _, Some("boolean")) => json!(true),
            _ => json!(query.text),
        };
        arguments.insert(name.to_owned(), value);
    }
    Value::Object(arguments)
}
