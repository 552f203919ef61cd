//! Selected lines of one block, for readers.

use std::sync::{Arc, OnceLock};

use console_model::{Labels, LogRecord, Resource, Scope, TraceId};
use memchr::memmem;

use super::LogQuery;
use super::rows::Logs;
use crate::codec::{Damaged, Reader};
use crate::pack::Section;

/// Lines of one block that were selected, in order of time.
#[derive(Debug)]
pub struct LogBlock {
    logs: Logs<'static>,
    rest: Vec<u8>,
    unpacked: OnceLock<Vec<u8>>,
    rows: Vec<u32>,
}

/// What a selection asks of single lines.
pub(super) struct Wanted<'a> {
    pub(super) query: &'a LogQuery,
    pub(super) stream: &'a dyn Fn(&Labels) -> bool,
}

impl LogBlock {
    pub(super) fn read(body: &[u8], wanted: &Wanted<'_>) -> Result<Self, Damaged> {
        let logs = Logs::read(body)?;
        let mut rest = Vec::new();
        let mut reader = Reader::new(body);
        // The last section is kept as it is, until someone asks for more than the line.
        Section::read(&mut reader)?;
        Section::read(&mut reader)?;
        rest.extend_from_slice(reader.rest());
        let logs = logs.without_rest();
        let mut block = Self { logs, rest, unpacked: OnceLock::new(), rows: Vec::new() };
        block.rows = block.select(wanted);
        Ok(block)
    }

    fn select(&self, wanted: &Wanted<'_>) -> Vec<u32> {
        let query = wanted.query;
        let streams: Vec<bool> = self.logs.streams.iter().map(wanted.stream).collect();
        let fits = |row: usize| {
            let time = self.logs.times.get(row).copied().unwrap_or_default();
            let stream = self.logs.stream_numbers.get(row).copied().unwrap_or_default();
            (query.from_ns..=query.to_ns).contains(&time) && streams.get(stream as usize) == Some(&true)
        };
        let mut rows: Vec<u32> = match query.contains.first() {
            Some(first) if !first.is_empty() => {
                self.rows_with(first).into_iter().filter(|row| fits(*row as usize)).collect()
            }
            _ => (0..self.logs.len()).filter(|row| fits(*row)).map(|row| row as u32).collect(),
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
        let all = self.logs.text.as_bytes();
        let ends = &self.logs.text_ends;
        let (mut rows, mut from, mut row) = (Vec::new(), 0, 0);
        while let Some(at) = all.get(from..).and_then(|rest| finder.find(rest)).map(|at| from + at) {
            // Skips the rows that end before the place.
            row += ends.get(row..).map_or(0, |ends| ends.partition_point(|end| *end as usize <= at));
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
        self.logs.text.len()
    }

    /// When it happened, nanoseconds since the Unix epoch.
    pub fn time_ns(&self, row: u32) -> u64 {
        self.logs.times.get(row as usize).copied().unwrap_or_default()
    }

    /// The line.
    pub fn line(&self, row: u32) -> &str {
        self.logs.line(row as usize)
    }

    /// The stream that the line belongs to.
    pub fn stream(&self, row: u32) -> Option<&Labels> {
        self.logs.stream(row as usize)
    }

    /// Who sent it.
    pub fn resource(&self, row: u32) -> Option<&Arc<Resource>> {
        self.logs.origin(row as usize).map(|origin| &origin.resource)
    }

    /// What made it.
    pub fn scope(&self, row: u32) -> Option<&Arc<Scope>> {
        self.logs.origin(row as usize).map(|origin| &origin.scope)
    }

    /// The whole record; `None` if its bytes are damaged.
    pub fn record(&self, row: u32) -> Option<LogRecord> {
        let rest = self.unpacked.get_or_init(|| {
            let section = Section::read(&mut Reader::new(&self.rest));
            section.and_then(|section| section.unpack()).unwrap_or_default()
        });
        self.logs.record(row as usize, rest).ok()
    }

    /// The trace that the line belongs to.
    pub fn trace_id(&self, row: u32) -> Option<TraceId> {
        self.record(row)?.trace_id
    }
}
