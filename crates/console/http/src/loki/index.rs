//! `/index/stats`, `/index/volume`, `/index/volume_range`: how much there is. Loki estimates it from its index;
//! here lines are counted.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use console_logql::ast::{Expr, Matcher, MetricExpr};
use console_logql::{Order, QueryError, Scan, Selection, Series, Source};
use console_model::{LabelSetBuilder, Labels};
use hashbrown::{HashMap, HashSet};
use serde::Serialize;
use tokio::time::Instant;

use super::Shared;
use super::answer::{Refusal, Took, json, of_matrix, of_vector};
use super::parameters::{Parameters, Times};
use super::source::StoreSource;

/// Series of one answer.
pub(super) const SERIES_MAX: usize = 10_000;
const SERIES_DEFAULT: usize = 100;
/// Steps of one answer, and numbers of all its series together.
const STEPS_MAX: i64 = 11_000;
const CELLS_MAX: usize = 5_000_000;
/// Lines after which it is asked whether to go on.
const STOP_EVERY: u64 = 4_096;

/// The matchers of a query: those of its first selector. `{}` selects everything here.
pub(super) fn matchers(query: &str) -> Result<Vec<Matcher>, Refusal> {
    fn first(expr: &MetricExpr) -> Option<&[Matcher]> {
        match expr {
            MetricExpr::Range(range) => Some(&range.log.matchers),
            MetricExpr::Vector(vector) => first(&vector.inner),
            MetricExpr::Binary(binary) => first(&binary.left).or_else(|| first(&binary.right)),
            MetricExpr::LabelReplace(replace) => first(&replace.inner),
            MetricExpr::Literal(_) | MetricExpr::VectorOf(_) => None,
        }
    }
    if let Ok(matchers) = console_logql::parse_selector(query) {
        return Ok(matchers);
    }
    match console_logql::parse(query).map_err(QueryError::from)? {
        Expr::Log(log) => Ok(log.matchers),
        Expr::Metric(expr) => Ok(first(&expr).unwrap_or_default().to_vec()),
    }
}

pub(super) fn selection(query: &str, times: Times) -> Result<Selection, Refusal> {
    Ok(Selection {
        matchers: matchers(query)?,
        from_ns: times.from_ns,
        to_ns: times.to_ns.saturating_sub(1),
        contains: Vec::new(),
        skips_text: true,
    })
}

#[derive(Serialize, Default)]
struct Statistics {
    streams: usize,
    chunks: u64,
    entries: u64,
    bytes: u64,
}

pub(super) async fn stats(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let times = parameters.times_of_query(shared.now_ns())?;
    let selection = selection(parameters.query()?, times)?;
    let read = shared.read(move |store, stop| {
        let mut counted = Statistics::default();
        let mut streams: HashSet<Labels> = HashSet::new();
        let scan = StoreSource(store).lines(&selection, Order::Any, &mut |line| {
            counted.entries += 1;
            counted.bytes += line.bytes() as u64;
            if !streams.contains(line.stream()) {
                streams.insert(line.stream().clone());
            }
            !(counted.entries.is_multiple_of(STOP_EVERY) && stop.is_set())
        });
        counted.chunks = scan.map_err(QueryError::Source)?.blocks;
        counted.streams = streams.len();
        Ok(json(&counted))
    });
    read.await
}

/// Bytes by series and step.
struct Volume {
    /// The labels that tell series apart; all that selectors name if none are named.
    targets: Vec<String>,
    /// Whether only the labels' names count.
    by_label: bool,
    from_ns: u64,
    step_ns: u64,
    steps: usize,
    by_stream: HashMap<Labels, Arc<[usize]>>,
    by_labels: HashMap<Labels, usize>,
    series: Vec<(Labels, Vec<u64>)>,
}

impl Volume {
    fn of_request(
        parameters: &Parameters,
        selection: &Selection,
        from_ns: u64,
        step_ns: u64,
        steps: usize,
    ) -> Result<Self, Refusal> {
        let by_label = match parameters.first("aggregateBy") {
            None | Some("series") => false,
            Some("labels") => true,
            Some(other) => {
                return Err(Refusal::asked(format!("invalid aggregation option '{other}': series or labels")));
            }
        };
        let mut targets: Vec<String> = parameters
            .first("targetLabels")
            .into_iter()
            .flat_map(|labels| labels.split(','))
            .map(str::to_owned)
            .collect();
        if targets.is_empty() && !by_label {
            targets = selection.matchers.iter().map(|matcher| matcher.name.to_string()).collect();
        }
        Ok(Self {
            targets,
            by_label,
            from_ns,
            step_ns,
            steps,
            by_stream: HashMap::new(),
            by_labels: HashMap::new(),
            series: Vec::new(),
        })
    }

