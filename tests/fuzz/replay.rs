//! Seeds, and mutations of them that are the same each time: what a fuzzer begins with, as an ordinary test.

use std::{fs, path::Path};

/// Mutations of all seeds together.
const MUTATIONS: usize = 10_000;

/// A sequence of numbers that looks random (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % most.max(1)
    }
}

/// Hands each seed of a target to `run`, and then mutations of them.
pub(crate) fn replay(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
    let folder = [folder, Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds")]
        .into_iter()
        .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")])
        .map(|seeds| seeds.join(target))
        .find(|seeds| seeds.is_dir())
        .unwrap();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| run(seed));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..MUTATIONS {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=numbers.below(4) {
            mutate(&mut bytes, &seeds, &mut numbers);
        }
        run(&bytes);
    }
}

/// Changes, removes, repeats or inserts a little.
fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let length = numbers.below(16).min(bytes.len() - at);
    match numbers.below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..at + length)),
        2 => {
            let piece = bytes[at..at + length].to_vec();
            bytes.splice(at..at, piece);
        }
        3 => {
            let other = &seeds[numbers.below(seeds.len())];
            let from = numbers.below(other.len() + 1);
            let to = (from + numbers.below(32)).min(other.len());
            bytes.splice(at..at, other[from..to].iter().copied());
        }
        4 => bytes.insert(at, [0, 0x7f, 0x80, 0xff, b'"', b'\n', b'[', b'{'][numbers.below(8)]),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = u8::try_from(numbers.below(256)).unwrap();
            }
        }
    }
}
