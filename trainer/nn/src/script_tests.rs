use proptest::prelude::*;

use super::*;

fn bytes(text: &str) -> Vec<Action> {
    text.bytes().map(Action::Byte).collect()
}

fn step(configuration: u32, json: Vec<Action>) -> Vec<Action> {
    std::iter::once(Action::Route(Route::Configuration(configuration))).chain(json).collect()
}

#[test]
fn a_call_is_laid_out_as_the_module_says() {
    let json = [bytes("{\"q\":\""), vec![Action::Copy { start: 3, end: 5 }], bytes("\"}")].concat();
    let actions = [step(7, json), vec![Action::Route(Route::EndPlan)]].concat();
    let script = Script::layout(&actions, [1, 2, 0, 3]).unwrap();
    let symbols: Vec<u32> = script.inputs.iter().map(|input| input.symbol).collect();
    let text: Vec<u32> = "{\"q\":\"".bytes().map(u32::from).collect();
    let expected = [
        vec![symbol::BOS, 261, 266, 268, 275, symbol::CONFIGURATION + 7],
        text,
        vec![symbol::COPY, symbol::STEP, u32::from(b'"'), u32::from(b'}')],
    ]
    .concat();
    assert_eq!(symbols, expected);
    assert_eq!(script.inputs[12], Input { symbol: symbol::COPY, pointer: Some(3) });
    assert_eq!(script.inputs[13], Input { symbol: symbol::STEP, pointer: Some(5) });
    assert_eq!(script.targets[..4], [Target::None; 4]);
    assert_eq!(script.targets[4], Target::Route(Route::Configuration(7)));
    assert_eq!(script.targets[5], Target::Symbol { id: u32::from(b'{'), start: None });
    assert_eq!(script.targets[11], Target::Symbol { id: symbol::COPY, start: Some(3) });
    assert_eq!(script.targets[12], Target::Pointer { start: 3, end: 5 });
    assert_eq!(script.targets[13], Target::Symbol { id: u32::from(b'"'), start: None });
    assert_eq!(script.targets[15], Target::Route(Route::EndPlan));
    assert_eq!(script.len(), 16);
}

#[test]
fn braces_and_quotes_in_strings_close_nothing() {
    for json in [r#"{"a":"}{\"}"}"#, r#"{"a":{"b":[{"c":"\\"}]}}"#, "{}"] {
        let actions = [step(0, bytes(json)), step(1, bytes("{}")), vec![Action::Route(Route::EndPlan)]].concat();
        assert_eq!(Script::layout(&actions, [0; 4]).unwrap().len(), 5 + 1 + json.len() + 1 + 2, "{json}");
    }
}

#[test]
fn what_is_not_allowed_says_where() {
    let copy = |start, end| Action::Copy { start, end };
    let (end, none) = (Action::Route(Route::EndPlan), Action::Route(Route::NoTool));
    let cases: Vec<(Vec<Action>, usize)> = vec![
        (vec![], 0),
        (vec![end], 0),
        (vec![Action::Byte(b'{')], 0),
        (vec![Action::Route(Route::Tool(0))], 0),
        ([step(0, bytes("{}")), vec![none]].concat(), 3),
        (step(0, bytes("{}")), 3),
        (step(0, bytes("[")), 1),
        (step(0, vec![copy(1, 2)]), 1),
        (step(0, [bytes("{\""), vec![Action::Reply(0)]].concat()), 3),
        (step(0, [bytes("{\""), vec![copy(0, 2)]].concat()), 3),
        (step(0, [bytes("{\""), vec![copy(3, 2)]].concat()), 3),
        (step(0, [bytes("{"), vec![end]].concat()), 2),
        (vec![none], 1),
        ([vec![none], bytes("h")].concat(), 1),
        (vec![none, Action::Reply(1), Action::Reply(2)], 2),
        (step(u32::MAX, bytes("{}")), 0),
    ];
    for (actions, at) in cases {
        match Script::layout(&actions, [0; 4]) {
            Err(Error::Script { index, .. }) => assert_eq!(index, at, "{actions:?}"),
            other => panic!("{actions:?} gave {other:?}"),
        }
    }
    assert!(Script::layout(&[none, Action::Reply(0)], [0, 0, 4, 0]).is_err());
}

#[test]
fn a_selection_teaches_the_first_route_only() {
    let script = Script::selection(Route::Tool(2), [1; 4]).unwrap();
    assert_eq!(script.len(), 5);
    assert_eq!(script.targets[4], Target::Route(Route::Tool(2)));
    assert!(script.targets[..4].iter().all(|target| *target == Target::None));
    assert!(Script::selection(Route::NoTool, [1; 4]).is_ok());
    assert!(Script::selection(Route::EndPlan, [1; 4]).is_err());
    assert!(Script::selection(Route::Configuration(1), [1; 4]).is_err());
}

