//! Names that differ by a slip of the finger.

/// The number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment), or `None` when it is above `limit`.
#[must_use]
pub fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&above, j) + usize::from(from != to)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        if row.iter().min().is_none_or(|least| *least > limit) {
            return None;
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().filter(|distance| *distance <= limit)
}

/// How many slips a name of this length may have and still be meant: 0 up to 3 letters, 1 up to 7, then 2.
#[must_use]
pub fn tolerance(name: &str) -> usize {
    match name.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// The one candidate nearest to `name` within [`tolerance`], or `None` when there is none or a tie.
pub fn meant<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut found = nearest(name, candidates);
    found.dedup();
    match found.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// All candidates at the least distance from `name`, if that is within [`tolerance`].
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut limit = tolerance(name);
    let mut best: Vec<&str> = Vec::new();
    if limit == 0 {
        return best;
    }
    for candidate in candidates {
        let Some(distance) = distance(name, candidate, limit) else { continue };
        if distance < limit {
            best.clear();
            limit = distance;
        }
        best.push(candidate);
    }
    best
}

/// Up to `count` candidates that look like `name`, best first: small distance, or one starts with the other.
pub fn suggestions<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let limit = (name.chars().count() / 2).clamp(1, 4);
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let prefix = name.len() >= 3
                && (candidate.starts_with(name) || (candidate.len() >= 4 && name.starts_with(candidate)));
            let distance = if prefix { Some(1) } else { distance(name, candidate, limit) };
            distance.map(|distance| (distance, candidate))
        })
        .collect();
    found.sort_by_key(|(distance, candidate)| (*distance, *candidate));
    found.dedup_by_key(|(_, candidate)| *candidate);
    found.into_iter().take(count).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("killometres", "kilometres", 2), Some(1));
        assert_eq!(distance("ab", "ba", 2), Some(1));
        assert_eq!(distance("abc", "abc", 0), Some(0));
        assert_eq!(distance("paris", "tokyo", 2), None);
        assert_eq!(distance("", "ab", 2), Some(2));
    }

    #[test]
    fn a_slip_is_forgiven_and_a_tie_is_not() {
        assert_eq!(meant("celcius", ["celsius", "fahrenheit"]), Some("celsius"));
        assert_eq!(meant("cat", ["car"]), None);
        assert_eq!(meant("boat", ["coat", "goat"]), None);
        assert_eq!(suggestions("lond", ["london", "lyon", "madrid"], 3), ["london", "lyon"]);
    }
}
