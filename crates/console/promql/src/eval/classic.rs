//! Quantiles and fractions of histograms: classic ones, whose buckets are series with a label `le`, and
//! native ones.

use std::collections::BTreeMap;

use console_model::{FloatHistogram, NanObservations};
use hashbrown::HashMap;

use super::block::{Block, NAME, Row, absent, filtered, is_float, is_histogram, visible, with_label, write_key};
use super::call::argument;
use super::notes::about;
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::{Call, Expr, Span};
use crate::function::Id;
use crate::print::{number_text, quoted};

/// The label of a bucket's upper bound.
const BOUND: &str = "le";

/// What is asked of each histogram.
#[derive(Clone, Copy)]
enum Question {
    Quantile(f64),
    Fraction(f64, f64),
    /// Not asked at this step.
    Nothing,
}

/// The series of one histogram.
struct Group {
    row: Row,
    name: String,
    /// Upper bounds and their rows.
    buckets: Vec<(f64, usize)>,
    natives: Vec<usize>,
}

impl Evaluation<'_> {
    pub(super) fn classic_or_native(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let (expr, questions, label) = self.questions(call, grid)?;
        let block = self.vector(expr, grid)?;
        let groups = self.groups(&block, expr.span)?;
        let mut answers = Block::new(grid.steps, &self.meter);
        let mut buckets = Vec::new();
        let mut both = label.is_some();
        for group in &groups {
            both |= !group.buckets.is_empty() && !group.natives.is_empty();
            let warned = self.conflicts(group, &block, expr.span);
            for (name, question) in &questions {
                let labelled = |row: &Row| match &label {
                    Some(label) => Row::new(with_label(&row.labels, label, name), row.nameless),
                    None => Row::new(row.labels.clone(), row.nameless),
                };
                if !group.buckets.is_empty() {
                    let cells = answers.push_empty(labelled(&group.row))?;
                    for (step, cell) in cells.iter_mut().enumerate() {
                        buckets.clear();
                        let counts = group.buckets.iter().map(|(bound, row)| (*bound, block.cell(*row, step)));
                        buckets.extend(counts.filter(|(_, count)| is_float(*count)));
                        if buckets.is_empty() || warned.contains(&step) {
                            continue;
                        }
                        let Some(question) = question.get(step) else { continue };
                        *cell = self.of_classic(*question, &mut buckets, &group.name, expr.span);
                    }
                    self.tick(grid.steps * group.buckets.len())?;
                }
                for native in &group.natives {
                    let Some(row) = block.rows.get(*native) else { continue };
                    let cells = answers.push_empty(labelled(row))?;
                    for (step, histogram) in &row.histograms {
                        let (Some(cell), Some(question)) = (cells.get_mut(*step), question.get(*step)) else {
                            continue;
                        };
                        if !warned.contains(step) {
                            *cell = self.of_native_histogram(*question, histogram, &group.name, expr.span);
                        }
                    }
                    self.tick(row.histograms.len() * 8)?;
                }
            }
        }
        answers.compact();
        let mut answers = self.drop_names(answers)?;
        if both {
            answers.merge(self.delayed())?;
        }
        Ok(answers)
    }

    /// What is asked at each step, by the text of a quantile's label, and the name of that label.
    #[expect(clippy::type_complexity, reason = "the three are used at one place")]
    fn questions<'e>(
        &self,
        call: &'e Call,
        grid: Grid,
    ) -> Result<(&'e Expr, Vec<(String, Vec<Question>)>, Option<String>), Error> {
        let doubted = |expr: &Expr| -> Result<Vec<f64>, Error> {
            let values = self.scalar(expr, grid)?;
            values.iter().for_each(|q| self.doubt_quantile(*q, expr.span));
            Ok(values)
        };
        match call.function.id {
            Id::HistogramQuantile => {
                let values = doubted(argument(call, 0)?)?.into_iter().map(Question::Quantile).collect();
                Ok((argument(call, 1)?, vec![(String::new(), values)], None))
            }
            Id::HistogramFraction => {
                let lower = self.scalar(argument(call, 0)?, grid)?;
                let upper = self.scalar(argument(call, 1)?, grid)?;
                let values = lower.into_iter().zip(upper).map(|(lower, upper)| Question::Fraction(lower, upper));
                Ok((argument(call, 2)?, vec![(String::new(), values.collect())], None))
            }
            _ => {
                let label = self.text(argument(call, 1)?);
                if !crate::parser::is_label_name(&label) {
                    return Err(Error::Execution(format!("invalid label name {}", quoted(&label))));
                }
                // A quantile that changes over time changes its label, so each is a question of its own.
                let mut questions: BTreeMap<String, Vec<Question>> = BTreeMap::new();
                for expr in call.arguments.iter().skip(2) {
                    for (step, q) in doubted(expr)?.into_iter().enumerate() {
                        let unasked = || vec![Question::Nothing; grid.steps];
                        let asked = questions.entry(label_number(q)).or_insert_with(unasked);
                        if let Some(asked) = asked.get_mut(step) {
                            *asked = Question::Quantile(q);
                        }
                    }
                }
                Ok((argument(call, 0)?, questions.into_iter().collect(), Some(label)))
            }
        }
    }

    fn groups(&self, block: &Block<'_>, span: Span) -> Result<Vec<Group>, Error> {
        let mut groups: Vec<Group> = Vec::new();
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut key = Vec::new();
        for (place, row) in block.rows.iter().enumerate() {
            self.tick(1)?;
            let hidden = self.hides_name(row.nameless);
            let name = row.labels.get(NAME).filter(|_| !hidden).unwrap_or_default();
            let floats = block.cells(place).iter().any(|cell| is_float(*cell));
            let bound = row.labels.get(BOUND);
            let parsed = bound.and_then(|bound| bound.parse::<f64>().ok()).filter(|bound| !bound.is_nan());
            if floats && parsed.is_none() {
                let found = quoted(bound.unwrap_or_default());
                let text = format!("bucket label \"le\" is missing or has a malformed value of {found}");
                self.notes.warn(&about(&text, name), span);
            }
            if row.histograms.is_empty() && parsed.is_none() {
                continue;
            }
            key.clear();
            write_key(&mut key, visible(&row.labels, hidden).filter(|(name, _)| *name != BOUND));
            let at = *known.entry_ref(key.as_slice()).or_insert(groups.len());
            if at == groups.len() {
                let labels = filtered(&row.labels, |name| name != BOUND);
                let row = Row::new(labels, row.nameless);
                groups.push(Group { row, name: name.to_owned(), buckets: Vec::new(), natives: Vec::new() });
            }
            let Some(group) = groups.get_mut(at) else { continue };
            if let Some(bound) = parsed.filter(|_| floats) {
                group.buckets.push((bound, place));
            }
            if !row.histograms.is_empty() {
                group.natives.push(place);
            }
        }
        Ok(groups)
    }

    /// The steps at which a group is a classic and a native histogram at once, of which nothing is made.
    fn conflicts(&self, group: &Group, block: &Block<'_>, span: Span) -> Vec<usize> {
        let mut steps = Vec::new();
        if group.buckets.is_empty() || group.natives.is_empty() {
            return steps;
        }
        for step in 0..block.steps {
            let classic = group.buckets.iter().any(|(_, row)| is_float(block.cell(*row, step)));
            if classic && group.natives.iter().any(|row| is_histogram(block.cell(*row, step))) {
                steps.push(step);
            }
        }
        if !steps.is_empty() {
            let text = "vector contains a mix of classic and native histograms";
            self.notes.warn(&about(text, &group.name), span);
        }
        steps
    }

    fn of_classic(&self, question: Question, buckets: &mut Vec<(f64, f64)>, name: &str, span: Span) -> f64 {
        match question {
            Question::Nothing => absent(),
            Question::Fraction(lower, upper) => fraction(lower, upper, buckets),
            Question::Quantile(q) => {
                let (value, forced) = quantile(q, buckets);
                if forced {
                    let text = "input to histogram_quantile needed to be fixed for monotonicity (see \
                                https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
                    self.notes.info(&about(text, name), span);
                }
                value
            }
        }
    }

    fn of_native_histogram(&self, question: Question, histogram: &FloatHistogram, name: &str, span: Span) -> f64 {
        match question {
            Question::Nothing => absent(),
            Question::Fraction(lower, upper) => {
                let fraction = histogram.fraction(lower, upper);
                if fraction.nan_observations {
                    let text =
                        "input to histogram_fraction has NaN observations, which are excluded from all fractions";
                    self.notes.info(&about(text, name), span);
                }
                fraction.value
            }
            Question::Quantile(q) => {
                let quantile = histogram.quantile(q);
                let effect = match quantile.nan_observations {
                    NanObservations::None => return quantile.value,
                    NanObservations::ResultIsNan => "result is NaN",
                    NanObservations::Skewed => "result is skewed higher",
                };
                let text = format!("input to histogram_quantile has NaN observations, {effect}");
                self.notes.info(&about(&text, name), span);
                quantile.value
            }
        }
    }
}

