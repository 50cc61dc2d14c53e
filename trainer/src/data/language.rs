//! Language: the intents of `data/language/*.toml`, parsed and checked.

use super::{
    budget::Phrases,
    split::Split,
    template::{Template, TemplateError},
    values::Lists,
};
use serde::Deserialize;
use serde_json::Value as Json;
use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf};

/// One meaning with the ways to say it.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Unique name, such as `units.length`.
    pub id: String,
    /// What it asks for.
    pub meaning: Meaning,
    /// Slot name → spec.
    pub slots: BTreeMap<String, String>,
    /// The wordings, each with its side of the split.
    pub texts: Vec<(Template, Split)>,
}

/// What an intent asks for.
#[derive(Debug, Clone)]
pub enum Meaning {
    /// These tools with these argument templates.
    Steps(Vec<(String, Json)>),
    /// No tool; one of these replies.
    Replies(Vec<String>),
}

/// Everything in `data/language`.
#[derive(Debug, Clone)]
pub struct Language {
    /// The intents, in file order.
    pub intents: Vec<Intent>,
    /// The lists that slots draw from.
    pub lists: Lists,
    /// Ways to state a budget.
    pub budgets: Phrases,
}

/// Why language data is refused.
#[derive(Debug, thiserror::Error)]
pub enum LanguageError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {source}\nhint: give the folder that holds the intents, such as data/language")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not TOML of the right form.
    #[error("`{path}`: {source}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A text is not a template.
    #[error("intent `{intent}`: {source}")]
    Template {
        /// Which intent.
        intent: String,
        /// Why.
        source: TemplateError,
    },
    /// An intent contradicts itself.
    #[error("intent `{intent}`: {what}")]
    Intent {
        /// Which intent.
        intent: String,
        /// What is wrong.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntentFile {
    #[serde(default)]
    intent: Vec<RawIntent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIntent {
    id: String,
    tool: Option<String>,
    arguments: Option<Json>,
    steps: Option<Vec<RawStep>>,
    replies: Option<Vec<String>>,
    #[serde(default)]
    slots: BTreeMap<String, String>,
    texts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    tool: String,
    arguments: Json,
}

#[derive(Deserialize)]
struct ValuesFile {
    list: BTreeMap<String, Vec<String>>,
}

impl Language {
    /// Reads a folder: `values.toml`, `budgets.toml`, and every other `.toml` as intents.
    ///
    /// # Errors
    /// When a file does not parse, or an intent contradicts itself.
    pub fn read(folder: &Path) -> Result<Self, LanguageError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| LanguageError::Read { path, source }
        };
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(failed(folder))?
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| p.extension().is_some_and(|e| e == "toml"))
            .collect();
        files.sort();
        let mut language = Self { intents: Vec::new(), lists: Lists::default(), budgets: Phrases::default() };
        for path in files {
            let text = fs::read_to_string(&path).map_err(failed(&path))?;
            let broken = |source| LanguageError::Parse { path: path.clone(), source: Box::new(source) };
            match path.file_stem().and_then(|s| s.to_str()) {
                Some("values") => language.lists = Lists(toml::from_str::<ValuesFile>(&text).map_err(broken)?.list),
                Some("budgets") => {
                    language.budgets = Phrases::parse(&text)
                        .map_err(|what| LanguageError::Intent { intent: "budgets".to_owned(), what })?
                }
                _ => {
                    let file: IntentFile = toml::from_str(&text).map_err(broken)?;
                    for raw in file.intent {
                        language.intents.push(check(raw)?);
                    }
                }
            }
        }
        unique(&language.intents)?;
        Ok(language)
    }
}

fn check(raw: RawIntent) -> Result<Intent, LanguageError> {
    let id = raw.id.clone();
    let wrong = |what: String| LanguageError::Intent { intent: id.clone(), what };
    let meaning = match (raw.tool, raw.arguments, raw.steps, raw.replies) {
        (Some(tool), arguments, None, None) => {
            Meaning::Steps(vec![(tool, arguments.unwrap_or_else(|| Json::Object(serde_json::Map::new())))])
        }
        (None, None, Some(steps), None) if !steps.is_empty() => {
            Meaning::Steps(steps.into_iter().map(|s| (s.tool, s.arguments)).collect())
        }
        (None, None, None, Some(replies)) if !replies.is_empty() => Meaning::Replies(replies),
        _ => return Err(wrong("give either `tool` with `arguments`, or `steps`, or `replies`".to_owned())),
    };
    let mut texts = Vec::new();
    for text in &raw.texts {
        let template =
            Template::parse(text).map_err(|source| LanguageError::Template { intent: id.clone(), source })?;
        if let Some(slot) = template.slots().into_iter().find(|s| !raw.slots.contains_key(*s)) {
            return Err(wrong(format!("`{text}` uses `{{{slot}}}`, which `slots` does not declare")));
        }
        texts.push((template, Split::of(text)));
    }
    if texts.is_empty() {
        return Err(wrong("there are no texts".to_owned()));
    }
    Ok(Intent { id: raw.id, meaning, slots: raw.slots, texts })
}

fn unique(intents: &[Intent]) -> Result<(), LanguageError> {
    let mut seen = std::collections::BTreeSet::new();
    match intents.iter().find(|i| !seen.insert(i.id.as_str())) {
        Some(twice) => Err(LanguageError::Intent { intent: twice.id.clone(), what: "the id is used twice".to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shipped language parses, and every slot can be filled on every side that has a wording with it.
    #[test]
    fn shipped_language_is_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/language");
        let language = Language::read(&folder).unwrap_or_else(|e| panic!("{e}"));
        assert!(language.intents.len() > 300, "{} intents", language.intents.len());
        let mut rng = fastrand::Rng::with_seed(5);
        for intent in &language.intents {
            for spec in intent.slots.values() {
                for split in Split::ALL.into_iter().filter(|s| intent.texts.iter().any(|(_, side)| side == s)) {
                    let drawn = language.lists.draw(spec, split, &[], &mut rng);
                    assert!(drawn.is_ok(), "{}: {}", intent.id, drawn.unwrap_err());
                }
            }
        }
    }
}
