//! Binary operations: between numbers, between a number and series, between series that belong together.

use console_model::{LabelSetBuilder, Labels};
use hashbrown::{HashMap, HashSet};

use super::grouping::signature;
use super::{Context, Series, Value, count_labels};
use crate::ast::{Binary, BinaryOp, Cardinality, Matching};
use crate::error::QueryError;

/// An operator between two numbers; a comparison gives 1 or 0.
pub(crate) fn literal(op: BinaryOp, left: f64, right: f64) -> f64 {
    let truth = |truth: bool| f64::from(u8::from(truth));
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide => left / right,
        BinaryOp::Modulo => left % right,
        BinaryOp::Power => left.powf(right),
        BinaryOp::Equal => truth(left == right),
        BinaryOp::NotEqual => truth(left != right),
        BinaryOp::Greater => truth(left > right),
        BinaryOp::GreaterOrEqual => truth(left >= right),
        BinaryOp::Less => truth(left < right),
        BinaryOp::LessOrEqual => truth(left <= right),
        // These are between series only.
        BinaryOp::And | BinaryOp::Or | BinaryOp::Unless => f64::NAN,
    }
}

/// What an operator gives; nothing where a comparison leaves out. `kept` is what a comparison keeps.
fn apply(binary: &Binary, left: f64, right: f64, kept: f64) -> Option<f64> {
    let result = literal(binary.op, left, right);
    match binary.op.is_comparison() && !binary.returns_bool {
        true => (result == 1.0).then_some(kept),
        false => Some(result),
    }
}

/// One side of a match: what the other side finds at each step.
struct Side {
    /// The series by step; none where there is none.
    steps: Vec<Option<(u32, f64)>>,
}

