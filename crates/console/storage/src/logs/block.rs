//! Selected lines of one block, for readers.

use std::sync::{Arc, OnceLock};

use console_model::{Labels, Level, LogRecord, Resource, Scope, Text, TraceId};
use memchr::memmem;

use super::LogQuery;
use super::columns::{self, Body, Columns};
use crate::codec::Damaged;
use crate::shelf::{BlockMeta, OpenView, SegmentReader};

/// Rows that are looked through one by one before the others are searched.
const NEAR_ROWS: usize = 8;

/// Lines of one block that were selected, in order of time.
#[derive(Debug)]
pub struct LogBlock {
    columns: Columns,
    kept: Kept,
    text: OnceLock<String>,
    rest: OnceLock<Vec<u8>>,
    rows: Vec<u32>,
}

/// Where the sections behind the columns are, which stay as they are until someone asks for what is in them.
#[derive(Debug)]
pub(super) enum Kept {
    /// In a block's frame, whose body begins there.
    Frame(Vec<u8>, usize),
    Open(Arc<OpenView>),
    /// In the file, from which nothing but the columns has been read.
    File {
        reader: Arc<SegmentReader>,
        meta: BlockMeta,
        frame: OnceLock<Vec<u8>>,
    },
}

impl Kept {
    fn body(&self) -> &[u8] {
        match self {
            Self::Frame(frame, at) => frame.get(*at..).unwrap_or_default(),
            Self::Open(open) => &open.body,
            Self::File { reader, meta, frame } => {
                // A block that cannot be read any more has no lines, and the reader has told of it.
                meta.body(frame.get_or_init(|| reader.frame(meta).ok().flatten().unwrap_or_default()))
            }
        }
    }
}

/// What a selection asks of single lines.
pub(super) struct Wanted<'a> {
    pub(super) query: &'a LogQuery,
    pub(super) stream: &'a dyn Fn(&Labels) -> bool,
}

impl LogBlock {
    pub(super) fn read(kept: Kept, wanted: &Wanted<'_>) -> Result<Self, Damaged> {
        let Body { columns, text, .. } = Body::read(kept.body())?;
        let lines = OnceLock::new();
        if wanted.query.contains.iter().any(|text| !text.is_empty()) {
            let _ = lines.set(columns::lines(&text)?);
        }
        let mut block = Self { columns, kept, text: lines, rest: OnceLock::new(), rows: Vec::new() };
        block.rows = block.select(wanted);
        Ok(block)
    }

    /// Reads nothing but the columns, where they can be read alone.
    pub(super) fn read_columns(reader: &Arc<SegmentReader>, meta: &BlockMeta, wanted: &Wanted<'_>) -> Option<Self> {
        let columns = Columns::read_alone(&reader.first_section(meta).ok()?).ok()?;
        let kept = Kept::File { reader: reader.clone(), meta: meta.clone(), frame: OnceLock::new() };
        let mut block = Self { columns, kept, text: OnceLock::new(), rest: OnceLock::new(), rows: Vec::new() };
        block.rows = block.select(wanted);
        Some(block)
    }

    fn select(&self, wanted: &Wanted<'_>) -> Vec<u32> {
        let query = wanted.query;
        let streams: Vec<bool> = self.columns.streams.iter().map(wanted.stream).collect();
        let fits = |row: usize| {
            let time = self.columns.times.get(row).copied().unwrap_or_default();
            let stream = self.columns.stream_numbers.get(row).copied().unwrap_or_default();
            (query.from_ns..=query.to_ns).contains(&time) && streams.get(stream as usize) == Some(&true)
        };
        let mut rows: Vec<u32> = match query.contains.first() {
            Some(first) if !first.is_empty() => {
                self.rows_with(first).into_iter().filter(|row| fits(*row as usize)).collect()
            }
            _ => (0..self.columns.len()).filter(|row| fits(*row)).map(|row| row as u32).collect(),
        };
        for text in query.contains.iter().skip(1).filter(|text| !text.is_empty()) {
            let finder = memmem::Finder::new(text.as_bytes());
            rows.retain(|row| finder.find(self.line(*row).as_bytes()).is_some());
        }
        if let Some(id) = query.trace_id {
            rows.retain(|row| self.record(*row).is_some_and(|record| record.trace_id == Some(id)));
        }
        rows
    }

