//! Functions of range vectors: one value of the samples in each step's range.

mod over_time;
mod rate;
mod regression;

use std::ops::Range;
use std::sync::Arc;

use console_model::FloatHistogram;

use super::block::{Histograms, NAME, RowRef, absent, is_absent, is_float, is_histogram, same_labels};
use super::notes::about;
use super::{Evaluation, Grid, Sink};
use crate::ast::{Call, Expr, Node, Span, ValueType};
use crate::function::Id;
use crate::storage::{HISTOGRAM, Points};
use crate::{Error, MatchOp};

/// What a function makes of a range.
pub(super) enum Outcome {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// The samples in one step's range.
pub(super) struct Window<'a> {
    points: &'a Points,
    range: Range<usize>,
    /// When the range ends; it begins `range_ms` before.
    end_ms: i64,
    range_ms: i64,
    /// When the function is evaluated.
    time_ms: i64,
    /// Whether its first and last sample stand at its ends, so that nothing has to be estimated.
    extended: bool,
    /// The name of the series, empty if it has none.
    name: &'a str,
    /// Where the range vector stands in the text.
    span: Span,
    /// Where floats fall, for the whole series.
    falls: &'a [usize],
    /// The other arguments.
    scalars: &'a [f64],
}

impl<'a> Window<'a> {
    fn times(&self) -> &'a [i64] {
        self.points.times_ms.get(self.range.clone()).unwrap_or_default()
    }

    fn values(&self) -> &'a [f64] {
        self.points.values.get(self.range.clone()).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.range.len()
    }

    /// How many histograms are in it.
    fn histogram_count(&self) -> usize {
        let all = &self.points.histograms;
        if all.is_empty() {
            return 0;
        }
        let before = |place: usize| all.partition_point(|(at, _)| *at < place);
        before(self.range.end) - before(self.range.start)
    }

    fn histograms(&self) -> impl Iterator<Item = &'a Arc<FloatHistogram>> {
        let (points, range) = (self.points, self.range.clone());
        let first = points.histograms.partition_point(|(at, _)| *at < range.start);
        let rest = points.histograms.get(first..).unwrap_or_default();
        rest.iter().take_while(move |(at, _)| *at < range.end).map(|(_, histogram)| histogram)
    }

    /// Times and floats.
    fn floats(&self) -> impl Iterator<Item = (i64, f64)> + Clone + 'a {
        self.times().iter().copied().zip(self.values().iter().copied()).filter(|(_, value)| !is_histogram(*value))
    }

    /// The histogram at a place of the series.
    fn histogram(&self, at: usize) -> Option<&'a Arc<FloatHistogram>> {
        self.points.histogram(at)
    }

    fn scalar(&self, position: usize) -> f64 {
        self.scalars.get(position).copied().unwrap_or(f64::NAN)
    }
}

/// Whether it takes a range vector and gives a value for each series.
const fn is_window_function(id: Id) -> bool {
    matches!(
        id,
        Id::AvgOverTime
            | Id::Changes
            | Id::CountOverTime
            | Id::Delta
            | Id::Deriv
            | Id::DoubleExponentialSmoothing
            | Id::FirstOverTime
            | Id::Idelta
            | Id::Increase
            | Id::Integral
            | Id::Irate
            | Id::LastOverTime
            | Id::MadOverTime
            | Id::MaxOverTime
            | Id::MinOverTime
            | Id::PredictLinear
            | Id::PresentOverTime
            | Id::QuantileOverTime
            | Id::Rate
            | Id::Resets
            | Id::StddevOverTime
            | Id::StdvarOverTime
            | Id::SumOverTime
            | Id::TsOfFirstOverTime
            | Id::TsOfLastOverTime
            | Id::TsOfMaxOverTime
            | Id::TsOfMinOverTime
    )
}

const fn keeps_names(id: Id) -> bool {
    matches!(id, Id::FirstOverTime | Id::LastOverTime)
}

