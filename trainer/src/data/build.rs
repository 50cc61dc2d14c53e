//! Building: language + registry → samples.
//!
//! The configuration of a sample is the registry's best one for the input's size class under the tighter of the two
//! budgets (the session's, and the one the request states), so what the planner learns is what was measured.

use super::{
    budget,
    language::{Intent, Language, Meaning},
    noise,
    public::{self, PublicError},
    sample::{Sample, Target},
    split::Split,
    template::Part,
    values::{SpecError, Value},
};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::{collections::BTreeMap, path::PathBuf};
use tomas_core::{
    name::ToolName,
    observation::BlobRef,
    plan::Step,
    query::Query,
    registry::{Registry, Tolerance},
    resource::Resources,
};

/// How much to build, of what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildConfig {
    /// Seed of every draw.
    pub seed: u64,
    /// Training samples from templates.
    pub train: usize,
    /// Development samples from held-out templates and values.
    pub dev: usize,
    /// Test samples, likewise.
    pub test: usize,
    /// Share of samples by the intents' file prefix (`units.length` → `units`); shares are normalised.
    pub shares: BTreeMap<String, f64>,
    /// Probability that a request states a budget in words.
    pub stated_budget: f64,
    /// Training samples from public sets that label only the tool.
    pub public: usize,
    /// Folder of intents.
    pub language: PathBuf,
    /// Folder of public sets.
    pub public_sets: PathBuf,
}

/// Why data cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An intent names a slot kind that does not exist.
    #[error("intent `{intent}`: {source}")]
    Slot {
        /// Which intent.
        intent: String,
        /// Why.
        source: SpecError,
    },
    /// An intent calls a tool that is not registered.
    #[error(
        "intent `{intent}` calls `{tool}`, which is not registered\nhint: build the registry with it, or remove the intent"
    )]
    Tool {
        /// Which intent.
        intent: String,
        /// Which tool.
        tool: String,
    },
    /// A share names no intents, or a side of the split has none.
    #[error("no intent of `{0}` lies on the {side} side\nhint: add texts, or remove the share", side = .1.name())]
    Nothing(String, Split),
    /// The public sets do not read.
    #[error(transparent)]
    Public(#[from] PublicError),
}

/// Builds all samples of all sides, in a fixed order. `progress` is told of every sample.
///
/// # Errors
/// When language and registry do not belong together.
pub fn build(
    config: &BuildConfig,
    language: &Language,
    registry: &Registry,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Sample>, BuildError> {
    let mut samples: Vec<Sample> = Vec::new();
    // Two wordings with two values can make one request. The held-out sides come first, and keep it.
    let mut held: BTreeMap<String, Split> = BTreeMap::new();
    let mut free =
        |sample: &Sample| *held.entry(sample.query.text.to_lowercase()).or_insert(sample.split) == sample.split;
    for (side, split) in Split::ALL.into_iter().enumerate().rev() {
        let wanted = [config.train, config.dev, config.test].get(side).copied().unwrap_or(0);
        let mut rng = Rng::with_seed(config.seed.wrapping_mul(31).wrapping_add(side as u64));
        let total: f64 = config.shares.values().sum();
        for (prefix, share) in &config.shares {
            let pool = pool(language, prefix, split);
            if pool.is_empty() {
                return Err(BuildError::Nothing(prefix.clone(), split));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a count of samples"
            )]
            let count = (wanted as f64 * share / total).round() as usize;
            for n in 0..count {
                // Every wording in turn, so that rare ones are seen as often as common ones.
                let Some(&(intent, text)) = pool.get(n % pool.len()) else { continue };
                let mut draw = Draw { config, language, registry, split, rng: &mut rng };
                if let Some(sample) = draw.sample(intent, text)?
                    && free(&sample)
                {
                    samples.push(sample);
                }
                progress(samples.len());
            }
        }
        let limit = if split == Split::Train { config.public } else { config.public / 20 };
        let public = public::samples(&config.public_sets, registry, split, limit, &mut rng)?;
        samples.extend(public.into_iter().filter(&mut free));
    }
    Ok(samples)
}

/// The wordings of a prefix on one side.
fn pool<'a>(language: &'a Language, prefix: &str, split: Split) -> Vec<(&'a Intent, usize)> {
    let mine = |i: &&Intent| i.id.split('.').next() == Some(prefix);
    language
        .intents
        .iter()
        .filter(mine)
        .flat_map(|i| i.texts.iter().enumerate().filter(move |(_, (_, s))| *s == split).map(move |(n, _)| (i, n)))
        .collect()
}

struct Draw<'a> {
    config: &'a BuildConfig,
    language: &'a Language,
    registry: &'a Registry,
    split: Split,
    rng: &'a mut Rng,
}

