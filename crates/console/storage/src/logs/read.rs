//! Reading logs: block by block, or line by line in order of time in either direction. Blocks are read when
//! their turn comes, so that what nobody asks for is never unpacked.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;

use console_model::{Labels, LogRecord, Resource, Scope, Text};
use hashbrown::HashMap;

use super::block::{LogBlock, Wanted};
use super::rows::{OpenLogs, clamp};
use super::{LogQuery, Logs};
use crate::error::ReadError;
use crate::filter;
use crate::hash;
use crate::matcher::select;
use crate::shelf::{Segment, SegmentReader, Shelf};

/// Which line comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The oldest.
    Forward,
    /// The newest.
    #[default]
    Backward,
}

/// What reading took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogScan {
    /// Blocks that were unpacked.
    pub blocks_read: u64,
    /// Blocks that a filter or the trace's index spared.
    pub blocks_skipped: u64,
    /// Bytes of lines in the blocks that were unpacked.
    pub text_bytes: u64,
}

enum Place {
    Block(Arc<Segment>, usize),
    Open(Arc<crate::shelf::OpenView>),
}

struct Candidate {
    first_ns: i64,
    last_ns: i64,
    place: Place,
}

/// Blocks with selected lines, in order of their first line in the direction asked for.
pub struct LogBlocks {
    shelf: Arc<Shelf<OpenLogs>>,
    query: LogQuery,
    /// Whether the streams that segments name are wanted.
    streams: HashMap<Text, bool>,
    /// The next one last.
    candidates: Vec<Candidate>,
    reader: Option<(u64, Option<SegmentReader>)>,
    scan: LogScan,
}

impl Logs {
    pub(crate) fn blocks(&self, query: LogQuery, direction: Direction) -> Result<LogBlocks, ReadError> {
        let (from, to) = (clamp(query.from_ns), clamp(query.to_ns));
        let (mut streams, mut candidates) = (HashMap::new(), Vec::new());
        let mut scan = LogScan::default();
        let mut wanted = |word: &Text| {
            *streams
                .entry(word.clone())
                .or_insert_with(|| Labels::from_packed(word).is_some_and(|labels| select(&query.matchers, &labels)))
        };
        for view in self.shelf.view(|_| true) {
            for segment in view.segments.iter().filter(|segment| segment.extent().meets(from, to)) {
                // All words are asked, so that all streams are known to the blocks.
                let some = segment.words().iter().filter(|word| wanted(word)).count() > 0;
                if !some && segment.knows_all_words() {
                    continue;
                }
                let with_trace = match query.trace_id.map(|id| self.shelf.find(segment, hash::trace(id))) {
                    Some(Err(source)) => return Err(ReadError::Io { path: segment.path().to_owned(), source }),
                    Some(Ok(numbers)) => Some(numbers),
                    None => None,
                };
                for (number, meta) in segment.blocks().iter().enumerate() {
                    if !meta.extent.meets(from, to) {
                        continue;
                    }
                    if with_trace.as_ref().is_some_and(|numbers| !numbers.contains(&number)) {
                        scan.blocks_skipped += 1;
                        continue;
                    }
                    let place = Place::Block(segment.clone(), number);
                    candidates.push(Candidate { first_ns: meta.extent.min, last_ns: meta.extent.max, place });
                }
            }
            if let Some(open) = view.open.filter(|open| open.extent.meets(from, to))
                && open.words.iter().filter(|word| wanted(word)).count() > 0
            {
                let (first_ns, last_ns) = (open.extent.min, open.extent.max);
                candidates.push(Candidate { first_ns, last_ns, place: Place::Open(open) });
            }
        }
        match direction {
            Direction::Forward => candidates.sort_by_key(|candidate| Reverse(candidate.first_ns)),
            Direction::Backward => candidates.sort_by_key(|candidate| candidate.last_ns),
        }
        Ok(LogBlocks { shelf: self.shelf.clone(), query, streams, candidates, reader: None, scan })
    }

    pub(crate) fn lines(&self, query: LogQuery, direction: Direction) -> Result<LogLines, ReadError> {
        Ok(LogLines { blocks: self.blocks(query, direction)?, direction, heap: BinaryHeap::new(), entered: 0 })
    }
}

impl LogBlocks {
    /// What reading has taken so far.
    pub fn work(&self) -> LogScan {
        self.scan
    }

