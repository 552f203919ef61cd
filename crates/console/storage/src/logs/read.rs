//! Reading logs block by block: told without being read, divided among readers, or read when their turn comes, so
//! that what nobody asks for is never unpacked. Line by line is the business of `lines`.

use std::cmp::Reverse;
use std::io;
use std::sync::Arc;

use console_model::{Labels, Text};
use hashbrown::HashMap;

use super::block::{Kept, LogBlock, Wanted};
use super::lines::LogLines;
use super::rows::OpenLogs;
use super::{LogQuery, Logs};
use crate::error::ReadError;
use crate::filter;
use crate::hash;
use crate::matcher::select;
use crate::shelf::{Extent, Segment, SegmentReader, Shelf, clamp};

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

pub(super) enum Place {
    Block(Arc<Segment>, usize),
    Open(Arc<crate::shelf::OpenView>),
}

pub(super) struct Candidate {
    pub(super) first_ns: i64,
    pub(super) last_ns: i64,
    pub(super) place: Place,
}

/// How many lines of a block there are, where all of them are selected.
#[derive(Debug, Clone, Copy)]
pub struct WholeBlock<'a> {
    /// The streams that its lines can belong to.
    pub streams: &'a [Labels],
    /// How many lines.
    pub lines: u64,
    /// When the oldest happened, nanoseconds since the Unix epoch.
    pub first_ns: u64,
    /// When the newest happened, nanoseconds since the Unix epoch.
    pub last_ns: u64,
}

/// Blocks in a row that one reader gets at most: some, so that a segment is not opened by each reader for each
/// block, and few, so that none is done long before the others.
const DEALT_TOGETHER_MAX: usize = 2;

/// Blocks with selected lines, in order of their first line in the direction asked for.
pub struct LogBlocks {
    shelf: Arc<Shelf<OpenLogs>>,
    query: LogQuery,
    /// Whether the streams that segments name are wanted.
    streams: HashMap<Text, bool>,
    /// The next one last.
    pub(super) candidates: Vec<Candidate>,
    reader: Option<(u64, Option<Arc<SegmentReader>>)>,
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
                let with_trace = match query.trace_id.map(|id| self.shelf.find(segment, &[hash::trace(id)])) {
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
        Ok(LogLines::new(self.blocks(query, direction)?, direction))
    }
}

impl LogBlocks {
    /// Shows the blocks of which all lines are selected, without reading them. Those that `takes` says yes to are
    /// done with, and are not read any more.
    pub fn take_whole(&mut self, mut takes: impl FnMut(&WholeBlock<'_>) -> bool) {
        if !self.query.contains.is_empty() || self.query.trace_id.is_some() {
            return;
        }
        let (from, to) = (clamp(self.query.from_ns), clamp(self.query.to_ns));
        // Times beyond what an extent can say are all the same to it.
        let is_within = |extent: &Extent| from <= extent.min && extent.max <= to && extent.max < i64::MAX;
        let wanted = |word: &Text| self.streams.get(word.as_str()) == Some(&true);
        let mut takes = |streams: &[Labels], lines: u64, extent: &Extent| {
            let time = |ns: i64| u64::try_from(ns).unwrap_or(0);
            takes(&WholeBlock { streams, lines, first_ns: time(extent.min), last_ns: time(extent.max) })
        };
        let mut known: HashMap<u64, Option<Vec<Labels>>> = HashMap::new();
        let mut taken = 0;
        self.candidates.retain(|candidate| {
            let is_taken = match &candidate.place {
                Place::Block(segment, number) => {
                    let streams = known.entry(segment.id()).or_insert_with(|| {
                        let are_all_wanted = segment.knows_all_words() && segment.words().iter().all(wanted);
                        are_all_wanted.then(|| labels(segment.words().iter()))
                    });
                    let meta = segment.blocks().get(*number).filter(|meta| is_within(&meta.extent));
                    match (streams, meta) {
                        (Some(streams), Some(meta)) => takes(streams, u64::from(meta.rows), &meta.extent),
                        _ => false,
                    }
                }
                Place::Open(open) => {
                    is_within(&open.extent)
                        && open.words.iter().all(wanted)
                        && takes(&labels(open.words.iter()), open.rows as u64, &open.extent)
                }
            };
            taken += u64::from(is_taken);
            !is_taken
        });
        self.scan.blocks_skipped += taken;
    }

    /// Divides the blocks among so many readers, which may read at the same time. Blocks of a segment come one
    /// after the other then, whatever their time.
    pub fn split(mut self, readers: usize) -> Vec<Self> {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_by_key(|candidate| match &candidate.place {
            // The next one last.
            Place::Block(segment, number) => Reverse((segment.id(), *number)),
            Place::Open(_) => Reverse((u64::MAX, 0)),
        });
        let mut all: Vec<Self> = (1..readers)
            .map(|_| Self {
                shelf: self.shelf.clone(),
                query: self.query.clone(),
                streams: self.streams.clone(),
                candidates: Vec::new(),
                reader: None,
                scan: LogScan::default(),
            })
            .collect();
        all.push(self);
        let readers = all.len();
        let together = (candidates.len() / readers / 4).clamp(1, DEALT_TOGETHER_MAX);
        for (at, candidate) in candidates.into_iter().enumerate() {
            if let Some(one) = all.get_mut(at / together % readers) {
                one.candidates.push(candidate);
            }
        }
        all
    }

    /// Whether no block is left.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// What reading has taken so far.
    pub fn work(&self) -> LogScan {
        self.scan
    }

    pub(super) fn read(&mut self, place: &Place) -> Result<Option<LogBlock>, ReadError> {
        let (query, streams) = (&self.query, &self.streams);
        let stream = |labels: &Labels| match streams.get(labels.packed()) {
            Some(wanted) => *wanted,
            None => select(&query.matchers, labels),
        };
        let wanted = Wanted { query, stream: &stream };
        let block = match place {
            Place::Open(open) => LogBlock::read(Kept::Open(open.clone()), &wanted).ok(),
            Place::Block(segment, number) => {
                let failed = |source: io::Error| ReadError::Io { path: segment.path().to_owned(), source };
                if self.reader.as_ref().is_none_or(|(id, _)| *id != segment.id()) {
                    self.reader = Some((segment.id(), self.shelf.read(segment).map_err(failed)?.map(Arc::new)));
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
                let skips_text = query.skips_text && query.contains.is_empty() && query.trace_id.is_none();
                match skips_text.then(|| LogBlock::read_columns(reader, meta, &wanted)).flatten() {
                    Some(block) => Some(block),
                    None => {
                        let Some(frame) = reader.frame(meta).map_err(failed)? else { return Ok(None) };
                        let block = LogBlock::read(Kept::Frame(frame, meta.body_at()), &wanted);
                        if block.is_err() {
                            reader.tell_damage(meta);
                        }
                        block.ok()
                    }
                }
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

fn labels<'a>(words: impl Iterator<Item = &'a Text>) -> Vec<Labels> {
    words.filter_map(|word| Labels::from_packed(word)).collect()
}
