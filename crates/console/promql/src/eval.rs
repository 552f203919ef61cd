//! Trees to values. Each expression is evaluated once for all steps: a vector is a table of series by steps,
//! and what can be done series by series is handed on row by row without a table.

mod absent;
mod aggregate;
mod binary;
mod block;
mod call;
mod classic;
mod date;
mod duration;
mod extended;
mod info;
mod labels;
mod matching;
mod math;
mod native;
mod notes;
mod rank;
mod result;
mod select;
mod sort;
mod sum;
mod window;

use std::cell::Cell;

use crate::ast::{Expr, Node};
use crate::{Error, Features, Limits, Stop, Storage};
use block::{Block, Charge, Meter, RowRef};
use notes::Notes;

/// Bytes that the labels which a query makes may have together, as long as it runs.
const MADE_LABEL_BYTES_MAX: usize = 256 << 20;

/// The steps at which something is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    start_ms: i64,
    step_ms: i64,
    steps: usize,
}

impl Grid {
    fn time(&self, step: usize) -> i64 {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(self.step_ms.saturating_mul(step))
    }

    fn end_ms(&self) -> i64 {
        self.time(self.steps.saturating_sub(1))
    }
}

/// What an expression is, over all steps.
enum Frame<'m> {
    Scalar(Vec<f64>),
    Vector(Block<'m>),
    Text(String),
}

/// Takes the rows of a vector one by one.
type Sink<'s> = dyn FnMut(RowRef<'_>) -> Result<(), Error> + 's;

/// One query being answered.
pub(crate) struct Evaluation<'q> {
    storage: &'q dyn Storage,
    stop: &'q dyn Stop,
    limits: &'q Limits,
    features: Features,
    /// Of the query as a whole.
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
    meter: Meter,
    notes: Notes,
    samples_read: Cell<u64>,
    made_label_bytes: Cell<usize>,
    ticks: Cell<u32>,
    /// Whether only counts and sums of histograms are asked for.
    only_statistics: Cell<bool>,
}

impl<'q> Evaluation<'q> {
    /// `times`: start, end and step, milliseconds; the step is 0 for an instant.
    pub(crate) fn new(
        storage: &'q dyn Storage,
        stop: &'q dyn Stop,
        limits: &'q Limits,
        features: Features,
        text: &str,
        times: (i64, i64, i64),
    ) -> Self {
        Self {
            storage,
            stop,
            limits,
            features,
            start_ms: times.0,
            end_ms: times.1,
            step_ms: times.2,
            meter: Meter::new(limits.samples_max),
            notes: Notes::new(text),
            samples_read: Cell::new(0),
            made_label_bytes: Cell::new(0),
            ticks: Cell::new(0),
            only_statistics: Cell::new(false),
        }
    }

    /// Asks now and then whether to go on. `work`: about how many samples were handled since.
    fn tick(&self, work: usize) -> Result<(), Error> {
        let ticks = self.ticks.get().saturating_add(u32::try_from(work.max(1)).unwrap_or(u32::MAX));
        if ticks < 20_000 {
            self.ticks.set(ticks);
            return Ok(());
        }
        self.ticks.set(0);
        self.stop.check()
    }

    /// Counts the value of a label that a series did not have before: samples are counted elsewhere, but a text
    /// may be much longer than they are.
    fn count_label(&self, value: &str) -> Result<(), Error> {
        let bytes = self.made_label_bytes.get().saturating_add(value.len());
        self.made_label_bytes.set(bytes);
        if bytes > MADE_LABEL_BYTES_MAX {
            let text = format!("query makes more than {MADE_LABEL_BYTES_MAX} bytes of label values");
            return Err(Error::Execution(text));
        }
        Ok(())
    }

    /// Evaluates something for which only counts and sums of histograms matter, or for which all of them does.
    fn with_statistics<T>(&self, only: bool, inner: impl FnOnce() -> T) -> T {
        let before = self.only_statistics.replace(only);
        let result = inner();
        self.only_statistics.set(before);
        result
    }

    const fn delayed(&self) -> bool {
        self.features.delayed_name_removal
    }

    /// Whether the name of a row is not to be seen.
    const fn hides_name(&self, nameless: bool) -> bool {
        nameless && !self.features.delayed_name_removal
    }

