//! Tools: what a component exports, joined with what its manifest says.

use crate::{
    configuration::SizeClass,
    manifest::{Manifest, Measure},
    name::ToolName,
    observation::BlobRef,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a component says of one of its exports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// The tool's name.
    pub name: ToolName,
    /// The component's own description; a manifest's takes precedence.
    #[serde(default)]
    pub description: String,
    /// JSON schema of the arguments, an object schema.
    pub parameters: Value,
    /// JSON schema of the result.
    #[serde(default)]
    pub result: Value,
}

/// A registered tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// What the component exports, under the tool's name.
    pub export: Export,
    /// What the manifest adds.
    pub manifest: Manifest,
    /// BLAKE3 of the component's bytes, in hex.
    pub component: String,
}

/// Why an export and a manifest do not make a tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// The manifest names a tool that the component does not export.
    #[error(
        "manifest names `{manifest}`, the component exports {exports}\nhint: set `name` in tool.toml to one of the exports, or `export` where the tool is to be called otherwise"
    )]
    Unexported {
        /// Name in the manifest.
        manifest: ToolName,
        /// Names that the component exports.
        exports: String,
    },
    /// The schema is not that of an object.
    #[error(
        "parameters of `{0}` are not an object schema\nhint: `describe` must give `{{\"type\":\"object\",\"properties\":{{…}}}}`"
    )]
    Schema(ToolName),
    /// Neither the manifest nor the component says what the tool does.
    #[error(
        "`{0}` has no description\nhint: say in one or two sentences what the tool does: `description` in tool.toml"
    )]
    Description(ToolName),
    /// The manifest contradicts itself.
    #[error(transparent)]
    Manifest(#[from] crate::manifest::ManifestError),
    /// The size rule names an argument that does not exist.
    #[error("size rule of `{tool}` measures `{argument}`, which is not a parameter\nhint: use one of {parameters}")]
    SizeArgument {
        /// Which tool.
        tool: ToolName,
        /// What the rule names.
        argument: String,
        /// What there is.
        parameters: String,
    },
}

impl Tool {
    /// Joins a component's exports with a manifest. `component` is the digest of the component's bytes.
    ///
    /// # Errors
    /// When the two do not belong together.
    pub fn join(mut manifest: Manifest, exports: &[Export], component: String) -> Result<Self, ToolError> {
        manifest.validate()?;
        let wanted = manifest.entry();
        let found = exports.iter().find(|e| e.name == *wanted).ok_or_else(|| ToolError::Unexported {
            manifest: wanted.clone(),
            exports: quoted(exports.iter().map(|e| e.name.as_str())),
        })?;
        let export = Export { name: manifest.name.clone(), ..found.clone() };
        if manifest.description.trim().is_empty() {
            manifest.description.clone_from(&export.description);
        }
        if manifest.description.trim().is_empty() {
            return Err(ToolError::Description(export.name));
        }
        let properties = export.parameters.get("properties").and_then(Value::as_object);
        let Some(properties) =
            properties.filter(|_| export.parameters.get("type").and_then(Value::as_str) == Some("object"))
        else {
            return Err(ToolError::Schema(export.name));
        };
        let argument = &manifest.size.argument;
        if !argument.is_empty() && !properties.contains_key(argument) && !properties.is_empty() {
            return Err(ToolError::SizeArgument {
                tool: export.name.clone(),
                argument: argument.clone(),
                parameters: quoted(properties.keys().map(String::as_str)),
            });
        }
        Ok(Self { export, manifest, component })
    }

    /// The size class of an input: what the manifest's rule measures in these arguments.
    #[must_use]
    pub fn class(&self, arguments: &Value, attachments: &[BlobRef], folder_bytes: u64) -> SizeClass {
        let rule = &self.manifest.size;
        let measured = if rule.argument.is_empty() { Some(arguments) } else { arguments.get(&rule.argument) };
        let text = match measured {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let blob = text.strip_prefix("blob:").and_then(|name| attachments.iter().find(|b| b.name == name));
        rule.class(match (rule.measure, blob) {
            (Measure::Folder, _) => folder_bytes,
            (measure, Some(blob)) => blob.measure(measure),
            (Measure::Elements, None) => elements(&text),
            (Measure::Bytes, None) => text.len() as u64,
            (Measure::Chars | Measure::Pixels, None) => text.chars().count() as u64,
        })
    }

    /// What the component calls it.
    #[must_use]
    pub fn entry(&self) -> &ToolName {
        self.manifest.entry()
    }

    /// The tool's name.
    #[must_use]
    pub const fn name(&self) -> &ToolName {
        &self.export.name
    }

    /// The description that planners and people see.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.manifest.description
    }
}

/// Elements of a matrix: the product of the dimensions in `random(200,200,1)` or `identity(3)`, else the numbers written.
fn elements(text: &str) -> u64 {
    let numbers =
        |t: &str| t.split(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|n| !n.is_empty()).count() as u64;
    let Some((_, inside)) = text.split_once('(') else { return numbers(text) };
    let sides: Vec<u64> = inside.split([',', ')']).map_while(|n| n.trim().parse().ok()).take(2).collect();
    match sides[..] {
        [n] => n.saturating_mul(n),
        [rows, columns] => rows.saturating_mul(columns),
        _ => numbers(text),
    }
}

/// `a`, `b`, `c`
fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_written_and_named_matrices() {
        for (text, n) in
            [("[[1,2],[3,4.5]]", 4), ("1 2; 3 4", 4), ("random(200,300,7)", 60_000), ("identity(30)", 900), ("", 0)]
        {
            assert_eq!(elements(text), n, "{text}");
        }
    }
}
