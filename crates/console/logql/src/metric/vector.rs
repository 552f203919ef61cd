//! Vector aggregations: series made one by groups, or chosen among their group, at each step on its own.

use console_model::{LabelSetBuilder, Labels};
use hashbrown::HashMap;

use super::grouping::group;
use super::{Context, Series};
use crate::ast::{VectorAggregation, VectorOp};
use crate::error::QueryError;

/// The numbers of a group at one step.
#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    count: u32,
    sum: f64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Numbers {
    fn add(&mut self, value: f64) {
        if self.count == 0 {
            *self = Self { count: 1, sum: value, mean: value, squares: 0.0, min: value, max: value };
            return;
        }
        self.count += 1;
        self.sum += value;
        let distance = value - self.mean;
        self.mean += distance / f64::from(self.count);
        self.squares += distance * (value - self.mean);
        self.min = if value < self.min || self.min.is_nan() { value } else { self.min };
        self.max = if value > self.max || self.max.is_nan() { value } else { self.max };
    }

    fn finish(&self, op: VectorOp) -> f64 {
        let count = f64::from(self.count);
        match op {
            VectorOp::Avg if self.sum.is_finite() => self.sum / count,
            VectorOp::Avg => self.mean,
            VectorOp::Min => self.min,
            VectorOp::Max => self.max,
            VectorOp::Stdvar => self.squares / count,
            VectorOp::Stddev => (self.squares / count).sqrt(),
            VectorOp::Count => count,
            _ => self.sum,
        }
    }
}

impl Context<'_> {
    pub(super) fn aggregate(&self, vector: &VectorAggregation, series: Vec<Series>) -> Result<Vec<Series>, QueryError> {
        match vector.op {
            VectorOp::Topk | VectorOp::ApproxTopk | VectorOp::Bottomk => self.choose(vector, series),
            VectorOp::Sort | VectorOp::SortDesc => Ok(sort(vector.op, series)),
            _ => self.join(vector, &series),
        }
    }

    fn join(&self, vector: &VectorAggregation, series: &[Series]) -> Result<Vec<Series>, QueryError> {
        let grouping = vector.grouping.clone().unwrap_or_default();
        let mut builder = LabelSetBuilder::new();
        let mut groups: HashMap<Labels, Vec<Numbers>> = HashMap::new();
        for one in series {
            let labels = group(&one.labels, &grouping, &mut builder);
            if !groups.contains_key(&labels) {
                self.check_samples((groups.len() + 1) * self.steps.count)?;
            }
            let numbers = groups.entry(labels).or_insert_with(|| vec![Numbers::default(); self.steps.count]);
            for (step, value) in &one.points {
                if let Some(numbers) = numbers.get_mut(*step as usize) {
                    numbers.add(*value);
                }
            }
        }
        let finish = |(labels, numbers): (Labels, Vec<Numbers>)| {
            let there = numbers.iter().enumerate().filter(|(_, numbers)| numbers.count > 0);
            let points = there.map(|(step, numbers)| (step as u32, numbers.finish(vector.op))).collect();
            Series { labels, points }
        };
        Ok(groups.into_iter().map(finish).collect())
    }

    /// The largest or smallest of each group. One that is no number is larger and smaller than none.
    fn choose(&self, vector: &VectorAggregation, series: Vec<Series>) -> Result<Vec<Series>, QueryError> {
        let grouping = vector.grouping.clone().unwrap_or_default();
        let wanted = usize::try_from(vector.parameter.unwrap_or(1)).unwrap_or(usize::MAX);
        let mut builder = LabelSetBuilder::new();
        let mut groups: HashMap<Labels, u32> = HashMap::new();
        let mut all: Vec<(u32, u32, f64, usize)> = Vec::new();
        for (at, one) in series.iter().enumerate() {
            let number = groups.len() as u32;
            let number = *groups.entry(group(&one.labels, &grouping, &mut builder)).or_insert(number);
            all.extend(one.points.iter().map(|(step, value)| (number, *step, *value, at)));
        }
        self.check_stop()?;
        let is_bottom = vector.op == VectorOp::Bottomk;
        let order = |a: &(u32, u32, f64, usize), b: &(u32, u32, f64, usize)| {
            let values = match (a.2.is_nan(), b.2.is_nan()) {
                (true, true) => std::cmp::Ordering::Equal,
                (true, false) => std::cmp::Ordering::Greater,
                (false, true) => std::cmp::Ordering::Less,
                (false, false) if is_bottom => a.2.total_cmp(&b.2),
                (false, false) => b.2.total_cmp(&a.2),
            };
            let labels = || match (series.get(a.3), series.get(b.3)) {
                (Some(a), Some(b)) => a.labels.cmp(&b.labels),
                _ => std::cmp::Ordering::Equal,
            };
            (a.0, a.1).cmp(&(b.0, b.1)).then(values).then_with(labels)
        };
        all.sort_unstable_by(order);
        let mut chosen: Vec<Vec<(u32, f64)>> = vec![Vec::new(); series.len()];
        let (mut last, mut taken) = (None, 0);
        let mut ranking = Vec::new();
        for (number, step, value, at) in all {
            if last != Some((number, step)) {
                (last, taken) = (Some((number, step)), 0);
            }
            taken += 1;
            if taken <= wanted
                && let Some(points) = chosen.get_mut(at)
            {
                points.push((step, value));
                ranking.push(at);
            }
        }
        let mut series: Vec<Option<Series>> = series
            .into_iter()
            .zip(chosen)
            .map(|(one, mut points)| {
                points.sort_unstable_by_key(|(step, _)| *step);
                Some(Series { labels: one.labels, points })
            })
            .collect();
        // At one time the best comes first.
        Ok(ranking.into_iter().filter_map(|at| series.get_mut(at).and_then(Option::take)).collect())
    }
}

fn sort(op: VectorOp, mut series: Vec<Series>) -> Vec<Series> {
    let value = |series: &Series| series.points.first().map_or(f64::NAN, |(_, value)| *value);
    series.sort_by(|a, b| {
        let (a_value, b_value) = (value(a), value(b));
        let values = match (a_value.is_nan(), b_value.is_nan()) {
            (true, _) | (_, true) => a_value.is_nan().cmp(&b_value.is_nan()),
            _ if op == VectorOp::SortDesc => b_value.total_cmp(&a_value),
            _ => a_value.total_cmp(&b_value),
        };
        values.then_with(|| a.labels.cmp(&b.labels))
    });
    series
}
