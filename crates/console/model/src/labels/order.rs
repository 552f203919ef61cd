//! Many label sets in their order. Comparing two sets walks both pair by pair; of a hundred thousand sets that is
//! most of a query's time, so each is written once in a form whose bytes are in the same order.

use super::Labels;

/// With no more than this many, nothing is written.
const FEW: usize = 64;

/// The numbers of the sets in the order of the sets; those that are equal stay in the order in which they came.
pub fn order_of<'a>(sets: impl ExactSizeIterator<Item = &'a Labels>) -> Vec<usize> {
    if sets.len() <= FEW {
        let sets: Vec<&Labels> = sets.collect();
        let mut order: Vec<usize> = (0..sets.len()).collect();
        order.sort_by_key(|at| sets.get(*at));
        return order;
    }
    let (mut bytes, mut ends) = (Vec::with_capacity(sets.len() * 64), Vec::with_capacity(sets.len() + 1));
    ends.push(0);
    for set in sets {
        write(set, &mut bytes);
        ends.push(bytes.len());
    }
    let key = |at: usize| {
        let range = ends.get(at).zip(ends.get(at + 1));
        range.and_then(|(from, to)| bytes.get(*from..*to)).unwrap_or_default()
    };
    let mut order: Vec<Place> = (0..ends.len() - 1).map(|at| (0, at)).collect();
    sort(&mut order, &key);
    order.into_iter().map(|(_, at)| at).collect()
}

/// Eight bytes of a key as a number, and the set's number.
type Place = (u64, usize);

/// Sorts by keys. Sets of one metric begin alike, so what they have in common is passed over, the eight bytes after it
/// are compared as numbers, and those that are equal in these are sorted further in the same way.
fn sort<'k>(places: &mut [Place], key: &impl Fn(usize) -> &'k [u8]) {
    let mut parts = vec![(0, places.len(), 0)];
    while let Some((from, to, depth)) = parts.pop() {
        let Some(part) = places.get_mut(from..to) else { continue };
        let Some(first) = part.first().and_then(|(_, at)| key(*at).get(depth..)) else { continue };
        let alike = |at: usize| {
            let rest = key(at).get(depth..).unwrap_or_default();
            first.iter().zip(rest).take_while(|(a, b)| a == b).count()
        };
        let begin = depth + part.iter().map(|(_, at)| alike(*at)).min().unwrap_or_default();
        let shortest = part.iter().map(|(_, at)| key(*at).len()).min().unwrap_or_default();
        if part.len() <= FEW || begin + 8 > shortest {
            part.sort_unstable_by(|a, b| key(a.1).cmp(key(b.1)).then(a.1.cmp(&b.1)));
            continue;
        }
        for (number, at) in &mut *part {
            *number = number_at(key(*at), begin);
        }
        part.sort_unstable();
        let mut done = from;
        for run in part.chunk_by(|a, b| a.0 == b.0) {
            if run.len() > 1 {
                parts.push((done, done + run.len(), begin + 8));
            }
            done += run.len();
        }
    }
}

/// Names and values in turn, each with an end that is less than any byte of a text; such a byte within is told from
/// the end by the one after it.
fn write(set: &Labels, bytes: &mut Vec<u8>) {
    for (name, value) in set.iter() {
        for text in [name, value] {
            if text.as_bytes().contains(&0) {
                text.bytes().for_each(|byte| {
                    bytes.extend_from_slice(if byte == 0 { &[0, 1] } else { std::slice::from_ref(&byte) })
                });
            } else {
                bytes.extend_from_slice(text.as_bytes());
            }
            bytes.extend_from_slice(&[0, 0]);
        }
    }
}

/// Eight bytes, in their order.
fn number_at(bytes: &[u8], begin: usize) -> u64 {
    let eight = bytes.get(begin..).and_then(<[u8]>::first_chunk);
    eight.map_or(0, |eight| u64::from_be_bytes(*eight))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_metrics_many_series_are_in_order_however_long_they_are_alike() {
        let set = |number: usize| {
            // A number that has all of 0..2_000, but not in their order.
            let mixed = number * 7_919 % 2_000;
            let (group, pod) = (format!("container-{}", mixed % 3), format!("pod-{}", mixed / 2));
            let long = "the same for all of these".repeat(mixed % 2 + 1);
            Labels::from_pairs([("__name__", "wide"), ("container", &group), ("long", &long), ("pod", &pod)])
        };
        let sets: Vec<Labels> = (0..2_000).map(set).collect();
        let mut expected: Vec<usize> = (0..sets.len()).collect();
        expected.sort_by_key(|at| &sets[*at]);
        assert_eq!(order_of(sets.iter()), expected);
    }

    proptest! {
        #[test]
        fn it_is_the_order_of_comparing_them(
            sets in proptest::collection::vec(
                proptest::collection::vec(("[ab\u{0}\u{1}]{0,2}", "[a-c\u{0}\u{1}é]{0,12}|long enough [a-c]{0,24}"), 0..4),
                0..400,
            ),
        ) {
            let set = |pairs: &Vec<(String, String)>| {
                Labels::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            };
            let sets: Vec<Labels> = sets.iter().map(set).collect();
            let mut expected: Vec<usize> = (0..sets.len()).collect();
            expected.sort_by_key(|at| &sets[*at]);
            prop_assert_eq!(order_of(sets.iter()), expected);
        }
    }
}
