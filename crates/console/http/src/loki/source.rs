//! The store as LogQL's source of lines.

use std::error::Error;

use console_logql::ast::{MatchOp, Matcher};
use console_logql::{Line, Order, Scan, Selection, Source};
use console_model::{Labels, LogRecord};
use console_storage::{Direction, LogBlock, LogLine, LogQuery, LogScan, Store};

use super::metadata;

/// Why a matcher cannot be asked of the store.
type Fault = Box<dyn Error + Send + Sync>;

/// The store's matchers. Loki's dot does not match a line's end; the store's does.
pub(super) fn matchers(matchers: &[Matcher]) -> Result<Vec<console_storage::Matcher>, Fault> {
    let one = |matcher: &Matcher| {
        let (name, value) = (matcher.name.clone(), matcher.value.as_str());
        let pattern = if value.contains('.') { format!("(?-s:{value})") } else { value.to_owned() };
        Ok::<_, Fault>(match matcher.op {
            MatchOp::Equal => console_storage::Matcher::equal(name, value),
            MatchOp::NotEqual => console_storage::Matcher::not_equal(name, value),
            MatchOp::Matches => console_storage::Matcher::matches(name, &pattern)?,
            MatchOp::MatchesNot => console_storage::Matcher::matches_not(name, &pattern)?,
        })
    };
    matchers.iter().map(one).collect()
}

/// What the store is asked for.
pub(super) fn query(selection: &Selection) -> Result<LogQuery, Fault> {
    Ok(LogQuery {
        matchers: matchers(&selection.matchers)?,
        from_ns: selection.from_ns,
        to_ns: selection.to_ns,
        contains: selection.contains.iter().filter(|text| !text.is_empty()).cloned().collect(),
        trace_id: None,
    })
}

/// What reading took, with the lines that were shown.
pub(super) fn scan(work: LogScan, lines: u64) -> Scan {
    Scan { bytes: work.text_bytes, lines, blocks: work.blocks_read, blocks_skipped: work.blocks_skipped }
}

/// Lines of a store.
pub(super) struct StoreSource<'a>(pub(super) &'a Store);

impl Source for StoreSource<'_> {
    fn lines(
        &self,
        selection: &Selection,
        order: Order,
        see: &mut dyn FnMut(&dyn Line) -> bool,
    ) -> Result<Scan, Fault> {
        let query = query(selection)?;
        let mut shown = 0;
        let direction = match order {
            Order::Forward => Direction::Forward,
            Order::Backward => Direction::Backward,
            Order::Any => {
                let mut blocks = self.0.log_blocks(query, Direction::Forward)?;
                while let Some(block) = blocks.next() {
                    let block = block?;
                    for row in block.rows() {
                        let Some(stream) = block.stream(*row) else { continue };
                        shown += 1;
                        if !see(&BlockLine { block: &block, row: *row, stream }) {
                            return Ok(scan(blocks.work(), shown));
                        }
                    }
                }
                return Ok(scan(blocks.work(), shown));
            }
        };
        let mut lines = self.0.log_lines(query, direction)?;
        for line in lines.by_ref() {
            let line = line?;
            let Some(stream) = line.stream() else { continue };
            shown += 1;
            if !see(&OrderedLine { line: &line, stream }) {
                break;
            }
        }
        Ok(scan(lines.work(), shown))
    }
}

/// A line of a block.
struct BlockLine<'a> {
    block: &'a LogBlock,
    row: u32,
    stream: &'a Labels,
}

impl Line for BlockLine<'_> {
    fn time_ns(&self) -> u64 {
        self.block.time_ns(self.row)
    }

    fn text(&self) -> &str {
        self.block.line(self.row)
    }

    fn stream(&self) -> &Labels {
        self.stream
    }

    fn metadata(&self, see: &mut dyn FnMut(&str, &str)) {
        if let Some(record) = self.block.record(self.row) {
            let (resource, scope) = (self.block.resource(self.row), self.block.scope(self.row));
            let (resource, scope) = (resource.map(AsRef::as_ref), scope.map(AsRef::as_ref));
            metadata::show(&record, resource, scope, self.stream, self.text(), see);
        }
    }
}

/// A line in order of time.
struct OrderedLine<'a> {
    line: &'a LogLine,
    stream: &'a Labels,
}

impl Line for OrderedLine<'_> {
    fn time_ns(&self) -> u64 {
        self.line.time_ns()
    }

    fn text(&self) -> &str {
        self.line.line()
    }

    fn stream(&self) -> &Labels {
        self.stream
    }

    fn metadata(&self, see: &mut dyn FnMut(&str, &str)) {
        if let Some(record) = self.line.record() {
            let (resource, scope) = (self.line.resource(), self.line.scope());
            let (resource, scope) = (resource.map(AsRef::as_ref), scope.map(AsRef::as_ref));
            metadata::show(&record, resource, scope, self.stream, self.text(), see);
        }
    }
}

/// A record that has just come, for those who watch.
pub(super) struct RecordLine<'a> {
    pub(super) record: &'a LogRecord,
    pub(super) resource: &'a console_model::Resource,
    pub(super) scope: &'a console_model::Scope,
    pub(super) stream: &'a Labels,
    pub(super) text: &'a str,
}

impl Line for RecordLine<'_> {
    fn time_ns(&self) -> u64 {
        self.record.order_ns()
    }

    fn text(&self) -> &str {
        self.text
    }

    fn stream(&self) -> &Labels {
        self.stream
    }

    fn metadata(&self, see: &mut dyn FnMut(&str, &str)) {
        metadata::show(self.record, Some(self.resource), Some(self.scope), self.stream, self.text, see);
    }
}
