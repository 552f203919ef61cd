//! Spans as rows: what searches look at in columns, the rest of each span behind them. How they are read again is
//! in [`super::spans`].
//!
//! A body is two sections: the columns with the tables that they refer to, and the spans' other parts one
//! after the other. A search unpacks the first only, until something matches.

use std::fmt::Write;

use console_model::{Span, SpanGroup, SpanId, SpanKind, StatusCode, Text, TraceId};
use hashbrown::HashMap;

use super::spans::Spans;
use crate::codec::{Damaged, put_attributes, put_column, put_str, put_u64};
use crate::filter;
use crate::hash;
use crate::origin::Origins;
use crate::pack;
use crate::pairs::Pairs;
use crate::shelf::{Encoded, Extent, Form, Left, ROW_BYTES_MAX, Rows, clamp};

/// A block is made when the open rows take this much.
const FULL_BYTES: usize = 512 << 10;
const FULL_ROWS: usize = 8_192;

/// Open spans.
#[derive(Default)]
pub(crate) struct OpenSpans {
    heads: Vec<Head>,
    rest: Vec<u8>,
    names: HashMap<Text, u32>,
    names_in_order: Vec<Text>,
    names_bytes: usize,
    origins: Origins,
    pairs: Pairs,
    newest_ns: i64,
    oldest_ns: Option<i64>,
}

/// The columns of one span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    /// Zero for a root.
    pub(crate) parent: u64,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) name: u32,
    pub(crate) origin: u32,
    /// Where the rest of the span ends.
    pub(crate) rest_end: u32,
    pub(crate) kind: u8,
    pub(crate) status: u8,
    /// Whether there are links.
    pub(crate) linked: u8,
}

impl Head {
    pub(crate) const fn duration_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

impl OpenSpans {
    /// Adds the spans of a group from `from` on, those that ended at `cutoff_ns` or later, until there are
    /// enough for a block. Gives where to go on.
    pub(crate) fn add(&mut self, group: &SpanGroup, from: usize, cutoff_ns: u64, left: &mut Left) -> usize {
        let Some(origin) = self.origins.number(&group.resource, &group.scope) else {
            left.too_large += (group.spans.len() - from) as u64;
            return group.spans.len();
        };
        self.note(&group.resource.attributes);
        let mut next = from;
        for span in group.spans.get(from..).unwrap_or_default() {
            next += 1;
            // One that ends before it begins is as old as its beginning.
            if span.end_ns.max(span.start_ns) < cutoff_ns {
                left.too_old += 1;
            } else if !self.push(span, origin) {
                left.too_large += 1;
            }
            if self.is_full() {
                break;
            }
        }
        next
    }

    /// Whether a span of one of the traces is among them.
    pub(crate) fn holds_any(&self, is_wanted: impl Fn(u128) -> bool) -> bool {
        self.heads.iter().any(|head| is_wanted(head.trace))
    }

    fn note(&mut self, attributes: &console_model::Attributes) {
        for attribute in attributes {
            self.pairs.note(attribute);
        }
    }

    /// Gives whether the span is small enough to be kept.
    fn push(&mut self, span: &Span, origin: u32) -> bool {
        let before = self.rest.len();
        put_rest(&mut self.rest, span);
        if self.rest.len() - before + span.name.len() > ROW_BYTES_MAX {
            self.rest.truncate(before);
            return false;
        }
        let name = match self.names.get(&span.name) {
            Some(number) => *number,
            None => {
                let number = self.names_in_order.len() as u32;
                self.names.insert(span.name.clone(), number);
                self.names_in_order.push(span.name.clone());
                self.names_bytes += span.name.len() + 48;
                number
            }
        };
        self.note(&span.attributes);
        for event in &span.events {
            self.note(&event.attributes);
        }
        let start_ns = clamp(span.start_ns);
        self.newest_ns = self.newest_ns.max(clamp(span.end_ns)).max(start_ns);
        self.oldest_ns = Some(self.oldest_ns.map_or(start_ns, |oldest| oldest.min(start_ns)));
        self.heads.push(Head {
            trace: span.trace_id.get(),
            span: span.span_id.get(),
            parent: span.parent_span_id.map_or(0, SpanId::get),
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            name,
            origin,
            rest_end: u32::try_from(self.rest.len()).unwrap_or(u32::MAX),
            kind: span.kind.number(),
            status: span.status.code.number(),
            linked: u8::from(!span.links.is_empty()),
        });
        true
    }
}

/// The word that `otel.status_code` has for a status; empty where not said.
pub(crate) const fn status_word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "",
        StatusCode::Ok => "OK",
        StatusCode::Error => "ERROR",
    }
}

fn put_rest(out: &mut Vec<u8>, span: &Span) {
    put_attributes(out, &span.attributes);
    put_u64(out, u64::from(span.flags));
    put_str(out, &span.trace_state);
    put_str(out, &span.status.message);
    put_u64(out, u64::from(span.dropped_attributes_count));
    put_u64(out, u64::from(span.dropped_events_count));
    put_u64(out, u64::from(span.dropped_links_count));
    put_u64(out, span.events.len() as u64);
    for event in &span.events {
        // Events lie near the start mostly, and a difference is short then.
        put_u64(out, event.time_ns.wrapping_sub(span.start_ns));
        put_str(out, &event.name);
        put_attributes(out, &event.attributes);
        put_u64(out, u64::from(event.dropped_attributes_count));
    }
    put_u64(out, span.links.len() as u64);
    for link in &span.links {
        out.extend_from_slice(&link.trace_id.to_bytes());
        out.extend_from_slice(&link.span_id.to_bytes());
        put_str(out, &link.trace_state);
        put_attributes(out, &link.attributes);
        put_u64(out, u64::from(link.dropped_attributes_count));
        put_u64(out, u64::from(link.flags));
    }
}

