//! Policies of wassette: `NAME.policy.yaml` beside `NAME.wasm` grants what it can in our words, and never more.

use crate::files;
use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};
use tomas_core::{
    amount::{Bytes, MilliCpu},
    manifest::{Ceiling, FileAccess, Permissions},
    network::Destination,
};

/// Ports of a host that is granted without one: HTTPS and HTTP.
const PORTS: [u16; 2] = [443, 80];

/// Most bytes of a policy.
const MOST: Bytes = Bytes::mib(1);

/// What a policy comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What its tools may reach.
    pub permissions: Permissions,
    /// The most that a call of them gets.
    pub ceiling: Ceiling,
    /// What it grants that is not granted here, and why.
    pub left_out: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    version: serde_json::Value,
    #[serde(default)]
    permissions: Sections,
}

#[derive(Debug, Default, Deserialize)]
struct Sections {
    #[serde(default)]
    storage: Rules<Storage>,
    #[serde(default)]
    network: Rules<Network>,
    #[serde(default)]
    environment: Rules<Variable>,
    #[serde(default)]
    resources: Resources,
}

#[derive(Debug, Deserialize)]
struct Rules<T> {
    #[serde(default = "Vec::new")]
    allow: Vec<T>,
    #[serde(default = "Vec::new")]
    deny: Vec<T>,
}

