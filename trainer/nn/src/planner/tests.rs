use super::toy::{Sample, WORDS, config, pieces, samples};
use super::*;
use crate::optimizer::{AdamW, AdamWConfig};
use crate::script::{Action, Choice, Cursor, Position, Route, Script, Target};
use crate::weights::Precision;
use crate::{symbol, toy};

fn batch(config: &PlannerConfig, samples: &[&Sample]) -> Batch {
    let examples: Vec<Example<'_>> =
        samples.iter().map(|s| Example { pieces: &s.pieces.ids, script: &s.script, weight: 1.0 }).collect();
    Batch::new(config, &examples, &Device::Cpu).unwrap()
}

fn best(logits: &[f32]) -> usize {
    logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
}

/// Decodes greedily with nothing but the cursor as grammar, as a planner would.
fn greedy(net: &PlannerNet, pieces: &[u32], levels: [u8; 4]) -> Vec<Action> {
    let (mut cursor, inputs) = Cursor::begin(levels).unwrap();
    let mut decoding = net.begin(pieces).unwrap();
    decoding.push(&inputs).unwrap();
    let mut actions = Vec::new();
    while cursor.position() != Position::End && decoding.len() < 100 {
        let choice = match cursor.position() {
            Position::Route { first } => Choice::Route(match best(&decoding.routes(first).unwrap()) {
                route if route == net.config().no_tool() => Route::NoTool,
                route if route == net.config().end_plan() => Route::EndPlan,
                tool => {
                    let logits = decoding.configurations().unwrap();
                    let of_tool = |i: u32| {
                        if net.config().tool_of(i) == Some(tool as u32) {
                            logits[i as usize]
                        } else {
                            f32::NEG_INFINITY
                        }
                    };
                    Route::Configuration(best(&(0..logits.len() as u32).map(of_tool).collect::<Vec<_>>()) as u32)
                }
            }),
            Position::Symbol => match best(&decoding.symbols().unwrap()) as u32 {
                symbol::COPY => Choice::CopyFrom(best(&decoding.pieces(1).unwrap()) as u32),
                byte => Choice::Byte(byte as u8),
            },
            Position::Reply => Choice::Reply(best(&decoding.symbols().unwrap()) as u8),
            Position::Pointer { start } => Choice::CopyTo(best(&decoding.pieces(start as usize).unwrap()) as u32),
            Position::End => break,
        };
        actions.push(match (choice, cursor.position()) {
            (Choice::Route(route), _) => Action::Route(route),
            (Choice::Byte(byte), _) => Action::Byte(byte),
            (Choice::CopyTo(end), Position::Pointer { start }) => Action::Copy { start, end },
            (Choice::Reply(number), _) => Action::Reply(number),
            _ => Action::Byte(0),
        });
        if matches!(choice, Choice::CopyFrom(_)) {
            actions.pop();
        }
        match cursor.choose(choice) {
            Ok(Some(input)) => decoding.push(&[input]).unwrap(),
            Ok(None) => break,
            Err(_) => return actions,
        }
    }
    actions
}

/// Trains on all samples at once; returns the last loss.
fn train(net: &PlannerNet, samples: &[Sample], steps: usize) -> f32 {
    let groups = net.parameters().optimizer_groups(0.01, |_| 1.0);
    let mut optimizer = AdamW::new(groups, AdamWConfig::default(), 4e-3).unwrap();
    let halves: Vec<Batch> =
        [0, 1].map(|half| batch(net.config(), &samples.iter().skip(half).step_by(2).collect::<Vec<_>>())).into();
    let mut last = f32::INFINITY;
    for step in 0..steps {
        optimizer.set_rate(4e-3 * (1.0 - step as f64 / steps as f64).min((step + 1) as f64 / 10.0));
        let parts = net.loss(&halves[step % 2], &LossWeights::default()).unwrap();
        optimizer.step_clipped(&parts.total.backward().unwrap(), 1.0).unwrap();
        last = parts.total.to_scalar().unwrap();
    }
    last
}

