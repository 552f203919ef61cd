//! Queries of lines: the first so many that a pipeline lets through, with their labels.

use std::sync::Arc;

use console_model::{Labels, Text};

use crate::Stop;
use crate::ast::LogExpr;
use crate::entry::{Buffers, Entry, OriginatedLabels};
use crate::error::QueryError;
use crate::source::{Order, Scan, Selection, Source};
use crate::stage::Pipeline;

/// Bytes of the lines of one answer.
const BYTES_MAX: usize = 64 << 20;

/// Which lines are asked for.
#[derive(Debug, Clone, Copy)]
pub struct LinesRequest {
    /// The earliest, nanoseconds since the Unix epoch.
    pub from_ns: u64,
    /// The end, nanoseconds since the Unix epoch, which is no part of it.
    pub to_ns: u64,
    /// How many.
    pub limit: usize,
    /// The newest first, or the oldest.
    pub is_backward: bool,
    /// How far from each other they have to be, nanoseconds.
    pub interval_ns: u64,
    /// What time it is, nanoseconds since the Unix epoch.
    pub now_ns: u64,
}

/// A line of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLine {
    /// When it happened, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// What it says, by now.
    pub line: Text,
    /// The labels of its stream as they are kept.
    pub stream: Labels,
    /// All labels by now, with where they came from, sorted by name.
    pub labels: OriginatedLabels,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order asked for.
    pub lines: Vec<FoundLine>,
    /// What it took.
    pub scan: Scan,
}

impl FoundLine {
    pub(crate) fn new(entry: &Entry<'_>, last: Option<&OriginatedLabels>) -> Self {
        let all = entry.labels.all();
        // Lines of a stream mostly have the same labels, one after the other.
        let is_same = |last: &&OriginatedLabels| {
            last.len() == all.len() && last.iter().zip(&all).all(|(a, b)| a.0 == b.0 && a.1 == b.1 && a.2 == b.2)
        };
        let labels = last.filter(is_same).cloned().unwrap_or_else(|| {
            all.iter().map(|(name, value, origin)| (Text::from(*name), Text::from(*value), *origin)).collect()
        });
        let source = entry.labels.source();
        Self { time_ns: source.time_ns(), line: (*entry.line).into(), stream: source.stream().clone(), labels }
    }
}

/// Finds lines.
pub fn lines(log: &LogExpr, request: &LinesRequest, source: &dyn Source, stop: Stop<'_>) -> Result<Found, QueryError> {
    let mut found = Found::default();
    let Some(to_ns) = request.to_ns.checked_sub(1).filter(|to_ns| *to_ns >= request.from_ns && request.limit > 0)
    else {
        return Ok(found);
    };
    let pipeline = Pipeline::new(log, request.now_ns).map_err(QueryError::Asked)?;
    let selection = Selection {
        matchers: log.matchers.clone(),
        from_ns: request.from_ns,
        to_ns,
        contains: pipeline.contains.clone(),
        skips_text: false,
    };
    let mut buffers = Buffers::default();
    let stop_every = pipeline.stop_every();
    let (mut seen, mut bytes, mut fault) = (0_u64, 0_usize, None);
    let mut last_ns: Option<u64> = None;
    let order = if request.is_backward { Order::Backward } else { Order::Forward };
    let scan = source.lines(&selection, order, &mut |line| {
        seen += 1;
        if seen.is_multiple_of(stop_every) && stop() {
            fault = Some(QueryError::Stopped);
            return false;
        }
        let time_ns = line.time_ns();
        if last_ns.is_some_and(|last| last.abs_diff(time_ns) < request.interval_ns) {
            return true;
        }
        let Some(entry) = pipeline.run(line, &mut buffers, None) else { return true };
        let last = found.lines.last().map(|line| &line.labels);
        let one = FoundLine::new(&entry, last);
        bytes += one.line.len();
        if last.is_none_or(|last| !Arc::ptr_eq(last, &one.labels)) {
            bytes += one.labels.iter().map(|(name, value, _)| name.len() + value.len()).sum::<usize>();
        }
        if bytes > BYTES_MAX {
            let told =
                format!("the lines of the answer have more than {BYTES_MAX} bytes; ask for fewer, as in limit=100");
            fault = Some(QueryError::Limit(told));
            return false;
        }
        last_ns = Some(time_ns);
        found.lines.push(one);
        found.lines.len() < request.limit
    });
    found.scan = scan.map_err(QueryError::Source)?;
    match fault {
        Some(fault) => Err(fault),
        None => Ok(found),
    }
}