    /// The series that a stream's bytes belong to; none beyond the bound.
    fn of_stream(&mut self, stream: &Labels) -> Arc<[usize]> {
        if let Some(known) = self.by_stream.get(stream) {
            return Arc::clone(known);
        }
        let mut builder = LabelSetBuilder::new();
        let is_target = |name: &str| self.targets.is_empty() || self.targets.iter().any(|target| target == name);
        let keys: Vec<Labels> = if self.by_label {
            let names = stream.iter().map(|(name, _)| name).filter(|name| is_target(name));
            names
                .map(|name| {
                    // A label without a value is none in a set, so that the name is kept as one.
                    builder.push(name, name);
                    builder.finish()
                })
                .collect()
        } else {
            stream.iter().filter(|(name, _)| is_target(name)).for_each(|(name, value)| builder.push(name, value));
            vec![builder.finish()]
        };
        let mut found = Vec::new();
        for key in keys.into_iter().filter(|key| !key.is_empty()) {
            let next = self.series.len();
            let at = *self.by_labels.entry(key.clone()).or_insert(next);
            if at == next {
                self.series.push((key, vec![0; self.steps]));
            }
            found.push(at);
        }
        let found: Arc<[usize]> = found.into();
        self.by_stream.insert(stream.clone(), Arc::clone(&found));
        found
    }

    fn add(&mut self, stream: &Labels, time_ns: u64, bytes: u64) -> bool {
        let step = usize::try_from(time_ns.saturating_sub(self.from_ns) / self.step_ns.max(1)).unwrap_or(usize::MAX);
        for at in self.of_stream(stream).iter() {
            if let Some(cell) = self.series.get_mut(*at).and_then(|(_, steps)| steps.get_mut(step.min(self.steps - 1)))
            {
                *cell += bytes;
            }
        }
        self.series.len() * self.steps <= CELLS_MAX
    }

    /// The largest first, so many of them.
    fn finish(mut self, limit: usize) -> Vec<Series> {
        let total = |steps: &[u64]| steps.iter().sum::<u64>();
        self.series.sort_by(|a, b| total(&b.1).cmp(&total(&a.1)).then_with(|| a.0.cmp(&b.0)));
        self.series.truncate(limit);
        let series = |(labels, steps): (Labels, Vec<u64>)| {
            let there = steps.iter().enumerate().filter(|(_, bytes)| **bytes > 0);
            Series { labels, points: there.map(|(step, bytes)| (step as u32, *bytes as f64)).collect() }
        };
        self.series.into_iter().map(series).collect()
    }
}

fn count(
    store: &console_storage::Store,
    selection: &Selection,
    volume: &mut Volume,
    stop: &crate::reads::Stop,
) -> Result<Scan, QueryError> {
    let (mut lines, mut is_full) = (0_u64, false);
    let scan = StoreSource(store).lines(selection, Order::Any, &mut |line| {
        lines += 1;
        is_full = !volume.add(line.stream(), line.time_ns(), line.bytes() as u64);
        !(is_full || lines.is_multiple_of(STOP_EVERY) && stop.is_set())
    });
    if is_full {
        return Err(QueryError::Limit(format!(
            "more than {CELLS_MAX} values; let the step be longer, or name fewer targetLabels"
        )));
    }
    scan.map_err(QueryError::Source)
}

pub(super) async fn volume(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let times = parameters.times_of_query(shared.now_ns())?;
    let selection = selection(parameters.query()?, times)?;
    let limit = parameters.limit("limit", SERIES_DEFAULT, SERIES_MAX)?;
    let mut volume = Volume::of_request(&parameters, &selection, times.from_ns, u64::MAX, 1)?;
    let began = Instant::now();
    let read = shared.read(move |store, stop| {
        let scan = count(store, &selection, &mut volume, stop)?;
        let series = volume.finish(limit);
        let took = Took { scan, time: began.elapsed(), entries: series.len() };
        Ok(of_vector(&series, i64::try_from(times.to_ns).unwrap_or(i64::MAX), took))
    });
    read.await
}

pub(super) async fn volume_range(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let times = parameters.times_of_query(shared.now_ns())?;
    let selection = selection(parameters.query()?, times)?;
    let limit = parameters.limit("limit", SERIES_DEFAULT, SERIES_MAX)?;
    let step_ns = parameters.step_ns(times)?;
    let steps = i64::try_from(times.to_ns - times.from_ns).unwrap_or(i64::MAX) / step_ns + 1;
    if steps > STEPS_MAX {
        return Err(Refusal::asked(format!(
            "exceeded maximum resolution of {STEPS_MAX} points per time series. Try increasing the value of the step parameter"
        )));
    }
    let (step, steps) = (u64::try_from(step_ns).unwrap_or(1), usize::try_from(steps).unwrap_or(1));
    let mut volume = Volume::of_request(&parameters, &selection, times.from_ns, step, steps)?;
    let began = Instant::now();
    let read = shared.read(move |store, stop| {
        let scan = count(store, &selection, &mut volume, stop)?;
        let series = volume.finish(limit);
        let took = Took { scan, time: began.elapsed(), entries: series.len() };
        Ok(of_matrix(&series, i64::try_from(times.from_ns).unwrap_or(i64::MAX), step_ns, took))
    });
    read.await
}
