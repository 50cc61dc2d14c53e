//! `tool pull | push`.

use super::output::{bytes_bar, note, plain, say};
use crate::{
    install::{self, Put},
    parcel::{self, Parcel},
    place::Place,
    trust,
};
use anyhow::{Context as _, bail};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use tomas_core::amount::Bytes;
use tomas_distribution::{Access, Credentials, Reference, Session};

/// Most bytes of Docker's list of logins.
const MOST_LOGINS: Bytes = Bytes::mib(1);

/// The variable that has the password.
const PASSWORD: &str = "TOMAS_REGISTRY_PASSWORD";

/// How a registry is asked.
#[derive(Debug, Args)]
pub struct AccessArguments {
    /// Who asks; the password is read from the environment variable TOMAS_REGISTRY_PASSWORD [default: what `docker
    /// login` has kept]
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Ask in plain HTTP; a registry on this machine is always asked so
    #[arg(long)]
    plain_http: bool,
}

/// Arguments of `tool pull`.
#[derive(Debug, Args)]
pub struct PullArguments {
    /// Which artifact: REGISTRY/REPOSITORY, with :TAG or @sha256:DIGEST
    reference: Reference,
    /// The folder of tools to put it into [default: the last of `[paths] tools`]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Replace a tool of the same name that differs
    #[arg(long)]
    force: bool,
    /// Grant what its tool.toml asks for under `[permissions]`; a key in `[trust] keys` grants it too
    #[arg(long)]
    permit: bool,
    #[command(flatten)]
    access: AccessArguments,
}

/// Arguments of `tool push`.
#[derive(Debug, Args)]
pub struct PushArguments {
    /// A folder with a tool.toml, or a `.wasm` file
    path: PathBuf,
    /// Where to: REGISTRY/REPOSITORY, with :TAG
    reference: Reference,
    #[command(flatten)]
    access: AccessArguments,
}

impl AccessArguments {
    fn access(&self, reference: &Reference) -> anyhow::Result<Access> {
        let credentials = match &self.username {
            Some(username) => {
                let password = std::env::var(PASSWORD).ok().with_context(|| {
                    format!(
                        "there is no password for `{username}`\nhint: put it into the environment variable {PASSWORD}"
                    )
                })?;
                Some(Credentials::new(username.clone(), password))
            }
            None => docker_login(reference)?,
        };
        Ok(Access { credentials, plain_http: self.plain_http })
    }
}

/// What `docker login` has kept for a registry.
fn docker_login(reference: &Reference) -> anyhow::Result<Option<Credentials>> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker"));
    let Some(path) = folder.or_else(home).map(|folder| folder.join("config.json")).filter(|path| path.is_file()) else {
        return Ok(None);
    };
    let refused = || format!("`{}` is refused", path.display());
    let text = String::from_utf8(crate::files::read(&path, MOST_LOGINS)?).map_err(|_| {
        // The bytes may be a password.
        anyhow::anyhow!("`{}` is not text\nhint: log in again with `docker login`", path.display())
    })?;
    Credentials::of_docker(&text, reference.registry()).with_context(refused)
}

/// Pulls a tool into a folder of tools. Nothing of it is compiled.
///
/// # Errors
/// When the registry refuses, the tool is refused, or something is in its way.
pub fn pull(place: &Place, arguments: &PullArguments) -> anyhow::Result<ExitCode> {
    let reference = &arguments.reference;
    let into = match (&arguments.into, place.config.paths.tools.last()) {
        (Some(into), _) => into.clone(),
        (None, Some(last)) => place.at(last),
        (None, None) => bail!("`[paths] tools` is empty\nhint: give a folder with --into"),
    };
    let (access, most) = (arguments.access.access(reference)?, place.sandbox()?.max_component().0);
    let bar = bytes_bar("pulling")?;
    let mut progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let pulled = tomas_distribution::pull(reference, &mut Session { access, most, progress: &mut progress });
    bar.finish_and_clear();
    let pulled = pulled?;
    let parcel = Parcel::open(pulled.artifact, reference)?;
    let keys = &place.config.trust.keys;
    trust::trusted(parcel.signer(), keys).with_context(|| format!("tool `{}` is refused", parcel.name()))?;
    let trusted = parcel.signer().is_some() && !keys.is_empty();
    permit(&parcel, arguments.permit || trusted)?;
    install::alone(&parcel, &into, &place.folders()?)?;
    let (put, path) = parcel.put(&into, arguments.force, reference, pulled.digest)?;
    let verb = if put == Put::New { "pulled" } else { "there already" };
    say(&format!("{}: {verb}, {} bytes\nfrom {}", path.display(), parcel.bytes(), reference.at(pulled.digest)))?;
    say(&match parcel.signer() {
        Some(signer) if trusted => format!("signed by `{signer}`, whom `[trust] keys` names"),
        Some(signer) => format!("signed by `{signer}`; whether to trust that is yours to say, in `[trust] keys`"),
        None => "not signed".to_owned(),
    })?;
    for wish in parcel.wants() {
        say(&plain(&format!("it may: {wish}")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a manifest permits itself counts only when somebody here agrees.
fn permit(parcel: &Parcel, agreed: bool) -> anyhow::Result<()> {
    let wants = parcel.wants();
    if wants.is_empty() || agreed {
        return Ok(());
    }
    bail!("tool `{}` wants {}\nhint: grant that with --permit", parcel.name(), wants.join(", "))
}

/// Pushes a tool, or a component alone, to a registry.
///
/// # Errors
/// When it cannot be read or is refused, or the registry refuses.
pub fn push(place: &Place, arguments: &PushArguments) -> anyhow::Result<ExitCode> {
    let reference = &arguments.reference;
    let most = place.sandbox()?.max_component();
    let artifact = parcel::pack(&arguments.path, most, reference)?;
    let access = arguments.access.access(reference)?;
    let bar = bytes_bar("pushing")?;
    let mut progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let mut session = Session { access, most: most.0, progress: &mut progress };
    let digest = tomas_distribution::push(reference, &artifact, &mut session);
    bar.finish_and_clear();
    let digest = digest?;
    if arguments.path.is_dir() && !arguments.path.join(trust::SIGNATURE).exists() {
        note("it is not signed; `tomas-host tool sign` shows others whose it is");
    }
    say(&format!("pushed {reference}, {} bytes\nas {}", artifact.component.len(), reference.at(digest)))?;
    Ok(ExitCode::SUCCESS)
}