impl Evaluation<'_> {
    /// Whether rows of a call can be handed on one by one: none may become the same as another.
    pub(super) fn streams_windows(&self, call: &Call) -> bool {
        let id = call.function.id;
        is_window_function(id) && (keeps_names(id) || self.delayed() || range_argument(call).is_some_and(has_one_name))
    }

    /// A call of a function of range vectors, if it is one.
    pub(super) fn window_call(&self, call: &Call, span: Span, grid: Grid) -> Result<Option<super::Block<'_>>, Error> {
        if !is_window_function(call.function.id) {
            return Ok(None);
        }
        let mut block = super::Block::new(grid.steps, &self.meter);
        self.stream_windows(call, span, grid, &mut |row| block.push(row))?;
        if keeps_names(call.function.id) {
            return Ok(Some(block));
        }
        // Of two ranges one series is not made, not even where they have no step in common.
        let rows = block.rows.len();
        let block = self.drop_names(block)?;
        if block.rows.len() < rows { Err(same_labels()) } else { Ok(Some(block)) }
    }

    /// Each series with what the function makes of its ranges.
    pub(super) fn stream_windows(
        &self,
        call: &Call,
        _span: Span,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let id = call.function.id;
        let Some(range_argument) = range_argument(call) else {
            return Err(Error::Execution("expected a range vector".to_owned()));
        };
        let mut scalars = Vec::new();
        let mut spans = Vec::new();
        for argument in call.arguments.iter().filter(|argument| argument.value_type() == ValueType::Scalar) {
            scalars.push(self.scalar(argument, grid)?);
            spans.push(argument.span);
        }
        check_arguments(id, &scalars)?;
        self.check_extended(call, range_argument)?;
        let span = annotated(range_argument);
        let extended = matches!(&range_argument.unwrapped().node, Node::Selector(s) if s.anchored || s.smoothed);
        let (references, range_ms) = self.range_times(range_argument, grid)?;
        let mut cells = Vec::with_capacity(grid.steps);
        let mut arguments = Vec::with_capacity(scalars.len());
        let mut falls = Vec::new();
        // Series of one name follow each other, so that a doubt is told a few times instead of a million.
        let mut doubted = String::new();
        self.ranges(range_argument, grid, Some(call.function.name), &mut |labels, nameless, points, windows| {
            let name = if self.hides_name(nameless) { "" } else { labels.get(NAME).unwrap_or_default() };
            falls_of(id, points, &mut falls);
            cells.clear();
            let mut histograms = Histograms::new();
            for (step, range) in windows.iter().enumerate() {
                if range.is_empty() {
                    cells.push(absent());
                    continue;
                }
                arguments.clear();
                arguments.extend(scalars.iter().map(|values| values.get(step).copied().unwrap_or(f64::NAN)));
                let window = Window {
                    points,
                    range: range.clone(),
                    end_ms: references.time(step),
                    range_ms,
                    extended,
                    time_ms: grid.time(step),
                    name,
                    span,
                    falls: &falls,
                    scalars: &arguments,
                };
                match self.of_window(id, &window, spans.first().copied().unwrap_or_default()) {
                    None => cells.push(absent()),
                    Some(Outcome::Float(value)) => cells.push(value),
                    Some(Outcome::Histogram(histogram)) => {
                        cells.push(f64::from_bits(HISTOGRAM));
                        histograms.push((step, histogram));
                    }
                }
                self.tick(range.len())?;
            }
            if cells.iter().all(|cell| is_absent(*cell)) {
                return Ok(());
            }
            if matches!(id, Id::Rate | Id::Increase) && doubted != name && cells.iter().any(|cell| is_float(*cell)) {
                self.doubt_counter(name, span);
                name.clone_into(&mut doubted);
            }
            let nameless = nameless || !keeps_names(id);
            sink(RowRef { labels, nameless, cells: &cells, histograms: &histograms })
        })
    }

    /// Tells of a name that does not sound like a counter's.
    fn doubt_counter(&self, name: &str, span: Span) {
        let endings = ["_total", "_sum", "_count", "_bucket"];
        if !name.is_empty() && !endings.iter().any(|ending| name.ends_with(ending)) {
            let text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket";
            self.notes.info(&format!("{text}: {}", crate::print::quoted(name)), span);
        }
    }

    fn of_window(&self, id: Id, window: &Window<'_>, scalar_span: Span) -> Option<Outcome> {
        match id {
            Id::Rate => self.extrapolated(window, true, true),
            Id::Increase => self.extrapolated(window, true, false),
            Id::Delta => self.extrapolated(window, false, false),
            Id::Irate => self.last_two(window, true),
            Id::Idelta => self.last_two(window, false),
            Id::Changes => Some(Outcome::Float(rate::changes(window))),
            Id::Resets => Some(Outcome::Float(rate::resets(window))),
            Id::Deriv | Id::PredictLinear | Id::DoubleExponentialSmoothing => self.trend(id, window),
            _ => self.over_time(id, window, scalar_span),
        }
    }

    /// The warning of a range with floats and histograms, of which nothing is made.
    fn warn_mixed(&self, window: &Window<'_>) {
        self.notes.warn(&about("encountered a mix of histograms and floats", window.name), window.span);
    }

    /// The warning of a range with exponential and custom buckets.
    fn warn_mixed_schemas(&self, window: &Window<'_>) {
        let text = "vector contains a mix of histograms with exponential and custom buckets schemas";
        self.notes.warn(&about(text, window.name), window.span);
    }

    /// The info of a range whose histograms are left out, if it has floats too.
    fn tell_ignored(&self, window: &Window<'_>) {
        let histograms = window.histogram_count();
        if histograms > 0 && histograms < window.len() {
            let text = "ignored histograms in a range containing both floats and histograms";
            self.notes.info(&about(text, window.name), window.span);
        }
    }
}

