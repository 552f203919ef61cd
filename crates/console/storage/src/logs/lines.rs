//! Reading logs line by line, in order of time in either direction: a merge of blocks, each entered when its turn
//! comes.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use console_model::{Labels, Level, LogRecord, Resource, Scope};

use super::block::LogBlock;
use super::read::{Direction, LogBlocks, LogScan};
use crate::error::ReadError;

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
    pub(super) fn new(blocks: LogBlocks, direction: Direction) -> Self {
        Self { blocks, direction, heap: BinaryHeap::new(), entered: 0 }
    }

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

    /// The block that it is of.
    pub fn block(&self) -> &LogBlock {
        &self.block
    }

    /// How severe it is; see [`LogBlock::level`].
    pub fn level(&self) -> Option<Level> {
        self.block.level(self.row)
    }

    /// The whole record; `None` if its bytes are damaged.
    pub fn record(&self) -> Option<LogRecord> {
        self.block.record(self.row)
    }
}
