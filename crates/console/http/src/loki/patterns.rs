//! `/patterns`: what lines have in common, and how often. How they are grouped is `drain`'s business.

use axum::extract::State;
use axum::response::Response;
use console_logql::{Order, QueryError, Selection, Source};
use serde::Serialize;

use super::Shared;
use super::answer::{Refusal, json};
use super::drain::Drain;
use super::index::selection;
use super::parameters::Parameters;
use super::source::StoreSource;

/// Lines that are looked at, the newest first.
const LINES_MAX: u64 = 200_000;
/// Patterns of one answer.
const PATTERNS_MAX: usize = 300;
/// From one sample to the next where no step is named, nanoseconds.
const STEP_DEFAULT_NS: i64 = 10_000_000_000;
/// Steps that are told apart.
const STEPS_MAX: u64 = 11_000;
const STOP_EVERY: u64 = 1_024;

#[derive(Serialize)]
struct PatternBody {
    pattern: String,
    samples: Vec<(u64, u64)>,
}

#[derive(Serialize)]
struct Body {
    status: &'static str,
    data: Vec<PatternBody>,
}

pub(super) async fn patterns(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let times = parameters.times_of_query(shared.now_ns())?;
    let selection = Selection { skips_text: false, ..selection(parameters.query()?, times)? };
    let step_ns = u64::try_from(parameters.duration_ns("step")?.unwrap_or(STEP_DEFAULT_NS)).unwrap_or(1);
    // Whole seconds, for samples have no finer time; fewer and longer ones where there would be too many.
    let least_ns = (times.to_ns - times.from_ns) / STEPS_MAX + 1;
    let step_s = step_ns.max(least_ns).div_ceil(1_000_000_000);
    let read = shared.read(move |store, stop| {
        let mut drain = Drain::default();
        let first_step = times.from_ns / 1_000_000_000 / step_s;
        let mut lines = 0;
        let scan = StoreSource(store).lines(&selection, Order::Backward, &mut |line| {
            lines += 1;
            let step = line.time_ns() / 1_000_000_000 / step_s - first_step;
            drain.add(line.text(), u32::try_from(step).unwrap_or(u32::MAX));
            lines < LINES_MAX && !(lines % STOP_EVERY == 0 && stop.is_set())
        });
        scan.map_err(QueryError::Source)?;
        let data = drain
            .finish()
            .into_iter()
            .take(PATTERNS_MAX)
            .map(|(pattern, group)| {
                let time = |step: u32| (first_step + u64::from(step)) * step_s;
                let mut samples: Vec<(u64, u64)> =
                    group.counts.into_iter().map(|(step, count)| (time(step), count)).collect();
                samples.sort_unstable();
                PatternBody { pattern, samples }
            })
            .collect();
        Ok(json(&Body { status: "success", data }))
    });
    read.await
}