/// The argument that is a range vector.
pub(super) fn range_argument(call: &Call) -> Option<&Expr> {
    call.arguments.iter().find(|argument| argument.value_type() == ValueType::Matrix)
}

/// Where notes on a range vector point to. Prometheus evaluates a subquery beforehand, and what it then has in its
/// place stands nowhere.
fn annotated(range: &Expr) -> Span {
    let inner = range.unwrapped();
    if matches!(inner.node, Node::Subquery(_)) { Span::default() } else { inner.span }
}

/// Whether all series of a range vector have the same name.
fn has_one_name(expr: &Expr) -> bool {
    match &expr.unwrapped().node {
        Node::Selector(selector) => {
            selector.matchers.iter().any(|matcher| matcher.name() == NAME && matcher.op() == MatchOp::Equal)
        }
        _ => false,
    }
}

fn check_arguments(id: Id, scalars: &[Vec<f64>]) -> Result<(), Error> {
    if id != Id::DoubleExponentialSmoothing {
        return Ok(());
    }
    for (factors, name, symbol) in
        scalars.iter().zip([("smoothing", "sf"), ("trend", "tf")]).map(|(f, (n, s))| (f, n, s))
    {
        if let Some(wrong) = factors.iter().find(|factor| !(**factor > 0.0 && **factor < 1.0)) {
            return Err(Error::Execution(format!(
                "invalid {name} factor. Expected: 0 < {symbol} < 1, got: {wrong:.6}"
            )));
        }
    }
    Ok(())
}

/// Where a series' floats fall below the one before: found once, for most ranges have none.
fn falls_of(id: Id, points: &Points, falls: &mut Vec<usize>) {
    falls.clear();
    if !matches!(id, Id::Rate | Id::Increase) {
        return;
    }
    let pairs = points.values.windows(2).enumerate();
    falls.extend(pairs.filter_map(|(at, pair)| match pair {
        [before, after] if after < before => Some(at + 1),
        _ => None,
    }));
}
