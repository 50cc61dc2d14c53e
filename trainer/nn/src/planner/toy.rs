//! Forty requests that a tiny planner can learn by heart, shared by tests.

use crate::config::{CrossConfig, DecoderConfig, EncoderConfig};
use crate::piece::{PieceEncoder, Pieces};
use crate::planner::{ConfigurationRow, PlannerConfig};
use crate::script::{Action, Route, Script};
use crate::{symbol, toy};

pub(super) const WORDS: &[&str] = &[
    "convert", "miles", "feet", "metres", "inches", "to", "what", "is", "times", "plus", "repeat", "hello", "thanks",
    "in", "twice",
];
const LIMIT: usize = 24;

pub(super) fn config() -> PlannerConfig {
    let tools = ["calculator", "units", "echo"];
    let row = |(tool, name): (usize, &&str)| {
        ["LOW", "HIGH"].map(|level| ConfigurationRow { name: format!("{name}_{level}"), tool: tool as u32 })
    };
    PlannerConfig {
        registry: "toy".into(),
        tools: tools.map(str::to_owned).into(),
        configurations: tools.iter().enumerate().flat_map(row).collect(),
        piece_limit: LIMIT,
        pointer: 16,
        encoder: EncoderConfig {
            vocabulary: pieces().vocabulary(),
            hidden: 32,
            layers: 2,
            heads: 4,
            intermediate: 64,
            positions: LIMIT,
            epsilon: 1e-12,
        },
        decoder: DecoderConfig {
            vocabulary: symbol::COUNT,
            hidden: 48,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            intermediate: 96,
            theta: 10_000.0,
            epsilon: 1e-6,
            tied: true,
            cross: Some(CrossConfig { width: 32, gate: 0.5 }),
        },
    }
}

pub(super) fn pieces() -> PieceEncoder {
    PieceEncoder::from_json(&toy::tokenizer(WORDS), LIMIT).unwrap()
}

/// A request, its budget, and the plan that serves it.
pub(super) struct Sample {
    pub(super) pieces: Pieces,
    pub(super) levels: [u8; 4],
    pub(super) actions: Vec<Action>,
    pub(super) script: Script,
}

/// A call whose arguments are JSON with `<span>` for spans of the request.
fn call(request: &str, pieces: &Pieces, configuration: u32, json: &str) -> Vec<Action> {
    let mut actions = vec![Action::Route(Route::Configuration(configuration))];
    for (i, part) in json.split(['<', '>']).enumerate() {
        if i % 2 == 0 {
            actions.extend(part.bytes().map(Action::Byte));
        } else {
            let from = request.find(part).unwrap();
            let (start, end) = pieces.span(from, from + part.len()).unwrap();
            actions.push(Action::Copy { start: start as u32, end: end as u32 });
        }
    }
    actions
}

/// 40 requests: conversions, sums, repetitions (a number in bytes), small talk, two steps.
pub(super) fn samples() -> Vec<Sample> {
    let encoder = pieces();
    let mut samples = Vec::new();
    let mut add = |request: String, level: u8, calls: &[(u32, String)], reply: Option<u8>| {
        let pieces = encoder.encode(&request).unwrap();
        let mut actions: Vec<Action> = calls
            .iter()
            .flat_map(|(tool, json)| call(&request, &pieces, 2 * tool + u32::from(level > 1), json))
            .collect();
        match reply {
            Some(reply) => {
                actions.push(Action::Route(Route::NoTool));
                actions.push(Action::Reply(reply));
            }
            None => actions.push(Action::Route(Route::EndPlan)),
        }
        let levels = [level, 1, 0, 0];
        let script = Script::layout(&actions, levels).unwrap();
        samples.push(Sample { pieces, levels, actions, script });
    };
    let units = ["miles", "feet", "metres", "inches"];
    for i in 0..14 {
        let (n, from, to) = (7 * i + 3, units[i % 4], units[(i + 1 + i / 4) % 4]);
        add(
            format!("Convert {n} {from} to {to}"),
            i as u8 % 4,
            &[(1, format!("{{\"q\":\"<{n} {from}>\",\"to\":\"<{to}>\"}}"))],
            None,
        );
    }
    for i in 0..10 {
        let (a, b, word) = (i + 1, 5 * i + 11, ["times", "plus"][i % 2]);
        add(format!("what is {a} {word} {b}?"), i as u8 % 4, &[(0, format!("{{\"e\":\"<{a} {word} {b}>\"}}"))], None);
    }
    for i in 0..8 {
        let word = ["café", "hi!", "Zoë", "x"][i % 4];
        add(format!("repeat {word} {i}"), i as u8 % 4, &[(2, format!("{{\"t\":\"<{word}>\",\"n\":{i}}}"))], None);
    }
    for (i, (text, reply)) in [("hello", 0), ("thanks", 1), ("hello hello", 0), ("", 200)].iter().enumerate() {
        add((*text).to_owned(), i as u8, &[], Some(*reply));
    }
    for (i, unit) in units.iter().enumerate() {
        let n = i + 2;
        let steps =
            [(0, format!("{{\"e\":\"<twice {n}>\"}}")), (1, format!("{{\"q\":\"{{{{1}}}}\",\"to\":\"<{unit}>\"}}"))];
        add(format!("twice {n} in {unit}"), i as u8, &steps, None);
    }
    assert_eq!(samples.len(), 40);
    samples
}