    fn read(&mut self, place: &Place) -> Result<Option<LogBlock>, ReadError> {
        let (query, streams) = (&self.query, &self.streams);
        let stream = |labels: &Labels| match streams.get(labels.packed()) {
            Some(wanted) => *wanted,
            None => select(&query.matchers, labels),
        };
        let wanted = Wanted { query, stream: &stream };
        let block = match place {
            Place::Open(open) => LogBlock::read(&open.body, &wanted).ok(),
            Place::Block(segment, number) => {
                let failed = |source: io::Error| ReadError::Io { path: segment.path().to_owned(), source };
                if self.reader.as_ref().is_none_or(|(id, _)| *id != segment.id()) {
                    self.reader = Some((segment.id(), self.shelf.read(segment).map_err(failed)?));
                }
                let Some((_, Some(reader))) = &self.reader else { return Ok(None) };
                let Some(meta) = segment.blocks().get(*number) else { return Ok(None) };
                if query.contains.iter().any(|text| text.len() >= filter::GRAM) {
                    let filter = reader.filter(meta).map_err(failed)?;
                    if !query.contains.iter().all(|text| filter::may_hold_text(&filter, text.as_bytes())) {
                        self.scan.blocks_skipped += 1;
                        return Ok(None);
                    }
                }
                let Some(frame) = reader.frame(meta).map_err(failed)? else { return Ok(None) };
                let block = LogBlock::read(meta.body(&frame), &wanted);
                if block.is_err() {
                    reader.tell_damage(meta);
                }
                block.ok()
            }
        };
        if let Some(block) = &block {
            self.scan.blocks_read += 1;
            self.scan.text_bytes += block.text_bytes() as u64;
        }
        Ok(block.filter(|block| !block.rows().is_empty()))
    }
}

impl Iterator for LogBlocks {
    type Item = Result<LogBlock, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(candidate) = self.candidates.pop() {
            match self.read(&candidate.place) {
                Ok(Some(block)) => return Some(Ok(block)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

/// Selected lines in order of time. Of lines of the same time, those of one service that came together stay
/// together.
pub struct LogLines {
    blocks: LogBlocks,
    direction: Direction,
    heap: BinaryHeap<Turn>,
    entered: usize,
}

/// A block with the line that is next in it. The greatest turn comes first.
struct Turn {
    key: u64,
    /// Breaks ties by the order in which blocks were entered.
    entered: Reverse<usize>,
    block: Arc<LogBlock>,
    position: usize,
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Turn {}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.key, self.entered).cmp(&(other.key, other.entered))
    }
}

impl LogLines {
    /// What reading has taken so far.
    pub fn work(&self) -> LogScan {
        self.blocks.work()
    }

    fn key(&self, time_ns: u64) -> u64 {
        match self.direction {
            Direction::Forward => u64::MAX - time_ns,
            Direction::Backward => time_ns,
        }
    }

    fn row(&self, block: &LogBlock, position: usize) -> Option<u32> {
        let rows = block.rows();
        match self.direction {
            Direction::Forward => rows.get(position).copied(),
            Direction::Backward => rows.len().checked_sub(position + 1).and_then(|index| rows.get(index)).copied(),
        }
    }

    /// Enters the blocks whose turn may come before the first in the heap.
    fn enter(&mut self) -> Result<(), ReadError> {
        while let Some(candidate) = self.blocks.candidates.last() {
            let best = match self.direction {
                Direction::Forward => candidate.first_ns,
                Direction::Backward => candidate.last_ns,
            };
            // Times beyond 2262 are all the same to a shelf, so such a block is entered to be sure.
            let best_key = if best == i64::MAX { u64::MAX } else { self.key(u64::try_from(best).unwrap_or(0)) };
            if self.heap.peek().is_some_and(|turn| turn.key > best_key) {
                return Ok(());
            }
            let Some(candidate) = self.blocks.candidates.pop() else { return Ok(()) };
            if let Some(block) = self.blocks.read(&candidate.place)? {
                self.push(Arc::new(block), 0, self.entered);
                self.entered += 1;
            }
        }
        Ok(())
    }

    fn push(&mut self, block: Arc<LogBlock>, position: usize, entered: usize) {
        if let Some(row) = self.row(&block, position) {
            let key = self.key(block.time_ns(row));
            self.heap.push(Turn { key, entered: Reverse(entered), block, position });
        }
    }
}

impl Iterator for LogLines {
    type Item = Result<LogLine, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.enter() {
            return Some(Err(error));
        }
        let turn = self.heap.pop()?;
        let row = self.row(&turn.block, turn.position)?;
        self.push(turn.block.clone(), turn.position + 1, turn.entered.0);
        Some(Ok(LogLine { block: turn.block, row }))
    }
}

/// One line; the rest of its record is read when asked for.
#[derive(Debug, Clone)]
pub struct LogLine {
    block: Arc<LogBlock>,
    row: u32,
}

impl LogLine {
    /// When it happened, nanoseconds since the Unix epoch.
    pub fn time_ns(&self) -> u64 {
        self.block.time_ns(self.row)
    }

    /// The line.
    pub fn line(&self) -> &str {
        self.block.line(self.row)
    }

    /// The stream that it belongs to.
    pub fn stream(&self) -> Option<&Labels> {
        self.block.stream(self.row)
    }

    /// Who sent it.
    pub fn resource(&self) -> Option<&Arc<Resource>> {
        self.block.resource(self.row)
    }

    /// What made it.
    pub fn scope(&self) -> Option<&Arc<Scope>> {
        self.block.scope(self.row)
    }

    /// The whole record; `None` if its bytes are damaged.
    pub fn record(&self) -> Option<LogRecord> {
        self.block.record(self.row)
    }
}
