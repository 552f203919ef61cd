//! Search for traces: block by block from the newest, and no further than needed.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use console_model::{SpanKind, StatusCode, Text, TraceId, Value};
use hashbrown::HashMap;

use super::rows::{OpenSpans, status_word};
use super::spans::{Spans, skip_event_end, skip_to_event_attributes, skip_to_events};
use super::{Traces, read_error};
use crate::codec::{Damaged, Reader, put_str};
use crate::error::ReadError;
use crate::filter;
use crate::hash;
use crate::shelf::{Extent, PartitionView, Segment, SegmentReader, Shelf, clamp};

/// What is looked for: a trace matches if one of its spans fulfils everything that is said here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceQuery {
    /// The service of the span; `None` for any.
    pub service: Option<Text>,
    /// The span's name; `None` for any.
    pub operation: Option<Text>,
    /// Attributes that the span, one of its events or its resource must have, with the value as text. As in
    /// Jaeger, `error`, `span.kind`, `otel.status_code`, `otel.scope.name` and `otel.scope.version` stand for
    /// the span's status, kind and scope too.
    pub tags: Vec<(Text, Text)>,
    /// The earliest start, nanoseconds since the Unix epoch.
    pub from_ns: u64,
    /// The latest start, nanoseconds since the Unix epoch.
    pub to_ns: u64,
    /// The shortest duration, nanoseconds.
    pub duration_min_ns: u64,
    /// The longest duration, nanoseconds.
    pub duration_max_ns: u64,
    /// How many traces are wanted.
    pub limit: usize,
}

impl Default for TraceQuery {
    /// The newest hundred of everything.
    fn default() -> Self {
        Self {
            service: None,
            operation: None,
            tags: Vec::new(),
            from_ns: 0,
            to_ns: u64::MAX,
            duration_min_ns: 0,
            duration_max_ns: u64::MAX,
            limit: 100,
        }
    }
}

/// A place to look into.
struct Candidate<'a> {
    newest: i64,
    segment: Option<(&'a Arc<Segment>, usize)>,
    open: Option<&'a [u8]>,
}

/// Traces found so far, each with the newest start that matched.
#[derive(Default)]
struct Found {
    starts: HashMap<u128, u64>,
}

impl Found {
    fn add(&mut self, trace: u128, start_ns: u64) {
        let known = self.starts.entry(trace).or_insert(start_ns);
        *known = (*known).max(start_ns);
    }

    /// Keeps the newest `limit`; gives the oldest start among them if there are as many.
    fn cut(&mut self, limit: usize) -> Option<u64> {
        if self.starts.len() < limit.max(1) {
            return None;
        }
        let mut starts: Vec<u64> = self.starts.values().copied().collect();
        let (_, oldest, _) = starts.select_nth_unstable_by(limit.max(1) - 1, |a, b| b.cmp(a));
        let oldest = *oldest;
        if self.starts.len() > limit * 4 + 64 {
            self.starts.retain(|_, start| *start >= oldest);
        }
        Some(oldest)
    }
}

impl Traces {
    /// The ids of traces that match, newest first.
    pub(crate) fn search(&self, query: &TraceQuery) -> Result<Vec<TraceId>, ReadError> {
        let mut found = Found::default();
        if query.limit > 0 {
            for shelf in [&self.shelf, &self.pinned] {
                search_shelf(shelf, query, &mut found)?;
            }
        }
        let mut ids: Vec<(u64, u128)> = found.starts.into_iter().map(|(trace, start)| (start, trace)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids.into_iter().take(query.limit).filter_map(|(_, trace)| TraceId::new(trace)).collect())
    }
}

fn search_shelf(shelf: &Shelf<OpenSpans>, query: &TraceQuery, found: &mut Found) -> Result<(), ReadError> {
    let views = shelf.view(|service| query.service.as_ref().is_none_or(|wanted| wanted == service));
    let mut candidates: Vec<Candidate<'_>> = views.iter().flat_map(|view| candidates(view, query)).collect();
    candidates.sort_unstable_by_key(|candidate| std::cmp::Reverse(candidate.newest));
    let hashes = hashes(query);
    let mut readers: HashMap<u64, Option<SegmentReader>> = HashMap::new();
    for candidate in candidates {
        if found.cut(query.limit).is_some_and(|oldest| clamp(oldest) >= candidate.newest) {
            break;
        }
        if let Some(body) = candidate.open {
            // Written a moment ago by this process: it is what it was written as.
            let _: Result<(), Damaged> = search_body(body, query, found);
        }
        let Some((segment, number)) = candidate.segment else { continue };
        let failed = |error: io::Error| read_error(segment.path(), error);
        if !readers.contains_key(&segment.id()) {
            readers.insert(segment.id(), shelf.read(segment).map_err(failed)?);
        }
        let (Some(Some(reader)), Some(meta)) = (readers.get(&segment.id()), segment.blocks().get(number)) else {
            continue;
        };
        if !hashes.is_empty() {
            let filter = reader.filter(meta).map_err(failed)?;
            if !hashes.iter().all(|hash| filter::may_hold(&filter, *hash)) {
                continue;
            }
        }
        if let Some(frame) = reader.frame(meta).map_err(failed)?
            && search_body(meta.body(&frame), query, found).is_err()
        {
            reader.tell_damage(meta);
        }
    }
    Ok(())
}