impl<T> Default for Rules<T> {
    fn default() -> Self {
        Self { allow: Vec::new(), deny: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
struct Storage {
    uri: String,
    access: Vec<Access>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Access {
    Read,
    Write,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Network {
    Host { host: String },
    Cidr { cidr: String },
}

#[derive(Debug, Deserialize)]
struct Variable {
    key: String,
}

#[derive(Debug, Default, Deserialize)]
struct Resources {
    #[serde(default)]
    limits: Limits,
}

#[derive(Debug, Default, Deserialize)]
struct Limits {
    cpu: Option<MilliCpu>,
    memory: Option<Bytes>,
}

impl Policy {
    /// The bytes of a component's policy, if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or is too large.
    pub fn read(component: &Path) -> anyhow::Result<Option<Vec<u8>>> {
        let path = Self::path(component);
        path.symlink_metadata().is_ok().then(|| files::read(&path, MOST)).transpose()
    }

    /// Where a component's policy is, if it has one.
    #[must_use]
    pub fn path(component: &Path) -> PathBuf {
        component.with_extension("policy.yaml")
    }

    /// Reads the policy of a component.
    ///
    /// # Errors
    /// When it does not parse, or denies a part of what it allows.
    pub fn parse(component: &Path, policy: &[u8]) -> anyhow::Result<Self> {
        let path = Self::path(component);
        let refused = || format!("policy `{}` is refused, and with it its component", path.display());
        let policy = std::str::from_utf8(policy).map_err(anyhow::Error::from).and_then(Self::from_text);
        let policy = policy.with_context(refused)?;
        policy.left_out.iter().for_each(|what| tracing::warn!("policy `{}`: {what}", path.display()));
        Ok(policy)
    }

    /// Reads a policy. Its components were made for a host that lets all of them read clocks and randomness.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    fn from_text(text: &str) -> anyhow::Result<Self> {
        let File { version, permissions: sections } = serde_saphyr::from_str(text)?;
        if !matches!(version.to_string().trim_matches('"'), "1.0" | "1") {
            bail!("it is of version {version}; known is \"1.0\"");
        }
        let mut left_out = Vec::new();
        let Limits { cpu, memory } = sections.resources.limits;
        let default = Ceiling::default();
        let permissions = Permissions {
            clock: true,
            random: true,
            files: files(&sections.storage, &mut left_out),
            environment: sections.environment.allow.into_iter().map(|variable| variable.key).collect(),
            network: network(&sections.network, &mut left_out)?,
            ..Permissions::default()
        };
        let ceiling = Ceiling { cpu: cpu.unwrap_or(default.cpu), memory: memory.unwrap_or(default.memory), ..default };
        Ok(Self { permissions, ceiling, left_out })
    }
}

/// Access to the session's folder, where the policy has it to any: other folders of this machine are not granted.
fn files(storage: &Rules<Storage>, left_out: &mut Vec<String>) -> FileAccess {
    if let (Some(deny), false) = (storage.deny.first(), storage.allow.is_empty()) {
        left_out.push(format!("no files are granted, because parts of them are denied (`{}`)", deny.uri));
        return FileAccess::None;
    }
    let asked = |access| storage.allow.iter().any(|rule| rule.access.contains(&access));
    if let Some(rule) = storage.allow.first() {
        left_out.push(format!("`{}` is the session's folder at `/workspace` here", rule.uri));
    }
    match (asked(Access::Write), asked(Access::Read)) {
        (true, _) => FileAccess::ReadWrite,
        (false, true) => FileAccess::Read,
        (false, false) => FileAccess::None,
    }
}

fn network(rules: &Rules<Network>, left_out: &mut Vec<String>) -> anyhow::Result<Vec<Destination>> {
    let mut granted = Vec::new();
    for rule in &rules.allow {
        let host = match rule {
            Network::Host { host } => host,
            Network::Cidr { cidr } => {
                left_out.push(format!("`{cidr}` is not granted: addresses are granted one by one, in a tool.toml"));
                continue;
            }
        };
        let bare = bare(host);
        let found: Vec<Destination> = match bare.parse() {
            Ok(destination) => vec![destination],
            Err(_) => PORTS.iter().filter_map(|port| format!("{bare}:{port}").parse().ok()).collect(),
        };
        if found.is_empty() {
            left_out.push(format!("`{host}` is not granted: it is no `host:port`"));
        }
        granted.extend(found);
    }
    for rule in &rules.deny {
        // What is not granted is denied anyway.
        if granted.is_empty() {
            break;
        }
        let host = &match rule {
            Network::Host { host } => denied(host)?,
            Network::Cidr { cidr } => {
                without(cidr, &mut granted)?;
                continue;
            }
        };
        let above = host.strip_prefix("*.");
        granted.retain(|destination| destination.host() != *host);
        let touched = granted.iter().find(|destination| {
            let granted = destination.host();
            let within = |name: &str, above: &str| name.strip_suffix(above).is_some_and(|below| below.ends_with('.'));
            let wider =
                granted.strip_prefix("*.").is_some_and(|granted| within(above.unwrap_or(host.as_str()), granted));
            wider || above.is_some_and(|above| within(granted.trim_start_matches("*."), above))
        });
        if let Some(destination) = touched {
            bail!(
                "it denies `{host}`, which is a part of `{destination}` that it allows\n\
                 hint: allow the hosts that are meant one by one; what is not allowed is denied"
            );
        }
    }
    Ok(granted)
}

/// A host without what some write around it: a scheme, and the slash of a URL.
fn bare(host: &str) -> &str {
    host.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/')
}

/// The host that a denial means, spelled as grants are, on every port.
fn denied(host: &str) -> anyhow::Result<String> {
    let bare = bare(host);
    let read = |text: &str| text.parse::<Destination>().map(|destination| destination.host());
    read(bare).or_else(|_| read(&format!("{bare}:443"))).map_err(|_| {
        anyhow!(
            "it denies `{host}`, which is no host\nhint: write a name, `*.` and a name, or an address; what is not allowed is denied"
        )
    })
}

/// Blocks of addresses that no name leads to here, whatever it resolves to.
const INSIDE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// A block of addresses: its bits as IPv6, and how many of them count.
fn block(cidr: &str) -> Option<(u128, u32)> {
    let (address, length) = cidr.split_once('/').unwrap_or((cidr, "128"));
    let (address, most): (IpAddr, u32) =
        address.parse().map(|a: IpAddr| (a, if a.is_ipv4() { 32 } else { 128 })).ok()?;
    let length = length.parse::<u32>().ok()?.min(most) + 128 - most;
    Some((bits(address), length))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
    .to_bits()
}

/// Whether a block holds an address.
const fn holds((base, length): (u128, u32), address: u128) -> bool {
    match 128_u32.checked_sub(length) {
        Some(128) | None => true,
        Some(free) => base >> free == address >> free,
    }
}

/// Takes the addresses of a block out of what is granted.
///
/// # Errors
/// When a name that is granted may lead there.
fn without(cidr: &str, granted: &mut Vec<Destination>) -> anyhow::Result<()> {
    let denied = block(cidr).with_context(|| format!("it denies `{cidr}`, which is no block of addresses"))?;
    let address = |destination: &Destination| destination.host().parse::<IpAddr>().ok();
    granted.retain(|destination| address(destination).is_none_or(|address| !holds(denied, bits(address))));
    let inside = INSIDE.iter().filter_map(|cidr| block(cidr)).any(|all| all.1 <= denied.1 && holds(all, denied.0));
    match granted.iter().find(|destination| address(destination).is_none()) {
        Some(name) if !inside => bail!(
            "it denies `{cidr}`, to which `{name}` that it allows may lead\n\
             hint: addresses inside of your network are denied anyway; leave the rule out, or the name"
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(policy: &Policy) -> Vec<String> {
        policy.permissions.network.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_wassette_grants_is_granted_in_our_words() {
        let policy = Policy::from_text(
            r#"
version: "1.0"
description: "weather"
permissions:
  storage:
    allow:
      - uri: "fs://workspace/**"
        access: ["read", "write"]
  network:
    allow:
      - host: "api.openweathermap.org"
      - host: "https://example.org/"
      - host: "*.example.com:8443"
      - cidr: "10.0.0.0/8"
  environment:
    allow:
      - key: "OPENWEATHER_API_KEY"
  resources:
    limits:
      cpu: "500m"
      memory: "512Mi"
"#,
        )
        .unwrap();
        let all = [
            "api.openweathermap.org:443",
            "api.openweathermap.org:80",
            "example.org:443",
            "example.org:80",
            "*.example.com:8443",
        ];
        assert_eq!(granted(&policy), all);
        assert_eq!(policy.permissions.files, FileAccess::ReadWrite);
        assert_eq!(policy.permissions.environment, ["OPENWEATHER_API_KEY"]);
        assert_eq!((policy.ceiling.cpu, policy.ceiling.memory), (MilliCpu(500), Bytes::mib(512)));
        assert_eq!(policy.left_out.len(), 2, "{:?}", policy.left_out);
    }

    #[test]
    fn a_policy_that_grants_nothing_grants_nothing() {
        let policy = Policy::from_text("version: \"1.0\"\ndescription: d\npermissions: {}\n").unwrap();
        let none = Permissions { clock: true, random: true, ..Permissions::default() };
        assert_eq!((policy.permissions, policy.ceiling), (none, Ceiling::default()));
    }

    #[test]
    fn denials_take_away_and_never_less_than_they_say() {
        let with = |allow: &str, deny: &str| {
            Policy::from_text(&format!(
                "version: \"1.0\"\npermissions:\n  network:\n    allow: [{{host: \"{allow}\"}}]\n    deny: [{{host: \"{deny}\"}}]\n"
            ))
        };
        assert!(granted(&with("a.org", "a.org").unwrap()).is_empty());
        assert_eq!(granted(&with("a.org", "b.org").unwrap()).len(), 2);
        // Denials may be spelled as allowances may.
        for deny in ["A.ORG", "https://a.org/", "http://a.org", "a.org:443", "a.org:8080"] {
            assert!(granted(&with("a.org", deny).unwrap()).is_empty(), "{deny}");
        }
        for deny in ["*", "a.*", "", "a.org/path"] {
            assert!(with("a.org", deny).unwrap_err().to_string().contains("no host"), "{deny}");
        }
        for (allow, deny) in
            [("*.a.org", "b.a.org"), ("*.a.org", "*.b.a.org"), ("b.a.org", "*.a.org"), ("*.b.a.org", "*.a.org")]
        {
            assert!(with(allow, deny).unwrap_err().to_string().contains("denies"), "{allow} {deny}");
        }
        let files = "version: \"1.0\"\npermissions:\n  storage:\n    allow: [{uri: \"fs://a/**\", access: [read]}]\n    deny: [{uri: \"fs://a/b\", access: [read]}]\n";
        assert_eq!(Policy::from_text(files).unwrap().permissions.files, FileAccess::None);
    }

    #[test]
    fn blocks_of_addresses_are_denied_or_the_policy_is_refused() {
        let with = |allow: &str, deny: &str| {
            Policy::from_text(&format!(
                "version: \"1.0\"\npermissions:\n  network:\n    allow: [{{host: \"{allow}\"}}]\n    deny: [{{cidr: \"{deny}\"}}]\n"
            ))
        };
        for deny in ["10.0.0.0/8", "10.1.2.3/32", "192.168.7.0/24", "fd00::/8", "127.0.0.1/32"] {
            assert_eq!(granted(&with("a.org:80", deny).unwrap()), ["a.org:80"], "{deny}");
        }
        for deny in ["0.0.0.0/0", "::/0", "8.0.0.0/7", "8.8.8.8", "10.0.0.0/7", "ff00::/8"] {
            assert!(with("a.org", deny).unwrap_err().to_string().contains("may lead"), "{deny}");
        }
        for (allow, deny, left) in
            [("8.8.8.8:53", "8.8.8.0/24", 0), ("10.0.0.5:80", "10.0.0.0/8", 0), ("8.8.8.8:53", "9.0.0.0/8", 1)]
        {
            assert_eq!(granted(&with(allow, deny).unwrap()).len(), left, "{allow} {deny}");
        }
        assert!(with("a.org", "everything").unwrap_err().to_string().contains("no block"));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for text in [
            "",
            "[]",
            "version: \"2.0\"\n",
            "permissions: {}\n",
            "version: \"1.0\"\npermissions: 7\n",
            "version: [\n",
            "a: &a [*a, *a]",
        ] {
            assert!(Policy::from_text(text).is_err(), "{text}");
        }
        let impossible = "version: \"1.0\"\npermissions: {resources: {limits: {memory: \"much\"}}}\n";
        assert!(format!("{:#}", Policy::from_text(impossible).unwrap_err()).contains("much"));
    }
}
