//! Queries over lines in memory. Each file is about pages of Loki's documentation, or about what goes beyond
//! them.

mod binary;
mod errors;
mod log_queries;
mod metrics;
mod pipelines;
mod properties;
mod shared;
mod templates;

use std::collections::BTreeMap;

use console_model::Labels;

use crate::ast::{Expr, MatchOp};
use crate::{
    Answer, Limits, Line, LinesRequest, MetricRequest, Order, QueryError, Scan, Selection, Series, Source,
    format_number, regexp,
};

const SECOND: i64 = 1_000_000_000;
/// The time of the first line; others follow.
const START_NS: u64 = 1_700_000_000_000_000_000;

/// A line in memory.
#[derive(Debug, Clone)]
struct Kept {
    stream: Labels,
    time_ns: u64,
    text: String,
    metadata: Vec<(String, String)>,
}

impl Line for Kept {
    fn time_ns(&self) -> u64 {
        self.time_ns
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn stream(&self) -> &Labels {
        &self.stream
    }

    fn metadata(&self, see: &mut dyn FnMut(&str, &str)) {
        self.metadata.iter().for_each(|(name, value)| see(name, value));
    }
}

/// Lines in memory.
#[derive(Debug, Clone, Default)]
struct Memory(Vec<Kept>);

impl Memory {
    /// Adds a line some seconds behind the start.
    fn push(&mut self, stream: &[(&str, &str)], seconds: f64, text: &str) -> &mut Self {
        self.push_with(stream, seconds, text, &[])
    }

    fn push_with(&mut self, stream: &[(&str, &str)], seconds: f64, text: &str, metadata: &[(&str, &str)]) -> &mut Self {
        self.0.push(Kept {
            stream: Labels::from_pairs(stream.iter().copied()),
            time_ns: START_NS + (seconds * 1e9) as u64,
            text: text.to_owned(),
            metadata: metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        });
        self
    }

    /// Lines of one stream, a second apart.
    fn of(stream: &[(&str, &str)], lines: &[&str]) -> Self {
        let mut memory = Self::default();
        for (at, line) in lines.iter().enumerate() {
            memory.push(stream, at as f64, line);
        }
        memory
    }
}

impl Source for Memory {
    fn lines(
        &self,
        selection: &Selection,
        order: Order,
        see: &mut dyn FnMut(&dyn Line) -> bool,
    ) -> Result<Scan, Box<dyn std::error::Error + Send + Sync>> {
        let mut wanted: Vec<&Kept> = self.0.iter().collect();
        match order {
            Order::Forward => wanted.sort_by_key(|line| line.time_ns),
            Order::Backward => wanted.sort_by_key(|line| std::cmp::Reverse(line.time_ns)),
            // As a store may: some blocks before others.
            Order::Any => wanted.sort_by_key(|line| (line.time_ns / 3) % 7),
        }
        // Once for all lines: an expression takes longer to make than to ask.
        let matchers = selection.matchers.iter().map(|matcher| {
            let is_regexp = matches!(matcher.op, MatchOp::Matches | MatchOp::MatchesNot);
            (matcher, is_regexp.then(|| regexp::whole(&matcher.value).unwrap()))
        });
        let matchers: Vec<_> = matchers.collect();
        let mut scan = Scan::default();
        for line in wanted {
            let selects = matchers.iter().all(|(matcher, regexp)| {
                let value = line.stream.get(&matcher.name).unwrap_or_default();
                let is_match = regexp.as_ref().map_or(value == matcher.value, |regexp| regexp.is_match(value));
                is_match == matches!(matcher.op, MatchOp::Equal | MatchOp::Matches)
            });
            let in_time = (selection.from_ns..=selection.to_ns).contains(&line.time_ns);
            if selects && in_time && selection.contains.iter().all(|text| line.text.contains(text.as_str())) {
                scan.lines += 1;
                scan.bytes += line.text.len() as u64;
                if !see(line) {
                    break;
                }
            }
        }
        Ok(scan)
    }
}

fn asked(limit: usize) -> LinesRequest {
    LinesRequest {
        from_ns: 0,
        to_ns: u64::MAX,
        limit,
        is_backward: false,
        interval_ns: 0,
        now_ns: START_NS + 86_400 * SECOND as u64,
    }
}

/// The lines of a query with all labels, oldest first.
fn found(memory: &Memory, query: &str) -> Vec<(BTreeMap<String, String>, String)> {
    let log = crate::parse_log(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let found = crate::lines(&log, &asked(1_000), memory, &|| false).unwrap_or_else(|error| panic!("{query}: {error}"));
    let line = |line: crate::FoundLine| {
        let labels = line.labels.iter().map(|(name, value, _)| (name.to_string(), value.to_string())).collect();
        (labels, line.line.to_string())
    };
    found.lines.into_iter().map(line).collect()
}

/// The lines alone.
fn texts(memory: &Memory, query: &str) -> Vec<String> {
    found(memory, query).into_iter().map(|(_, line)| line).collect()
}

/// The labels of one line as a query leaves them, but for those of its stream.
fn extracted(line: &str, stages: &str) -> BTreeMap<String, String> {
    let memory = Memory::of(&[("job", "x")], &[line]);
    let mut found = found(&memory, &format!("{{job=\"x\"}} {stages}"));
    let (mut labels, _) = found.pop().unwrap_or_else(|| panic!("{stages} leaves nothing of {line}"));
    labels.remove("job");
    labels
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What a query gives at one time, some seconds behind the start.
fn at(memory: &Memory, query: &str, seconds: f64) -> Result<Answer, QueryError> {
    let Expr::Metric(expr) = crate::parse(query)? else { panic!("{query} is about lines") };
    let time_ns = START_NS as i64 + (seconds * 1e9) as i64;
    let request = MetricRequest { start_ns: time_ns, end_ns: time_ns, step_ns: None, now_ns: time_ns as u64 };
    crate::metric(&expr, &request, memory, Limits::default(), &|| false).map(|(answer, _)| answer)
}

/// The same as text: `{labels} value`, in order.
fn vector(memory: &Memory, query: &str, seconds: f64) -> Vec<String> {
    match at(memory, query, seconds).unwrap_or_else(|error| panic!("{query}: {error}")) {
        Answer::Scalar(number) => vec![format_number(number)],
        Answer::Series(series) => series
            .iter()
            .map(|series| format!("{} {}", series.labels, format_number(series.points.first().unwrap().1)))
            .collect(),
    }
}

/// What a query gives from the start on, every so many seconds.
fn matrix(memory: &Memory, query: &str, from: f64, to: f64, step: f64) -> Vec<Series> {
    let Expr::Metric(expr) = crate::parse(query).unwrap() else { panic!("{query} is about lines") };
    let time = |seconds: f64| START_NS as i64 + (seconds * 1e9) as i64;
    let step_ns = Some((step * 1e9) as i64);
    let request = MetricRequest { start_ns: time(from), end_ns: time(to), step_ns, now_ns: START_NS };
    match crate::metric(&expr, &request, memory, Limits::default(), &|| false) {
        Ok((Answer::Series(series), _)) => series,
        other => panic!("{query}: {other:?}"),
    }
}

fn told(query: &str) -> String {
    match crate::parse(query) {
        Ok(expr) => panic!("{query} is a query: {expr}"),
        Err(error) => error.to_string(),
    }
}
