//! `/api/traces`: search.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract;
use axum::http::Uri;
use console_storage::{Store, TraceQuery};
use utoipa::IntoParams;

use super::error::Error;
use super::parameters::Parameters;
use super::reads::Answer;
use super::wire::Traces;
use super::{Shared, summary};

const LIMIT_MAX: usize = 500;
/// Blocks are read once for as many traces; bounds what is in memory for them.
const LOADED_AT_ONCE: usize = 25;
/// After this long no further traces are loaded.
const SEARCH_MAX: Duration = Duration::from_secs(2);
const HOUR_NS: u64 = 3_600_000_000_000;

/// How these are described; they are read by [`Parameters`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "a description")]
pub(super) struct TracesParameters {
    /// The service of the span; any unless said
    service: Option<String>,
    /// The span's name; any unless said
    operation: Option<String>,
    /// Attributes that the span, one of its events or its resource must have: a JSON object of strings
    #[param(example = r#"{"http.request.method":"POST"}"#)]
    tags: Option<String>,
    /// The shortest duration of the span
    #[param(rename = "minDuration", example = "10ms")]
    min_duration: Option<String>,
    /// The longest duration of the span
    #[param(rename = "maxDuration", example = "1s")]
    max_duration: Option<String>,
    /// Only spans that failed
    errors: Option<bool>,
    /// The earliest start of the span, nanoseconds since the Unix epoch; an hour before the end unless said
    #[param(pattern = "^[0-9]{1,20}$")]
    start: Option<String>,
    /// The latest start of the span, nanoseconds since the Unix epoch; now unless said
    #[param(pattern = "^[0-9]{1,20}$")]
    end: Option<String>,
    /// How many traces at most; 50 unless said
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// Traces of which one span fulfils everything that is asked for.
#[utoipa::path(
    get,
    path = "/api/traces",
    operation_id = "traces",
    tag = "traces",
    params(TracesParameters),
    responses((status = 200, description = "The traces, newest first", body = Traces), Error)
)]
pub(super) async fn traces(extract::State(shared): extract::State<Arc<Shared>>, uri: Uri) -> Result<Answer, Error> {
    let query = query(&uri, shared.now_ns())?;
    let store = shared.state.store.clone();
    shared.reads.run(move || search(&store, query, SEARCH_MAX).and_then(|traces| Answer::of(&traces))).await
}

fn query(uri: &Uri, now_ns: u64) -> Result<TraceQuery, Error> {
    let names = ["service", "operation", "tags", "minDuration", "maxDuration", "errors", "start", "end", "limit"];
    let parameters = Parameters::read(uri, &names)?;
    let (from_ns, to_ns) = parameters.window(now_ns, HOUR_NS)?;
    let mut tags = parameters.tags("tags")?;
    if parameters.flag("errors")? {
        tags.push(("error".into(), "true".into()));
    }
    let query = TraceQuery {
        service: parameters.get("service").map(Into::into),
        operation: parameters.get("operation").map(Into::into),
        tags,
        from_ns,
        to_ns,
        duration_min_ns: parameters.duration("minDuration")?.unwrap_or(0),
        duration_max_ns: parameters.duration("maxDuration")?.unwrap_or(u64::MAX),
        limit: parameters.number("limit", 1..=LIMIT_MAX, 50)?,
    };
    if query.duration_min_ns > query.duration_max_ns {
        let shown = |name| parameters.get(name).unwrap_or_default();
        let expected = format_args!("no more than maxDuration, {}", shown("maxDuration"));
        return Err(Error::parameter("minDuration", shown("minDuration"), expected));
    }
    Ok(query)
}

/// Looks for one more than is wanted, to know whether there is more. Some traces are loaded, however long the search
/// took.
pub(super) fn search(store: &Store, mut query: TraceQuery, search_max: Duration) -> Result<Traces, Error> {
    let began = Instant::now();
    let limit = query.limit;
    query.limit += 1;
    let ids = store.search_traces(&query)?;
    let mut truncated = ids.len() > limit;
    let mut traces = Vec::with_capacity(ids.len().min(limit));
    for ids in ids.get(..ids.len().min(limit)).unwrap_or_default().chunks(LOADED_AT_ONCE) {
        if !traces.is_empty() && began.elapsed() > search_max {
            truncated = true;
            break;
        }
        // A trace may have been removed since it was found.
        traces.extend(store.trace_outlines(ids)?.iter().filter_map(summary::of));
    }
    traces.sort_by_key(|trace| std::cmp::Reverse(trace.start));
    let elapsed_ms = (began.elapsed().as_micros() as f64) / 1_000.0;
    Ok(Traces { traces, truncated, elapsed_ms })
}