impl Context<'_> {
    pub(super) fn binary(&self, binary: &Binary, left: Value, right: Value) -> Result<Value, QueryError> {
        Ok(match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => Value::Scalar(literal(binary.op, left, right)),
            (Value::Series(left), Value::Scalar(right)) => {
                Value::Series(map(left, |value| apply(binary, value, right, value)))
            }
            (Value::Scalar(left), Value::Series(right)) => {
                Value::Series(map(right, |value| apply(binary, left, value, value)))
            }
            (Value::Series(left), Value::Series(right)) if binary.op.is_set() => {
                Value::Series(self.set(binary, left, right)?)
            }
            (Value::Series(left), Value::Series(right)) => Value::Series(self.matched(binary, left, right)?),
        })
    }

    fn check_sides(&self, count: usize) -> Result<(), QueryError> {
        self.check_stop()?;
        self.check_samples(count.saturating_mul(self.steps.count))
    }

    /// Where series of each signature are.
    fn presence(&self, series: &[Series], matching: &Matching) -> Result<HashMap<Labels, Vec<bool>>, QueryError> {
        let mut builder = LabelSetBuilder::new();
        let mut presence: HashMap<Labels, Vec<bool>> = HashMap::new();
        for one in series {
            let key = signature(&one.labels, matching.on, &matching.labels, &mut builder);
            if !presence.contains_key(&key) {
                self.check_sides(presence.len() / 8 + 1)?;
            }
            let steps = presence.entry(key).or_insert_with(|| vec![false; self.steps.count]);
            for (step, _) in &one.points {
                if let Some(there) = steps.get_mut(*step as usize) {
                    *there = true;
                }
            }
        }
        Ok(presence)
    }

    fn set(&self, binary: &Binary, left: Vec<Series>, right: Vec<Series>) -> Result<Vec<Series>, QueryError> {
        let mut builder = LabelSetBuilder::new();
        let matching = &binary.matching;
        let mut retain = |series: Vec<Series>, presence: &HashMap<Labels, Vec<bool>>, wanted: bool| {
            let mut kept = series;
            for one in &mut kept {
                let key = signature(&one.labels, matching.on, &matching.labels, &mut builder);
                let steps = presence.get(&key);
                let is_there = |step: u32| steps.and_then(|steps| steps.get(step as usize)) == Some(&true);
                one.points.retain(|(step, _)| is_there(*step) == wanted);
            }
            kept.retain(|one| !one.points.is_empty());
            kept
        };
        Ok(match binary.op {
            BinaryOp::And => retain(left, &self.presence(&right, matching)?, true),
            BinaryOp::Unless => retain(left, &self.presence(&right, matching)?, false),
            _ => {
                let others = retain(right, &self.presence(&left, matching)?, false);
                merge(left, others)
            }
        })
    }

    fn matched(&self, binary: &Binary, left: Vec<Series>, right: Vec<Series>) -> Result<Vec<Series>, QueryError> {
        let matching = &binary.matching;
        let swaps = matching.cardinality == Cardinality::OneToMany;
        let (many, one) = if swaps { (right, left) } else { (left, right) };
        let is_one_to_one = matching.cardinality == Cardinality::OneToOne;
        let mut builder = LabelSetBuilder::new();
        let mut sides: HashMap<Labels, Side> = HashMap::new();
        for (at, series) in one.iter().enumerate() {
            let key = signature(&series.labels, matching.on, &matching.labels, &mut builder);
            if !sides.contains_key(&key) {
                self.check_sides(sides.len() + 1)?;
            }
            let side = sides.entry(key.clone()).or_insert_with(|| Side { steps: vec![None; self.steps.count] });
            for (step, value) in &series.points {
                let Some(slot) = side.steps.get_mut(*step as usize) else { continue };
                if slot.is_some() {
                    let side = if swaps { "left" } else { "right" };
                    let told = format!(
                        "found duplicate series for the match group {key} on the {side} hand-side of the operation; \
                         many-to-many matching not allowed: matching labels must be unique on one side"
                    );
                    return Err(QueryError::Asked(told));
                }
                *slot = Some((at as u32, *value));
            }
        }
        let mut results: HashMap<Labels, Vec<(u32, f64)>> = HashMap::new();
        let mut label_bytes = 0;
        let mut matched: HashSet<(Labels, u32)> = HashSet::new();
        for series in &many {
            self.check_stop()?;
            let key = signature(&series.labels, matching.on, &matching.labels, &mut builder);
            let Some(side) = sides.get(&key) else { continue };
            for (step, value) in &series.points {
                let Some(Some((at, other))) = side.steps.get(*step as usize).copied() else { continue };
                if is_one_to_one && !matched.insert((key.clone(), *step)) {
                    return Err(QueryError::asked(
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                    ));
                }
                let (left, right) = if swaps { (other, *value) } else { (*value, other) };
                let Some(result) = apply(binary, left, right, left) else { continue };
                let labels = match one.get(at as usize) {
                    Some(one) => result_labels(matching, &series.labels, &one.labels, &mut builder),
                    None => continue,
                };
                let points = results.entry(labels).or_insert_with_key(|labels| {
                    label_bytes += labels.packed().len();
                    Vec::new()
                });
                if points.last().is_some_and(|(last, _)| last >= step) {
                    return Err(QueryError::asked(
                        "multiple matches for labels: grouping labels must ensure unique matches",
                    ));
                }
                points.push((*step, result));
            }
            count_labels(&mut label_bytes, 0)?;
        }
        Ok(results.into_iter().map(|(labels, points)| Series { labels, points }).collect())
    }
}

fn map(series: Vec<Series>, apply: impl Fn(f64) -> Option<f64>) -> Vec<Series> {
    let one = |one: Series| {
        let points = one.points.into_iter().filter_map(|(step, value)| Some((step, apply(value)?))).collect();
        Series { labels: one.labels, points }
    };
    series.into_iter().map(one).filter(|one| !one.points.is_empty()).collect()
}

/// Series of both; the same series may be on either side at different steps.
fn merge(left: Vec<Series>, right: Vec<Series>) -> Vec<Series> {
    let mut merged = left;
    let mut known: HashMap<Labels, usize> =
        merged.iter().enumerate().map(|(at, one)| (one.labels.clone(), at)).collect();
    for one in right {
        match known.get(&one.labels).and_then(|at| merged.get_mut(*at)) {
            Some(same) => {
                same.points.extend(one.points);
                same.points.sort_by_key(|(step, _)| *step);
                same.points.dedup_by_key(|(step, _)| *step);
            }
            None => {
                known.insert(one.labels.clone(), merged.len());
                merged.push(one);
            }
        }
    }
    merged
}

fn result_labels(matching: &Matching, many: &Labels, one: &Labels, builder: &mut LabelSetBuilder) -> Labels {
    if matching.cardinality == Cardinality::OneToOne {
        return signature(many, matching.on, &matching.labels, builder);
    }
    let is_included = |name: &str| matching.include.iter().any(|label| label == name);
    many.iter().filter(|(name, _)| !is_included(name)).for_each(|(name, value)| builder.push(name, value));
    one.iter().filter(|(name, _)| is_included(name)).for_each(|(name, value)| builder.push(name, value));
    builder.finish()
}
