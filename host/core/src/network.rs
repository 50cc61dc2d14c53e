//! Where a tool may connect to, and which addresses a name may lead to.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// A destination that is granted: `api.example.org:443`, `*.example.org:443`, `localhost:8080`, `10.0.0.5:80` or
/// `[fd00::1]:80`. The port is part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// An address, written out: the only way to one that is not public.
    Address(IpAddr),
    /// One name.
    Name(String),
    /// Every name below one.
    Below(String),
}

/// Why a text is no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a destination\nhint: write `host:port`, as in `api.example.org:443`, `*.example.org:443`, \
     `localhost:8080`, `10.0.0.5:80` or `[fd00::1]:80`; names in ASCII (`xn--…`)"
)]
pub struct DestinationError(String);

/// What a request may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// This address.
    Address(IpAddr),
    /// The machine itself, without asking anybody for the name's addresses (RFC 6761).
    Loopback,
    /// What the name resolves to, as far as [`may_lead_to`] allows.
    Resolve,
}

/// Whether and how `host` (a name, or an address without brackets) and `port` are granted by `destinations`. A name is never
/// granted by an address, and an address never by a name.
#[must_use]
pub fn lead(destinations: &[Destination], host: &str, port: u16) -> Option<Lead> {
    let mut of_port = destinations.iter().filter(|destination| destination.port == port);
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        return of_port.any(|d| d.host == Host::Address(address)).then_some(Lead::Address(address));
    }
    let name = name(host)?;
    let granted = of_port.any(|destination| match &destination.host {
        Host::Address(_) => false,
        Host::Name(granted) => *granted == name,
        Host::Below(above) => name.strip_suffix(above.as_str()).is_some_and(|below| below.ends_with('.')),
    });
    granted.then_some(if name == "localhost" || name.ends_with(".localhost") { Lead::Loopback } else { Lead::Resolve })
}

/// Whether a granted name may lead to this address: it is public, or granted itself. So a name whose owner lets it resolve to
/// an address inside the operator's network (DNS rebinding) leads nowhere.
#[must_use]
pub fn may_lead_to(destinations: &[Destination], address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    is_public(ip) || destinations.iter().any(|d| d.port == address.port() && d.host == Host::Address(ip))
}

/// Whether an address belongs to the public internet: none of the special-purpose blocks of IANA's registries (RFC 6890),
/// also where one is wrapped into an IPv6 address (mapped, NAT64, 6to4, Teredo).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || (a == 100 && (64..128).contains(&b)) // shared by carriers
        || a == 127
        || (a == 169 && b == 254) // link-local, where clouds answer with credentials
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 192 && b == 168)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224) // multicast, reserved, broadcast
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let wrapped = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => wrapped(high, low), // NAT64
        [0x2002, high, low, ..] => wrapped(high, low),               // 6to4
        [0x2001, 0, ..] => false,                                    // Teredo
        [0x2001, second, ..] if second < 0x200 => false,             // protocol assignments, benchmarks, ORCHID
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,      // documentation
        // Global unicast is all that is handed out; the rest is loopback, local, multicast or reserved.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// A name in lower case without its final dot, if it can be one.
fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits would be read as an address by some resolvers (`127.1`, `0x7f.1`).
    let last_is_number = text.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    (text.len() <= 253 && text.split('.').all(label) && !last_is_number).then_some(text)
}

impl Destination {
    /// The host as it was granted: a name, `*.` and a name, or an address.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Address(address) => address.to_string(),
            Host::Name(name) => name.clone(),
            Host::Below(name) => format!("*.{name}"),
        }
    }
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let refused = || DestinationError(text.chars().take(80).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or_else(refused)?;
        let host = if let Some(bare) = host.strip_prefix('[') {
            let address: Ipv6Addr = bare.strip_suffix(']').and_then(|a| a.parse().ok()).ok_or_else(refused)?;
            Host::Address(IpAddr::V6(address).to_canonical())
        } else if let Ok(address) = host.parse::<Ipv4Addr>() {
            Host::Address(address.into())
        } else if let Some(above) = host.strip_prefix("*.") {
            Host::Below(name(above).ok_or_else(refused)?)
        } else {
            Host::Name(name(host).ok_or_else(refused)?)
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{port}"),
            Host::Address(address) => write!(f, "{address}:{port}"),
            Host::Name(name) => write!(f, "{name}:{port}"),
            Host::Below(name) => write!(f, "*.{name}:{port}"),
        }
    }
}

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(destinations: &[&str]) -> Vec<Destination> {
        destinations.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn destinations_are_read_and_shown() {
        for text in ["a.example.org:443", "*.example.org:8443", "10.0.0.5:80", "[fd00::1]:80", "localhost:1"] {
            assert_eq!(text.parse::<Destination>().unwrap().to_string(), text);
        }
        assert_eq!("Example.ORG.:443".parse::<Destination>().unwrap().to_string(), "example.org:443");
        for text in [
            "",
            "example.org",
            "example.org:",
            "example.org:0",
            "example.org:65536",
            "example.org:https",
            "*:443",
            "*.:443",
            "a.*.org:443",
            "http://example.org:443",
            "example.org/:443",
            "user@example.org:443",
            "exämple.org:443",
            "127.1:80",
            "0x7f.1:80",
            "2130706433:80",
            "fd00::1:80",
            "[fd00::1:80",
            "[10.0.0.1]:80",
            "a..b:80",
            "-a.org:80",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_request_needs_its_name_or_its_address_and_its_port() {
        let granted = granted(&["a.example.org:443", "*.b.org:443", "10.0.0.5:80", "[::1]:80", "localhost:8080"]);
        for (host, port, leads) in [
            ("a.example.org", 443, Some(Lead::Resolve)),
            ("A.EXAMPLE.org.", 443, Some(Lead::Resolve)),
            ("a.example.org", 80, None),
            ("example.org", 443, None),
            ("b.a.example.org", 443, None),
            ("x.b.org", 443, Some(Lead::Resolve)),
            ("x.y.b.org", 443, Some(Lead::Resolve)),
            ("b.org", 443, None),
            ("xb.org", 443, None),
            ("10.0.0.5", 80, Some(Lead::Address([10, 0, 0, 5].into()))),
            ("::ffff:10.0.0.5", 80, Some(Lead::Address([10, 0, 0, 5].into()))),
            ("10.0.0.6", 80, None),
            ("167772165", 80, None), // 10.0.0.5 to some resolvers
            ("::1", 80, Some(Lead::Address(Ipv6Addr::LOCALHOST.into()))),
            ("localhost", 8080, Some(Lead::Loopback)),
            ("127.0.0.1", 8080, None),
            ("", 443, None),
        ] {
            assert_eq!(lead(&granted, host, port), leads, "{host}:{port}");
        }
    }

    #[test]
    fn only_public_addresses_are_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2001:0:a00:1::1",
            "2001:db8::1",
            "2001:10::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_name_leads_inside_only_where_the_address_is_granted_too() {
        let names = granted(&["a.example.org:443"]);
        let both = granted(&["a.example.org:443", "10.0.0.5:443"]);
        let inside: SocketAddr = "10.0.0.5:443".parse().unwrap();
        assert!(may_lead_to(&names, "1.1.1.1:443".parse().unwrap()));
        assert!(!may_lead_to(&names, inside));
        assert!(may_lead_to(&both, inside));
        assert!(!may_lead_to(&both, "10.0.0.5:80".parse().unwrap()));
    }
}