#[test]
fn it_learns_forty_requests_by_heart_and_survives_int8() {
    let samples = samples();
    let net = PlannerNet::new(&config(), 7, None, &Device::Cpu).unwrap();
    let before: f32 = net
        .loss(&batch(net.config(), &samples.iter().collect::<Vec<_>>()), &LossWeights::default())
        .unwrap()
        .total
        .to_scalar()
        .unwrap();
    assert!((6.0..20.0).contains(&before), "an untrained network guesses: {before}");
    let loss = train(&net, &samples, 240);
    assert!(loss < 0.05, "{loss}");
    let exact = |net: &PlannerNet| samples.iter().filter(|s| greedy(net, &s.pieces.ids, s.levels) == s.actions).count();
    assert_eq!(exact(&net), 40);

    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("model");
    save(&net, &toy::tokenizer(WORDS), &path, Precision::Int8, |folder| {
        std::fs::write(folder.join("more"), "x").map_err(Error::io("write", folder))
    })
    .unwrap();
    let back = load(&path, &Device::Cpu).unwrap();
    assert_eq!(back.net.config(), net.config());
    assert!(exact(&back.net) >= 39, "int8 changes next to nothing");
    assert!(path.join("more").exists());
    assert_eq!(back.pieces.encode("Convert 3 miles").unwrap(), pieces().encode("Convert 3 miles").unwrap());
}

#[test]
fn every_variable_gets_a_gradient_and_frozen_ones_none() {
    let samples = samples();
    let all: Vec<&Sample> = samples.iter().collect();
    let net = PlannerNet::new(&config(), 7, None, &Device::Cpu).unwrap();
    let gradients = net.loss(&batch(net.config(), &all), &LossWeights::default()).unwrap().total.backward().unwrap();
    for (name, parameter) in net.parameters().iter() {
        let gradient = gradients.get(&parameter.var).unwrap_or_else(|| panic!("`{name}` gets no gradient"));
        let size: f32 = gradient.abs().unwrap().sum_all().unwrap().to_scalar().unwrap();
        // A key's bias shifts all logits of a query alike, so its gradient is rounding alone.
        let blind = name.ends_with("key.bias") || name.ends_with("cross_attn.k_proj.bias");
        assert!(size.is_finite() && (size > 0.0 || blind), "`{name}`: {size}");
    }
    let net = net.trainable(|name| crate::parameters::group(name) != "encoder").unwrap();
    let gradients = net.loss(&batch(net.config(), &all), &LossWeights::default()).unwrap().total.backward().unwrap();
    for (name, parameter) in net.parameters().iter() {
        assert_eq!(gradients.get(&parameter.var).is_some(), !name.starts_with("encoder."), "`{name}`");
    }
}

#[test]
fn losses_are_those_of_the_logits_that_planning_reads() {
    let samples = samples();
    let net = PlannerNet::new(&config(), 7, None, &Device::Cpu).unwrap();
    toy::randomize(net.parameters());
    let chosen = [&samples[1], &samples[25], &samples[34], &samples[38]];
    let parts =
        net.loss(&batch(net.config(), &chosen), &LossWeights { pointer: 0.5, ..LossWeights::default() }).unwrap();
    let mut sums = [(0.0, 0.0); 4];
    for sample in chosen {
        let mut decoding = net.begin(&sample.pieces.ids).unwrap();
        let mut add = |kind: usize, logits: &[f32], choice: usize| {
            sums[kind].0 -= log_softmax(logits)[choice];
            sums[kind].1 += 1.0;
        };
        for (position, (input, target)) in sample.script.inputs.iter().zip(&sample.script.targets).enumerate() {
            decoding.push(&[*input]).unwrap();
            match *target {
                Target::None => {}
                Target::Route(route) => {
                    let logits = decoding.routes(position == 4).unwrap();
                    match route {
                        Route::Configuration(c) => {
                            let tool = net.config().tool_of(c).unwrap();
                            add(0, &logits, tool as usize);
                            let of_tool = decoding.configurations().unwrap()[2 * tool as usize..][..2].to_vec();
                            add(1, &of_tool, (c % 2) as usize);
                        }
                        Route::NoTool => add(0, &logits, net.config().no_tool()),
                        _ => add(0, &logits, net.config().end_plan()),
                    }
                }
                Target::Symbol { id, start } => {
                    add(2, &decoding.symbols().unwrap(), id as usize);
                    if let Some(start) = start {
                        add(3, &decoding.pieces(1).unwrap(), start as usize);
                    }
                }
                Target::Pointer { start, end } => add(3, &decoding.pieces(start as usize).unwrap(), end as usize),
            }
        }
    }
    let found = [parts.route, parts.configuration, parts.symbol, parts.pointer];
    for (found, (sum, count)) in found.iter().zip(sums) {
        assert_eq!(found.count, count);
        assert!((found.loss - sum / count).abs() < 1e-3 * (1.0 + found.loss), "{found:?} {}", sum / count);
    }
    let total: f32 = parts.total.to_scalar().unwrap();
    let sum = found[0].loss + found[1].loss + found[2].loss + 0.5 * found[3].loss;
    assert!((total - sum).abs() < 1e-4 * sum);
}

