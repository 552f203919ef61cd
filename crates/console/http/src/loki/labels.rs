//! `/labels`, `/label/<name>/values`, `/series`: which streams there are, and what tells them apart.

use std::collections::BTreeSet;

use axum::extract::{FromRequest, Path, Request, State};
use axum::response::Response;
use console_logql::QueryError;
use console_logql::ast::Matcher;
use console_model::Labels;
use serde::Serialize;

use super::answer::{LabelMap, Refusal, json};
use super::parameters::{Parameters, Times};
use super::{Shared, source};

/// Streams of one answer.
const STREAMS_MAX: usize = 40_000;
/// Selectors of one request.
const SELECTORS_MAX: usize = 100;

#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    data: T,
}

impl<T> Success<T> {
    const fn of(data: T) -> Self {
        Self { status: "success", data }
    }
}

/// The streams that matchers select; what is asked of each of them is the caller's.
async fn streams(shared: &Shared, selectors: Vec<Vec<Matcher>>, times: Times) -> Result<Vec<Labels>, Refusal> {
    let read = shared.read(move |store, stop| {
        let mut found = BTreeSet::new();
        for selector in &selectors {
            if stop.is_set() {
                return Err(QueryError::Stopped);
            }
            let matchers = source::matchers(selector).map_err(QueryError::Source)?;
            found.extend(store.log_streams(&matchers, times.from_ns, times.to_ns.saturating_sub(1)));
        }
        Ok(found.into_iter().collect())
    });
    read.await
}

/// The streams of `query`, which may be missing, empty, or select everything.
pub(super) async fn streams_of_query(
    shared: &Shared,
    parameters: &Parameters,
    times: Times,
) -> Result<Vec<Labels>, Refusal> {
    let selector = match parameters.first("query") {
        None => Vec::new(),
        Some(text) => console_logql::parse_selector(text).map_err(QueryError::from)?,
    };
    streams(shared, vec![selector], times).await
}

pub(super) async fn names(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let times = parameters.times_of_labels(shared.now_ns())?;
    let streams = streams_of_query(&shared, &parameters, times).await?;
    let names: BTreeSet<&str> = streams.iter().flat_map(Labels::iter).map(|(name, _)| name).collect();
    Ok(json(&Success::of(names)))
}

pub(super) async fn values(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let parameters = Parameters::from_request(request, &()).await?;
    let times = parameters.times_of_labels(shared.now_ns())?;
    let streams = streams_of_query(&shared, &parameters, times).await?;
    let values: BTreeSet<&str> = streams.iter().filter_map(|stream| stream.get(&name)).collect();
    Ok(json(&Success::of(values)))
}

pub(super) async fn series(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let times = parameters.times_of_labels(shared.now_ns())?;
    let selectors: Vec<&str> = parameters.all("match[]").chain(parameters.all("match")).collect();
    if selectors.is_empty() {
        return Err(Refusal::asked("0 matcher groups supplied; name at least one, as in match[]={app=\"api\"}"));
    }
    if selectors.len() > SELECTORS_MAX {
        return Err(Refusal::asked(format!("more than {SELECTORS_MAX} selectors in one request")));
    }
    let parsed = selectors.iter().map(|text| console_logql::parse_selector(text));
    let selectors = parsed.collect::<Result<Vec<_>, _>>().map_err(QueryError::from)?;
    let streams = streams(&shared, selectors, times).await?;
    if streams.len() > STREAMS_MAX {
        let told = format!(
            "{} streams are selected, but an answer has {STREAMS_MAX}; narrow the time or the selectors",
            streams.len()
        );
        return Err(Refusal::asked(told));
    }
    Ok(json(&Success::of(streams.iter().map(LabelMap).collect::<Vec<_>>())))
}
