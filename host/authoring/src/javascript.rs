//! JavaScript, by componentize-js: the engine and the source in one component.

use crate::{
    docs::Wit,
    error::AuthoringError,
    language::Language,
    toolchain::{need, run},
};
use std::{fs, path::Path, process::Command};

/// The package that makes the component.
const PACKAGE: &str = "node_modules/@bytecodealliance/componentize-js/package.json";

/// Run by node. A tool needs nothing of the engine's own that the host would have to grant.
const SCRIPT: &str = r#"
import { componentize } from "@bytecodealliance/componentize-js";
import { readFile, writeFile } from "node:fs/promises";
const [source, world, out] = process.argv.slice(-3);
const { component } = await componentize(await readFile(source, "utf8"), {
  witPath: "wit",
  worldName: world,
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
});
await writeFile(out, component);
"#;

/// Builds `tool.js` in `folder`.
///
/// # Errors
/// When node or componentize-js is missing, or the source does not do what the world says.
pub(crate) fn build(folder: &Path, wit: &Wit) -> Result<Vec<u8>, AuthoringError> {
    let node = need("node", &[], "install Node.js 20 or later: `apt-get install nodejs npm`, or https://nodejs.org")?;
    if !folder.join(PACKAGE).is_file() {
        return Err(AuthoringError::Toolchain {
            what: "componentize-js is not installed in the tool's folder".to_owned(),
            install: format!("`{}`", Language::JavaScript.needs(folder)),
        });
    }
    // Below the tool's folder, where node finds what is installed there.
    let made = folder.join(".build");
    fs::create_dir_all(&made).map_err(AuthoringError::file(&made))?;
    fs::write(made.join("build.mjs"), SCRIPT).map_err(AuthoringError::file(&made))?;
    let arguments = [".build/build.mjs", "tool.js", wit.world_name(), ".build/tool.wasm"];
    run(Command::new(node).current_dir(folder).args(arguments))?;
    let out = made.join("tool.wasm");
    fs::read(&out).map_err(AuthoringError::file(out))
}