#[test]
fn forced_inputs_may_be_pushed_at_once() {
    let sample = &samples()[36];
    let net = PlannerNet::new(&config(), 7, None, &Device::Cpu).unwrap();
    toy::randomize(net.parameters());
    let (mut one, mut many) = (net.begin(&sample.pieces.ids).unwrap(), net.begin(&sample.pieces.ids).unwrap());
    sample.script.inputs.iter().for_each(|input| one.push(&[*input]).unwrap());
    sample.script.inputs.chunks(7).for_each(|inputs| many.push(inputs).unwrap());
    let near = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).all(|(a, b)| a == b || (a - b).abs() < 1e-3);
    assert!(near(one.symbols().unwrap(), many.symbols().unwrap()));
    assert!(near(one.routes(false).unwrap(), many.routes(false).unwrap()));
    assert!(near(one.pieces(2).unwrap(), many.pieces(2).unwrap()));
    assert_eq!(one.routes(true).unwrap()[net.config().end_plan()], f32::NEG_INFINITY);
    assert_eq!(one.pieces(2).unwrap()[..2], [f32::NEG_INFINITY; 2]);
}

#[test]
fn a_selection_teaches_the_route_alone() {
    let net = PlannerNet::new(&config(), 7, None, &Device::Cpu).unwrap();
    let pieces = pieces().encode("convert").unwrap();
    let script = Script::selection(Route::Tool(1), [0; 4]).unwrap();
    let batch =
        Batch::new(net.config(), &[Example { pieces: &pieces.ids, script: &script, weight: 2.0 }], &Device::Cpu)
            .unwrap();
    let parts = net.loss(&batch, &LossWeights::default()).unwrap();
    assert_eq!(
        (parts.route.count, parts.configuration.count, parts.symbol.count, parts.pointer.count),
        (2.0, 0.0, 0.0, 0.0)
    );
    assert_eq!(parts.total.to_scalar::<f32>().unwrap(), parts.route.loss);
}

#[test]
fn rows_start_where_they_are_put() {
    let net = PlannerNet::new(&config(), 7, None, &Device::Cpu).unwrap();
    let encoder = pieces();
    let texts =
        ["what is 3 plus 4", "convert 3 miles", "repeat x", "hello"].map(|text| encoder.encode(text).unwrap().ids);
    let rows = net.embed(&texts.each_ref().map(Vec::as_slice)).unwrap();
    net.set_tool_rows(&rows.narrow(0, 0, 3).unwrap(), &rows.get(3).unwrap()).unwrap();
    for (class, pieces) in texts.iter().enumerate() {
        let mut decoding = net.begin(pieces).unwrap();
        decoding.push(&Cursor::begin([1; 4]).unwrap().1).unwrap();
        assert_eq!(best(&decoding.routes(true).unwrap()), class);
    }
    let features = Tensor::new(
        &[[1f32, 0., 1.], [1., 0., 1.], [0., 1., 0.], [0., 0., 1.], [1., 1., 0.], [1., 1., 1.]],
        &Device::Cpu,
    )
    .unwrap();
    net.set_configuration_rows(&features, 3).unwrap();
    let rows = net.parameters().get("configuration.rows.weight").unwrap().var.as_tensor().to_vec2::<f32>().unwrap();
    assert_eq!(rows[0], rows[1]);
    assert_ne!(rows[0], rows[2]);
    assert!(net.set_configuration_rows(&features.narrow(0, 0, 5).unwrap(), 3).is_err());
}

