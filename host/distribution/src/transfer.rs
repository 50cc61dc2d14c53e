//! Pulling and pushing artifacts.

use crate::{
    digest::Digest,
    error::RegistryError,
    http::{Access, Http, Request, Right, claimed, read, said},
    image::{self, Artifact, IMAGE, LAYER, MOST_IMAGE},
    reference::Reference,
};
use ureq::{
    Body,
    http::{Response, header},
};

/// Told how many bytes of a body have come or gone.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(u64);

/// What a transfer is held to, and who watches it.
pub struct Session<'a> {
    /// How the registry is asked.
    pub access: Access,
    /// Most bytes of a component.
    pub most: u64,
    /// Told how many bytes of a component have come or gone, and how many there are.
    pub progress: &'a mut dyn FnMut(u64, u64),
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The component and its texts.
    pub artifact: Artifact,
    /// The digest of the manifest, under which the same artifact can be had again.
    pub digest: Digest,
}

const TO_PULL: &str = "pull a smaller tool, or ask its author";
const TO_PUSH: &str = "make it smaller; the host would not run it";

/// Pulls an artifact: its manifest, and then its only layer, which must be what the manifest says.
///
/// # Errors
/// When the registry cannot be reached or refuses, what it sends is too large, damaged or no component, or it is not what
/// the reference's digest names.
pub fn pull(reference: &Reference, session: &mut Session<'_>) -> Result<Pulled, RegistryError> {
    let mut http = Http::new(reference, Right::Pull, &session.access);
    let request = Request::get(http.url(&format!("manifests/{}", reference.wanted())), IMAGE);
    let response = ok(http.send(&request, &mut |_| ())?, &request.url, reference)?;
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|k| k.to_str().ok()).map(str::to_owned);
    let claimed = claimed(&response);
    let bytes = read(response, MOST_IMAGE, "the artifact's manifest", TO_PULL, &mut |_| ())?;
    let digest = Digest::of(&bytes);
    for wanted in [reference.digest(), claimed].into_iter().flatten() {
        same("the artifact's manifest", digest, wanted)?;
    }
    let image = image::decode(&bytes, kind.as_deref(), &request.url)?;
    if image.size > session.most {
        let (found, most) = (image.size, session.most);
        return Err(RegistryError::TooLarge { what: "the component", found, most, hint: TO_PULL });
    }
    let request = Request::get(http.url(&format!("blobs/{}", image.digest)), LAYER);
    let response = ok(http.send(&request, &mut |_| ())?, &request.url, reference)?;
    let component = read(response, image.size, "the component", TO_PULL, &mut |n| (session.progress)(n, image.size))?;
    if (component.len() as u64) < image.size {
        let (found, wanted) = (component.len() as u64, image.size);
        return Err(RegistryError::Short { what: "the component", found, wanted });
    }
    same("the component", Digest::of(&component), image.digest)?;
    image::check_component(&component)?;
    Ok(Pulled { artifact: Artifact { component, annotations: image.annotations }, digest })
}

/// Pushes an artifact and returns the digest under which it can be had.
///
/// # Errors
/// When the registry cannot be reached or refuses, or the artifact is too large or no component.
pub fn push(reference: &Reference, artifact: &Artifact, session: &mut Session<'_>) -> Result<Digest, RegistryError> {
    let (config, manifest) = image::encode(artifact);
    let large = |what, found, most| Err(RegistryError::TooLarge { what, found, most, hint: TO_PUSH });
    let (size, length) = (artifact.component.len() as u64, manifest.len() as u64);
    if size > session.most {
        return large("the component", size, session.most);
    }
    if length > MOST_IMAGE {
        return large("the artifact's manifest", length, MOST_IMAGE);
    }
    image::check_component(&artifact.component)?;
    let digest = Digest::of(&manifest);
    // By a digest nothing else can be pushed than what it names.
    if let Some(wanted) = reference.digest() {
        same("the artifact's manifest", digest, wanted)?;
    }
    let mut http = Http::new(reference, Right::Push, &session.access);
    upload(&mut http, reference, &artifact.component, &mut |n| (session.progress)(n, size))?;
    upload(&mut http, reference, &config, &mut |_| ())?;
    let url = http.url(&format!("manifests/{}", reference.wanted()));
    let request = Request::send("PUT", url, &manifest, IMAGE);
    ok(http.send(&request, &mut |_| ())?, &request.url, reference)?;
    Ok(digest)
}

/// Puts bytes into the repository, unless they are there.
fn upload(http: &mut Http, reference: &Reference, bytes: &[u8], progress: Progress<'_>) -> Result<(), RegistryError> {
    let digest = Digest::of(bytes);
    let there = Request { method: "HEAD", url: http.url(&format!("blobs/{digest}")), accept: None, body: None };
    if http.send(&there, &mut |_| ())?.status() == 200 {
        progress(bytes.len() as u64);
        return Ok(());
    }
    let request = Request::send("POST", http.url("blobs/uploads/"), &[], "application/octet-stream");
    let response = ok(http.send(&request, &mut |_| ())?, &request.url, reference)?;
    let place = http.location(&response, &request.url)?;
    let joint = if place.contains('?') { '&' } else { '?' };
    let request = Request::send("PUT", format!("{place}{joint}digest={digest}"), bytes, "application/octet-stream");
    ok(http.send(&request, progress)?, &request.url, reference).map(drop)
}

/// Refuses all statuses but those of success.
fn ok(response: Response<Body>, url: &str, reference: &Reference) -> Result<Response<Body>, RegistryError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status == 404 {
        return Err(RegistryError::NotFound(reference.to_string()));
    }
    if status == 401 || status == 403 {
        let (registry, repository) = (reference.registry().to_owned(), reference.repository().to_owned());
        return Err(RegistryError::Unauthorized { registry, repository, why: said(response) });
    }
    Err(RegistryError::Status { url: url.to_owned(), status: status.as_u16(), said: said(response) })
}

fn same(what: &'static str, found: Digest, wanted: Digest) -> Result<(), RegistryError> {
    if found == wanted { Ok(()) } else { Err(RegistryError::Digest { what, found, wanted }) }
}
