//! What to say of a trace that is not there: removed when and why, or never seen.

use std::fmt::Write;

use console_model::TraceId;
use console_storage::{Evicted, FactKind, Signal, Store};
use jiff::Timestamp;

/// Services that are named; a trace may have had spans of many.
const NAMED_MAX: usize = 5;

/// The whole sentence.
pub(super) fn message(store: &Store, id: TraceId, evicted: &[Evicted]) -> String {
    if evicted.is_empty() { never_seen(store, id) } else { removed(store, id, evicted) }
}

fn removed(store: &Store, id: TraceId, evicted: &[Evicted]) -> String {
    let facts = store.facts();
    let mut text = format!("trace {id} was here and is no more:");
    for (position, Evicted { at_ms, service }) in evicted.iter().take(NAMED_MAX).enumerate() {
        // The names of services are cut where they are remembered.
        let is_it = |kind| {
            facts.iter().any(|fact| {
                let same = fact.at_ms == *at_ms && fact.service.starts_with(service.as_str());
                same && fact.kind == kind && fact.signal == Signal::Traces
            })
        };
        let why = if is_it(FactKind::EvictedForSize) {
            format!("to stay within {}", bytes(store.options().limit_bytes))
        } else if is_it(FactKind::EvictedForAge) {
            format!("because they were older than {}", age(store.options().retention_age.as_secs()))
        } else {
            "to stay within the bounds of the store".to_owned()
        };
        let comma = if position > 0 { "," } else { "" };
        let _ = write!(text, "{comma} spans of {service} were evicted at {} {why}", moment(*at_ms));
    }
    if evicted.len() > NAMED_MAX {
        let _ = write!(text, ", and those of {} more services", evicted.len() - NAMED_MAX);
    }
    text
}

fn never_seen(store: &Store, id: TraceId) -> String {
    let is_eviction = |kind| matches!(kind, FactKind::EvictedForSize | FactKind::EvictedForAge);
    let forgets = store.facts().iter().any(|fact| fact.signal == Signal::Traces && is_eviction(fact.kind));
    let or = if forgets { ", or evicted so long ago that it is not remembered" } else { "" };
    let kept = match store.oldest().spans_ns {
        Some(ns) => format!("the oldest span that is kept began at {}", moment(ns / 1_000_000)),
        None => "no spans are kept at all".to_owned(),
    };
    format!("trace {id} was never seen{or}; {kept}, /api/traces?limit=20 lists what there is")
}

fn moment(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn bytes(bytes: u64) -> String {
    let (unit, name) = if bytes >= 1 << 30 { (1_u64 << 30, "GiB") } else { (1 << 20, "MiB") };
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10).replace(".0 ", " ")
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_told_in_units_of_people() {
        assert_eq!([8 << 20, 1 << 30, 1_610_612_736].map(bytes), ["8 MiB", "1 GiB", "1.5 GiB"]);
        assert_eq!([90, 3_600, 86_400, 604_800].map(age), ["90 seconds", "60 minutes", "24 hours", "7 days"]);
    }
}