#[test]
fn batches_out_of_range_are_refused() {
    let config = config();
    let pieces = [2u32, 5, 6, 3];
    let (first, end) = (Action::Route(Route::Configuration(0)), Action::Route(Route::EndPlan));
    let quote = [Action::Byte(b'{'), Action::Copy { start: 1, end: 3 }, Action::Byte(b'}')];
    let good = Script::layout(&[&[first], &quote[..], &[end]].concat(), [0; 4]).unwrap();
    let with = |script: &Script, pieces: &[u32], weight| {
        Batch::new(&config, &[Example { pieces, script, weight }], &Device::Cpu).err().map(|e| e.to_string())
    };
    assert_eq!(with(&good, &pieces, 1.0), None);
    assert!(with(&good, &pieces, f32::NAN).unwrap().contains("weight `NaN`"));
    assert!(with(&good, &[2], 1.0).unwrap().contains("`1` pieces"));
    assert!(with(&good, &[2; 99], 1.0).unwrap().contains("`99` pieces"));
    assert!(with(&good, &pieces[..3], 1.0).unwrap().contains("piece `3`"));
    let bad = Script::layout(
        &[
            Action::Route(Route::Configuration(6)),
            Action::Byte(b'{'),
            Action::Byte(b'}'),
            Action::Route(Route::EndPlan),
        ],
        [0; 4],
    )
    .unwrap();
    assert!(with(&bad, &pieces, 1.0).unwrap().contains(&format!("symbol `{}`", symbol::CONFIGURATION + 6)));
    assert!(with(&Script::selection(Route::Tool(3), [0; 4]).unwrap(), &pieces, 1.0).unwrap().contains("tool `3`"));
    for (target, say) in [
        (Target::Route(Route::EndPlan), "the first route ends"),
        (Target::Symbol { id: symbol::COPY, start: Some(0) }, "piece `0`"),
        (Target::Symbol { id: 300, start: None }, "symbol `300`"),
        (Target::Pointer { start: 3, end: 2 }, "from piece `3` to `2`"),
    ] {
        let script = Script { inputs: good.inputs[..1].to_vec(), targets: vec![target] };
        assert!(with(&script, &pieces, 1.0).unwrap().contains(say));
    }
    assert!(Batch::new(&config, &[], &Device::Cpu).is_err());
    let net = PlannerNet::new(&config, 7, None, &Device::Cpu).unwrap();
    assert!(net.begin(&[2]).is_err() && net.begin(&[2; 99]).is_err() && net.begin(&[2, 60_000, 3]).is_err());
    assert!(net.begin(&pieces).unwrap().symbols().is_err(), "no logits before an input");
    for (symbol, pointer) in [(100_000, None), (65, Some(4)), (65, Some(u32::MAX))] {
        assert!(net.begin(&pieces).unwrap().push(&[crate::script::Input { symbol, pointer }]).is_err());
    }
}

#[test]
fn workers_sum_up_to_the_gradient_of_the_whole_batch() {
    let config = config();
    let net = PlannerNet::new(&config, 3, None, &Device::Cpu).unwrap().trainable(|_| true).unwrap();
    let samples = samples();
    let examples: Vec<Example<'_>> = samples
        .iter()
        .enumerate()
        .map(|(i, s)| Example { pieces: &s.pieces.ids, script: &s.script, weight: 1.0 + i as f32 % 3.0 })
        .collect();
    let weights = LossWeights { route: 0.7, configuration: 0.5, symbol: 1.0, pointer: 2.0 };
    let whole = net.loss(&Batch::new(&config, &examples, &Device::Cpu).unwrap(), &weights).unwrap();
    let wanted = whole.total.backward().unwrap();
    for count in [1, 2, 3] {
        let (losses, found) = net.gradients(&examples, &weights, &Workers::new(count).unwrap()).unwrap();
        assert!((losses.total - whole.total.to_scalar::<f32>().unwrap()).abs() < 1e-4);
        assert!((losses.pointer.loss - whole.pointer.loss).abs() < 1e-4);
        assert_eq!(losses.symbol.count, whole.symbol.count);
        for (name, parameter) in net.parameters().iter() {
            let (Some(a), Some(b)) = (wanted.get(&parameter.var), found.get(&parameter.var)) else {
                assert!(wanted.get(&parameter.var).is_none() && found.get(&parameter.var).is_none(), "{name}");
                continue;
            };
            let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
            assert!(difference.to_scalar::<f32>().unwrap() < 1e-4, "{name} with {count} workers");
        }
    }
}
