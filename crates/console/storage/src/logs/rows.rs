//! Log records as rows: times, streams and lines in columns, the rest of each record behind them.
//!
//! A body is three sections: the columns with the tables that they refer to, the lines one after the other
//! without anything between, and the records' other parts. A search by text unpacks the first two only, and who
//! counts by stream, level or time the first. Rows are written in order of time. Reading is the business of
//! `columns`.

use std::fmt::Write;

use console_model::{Labels, Level, LogGroup, LogRecord, Text, Value};
use hashbrown::{HashMap, HashSet};

use super::columns::{self, Body};
use crate::codec::{Damaged, put_attributes, put_column, put_i64, put_str, put_u64, put_value};
use crate::filter;
use crate::hash;
use crate::origin::{Origin, Origins};
use crate::pack;
use crate::pairs::Pairs;
use crate::shelf::{Encoded, Extent, Form, Left, ROW_BYTES_MAX, Rows, clamp};

/// A block is made when the lines take this much, or the lines with everything else twice as much.
const FULL_BYTES: usize = 1 << 20;
const FULL_ROWS: usize = 32_768;

/// Keys of attributes that a block tells, and their bytes; one with more tells none.
const KEYS_MAX: usize = 256;
const KEYS_BYTES_MAX: usize = 16 << 10;

pub(super) const HAS_TIME: u8 = 1;
pub(super) const HAS_TRACE: u8 = 2;
pub(super) const HAS_SPAN: u8 = 4;
/// The body is not the line, and follows.
pub(super) const HAS_BODY: u8 = 8;

/// Open log records.
#[derive(Default)]
pub(crate) struct OpenLogs {
    heads: Vec<Head>,
    text: Vec<u8>,
    rest: Vec<u8>,
    streams: HashMap<Labels, u32>,
    streams_in_order: Vec<Labels>,
    streams_bytes: usize,
    origins: Origins,
    traces: Vec<u64>,
    pairs: Pairs,
    keys: Keys,
    newest_ns: i64,
    oldest_ns: Option<i64>,
    scratch: String,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    time_ns: u64,
    stream: u32,
    origin: u32,
    text_end: u32,
    rest_end: u32,
    level: Level,
}

/// The keys of attributes, as long as they are few.
#[derive(Default)]
struct Keys {
    all: HashSet<Text>,
    bytes: usize,
    are_too_many: bool,
}

impl Keys {
    fn add(&mut self, key: &str) {
        if self.are_too_many || self.all.contains(key) {
            return;
        }
        self.bytes += key.len();
        if self.all.len() >= KEYS_MAX || self.bytes > KEYS_BYTES_MAX {
            *self = Self { are_too_many: true, ..Self::default() };
        } else {
            self.all.insert(key.into());
        }
    }

    /// Writes whether they are told, and if so which.
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(!self.are_too_many));
        if !self.are_too_many {
            put_u64(out, self.all.len() as u64);
            self.all.iter().for_each(|key| put_str(out, key));
        }
    }
}

impl OpenLogs {
    /// Adds the records of a group from `from` on, those of `cutoff_ns` or later, under `stream`, until there
    /// are enough for a block. Gives where to go on.
    pub(crate) fn add(
        &mut self,
        group: &LogGroup,
        stream: &Labels,
        from: usize,
        cutoff_ns: u64,
        left: &mut Left,
    ) -> usize {
        let origin = self.origins.number(&group.resource, &group.scope);
        let Some(origin) = origin.filter(|_| stream.packed().len() <= ROW_BYTES_MAX) else {
            left.too_large += (group.records.len() - from) as u64;
            return group.records.len();
        };
        let number = match self.streams.get(stream) {
            Some(number) => *number,
            None => {
                let number = self.streams_in_order.len() as u32;
                self.streams.insert(stream.clone(), number);
                self.streams_in_order.push(stream.clone());
                self.streams_bytes += stream.packed().len() + 64;
                number
            }
        };
        let mut next = from;
        for record in group.records.get(from..).unwrap_or_default() {
            next += 1;
            if record.order_ns() < cutoff_ns {
                left.too_old += 1;
            } else if !self.push(record, stream, number, origin) {
                left.too_large += 1;
            }
            if self.is_full() {
                break;
            }
        }
        next
    }