/// A number as OpenMetrics writes it in labels: a whole one with `.0`.
fn label_number(number: f64) -> String {
    let text = number_text(number);
    let whole = number.is_finite() && !text.contains(['.', 'e']);
    if whole { text + ".0" } else { text }
}

/// Sorts buckets by bound and joins those of the same bound; false without one for everything.
fn prepared(buckets: &mut Vec<(f64, f64)>) -> bool {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    buckets.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    buckets.last().is_some_and(|(bound, _)| *bound == f64::INFINITY)
}

/// Lets counts never fall. Says whether any fell by more than an error of rounding.
fn made_to_rise(buckets: &mut [(f64, f64)]) -> bool {
    let mut forced = false;
    let mut before = buckets.first().map_or(0.0, |(_, count)| *count);
    for (_, count) in buckets.iter_mut().skip(1) {
        let near = (*count - before).abs() <= 1e-12 * (count.abs() + before.abs()).max(f64::MIN_POSITIVE);
        if near {
            *count = before;
        } else if *count < before {
            *count = before;
            forced = true;
        } else {
            before = *count;
        }
    }
    forced
}

/// The quantile of a classic histogram, and whether its counts had to be made to rise.
fn quantile(q: f64, buckets: &mut Vec<(f64, f64)>) -> (f64, bool) {
    if q.is_nan() {
        return (f64::NAN, false);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, false);
    }
    if q > 1.0 {
        return (f64::INFINITY, false);
    }
    if !prepared(buckets) {
        return (f64::NAN, false);
    }
    let forced = made_to_rise(buckets);
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    if buckets.len() < 2 || all == 0.0 || all.is_nan() {
        return (f64::NAN, forced);
    }
    let rank = q * all;
    let last = buckets.len() - 1;
    let place = buckets.iter().take(last).position(|(_, count)| *count >= rank).unwrap_or(last);
    let at = |place: usize| buckets.get(place).copied().unwrap_or((f64::NAN, f64::NAN));
    let (end, count) = at(place);
    if place == last {
        return (at(last - 1).0, forced);
    }
    if place == 0 {
        let value = if end <= 0.0 { end } else { end * (rank / count) };
        return (value, forced);
    }
    let (start, below) = at(place - 1);
    (start + (end - start) * ((rank - below) / (count - below)), forced)
}

/// The share of a classic histogram between two values.
fn fraction(lower: f64, upper: f64, buckets: &mut Vec<(f64, f64)>) -> f64 {
    let complete = prepared(buckets);
    made_to_rise(buckets);
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    if !complete || all == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets, all) - rank_of(lower, buckets, all)) / all
}

/// How many observations are taken to be below a value.
fn rank_of(value: f64, buckets: &[(f64, f64)], all: f64) -> f64 {
    let (mut start, mut below) = (f64::NEG_INFINITY, 0.0);
    for (position, (end, count)) in buckets.iter().copied().enumerate() {
        if position == 0 && end > 0.0 {
            start = 0.0;
        }
        if start >= value {
            return below;
        }
        if end > value {
            if start.is_infinite() && value.is_finite() {
                // A bucket without a beginning: its observations are taken to be anywhere below.
                return count;
            }
            if start.is_infinite() || end.is_infinite() {
                return below;
            }
            return (below + (count - below) * ((value - start) / (end - start))).min(all);
        }
        (start, below) = (end, count);
    }
    all
}