    /// The rows with a text in their line: all lines are searched as one, which is as fast as it gets.
    fn rows_with(&self, text: &str) -> Vec<u32> {
        let finder = memmem::Finder::new(text.as_bytes());
        let all = self.text().as_bytes();
        let ends = &self.columns.text_ends;
        let (mut rows, mut from, mut row) = (Vec::new(), 0, 0);
        while let Some(at) = all.get(from..).and_then(|rest| finder.find(rest)).map(|at| from + at) {
            // Skips the rows that end before the place.
            let near = ends.iter().skip(row).take(NEAR_ROWS).take_while(|end| **end as usize <= at).count();
            row += near;
            if near == NEAR_ROWS {
                row += ends.get(row..).map_or(0, |ends| ends.partition_point(|end| *end as usize <= at));
            }
            let Some(end) = ends.get(row).map(|end| *end as usize) else { break };
            if at + text.len() <= end {
                rows.push(row as u32);
                from = end;
            } else {
                // Found across the end of a line, where nothing is.
                from = at + 1;
            }
        }
        rows
    }

    /// The selected rows, oldest first; numbers for the functions below.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Bytes of all lines of the block, selected or not.
    pub fn text_bytes(&self) -> usize {
        self.columns.text_bytes()
    }

    /// When it happened, nanoseconds since the Unix epoch.
    pub fn time_ns(&self, row: u32) -> u64 {
        self.columns.times.get(row as usize).copied().unwrap_or_default()
    }

    /// The line.
    pub fn line(&self, row: u32) -> &str {
        self.columns.line(row as usize, self.text())
    }

    /// Bytes of the line, which need not be read for it.
    pub fn line_bytes(&self, row: u32) -> usize {
        self.columns.line_bytes(row as usize)
    }

    /// The streams that the block's lines belong to, selected or not.
    pub fn streams(&self) -> &[Labels] {
        &self.columns.streams
    }

    /// The stream that the line belongs to.
    pub fn stream(&self, row: u32) -> Option<&Labels> {
        self.columns.stream(row as usize)
    }

    /// Who sent it.
    pub fn resource(&self, row: u32) -> Option<&Arc<Resource>> {
        self.columns.origin(row as usize).map(|origin| &origin.resource)
    }

    /// What made it.
    pub fn scope(&self, row: u32) -> Option<&Arc<Scope>> {
        self.columns.origin(row as usize).map(|origin| &origin.scope)
    }

    /// Who sent the block's lines and what made them, each pair once.
    pub fn origins(&self) -> impl Iterator<Item = (&Resource, &Scope)> {
        self.columns.origins.iter().map(|origin| (&*origin.resource, &*origin.scope))
    }

    /// The whole record; `None` if its bytes are damaged.
    pub fn record(&self, row: u32) -> Option<LogRecord> {
        let rest = self.rest.get_or_init(|| {
            let sections = Body::sections(self.kept.body());
            sections.and_then(|(_, rest)| rest.unpack()).unwrap_or_default().into_owned()
        });
        self.columns.record(row as usize, self.line(row), rest).ok()
    }

    /// All lines, one after the other. The block's bytes have been checked, so that they are what was written.
    fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let sections = Body::sections(self.kept.body());
            sections.and_then(|(text, _)| columns::lines(&text)).unwrap_or_default()
        })
    }

    /// How severe the line is, as was found when it came; `None` if the block is from before that was kept.
    pub fn level(&self, row: u32) -> Option<Level> {
        self.columns.level(row as usize)
    }

    /// The keys of the attributes that the block's records have, in any order, selected or not; `None` if they
    /// are too many to be told.
    pub fn attribute_keys(&self) -> Option<&[Text]> {
        self.columns.keys()
    }

    /// The trace that the line belongs to.
    pub fn trace_id(&self, row: u32) -> Option<TraceId> {
        self.record(row)?.trace_id
    }
}
