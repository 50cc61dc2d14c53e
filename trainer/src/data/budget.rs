//! Budgets: the one a session states in numbers, and the one a request states in words.

use super::{
    split::Split,
    template::{Part, Template},
};
use fastrand::Rng;
use serde::Deserialize;
use tomas_core::{
    amount::{Bytes, MilliCpu},
    level::{Level, LevelTable},
    resource::{Resource, Resources},
};

/// Ways to state a budget around a request (`data/language/budgets.toml`).
#[derive(Debug, Clone, Default)]
pub struct Phrases(Vec<(Template, Split)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhraseFile {
    phrase: Vec<RawPhrase>,
}

#[derive(Deserialize)]
struct RawPhrase {
    texts: Vec<String>,
}

/// A request with a budget in words around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// The parts, with the request where the phrase had `{request}`.
    pub parts: Vec<Part>,
    /// What the words allow; `u64::MAX`-like amounts where they say nothing.
    pub limit: Resources,
}

const UNLIMITED: Resources =
    Resources { cpu: MilliCpu(u32::MAX), memory: Bytes(u64::MAX), gpu_sms: u32::MAX, gpu_memory: Bytes(u64::MAX) };

impl Phrases {
    /// Parses `budgets.toml`.
    ///
    /// # Errors
    /// When it is not of that form, a phrase lacks `{request}`, or has a slot that budgets do not know.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: PhraseFile = toml::from_str(text).map_err(|e| e.to_string())?;
        let mut phrases = Vec::new();
        for text in file.phrase.iter().flat_map(|p| &p.texts) {
            let template = Template::parse(text).map_err(|e| e.to_string())?;
            let slots = template.slots();
            if !slots.contains(&"request") {
                return Err(format!("`{text}` lacks `{{request}}`"));
            }
            if let Some(slot) = slots.iter().find(|s| !["request", "cpu", "memory", "sms", "vram"].contains(s)) {
                return Err(format!("`{text}` uses `{{{slot}}}`; budgets know request, cpu, memory, sms and vram"));
            }
            phrases.push((template, Split::of(text)));
        }
        Ok(Self(phrases))
    }

    /// Wraps a request in a stated budget. `None` when no phrase lies on this side of the split.
    pub fn state(&self, request: &[Part], split: Split, rng: &mut Rng) -> Option<Stated> {
        let side: Vec<&Template> = self.0.iter().filter(|(_, s)| *s == split).map(|(t, _)| t).collect();
        let template = rng.choice(side)?;
        let mut limit = UNLIMITED;
        let mut parts = Vec::new();
        for part in template.render(rng) {
            match part {
                Part::Slot(name) if name == "request" => parts.extend(request.iter().cloned()),
                Part::Slot(name) => parts.push(Part::Text(amount(&name, &mut limit, rng))),
                text @ Part::Text(_) => parts.push(text),
            }
        }
        Some(Stated { parts, limit })
    }
}

/// Draws an amount, writes it into the limit, and says it.
fn amount(slot: &str, limit: &mut Resources, rng: &mut Rng) -> String {
    let (text, narrowed) = match slot {
        "cpu" => {
            let (text, millis) = cpu(rng);
            (text, Resources { cpu: limit.cpu.min(MilliCpu(millis)), ..*limit })
        }
        "memory" => {
            let (text, bytes) = memory(rng);
            (text, Resources { memory: limit.memory.min(bytes), ..*limit })
        }
        "sms" => {
            let (text, sms) = one(
                &[("no GPU", 0), ("40 SMs", 40), ("20 SMs", 20), ("60 SMs", 60), ("0 SMs", 0), ("without GPU", 0)],
                rng,
            );
            (text, Resources { gpu_sms: limit.gpu_sms.min(sms), ..*limit })
        }
        _ => {
            let (text, gib) = one(
                &[("4GB VRAM", 4), ("2GB VRAM", 2), ("8 GB of VRAM", 8), ("1GB GPU memory", 1), ("no VRAM", 0)],
                rng,
            );
            (text, Resources { gpu_memory: limit.gpu_memory.min(Bytes(u64::from(gib) << 30)), ..*limit })
        }
    };
    *limit = narrowed;
    text
}

fn one(items: &[(&str, u32)], rng: &mut Rng) -> (String, u32) {
    let (text, n) = items[rng.usize(0..items.len())];
    (text.to_owned(), n)
}

fn cpu(rng: &mut Rng) -> (String, u32) {
    const SAID: [(&str, u32); 22] = [
        ("half a core", 500),
        ("a quarter core", 250),
        ("a quarter of a core", 250),
        ("one core", 1000),
        ("1 core", 1000),
        ("a single core", 1000),
        ("two cores", 2000),
        ("2 cores", 2000),
        ("4 cores", 4000),
        ("8 cores", 8000),
        ("0.5 cores", 500),
        ("0.25 cpu", 250),
        ("1 CPU", 1000),
        ("2 CPUs", 2000),
        ("0.5 CPU", 500),
        ("half a CPU", 500),
        ("1.5 cores", 1500),
        ("1 vCPU", 1000),
        ("2 vCPUs", 2000),
        ("a third of a core", 333),
        ("three cores", 3000),
        ("one and a half cores", 1500),
    ];
    if rng.u32(0..3) == 0 {
        let millis = rng.u32(5..41) * 50;
        (format!("{millis}{}", if rng.bool() { "m" } else { " millicores" }), millis)
    } else {
        one(&SAID, rng)
    }
}

fn memory(rng: &mut Rng) -> (String, Bytes) {
    let (n, unit, base): (u64, &str, u64) = match rng.u32(0..10) {
        0..4 => ([16, 20, 24, 32, 48, 50, 64, 100, 128, 200, 256, 512][rng.usize(0..12)], "MB", 1_000_000),
        4..7 => ([16, 24, 32, 48, 64, 96, 128, 192, 256, 512][rng.usize(0..10)], "MiB", 1 << 20),
        7..9 => (rng.u64(1..17), "GB", 1_000_000_000),
        _ => (rng.u64(1..9), "GiB", 1 << 30),
    };
    // 16 MB is a little less than the lowest level of 16 MiB: say a bit more, so that something fits.
    let n = if unit == "MB" && n == 16 { 17 } else { n };
    let unit = match (unit, rng.u32(0..6)) {
        ("GB", 0) => "gig",
        ("GB", 1) => "gigs",
        ("MB", 0) => "megabytes",
        ("MB", 1) => "megs",
        (unit, _) => unit,
    };
    let gap = if rng.bool() { " " } else { "" };
    let tail = ["", "", " of RAM", " RAM", " of memory", " memory"][rng.usize(0..6)];
    (format!("{n}{gap}{unit}{tail}"), Bytes(n * base))
}

/// A session's budget: often everything, often a level or something between two.
pub fn structured(levels: &LevelTable, rng: &mut Rng) -> Resources {
    let whole = Resources { cpu: MilliCpu(2000), memory: Bytes::mib(1024), gpu_sms: 0, gpu_memory: Bytes(0) };
    if rng.u32(0..10) < 5 {
        return whole;
    }
    let draw = |r, rng: &mut Rng| {
        let level = [Level::Low, Level::Med, Level::High][rng.usize(0..3)];
        let exact = levels.amount(r, level);
        if rng.bool() { exact } else { exact + exact * rng.u64(0..90) / 100 }
    };
    let (cpu, memory) = (draw(Resource::Cpu, rng), draw(Resource::Memory, rng));
    Resources::from_fn(|r| match r {
        Resource::Cpu => cpu,
        Resource::Memory => memory,
        _ => 0,
    })
}