    /// Gives whether the record is small enough to be kept.
    fn push(&mut self, record: &LogRecord, labels: &Labels, stream: u32, origin: u32) -> bool {
        let before = (self.text.len(), self.rest.len());
        let line = match &record.body {
            Value::String(line) => line.as_str(),
            other => {
                self.scratch.clear();
                let _ = write!(self.scratch, "{other}");
                self.scratch.as_str()
            }
        };
        self.text.extend_from_slice(line.as_bytes());
        let level = Level::of(record, labels, line);
        put_rest(&mut self.rest, record);
        if self.text.len() - before.0 + self.rest.len() - before.1 > ROW_BYTES_MAX {
            self.text.truncate(before.0);
            self.rest.truncate(before.1);
            return false;
        }
        for attribute in &record.attributes {
            self.keys.add(&attribute.key);
            self.pairs.note(attribute);
        }
        self.traces.extend(record.trace_id.map(hash::trace));
        let time_ns = record.order_ns();
        self.newest_ns = self.newest_ns.max(clamp(time_ns));
        self.oldest_ns = Some(self.oldest_ns.map_or(clamp(time_ns), |oldest| oldest.min(clamp(time_ns))));
        let offset = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (text_end, rest_end) = (offset(self.text.len()), offset(self.rest.len()));
        self.heads.push(Head { time_ns, stream, origin, text_end, rest_end, level });
        true
    }

    fn range(&self, row: usize, end: impl Fn(&Head) -> u32) -> (usize, usize) {
        let from = row.checked_sub(1).and_then(|last| self.heads.get(last)).map_or(0, &end);
        (from as usize, self.heads.get(row).map_or(from, end) as usize)
    }
}

fn put_rest(out: &mut Vec<u8>, record: &LogRecord) {
    let order = record.order_ns();
    let mut has = 0;
    has |= if record.time_ns != 0 { HAS_TIME } else { 0 };
    has |= if record.trace_id.is_some() { HAS_TRACE } else { 0 };
    has |= if record.span_id.is_some() { HAS_SPAN } else { 0 };
    has |= if matches!(record.body, Value::String(_)) { 0 } else { HAS_BODY };
    out.push(has);
    put_i64(out, record.observed_time_ns.wrapping_sub(order) as i64);
    put_i64(out, i64::from(record.severity_number));
    put_str(out, &record.severity_text);
    put_u64(out, u64::from(record.flags));
    put_u64(out, u64::from(record.dropped_attributes_count));
    put_str(out, &record.event_name);
    if let Some(id) = record.trace_id {
        out.extend_from_slice(&id.to_bytes());
    }
    if let Some(id) = record.span_id {
        out.extend_from_slice(&id.to_bytes());
    }
    put_attributes(out, &record.attributes);
    if has & HAS_BODY != 0 {
        put_value(out, &record.body);
    }
}

impl Rows for OpenLogs {
    fn len(&self) -> usize {
        self.heads.len()
    }

    fn bytes(&self) -> usize {
        self.heads.len() * size_of::<Head>()
            + self.text.len()
            + self.rest.len()
            + self.streams_bytes
            + self.origins.bytes()
            + self.keys.bytes
            + self.pairs.bytes()
            + self.traces.len() * 8
    }

    fn is_full(&self) -> bool {
        self.heads.len() >= FULL_ROWS
            || self.text.len() >= FULL_BYTES
            || self.text.len() + self.rest.len() + self.streams_bytes + self.origins.bytes() >= 2 * FULL_BYTES
    }