impl Rows for OpenSpans {
    fn len(&self) -> usize {
        self.heads.len()
    }

    fn bytes(&self) -> usize {
        self.heads.len() * size_of::<Head>()
            + self.rest.len()
            + self.names_bytes
            + self.origins.bytes()
            + self.pairs.bytes()
    }

    fn is_full(&self) -> bool {
        self.heads.len() >= FULL_ROWS || self.rest.len() + self.names_bytes + self.origins.bytes() >= FULL_BYTES
    }

    /// A span ages from its end: what went on for a week and has just ended is new.
    fn newest_ns(&self) -> i64 {
        self.newest_ns
    }

    /// The latest start and the longest duration, mostly not of the same span.
    fn newest_of(extent: &Extent) -> i64 {
        extent.max.saturating_add(clamp(extent.high))
    }

    fn oldest_ns(&self) -> Option<i64> {
        self.oldest_ns
    }

    fn encode(&self, from: usize, form: Form) -> Encoded {
        let heads = self.heads.get(from..).unwrap_or_default();
        let rest_from = from.checked_sub(1).and_then(|last| self.heads.get(last)).map_or(0, |head| head.rest_end);
        let mut extent = Extent::NONE;
        for head in heads {
            let start = clamp(head.start_ns);
            let duration = head.duration_ns();
            extent.include(&Extent { min: start, max: start, low: duration, high: duration });
        }
        let mut columns = Vec::with_capacity(std::mem::size_of_val(heads) + 4_096);
        put_columns(&mut columns, heads, rest_from);
        put_u64(&mut columns, self.names_in_order.len() as u64);
        self.names_in_order.iter().for_each(|name| put_str(&mut columns, name));
        self.origins.put(&mut columns);
        let mut body = Vec::with_capacity(columns.len() + self.rest.len());
        pack::put(&mut body, &columns, form);
        pack::put(&mut body, self.rest.get(rest_from as usize..).unwrap_or_default(), form);
        let (mut keys, mut filter) = (Vec::new(), Vec::new());
        if form == Form::Packed {
            keys = heads.iter().filter_map(|head| TraceId::new(head.trace)).map(hash::trace).collect();
            keys.sort_unstable();
            keys.dedup();
            let mut builder = filter::Builder::default();
            self.pairs.fill(&mut builder);
            self.note_columns(heads, &mut builder);
            filter = builder.finish();
        }
        Encoded { extent, keys, filter, words: self.operations(heads), body }
    }

    fn absorb(&mut self, body: &[u8]) -> Result<(), Damaged> {
        let spans = Spans::read(body)?;
        let rest = spans.unpack_rest()?;
        let groups = (0..spans.len()).map(|row| spans.group(row, &rest)).collect::<Result<Vec<_>, _>>()?;
        groups.iter().for_each(|group| {
            self.add(group, 0, 0, &mut Left::default());
        });
        Ok(())
    }
}

impl OpenSpans {
    /// Adds what searches take for attributes though it is in columns.
    fn note_columns(&self, heads: &[Head], builder: &mut filter::Builder) {
        let mut seen: Vec<(u8, u8, u32)> = heads.iter().map(|head| (head.kind, head.status, head.origin)).collect();
        seen.sort_unstable();
        seen.dedup();
        for (kind, status, origin) in seen {
            let status = StatusCode::from_number(i32::from(status));
            let mut add = |key: &str, value: &str| builder.add(hash::pair(key, value));
            add("error", if status == StatusCode::Error { "true" } else { "false" });
            add("otel.status_code", status_word(status));
            add("span.kind", SpanKind::from_number(i32::from(kind)).name());
            if let Some(origin) = self.origins.get(origin) {
                add("otel.scope.name", &origin.scope.name);
                add("otel.scope.version", &origin.scope.version);
            }
        }
    }

    /// Operations with their kinds: the kind's number as a digit, then the name.
    fn operations(&self, heads: &[Head]) -> Vec<Text> {
        let mut seen: Vec<(u32, u8)> = heads.iter().map(|head| (head.name, head.kind)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.iter()
            .filter_map(|(name, kind)| {
                let mut word = Text::default();
                write!(word, "{kind}{}", self.names_in_order.get(*name as usize)?).ok()?;
                Some(word)
            })
            .collect()
    }
}

fn put_columns(out: &mut Vec<u8>, heads: &[Head], rest_from: u32) {
    put_u64(out, heads.len() as u64);
    put_column(out, heads.iter().map(|head| head.trace.to_le_bytes()));
    put_column(out, heads.iter().map(|head| head.span.to_le_bytes()));
    put_column(out, heads.iter().map(|head| head.parent.to_le_bytes()));
    put_column(out, heads.iter().map(|head| head.start_ns.to_le_bytes()));
    put_column(out, heads.iter().map(|head| head.end_ns.wrapping_sub(head.start_ns).to_le_bytes()));
    put_column(out, heads.iter().map(|head| head.name.to_le_bytes()));
    put_column(out, heads.iter().map(|head| head.origin.to_le_bytes()));
    put_column(out, heads.iter().map(|head| head.rest_end.wrapping_sub(rest_from).to_le_bytes()));
    put_column(out, heads.iter().map(|head| [head.kind]));
    put_column(out, heads.iter().map(|head| [head.status]));
    put_column(out, heads.iter().map(|head| [head.linked]));
}