fn candidates<'a>(view: &'a PartitionView, query: &TraceQuery) -> Vec<Candidate<'a>> {
    let meets = |extent: &Extent| {
        extent.meets(clamp(query.from_ns), clamp(query.to_ns))
            && extent.low <= query.duration_max_ns
            && query.duration_min_ns <= extent.high
    };
    let has_operation = |segment: &Segment| {
        query.operation.as_ref().is_none_or(|name| {
            !segment.knows_all_words() || (0..6).any(|kind| segment.words().contains(&*format!("{kind}{name}")))
        })
    };
    let mut all: Vec<Candidate<'a>> = Vec::new();
    for segment in view.segments.iter().filter(|segment| meets(&segment.extent()) && has_operation(segment)) {
        let blocks = segment.blocks().iter().enumerate().filter(|(_, meta)| meets(&meta.extent));
        all.extend(blocks.map(|(number, meta)| Candidate {
            newest: meta.extent.max,
            segment: Some((segment, number)),
            open: None,
        }));
    }
    if let Some(open) = view.open.as_ref().filter(|open| meets(&open.extent)) {
        all.push(Candidate { newest: open.extent.max, segment: None, open: Some(&open.body) });
    }
    all
}

fn hashes(query: &TraceQuery) -> Vec<u64> {
    query.tags.iter().map(|(key, value)| hash::pair(key, value)).collect()
}

fn search_body(body: &[u8], query: &TraceQuery, found: &mut Found) -> Result<(), Damaged> {
    let spans = Spans::read(body)?;
    let name = match &query.operation {
        None => None,
        Some(wanted) => match spans.number_of_name(wanted) {
            None => return Ok(()),
            number => number,
        },
    };
    let mut details = None;
    for row in 0..spans.len() {
        let start = spans.start_ns(row);
        let fits = (query.from_ns..=query.to_ns).contains(&start)
            && (query.duration_min_ns..=query.duration_max_ns).contains(&spans.duration_ns(row))
            && name.is_none_or(|name| spans.name_number(row) == name);
        if !fits {
            continue;
        }
        if !query.tags.is_empty() {
            let details = match &details {
                Some(details) => details,
                None => details.insert(Details::unpack(&spans, &query.tags)?),
            };
            if !matches_tags(&spans, row, details, &query.tags)? {
                continue;
            }
        }
        found.add(spans.trace(row), start);
    }
    Ok(())
}

/// What tags are looked for in beside the columns.
struct Details<'a> {
    rest: Cow<'a, [u8]>,
    /// For each tag the rows that may have an attribute with its key: few have a rare one, and to find them among
    /// all bytes is faster than to read each row.
    rows: Vec<Vec<usize>>,
}

impl<'a> Details<'a> {
    fn unpack(spans: &Spans<'a>, tags: &[(Text, Text)]) -> Result<Self, Damaged> {
        let rest = spans.unpack_rest()?;
        let rows_with = |(key, _): &(Text, Text)| {
            let mut written = Vec::with_capacity(key.len() + 2);
            put_str(&mut written, key);
            spans.rows_with(&rest, &written)
        };
        let rows = tags.iter().map(rows_with).collect();
        Ok(Self { rest, rows })
    }
}

fn matches_tags(spans: &Spans<'_>, row: usize, details: &Details<'_>, tags: &[(Text, Text)]) -> Result<bool, Damaged> {
    let mut open: Vec<&(Text, Text)> = Vec::new();
    for (tag, rows) in tags.iter().zip(&details.rows) {
        if !matches_special(spans, row, &tag.0, &tag.1) && !resource_has(spans, row, &tag.0, &tag.1) {
            if rows.binary_search(&row).is_err() {
                return Ok(false);
            }
            open.push(tag);
        }
    }
    if open.is_empty() {
        return Ok(true);
    }
    let mut reader = spans.attributes(row, &details.rest)?;
    strike(&mut open, &mut reader)?;
    if open.is_empty() {
        return Ok(true);
    }
    // On from there, and past all else: most spans have no events, and few rows of a block match.
    for _ in 0..skip_to_events(&mut reader)? {
        skip_to_event_attributes(&mut reader)?;
        strike(&mut open, &mut reader)?;
        skip_event_end(&mut reader)?;
    }
    Ok(open.is_empty())
}

/// Strikes out the tags that the attributes at the reader fulfil.
fn strike(open: &mut Vec<&(Text, Text)>, reader: &mut Reader<'_>) -> Result<(), Damaged> {
    for _ in 0..reader.count()? {
        let key = reader.bytes()?;
        if open.iter().any(|(wanted, _)| wanted.as_bytes() == key) {
            let value = reader.value()?;
            open.retain(|(wanted, text)| wanted.as_bytes() != key || !is_text(&value, text));
        } else {
            reader.skip_value()?;
        }
    }
    Ok(())
}

fn is_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        other => other.to_string() == text,
    }
}

fn resource_has(spans: &Spans<'_>, row: usize, key: &str, value: &str) -> bool {
    spans
        .origin(row)
        .is_some_and(|origin| origin.resource.attributes.iter().any(|it| it.key == key && is_text(&it.value, value)))
}

fn matches_special(spans: &Spans<'_>, row: usize, key: &str, value: &str) -> bool {
    let status = || spans.status(row);
    let scope = || spans.origin(row).map(|origin| origin.scope.clone());
    match key {
        "error" => (value == "true") == (status() == StatusCode::Error) && matches!(value, "true" | "false"),
        "span.kind" => {
            let kind = spans.kind(row);
            kind != SpanKind::Unspecified && kind.name() == value
        }
        "otel.status_code" => !value.is_empty() && status_word(status()) == value,
        "otel.scope.name" => scope().is_some_and(|scope| scope.name == value),
        "otel.scope.version" => scope().is_some_and(|scope| scope.version == value),
        _ => false,
    }
}
