//! The store as LogQL's source of lines.

use std::error::Error;
use std::panic::resume_unwind;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::Builder;

use console_logql::ast::{MatchOp, Matcher};
use console_logql::{Bulk, Known, Line, Order, Scan, Selection, Sink, Source, Taken};
use console_model::{Labels, LogRecord};
use console_storage::{Direction, LogBlock, LogBlocks, LogLine, LogQuery, LogScan, ReadError, Store};

use super::metadata::{self, Absent};

/// Why a matcher cannot be asked of the store.
type Fault = Box<dyn Error + Send + Sync>;

/// The store's matchers. Loki's dot does not match a line's end; the store's does.
pub(super) fn matchers(matchers: &[Matcher]) -> Result<Vec<console_storage::Matcher>, Fault> {
    let one = |matcher: &Matcher| {
        let (name, value) = (matcher.name.clone(), matcher.value.as_str());
        // Selectors that leave everything in are frequent, and take longer to compile than to run.
        let is_any_line = matches!(value, ".*" | ".+");
        let pattern = if value.contains('.') && !is_any_line { format!("(?-s:{value})") } else { value.to_owned() };
        Ok::<_, Fault>(match matcher.op {
            MatchOp::Equal => console_storage::Matcher::equal(name, value),
            MatchOp::NotEqual => console_storage::Matcher::not_equal(name, value),
            MatchOp::Matches if is_any_line => console_storage::Matcher::is_line(name, value == ".*"),
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
        skips_text: selection.skips_text,
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
                return Ok(show(&mut blocks, see)?);
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

    fn share(&self, selection: &Selection, sinks: &mut [&mut dyn Sink]) -> Result<Scan, Fault> {
        let Some((first, others)) = sinks.split_first_mut() else { return Ok(Scan::default()) };
        let mut blocks = self.0.log_blocks(query(selection)?, Direction::Forward)?;
        let mut counted = 0;
        blocks.take_whole(|whole| {
            let (streams, count) = (whole.streams, whole.lines);
            let bulk = Bulk { streams, count, first_ns: whole.first_ns, last_ns: whole.last_ns };
            let takes = first.bulk(&bulk) == Taken::Yes;
            counted += if takes { count } else { 0 };
            takes
        });
        let readers = if blocks.is_empty() { 1 } else { others.len() + 1 };
        let mut parts = blocks.split(readers).into_iter();
        let (Some(own), is_over) = (parts.next(), &AtomicBool::new(false)) else { return Ok(Scan::default()) };
        let scans = std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (part, sink) in parts.zip(others) {
                let serve = move || serve(part, &mut **sink, is_over);
                threads.push(Builder::new().name("logql".to_owned()).spawn_scoped(scope, serve)?);
            }
            let mut scans = vec![serve(own, &mut **first, is_over)];
            // A thread that panics takes the query with it.
            scans.extend(threads.into_iter().map(|thread| thread.join().unwrap_or_else(|told| resume_unwind(told))));
            Ok::<_, Fault>(scans)
        });
        let mut all = Scan { lines: counted, ..Scan::default() };
        for scan in scans? {
            all.add(scan?);
        }
        Ok(all)
    }
}

/// Gives a sink the lines of its part, until any sink wants no more.
fn serve(mut part: LogBlocks, sink: &mut dyn Sink, is_over: &AtomicBool) -> Result<Scan, ReadError> {
    let mut given = 0;
    while !is_over.load(Relaxed)
        && let Some(block) = part.next()
    {
        let block = block.inspect_err(|_| is_over.store(true, Relaxed))?;
        given += block.rows().len() as u64;
        if !give(&block, &Absent::of(&block), block.rows(), sink) {
            is_over.store(true, Relaxed);
        }
    }
    Ok(scan(part.work(), given))
}

/// Gives a sink rows of a block, in bulk where it takes them so. Says whether it wants more.
fn give(block: &LogBlock, absent: &Absent, mut rows: &[u32], sink: &mut dyn Sink) -> bool {
    let offer = |rows: &[u32], sink: &mut dyn Sink| match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => {
            let (first_ns, last_ns) = (block.time_ns(*first), block.time_ns(*last));
            sink.bulk(&Bulk { streams: block.streams(), count: rows.len() as u64, first_ns, last_ns })
        }
        _ => Taken::Yes,
    };
    loop {
        let before = match offer(rows, sink) {
            Taken::Yes => return true,
            Taken::No => break,
            Taken::UpTo(last_ns) => rows.partition_point(|row| block.time_ns(*row) <= last_ns),
        };
        let (before, behind) = rows.split_at(before);
        if before.is_empty() || offer(before, sink) != Taken::Yes {
            break;
        }
        rows = behind;
    }
    rows.iter().all(|row| show_row(block, absent, *row, &mut |line| sink.line(line)))
}

/// Shows a row, and says whether more are wanted.
fn show_row(block: &LogBlock, absent: &Absent, row: u32, see: &mut dyn FnMut(&dyn Line) -> bool) -> bool {
    block.stream(row).is_none_or(|stream| see(&BlockLine { block, absent, row, stream }))
}

/// Shows the lines of blocks until `see` gives `false`.
fn show(blocks: &mut LogBlocks, see: &mut dyn FnMut(&dyn Line) -> bool) -> Result<Scan, ReadError> {
    let mut shown = 0;
    for block in blocks.by_ref() {
        let block = block?;
        let absent = Absent::of(&block);
        shown += block.rows().len() as u64;
        if !block.rows().iter().all(|row| show_row(&block, &absent, *row, see)) {
            break;
        }
    }
    Ok(scan(blocks.work(), shown))
}

/// A line of a block.
struct BlockLine<'a> {
    block: &'a LogBlock,
    absent: &'a Absent,
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

    fn bytes(&self) -> usize {
        self.block.line_bytes(self.row)
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

    fn known(&self, name: &str) -> Known<'_> {
        if name == metadata::LEVEL {
            return match self.block.level(self.row) {
                // An attribute of the name is shown in its stead.
                Some(level) if self.absent.has_no_attribute(name) => Known::Value(level.name()),
                _ => Known::Unknown,
            };
        }
        if self.absent.is_absent(name) { Known::Nothing } else { Known::Unknown }
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

    fn known(&self, name: &str) -> Known<'_> {
        match self.line.level() {
            Some(level) if name == metadata::LEVEL && metadata::has_no_level_attribute(self.line.block()) => {
                Known::Value(level.name())
            }
            _ => Known::Unknown,
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