    fn eval(&self, expr: &Expr, grid: Grid) -> Result<Frame<'_>, Error> {
        self.tick(1)?;
        match &expr.node {
            Node::Number(number) | Node::Duration(number) => self.constant(*number, grid).map(Frame::Scalar),
            Node::String(text) => Ok(Frame::Text(text.clone())),
            Node::Paren(inner) => self.eval(inner, grid),
            Node::Unary(negative, inner) => self.unary(*negative, inner, grid),
            Node::Binary(binary) => self.with_statistics(false, || self.binary(binary, expr.span, grid)),
            Node::Aggregate(aggregate) => self.aggregate(aggregate, expr.span, grid).map(Frame::Vector),
            Node::Call(call) => self.call(call, expr.span, grid),
            Node::Selector(_) => self.collect(expr, grid).map(Frame::Vector),
            Node::Subquery(_) => Err(Error::Execution("a range vector has no value of its own".to_owned())),
        }
    }

    /// A vector row by row: without a table in between where rows do not depend on each other.
    fn stream(&self, expr: &Expr, grid: Grid, sink: &mut Sink<'_>) -> Result<(), Error> {
        match &expr.node {
            Node::Paren(inner) => self.stream(inner, grid, sink),
            Node::Selector(selector) if selector.smoothed && selector.range.is_none() => {
                self.stream_smoothed((selector, expr.span), grid, sink)
            }
            Node::Selector(selector) if selector.range.is_none() => self.stream_selector(selector, grid, sink),
            Node::Call(call) if self.streams_windows(call) => self.stream_windows(call, expr.span, grid, sink),
            _ => {
                let Frame::Vector(block) = self.eval(expr, grid)? else {
                    return Err(Error::Execution("expected an instant vector".to_owned()));
                };
                block.iter().try_for_each(sink)
            }
        }
    }

    /// A vector as a table.
    fn collect(&self, expr: &Expr, grid: Grid) -> Result<Block<'_>, Error> {
        let mut block = Block::new(grid.steps, &self.meter);
        self.stream(expr, grid, &mut |row| block.push(row))?;
        Ok(block)
    }

    fn vector(&self, expr: &Expr, grid: Grid) -> Result<Block<'_>, Error> {
        match self.eval(expr, grid)? {
            Frame::Vector(block) => Ok(block),
            _ => Err(Error::Execution("expected an instant vector".to_owned())),
        }
    }

    fn scalar(&self, expr: &Expr, grid: Grid) -> Result<Vec<f64>, Error> {
        match self.eval(expr, grid)? {
            Frame::Scalar(values) => Ok(values),
            _ => Err(Error::Execution("expected a scalar".to_owned())),
        }
    }

    fn text(&self, expr: &Expr) -> String {
        match &expr.unwrapped().node {
            Node::String(text) => text.clone(),
            _ => String::new(),
        }
    }

    /// The same number at all steps.
    fn constant(&self, number: f64, grid: Grid) -> Result<Vec<f64>, Error> {
        // Given back at once, for scalars are few, but never allocated beyond what is allowed.
        let _charge = Charge::of(&self.meter, grid.steps)?;
        Ok(vec![number; grid.steps])
    }

    /// Drops the names of a table's rows.
    fn drop_names<'m>(&self, mut block: Block<'m>) -> Result<Block<'m>, Error> {
        let differ = block.names_differ();
        block.rows.iter_mut().for_each(|row| row.nameless = true);
        if differ && !self.delayed() {
            block.merge(false)?;
        }
        Ok(block)
    }

    fn unary(&self, negative: bool, inner: &Expr, grid: Grid) -> Result<Frame<'_>, Error> {
        match self.eval(inner, grid)? {
            Frame::Scalar(mut values) => {
                if negative {
                    values.iter_mut().for_each(|value| *value = -*value);
                }
                Ok(Frame::Scalar(values))
            }
            Frame::Vector(mut block) if negative => {
                for (row, cells) in block.iter_mut() {
                    cells.iter_mut().filter(|cell| block::is_float(**cell)).for_each(|cell| *cell = -*cell);
                    for (_, histogram) in &mut row.histograms {
                        let mut scaled = (**histogram).clone();
                        scaled.mul(-1.0);
                        *histogram = scaled.into();
                    }
                }
                self.drop_names(block).map(Frame::Vector)
            }
            other => Ok(other),
        }
    }
}