impl Draw<'_> {
    /// One sample of one wording. `None` when nothing feasible fits the drawn budget.
    fn sample(&mut self, intent: &Intent, text: usize) -> Result<Option<Sample>, BuildError> {
        let Some((template, _)) = intent.texts.get(text) else { return Ok(None) };
        let values = self.values(intent)?;
        let mut parts = template.render(self.rng);
        let free = budget::structured(self.registry.levels(), self.rng);
        if self.rng.f64() < self.config.stated_budget
            && let Some(stated) = self.language.budgets.state(&parts, self.split, self.rng)
        {
            let narrowed = free.min(&stated.limit);
            parts = stated.parts;
            let query = self.query(&parts, &values, free);
            let sample = self.finish(intent, text, query, narrowed, &values)?;
            return Ok(sample.map(|s| Sample { stated: Some(narrowed), ..s }));
        }
        let query = self.query(&parts, &values, free);
        self.finish(intent, text, query, free, &values)
    }

    fn values(&mut self, intent: &Intent) -> Result<BTreeMap<String, Value>, BuildError> {
        let mut values = BTreeMap::new();
        let mut units: Vec<&str> = Vec::new();
        // Quantities before units, so that a unit can differ from the quantity's.
        let mut slots: Vec<_> = intent.slots.iter().collect();
        slots.sort_by_key(|(_, spec)| spec.starts_with("unit:"));
        for (name, spec) in slots {
            let avoid = if spec.starts_with("unit:") { units.as_slice() } else { &[] };
            let value = self
                .language
                .lists
                .draw(spec, self.split, avoid, self.rng)
                .map_err(|source| BuildError::Slot { intent: intent.id.clone(), source })?;
            units.extend(value.unit);
            values.insert(name.clone(), value);
        }
        Ok(values)
    }

    fn query(&mut self, parts: &[Part], values: &BTreeMap<String, Value>, budget: Resources) -> Query {
        let surface = |name: &str| values.get(name).map(|v| v.surface.clone()).unwrap_or_default();
        let text = noise::apply(parts, surface, self.rng);
        let attachments = values
            .values()
            .filter_map(|v| v.attachment.as_ref())
            .map(|a| BlobRef { name: a.name.clone(), digest: String::new(), bytes: a.bytes, pixels: a.pixels })
            .collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 2^10 and 2^26")]
        let folder_bytes = 2f64.powf(10.0 + self.rng.f64() * 16.0) as u64;
        Query { text, attachments, folder_bytes, budget }
    }

    fn finish(
        &mut self,
        intent: &Intent,
        text: usize,
        query: Query,
        free: Resources,
        values: &BTreeMap<String, Value>,
    ) -> Result<Option<Sample>, BuildError> {
        let target = match &intent.meaning {
            Meaning::Replies(replies) => Target::Reply(self.rng.choice(replies).cloned().unwrap_or_default()),
            Meaning::Steps(steps) => {
                let mut planned = Vec::new();
                for (tool, arguments) in steps {
                    match self.step(intent, tool, &fill(arguments, values), &query, free)? {
                        Some(step) => planned.push(step),
                        None => return Ok(None),
                    }
                }
                Target::Steps(planned)
            }
        };
        let open = values.values().filter(|v| v.open).map(|v| v.surface.to_lowercase()).collect();
        Ok(Some(Sample::new(self.split, format!("{}#{text}", intent.id), query, target, open)))
    }

    fn step(
        &self,
        intent: &Intent,
        tool: &str,
        arguments: &Json,
        query: &Query,
        free: Resources,
    ) -> Result<Option<Step>, BuildError> {
        let unknown = || BuildError::Tool { intent: intent.id.clone(), tool: tool.to_owned() };
        let name: ToolName = tool.parse().map_err(|_| unknown())?;
        let tool = self.registry.tool(&name).ok_or_else(unknown)?;
        let size = tool.class(arguments, &query.attachments, query.folder_bytes);
        let best = self.registry.best(&name, size, &free, Tolerance::MEASURED).cloned();
        Ok(best.map(|configuration| Step { configuration, arguments: ordered(arguments, &tool.export.parameters) }))
    }
}

/// Arguments in the order of the schema's properties, which is the order that decoding follows.
fn ordered(arguments: &Json, schema: &Json) -> Json {
    let (Some(fields), Some(properties)) = (arguments.as_object(), schema.get("properties").and_then(Json::as_object))
    else {
        return arguments.clone();
    };
    let known = properties.keys().filter_map(|k| Some((k.clone(), fields.get(k)?.clone())));
    let unknown = fields.iter().filter(|(k, _)| !properties.contains_key(*k)).map(|(k, v)| (k.clone(), v.clone()));
    Json::Object(known.chain(unknown).collect())
}

/// Fills the slots of an argument template. A string that is exactly `{n.int}` or `{n.number}` becomes a number.
fn fill(template: &Json, values: &BTreeMap<String, Value>) -> Json {
    match template {
        Json::String(text) => number(text, values).unwrap_or_else(|| Json::String(text_of(text, values))),
        Json::Array(items) => Json::Array(items.iter().map(|v| fill(v, values)).collect()),
        Json::Object(fields) => Json::Object(fields.iter().map(|(k, v)| (k.clone(), fill(v, values))).collect()),
        other => other.clone(),
    }
}

fn number(text: &str, values: &BTreeMap<String, Value>) -> Option<Json> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (name, form) = inner.split_once('.')?;
    let canonical = &values.get(name)?.canonical;
    match form {
        "int" => canonical.parse::<i64>().ok().map(Json::from),
        "number" => {
            canonical.parse::<i64>().ok().map(Json::from).or_else(|| canonical.parse::<f64>().ok().map(Json::from))
        }
        _ => None,
    }
}

fn text_of(text: &str, values: &BTreeMap<String, Value>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        // `{{1}}` refers to an earlier result and stays as it is.
        let (end, keep) = if from.starts_with("{{") { ("}}", true) } else { ("}", false) };
        let Some(close) = from.find(end) else {
            out.push_str(from);
            return out;
        };
        let (slot, after) = from.split_at(close + end.len());
        let name = slot.trim_matches(['{', '}']);
        if keep {
            out.push_str(slot);
        } else {
            let (name, form) = name.split_once('.').unwrap_or((name, ""));
            out.push_str(values.get(name).map_or(slot, |v| if form.is_empty() { &v.surface } else { &v.canonical }));
        }
        rest = after;
    }
    out + rest
}