    fn newest_ns(&self) -> i64 {
        self.newest_ns
    }

    fn oldest_ns(&self) -> Option<i64> {
        self.oldest_ns
    }

    fn encode(&self, from: usize, form: Form) -> Encoded {
        let mut order: Vec<usize> = (from..self.heads.len()).collect();
        let time = |row: &usize| self.heads.get(*row).map_or(0, |head| head.time_ns);
        if !order.is_sorted_by_key(time) {
            order.sort_by_key(time);
        }
        let heads: Vec<Head> = order.iter().filter_map(|row| self.heads.get(*row).copied()).collect();
        let (mut text, mut rest, mut ends) = (Vec::new(), Vec::new(), Vec::with_capacity(heads.len()));
        for row in &order {
            let (start, end) = self.range(*row, |head| head.text_end);
            text.extend_from_slice(self.text.get(start..end).unwrap_or_default());
            let (start, end) = self.range(*row, |head| head.rest_end);
            rest.extend_from_slice(self.rest.get(start..end).unwrap_or_default());
            ends.push((text.len() as u32, rest.len() as u32));
        }
        let mut columns = Vec::with_capacity(heads.len() * size_of::<Head>());
        put_u64(&mut columns, heads.len() as u64);
        put_column(&mut columns, heads.iter().map(|head| head.time_ns.to_le_bytes()));
        put_column(&mut columns, heads.iter().map(|head| head.stream.to_le_bytes()));
        put_column(&mut columns, heads.iter().map(|head| head.origin.to_le_bytes()));
        put_column(&mut columns, ends.iter().map(|(text, _)| text.to_le_bytes()));
        put_column(&mut columns, ends.iter().map(|(_, rest)| rest.to_le_bytes()));
        put_u64(&mut columns, self.streams_in_order.len() as u64);
        self.streams_in_order.iter().for_each(|stream| put_str(&mut columns, stream.packed()));
        self.origins.put(&mut columns);
        put_column(&mut columns, heads.iter().map(|head| [head.level as u8]));
        self.keys.put(&mut columns);
        columns::put_check(&mut columns);
        let mut body = Vec::with_capacity(columns.len() + text.len() + rest.len());
        pack::put(&mut body, &columns, form);
        pack::put(&mut body, &text, form);
        pack::put(&mut body, &rest, form);
        let (mut keys, mut filter) = (Vec::new(), Vec::new());
        if form == Form::Packed {
            keys.clone_from(&self.traces);
            keys.sort_unstable();
            keys.dedup();
            let mut builder = filter::Builder::default();
            builder.add_text(&text);
            self.pairs.fill(&mut builder);
            filter = builder.finish();
        }
        let mut extent = Extent::NONE;
        if let (Some(first), Some(last)) = (heads.first(), heads.last()) {
            extent.include(&Extent { min: clamp(first.time_ns), max: clamp(last.time_ns), low: 0, high: 0 });
        }
        let words = self.streams_in_order.iter().map(|stream| Text::from(stream.packed())).collect();
        Encoded { extent, keys, filter, words, body }
    }

    fn absorb(&mut self, body: &[u8]) -> Result<(), Damaged> {
        let Body { columns, text, rest } = Body::read(body)?;
        let (text, rest) = (columns::lines(&text)?, rest.unpack()?);
        let groups = (0..columns.len())
            .map(|row| {
                let Origin { resource, scope } = columns.origin(row).ok_or(Damaged)?.clone();
                let stream = columns.stream(row).ok_or(Damaged)?.clone();
                let record = columns.record(row, columns.line(row, &text), &rest)?;
                Ok(LogGroup { stream, resource, scope, records: vec![record] })
            })
            .collect::<Result<Vec<_>, Damaged>>()?;
        groups.iter().for_each(|group| {
            self.add(group, &group.stream, 0, 0, &mut Left::default());
        });
        Ok(())
    }
}