fn text_or_copy() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => prop::sample::select(b"ab {}[]\xc3\xa9".to_vec()).prop_map(Action::Byte),
        1 => (1u32..20, 0u32..20).prop_map(|(start, more)| Action::Copy { start, end: start + more }),
    ]
}

/// A plan of up to three steps, each an object of one string and one nested number; or a reply.
fn plan() -> impl Strategy<Value = Vec<Action>> {
    let content = || prop::collection::vec(text_or_copy(), 0..12);
    let object = (content(), 0u8..10).prop_map(|(content, digit)| {
        [bytes("{\"k\":\""), content, bytes("\\\"\",\"o\":{\"n\":"), bytes(&digit.to_string()), bytes("}}")].concat()
    });
    let steps = prop::collection::vec((0u32..50, object), 1..4);
    let calls = steps.prop_map(|steps| {
        steps.into_iter().flat_map(|(c, json)| step(c, json)).chain([Action::Route(Route::EndPlan)]).collect()
    });
    let reply = any::<u8>().prop_map(|number| vec![Action::Route(Route::NoTool), Action::Reply(number)]);
    prop_oneof![2 => calls, 1 => reply]
}

/// Reads a script as a planner would decode it: follows the targets by a fresh cursor.
fn decode(script: &Script, levels: Levels) -> Vec<Action> {
    let (mut cursor, mut inputs) = Cursor::begin(levels).unwrap();
    let mut actions = Vec::new();
    while cursor.position() != Position::End {
        let target = script.targets[inputs.len() - 1];
        let choice = match (cursor.position(), target) {
            (Position::Route { .. }, Target::Route(route)) => Choice::Route(route),
            (Position::Symbol, Target::Symbol { id: symbol::COPY, start: Some(start) }) => Choice::CopyFrom(start),
            (Position::Symbol, Target::Symbol { id, start: None }) => Choice::Byte(u8::try_from(id).unwrap()),
            (Position::Reply, Target::Symbol { id, start: None }) => Choice::Reply(u8::try_from(id).unwrap()),
            (Position::Pointer { start }, Target::Pointer { start: same, end }) if start == same => Choice::CopyTo(end),
            (position, target) => panic!("the cursor is at {position:?}, the script at {target:?}"),
        };
        match (choice, cursor.position()) {
            (Choice::Route(route), _) => actions.push(Action::Route(route)),
            (Choice::Byte(byte), _) => actions.push(Action::Byte(byte)),
            (Choice::CopyTo(end), Position::Pointer { start }) => actions.push(Action::Copy { start, end }),
            (Choice::Reply(number), _) => actions.push(Action::Reply(number)),
            _ => {}
        }
        inputs.extend(cursor.choose(choice).unwrap());
    }
    assert_eq!(inputs, script.inputs);
    actions
}

proptest! {
    #[test]
    fn decoding_inverts_the_layout_position_by_position(actions in plan(), levels in prop::array::uniform4(0u8..4)) {
        let script = Script::layout(&actions, levels).unwrap();
        prop_assert_eq!(script.inputs.len(), script.targets.len());
        let copies = actions.iter().filter(|a| matches!(a, Action::Copy { .. })).count();
        prop_assert_eq!(script.len(), 5 + actions.len() - 1 + copies);
        prop_assert_eq!(decode(&script, levels), actions);
    }

    #[test]
    fn any_choices_are_refused_or_taken_but_never_panic(choices in prop::collection::vec(prop_oneof![
        (0u32..3).prop_map(|c| Choice::Route(Route::Configuration(c))), Just(Choice::Route(Route::EndPlan)), Just(Choice::Route(Route::NoTool)),
        any::<u8>().prop_map(Choice::Byte), prop::sample::select(b"{}\"\\".to_vec()).prop_map(Choice::Byte), (0u32..4).prop_map(Choice::CopyFrom), (0u32..4).prop_map(Choice::CopyTo), any::<u8>().prop_map(Choice::Reply),
    ], 0..60)) {
        let (mut cursor, _) = Cursor::begin([0; 4]).unwrap();
        for choice in choices {
            let before = cursor.position();
            match cursor.choose(choice) {
                Ok(input) => prop_assert_eq!(input.is_none(), cursor.position() == Position::End),
                Err(_) => prop_assert_eq!(cursor.position(), before),
            }
        }
    }
}
