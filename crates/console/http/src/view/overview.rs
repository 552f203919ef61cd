//! `/api/overview`: who sends what, and how the store is.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract;
use axum::http::Uri;
use console_model::Text;
use console_storage::{Counts, Fact, FactKind, Signal};
use utoipa::IntoParams;

use super::error::Error;
use super::parameters::Parameters;
use super::reads::Answer;
use super::wire::{
    Dropped, Errors, FactName, FactView, OldestKept, Overview, Received, ServiceActivity, SignalName, Signals,
    StoreState, Time,
};
use super::{Shared, State};
use crate::arrivals::{self, Activity, MINUTES_MAX};

const FACTS_MAX: usize = 50;

/// How these are described; they are read by [`Parameters`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "a description")]
pub(super) struct OverviewParameters {
    /// How many minutes to count by minute; 15 unless said
    #[param(minimum = 1, maximum = 180)]
    minutes: Option<usize>,
}

/// Who sends what right now, how full the store is, what it dropped and removed.
#[utoipa::path(
    get,
    path = "/api/overview",
    operation_id = "overview",
    tag = "overview",
    params(OverviewParameters),
    responses((status = 200, description = "The state of everything", body = Overview), Error)
)]
pub(super) async fn overview(extract::State(shared): extract::State<Arc<Shared>>, uri: Uri) -> Result<Answer, Error> {
    let parameters = Parameters::read(&uri, &["minutes"])?;
    let minutes = parameters.number("minutes", 1..=MINUTES_MAX, 15)?;
    let now_ns = shared.now_ns();
    let state = shared.state.clone();
    shared.reads.run(move || Answer::of(&look(&state, now_ns, minutes))).await
}

fn look(state: &State, now_ns: u64, minutes: usize) -> Overview {
    let State { store, arrivals, version, ports, .. } = state;
    let now_ms = i64::try_from(now_ns / 1_000_000).unwrap_or(i64::MAX);
    let mut services: BTreeMap<Text, (Option<Activity>, u64)> = arrivals
        .activities(now_ms, minutes)
        .into_iter()
        .map(|activity| (activity.service.clone(), (Some(activity), 0)))
        .collect();
    for (service, bytes) in store.usage().into_iter().filter(|(_, bytes)| *bytes > 0) {
        services.entry(service).or_default().1 = bytes;
    }
    for service in store.trace_services() {
        services.entry(service).or_default();
    }
    let services_truncated = arrivals.is_truncated() || services.contains_key(arrivals::OTHER_SERVICES);
    let facts = store.facts();
    Overview {
        now: Time(now_ns),
        version: version.clone(),
        ports: *ports,
        minutes,
        services: services
            .into_iter()
            .map(|(name, (activity, bytes))| service(&name, activity.as_ref(), bytes, minutes))
            .collect(),
        services_truncated,
        store: store_state(state),
        dropped: dropped(&store.counts()),
        facts: facts.iter().rev().take(FACTS_MAX).map(fact).collect(),
    }
}

fn service(name: &str, activity: Option<&Activity>, bytes: u64, minutes: usize) -> ServiceActivity {
    let per_minute = |of: fn(&arrivals::Counts) -> u64| {
        activity.map_or_else(|| vec![0; minutes], |activity| activity.per_minute.iter().map(of).collect())
    };
    let received = |of: fn(&arrivals::Counts) -> u64| Received {
        last_minute: activity.map_or(0, |activity| of(&activity.last_minute)),
        total: activity.map_or(0, |activity| of(&activity.total)),
        per_minute: per_minute(of),
    };
    ServiceActivity {
        name: name.to_owned(),
        signals: Signals {
            spans: received(|counts| counts.spans),
            lines: received(|counts| counts.lines),
            samples: received(|counts| counts.samples),
        },
        errors: Errors {
            last_minute: activity.map_or(0, |activity| activity.last_minute.errors),
            per_minute: per_minute(|counts| counts.errors),
        },
        last_seen: activity.map(|activity| Time::from_ms(activity.last_seen_ms)),
        bytes,
    }
}

fn store_state(State { store, .. }: &State) -> StoreState {
    let time = |ns: Option<i64>| ns.map(|ns| Time(u64::try_from(ns).unwrap_or(0)));
    let oldest = store.oldest();
    StoreState {
        bytes: store.bytes(),
        bytes_max: store.options().limit_bytes,
        retention_seconds: store.options().retention_age.as_secs(),
        oldest: OldestKept {
            spans: time(oldest.spans_ns),
            lines: time(oldest.log_records_ns),
            samples: time(oldest.samples_ns),
        },
        trouble: store.trouble(),
    }
}

/// What a sender has to know of. What was taken and what came again as it was lost nobody anything, and what
/// was removed is told in facts.
fn dropped(counts: &Counts) -> Vec<Dropped> {
    let Counts {
        spans: _,
        log_records: _,
        samples: _,
        spans_too_old,
        log_records_too_old,
        spans_too_large,
        log_records_too_large,
        log_records_merged,
        samples_repeated: _,
        samples_duplicate,
        samples_out_of_order,
        samples_too_old,
        samples_over_series_limit,
        samples_invalid,
        batches_refused,
        segments_evicted: _,
        bytes_evicted: _,
    } = *counts;
    let all = [
        ("spans too old to be kept", spans_too_old),
        ("log lines too old to be kept", log_records_too_old),
        ("spans larger than 32 MiB", spans_too_large),
        ("log lines larger than 32 MiB", log_records_too_large),
        ("log lines merged into their service's common stream, for it has too many", log_records_merged),
        ("samples that contradict one of the same time", samples_duplicate),
        ("samples out of order", samples_out_of_order),
        ("samples too old to be kept", samples_too_old),
        ("samples of series beyond the bound on series", samples_over_series_limit),
        ("native histograms that are none", samples_invalid),
        ("batches refused because the disk takes nothing", batches_refused),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| Dropped { what, count }).collect()
}

fn fact(fact: &Fact) -> FactView {
    FactView {
        at: Time::from_ms(fact.at_ms),
        kind: match fact.kind {
            FactKind::EvictedForSize => FactName::EvictedForSize,
            FactKind::EvictedForAge => FactName::EvictedForAge,
            FactKind::Repaired => FactName::Repaired,
            FactKind::Damaged => FactName::Damaged,
        },
        signal: match fact.signal {
            Signal::Traces => SignalName::Traces,
            Signal::Logs => SignalName::Logs,
            Signal::Metrics => SignalName::Metrics,
            Signal::Pinned => SignalName::Pinned,
        },
        service: fact.service.to_string(),
        from: Time::known(fact.from_ns),
        to: Time::known(fact.to_ns),
        items: fact.items,
        bytes: fact.bytes,
        detail: fact.detail.to_string(),
    }
}
