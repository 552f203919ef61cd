//! What is kept of the lines of a tile, how tiles become a window, and what number a window gives.

use crate::ast::RangeOp;

/// What has to be kept of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// How many, or how many bytes.
    Count,
    /// What can be said of numbers without keeping them.
    Summary,
    /// The numbers.
    Values,
}

/// What a function needs.
pub(super) const fn kept(op: RangeOp) -> Kept {
    match op {
        RangeOp::CountOverTime | RangeOp::BytesRate | RangeOp::BytesOverTime | RangeOp::AbsentOverTime => Kept::Count,
        RangeOp::Rate
        | RangeOp::SumOverTime
        | RangeOp::AvgOverTime
        | RangeOp::MaxOverTime
        | RangeOp::MinOverTime
        | RangeOp::FirstOverTime
        | RangeOp::LastOverTime
        | RangeOp::StdvarOverTime
        | RangeOp::StddevOverTime => Kept::Summary,
        RangeOp::RateCounter | RangeOp::QuantileOverTime => Kept::Values,
    }
}

/// Numbers, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    count: u64,
    sum: f64,
    /// What was lost of the sum by rounding.
    lost: f64,
    mean: f64,
    /// The sum of the squares of the distances to the mean.
    squares: f64,
    min: f64,
    max: f64,
    first: (u64, f64),
    last: (u64, f64),
}

impl Summary {
    const fn of(time_ns: u64, value: f64) -> Self {
        let at = (time_ns, value);
        Self { count: 1, sum: value, lost: 0.0, mean: value, squares: 0.0, min: value, max: value, first: at, last: at }
    }

    /// Joins two. <https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance#Parallel_algorithm>
    fn join(&mut self, other: &Self) {
        let (own, others) = (self.count as f64, other.count as f64);
        let all = own + others;
        let distance = other.mean - self.mean;
        self.squares += other.squares + distance * distance * own * others / all;
        self.mean = if distance.is_finite() { self.mean + distance * others / all } else { self.mean + other.mean };
        self.count += other.count;
        // Neumaier's sum: https://en.wikipedia.org/wiki/Kahan_summation_algorithm
        let sum = self.sum + other.sum;
        if sum.is_finite() {
            self.lost += if self.sum.abs() >= other.sum.abs() {
                (self.sum - sum) + other.sum
            } else {
                (other.sum - sum) + self.sum
            };
        }
        self.lost += other.lost;
        self.sum = sum;
        self.min = if other.min < self.min || self.min.is_nan() { other.min } else { self.min };
        self.max = if other.max > self.max || self.max.is_nan() { other.max } else { self.max };
        if other.first.0 < self.first.0 {
            self.first = other.first;
        }
        // Of two at the same time the one that came later holds.
        if other.last.0 >= self.last.0 {
            self.last = other.last;
        }
    }
}

/// What is kept of the lines of a tile.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tile {
    Count(u64),
    Summary(Summary),
    Values(Vec<(u64, f64)>),
}

impl Tile {
    /// Of one line: what it counts, or its number.
    pub(super) fn of(kept: Kept, time_ns: u64, count: u64, value: f64) -> Self {
        match kept {
            Kept::Count => Self::Count(count),
            Kept::Summary => Self::Summary(Summary::of(time_ns, value)),
            Kept::Values => Self::Values(vec![(time_ns, value)]),
        }
    }

    /// Adds another of the same kind.
    pub(super) fn join(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(all), Self::Count(count)) => *all = all.saturating_add(count),
            (Self::Summary(summary), Self::Summary(other)) => summary.join(&other),
            (Self::Values(values), Self::Values(mut more)) => values.append(&mut more),
            // All tiles of a query are of one kind.
            _ => {}
        }
    }

    /// Adds a line.
    pub(super) fn add(&mut self, time_ns: u64, count: u64, value: f64) {
        match self {
            Self::Count(all) => *all = all.saturating_add(count),
            Self::Summary(summary) => summary.join(&Summary::of(time_ns, value)),
            Self::Values(values) => values.push((time_ns, value)),
        }
    }
}

/// A while with its function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    pub(super) op: RangeOp,
    pub(super) parameter: f64,
    pub(super) range_ns: i64,
    /// Whether the lines are numbers.
    pub(super) is_unwrapped: bool,
}

impl Function {
    pub(super) const fn kept(&self) -> Kept {
        match (self.op, self.is_unwrapped) {
            (RangeOp::Rate, false) => Kept::Count,
            (op, _) => kept(op),
        }
    }

    fn seconds(&self) -> f64 {
        self.range_ns as f64 / 1e9
    }

    /// The number of a window whose lines are counted.
    pub(super) fn of_count(&self, count: u64) -> f64 {
        match self.op {
            RangeOp::Rate | RangeOp::BytesRate => count as f64 / self.seconds(),
            _ => count as f64,
        }
    }

    /// The number of the tiles of a window whose numbers are summed up; none if there are none.
    pub(super) fn of_summaries(&self, tiles: &[(u32, Tile)]) -> Option<f64> {
        let mut summaries = tiles.iter().filter_map(|(_, tile)| match tile {
            Tile::Summary(summary) => Some(summary),
            _ => None,
        });
        let mut all = *summaries.next()?;
        summaries.for_each(|summary| all.join(summary));
        let sum = if all.lost.is_finite() { all.sum + all.lost } else { all.sum };
        Some(match self.op {
            RangeOp::Rate => sum / self.seconds(),
            RangeOp::AvgOverTime => {
                if sum.is_finite() {
                    sum / all.count as f64
                } else {
                    all.mean
                }
            }
            RangeOp::MaxOverTime => all.max,
            RangeOp::MinOverTime => all.min,
            RangeOp::FirstOverTime => all.first.1,
            RangeOp::LastOverTime => all.last.1,
            RangeOp::StdvarOverTime => all.squares / all.count as f64,
            RangeOp::StddevOverTime => (all.squares / all.count as f64).sqrt(),
            _ => sum,
        })
    }

    /// The number of the tiles of a window whose numbers are kept; none if there are too few.
    pub(super) fn of_values(&self, tiles: &[(u32, Tile)], end_ns: i64, values: &mut Vec<(u64, f64)>) -> Option<f64> {
        values.clear();
        for (_, tile) in tiles {
            if let Tile::Values(more) = tile {
                values.extend_from_slice(more);
            }
        }
        if values.is_empty() {
            return None;
        }
        if self.op == RangeOp::RateCounter {
            values.sort_by_key(|(time_ns, _)| *time_ns);
            return counter_rate(values, self.range_ns, end_ns);
        }
        values.sort_by(|a, b| a.1.total_cmp(&b.1));
        Some(quantile(self.parameter, values))
    }
}

/// The φ-quantile of sorted numbers, between two of them where it falls there. As in PromQL.
fn quantile(phi: f64, sorted: &[(u64, f64)]) -> f64 {
    if phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    let rank = phi * (sorted.len() as f64 - 1.0);
    let value = |at: f64| sorted.get(at as usize).map_or(f64::NAN, |(_, value)| *value);
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(sorted.len() as f64 - 1.0);
    let weight = rank - rank.floor();
    value(lower) * (1.0 - weight) + value(upper) * weight
}

/// The rate of a counter: what it grew by, resets not counted, carried on to the ends of the while where the
/// samples come near them. As in PromQL.
fn counter_rate(samples: &[(u64, f64)], range_ns: i64, end_ns: i64) -> Option<f64> {
    let (first, last) = (samples.first()?, samples.last()?);
    if samples.len() < 2 || last.0 == first.0 {
        return None;
    }
    let mut growth = last.1 - first.1;
    let pairs = samples.iter().zip(samples.iter().skip(1));
    growth += pairs.filter(|(before, after)| after.1 < before.1).map(|(before, _)| before.1).sum::<f64>();
    let seconds = |from: i128, to: i128| (to - from) as f64 / 1e9;
    let start_ns = i128::from(end_ns) - i128::from(range_ns);
    let sampled = seconds(i128::from(first.0), i128::from(last.0));
    let apart = sampled / (samples.len() as f64 - 1.0);
    // A gap of little more than the usual distance is taken to be a sample that came late.
    let reach = |gap: f64| if gap < apart * 1.1 { gap } else { apart / 2.0 };
    let mut before = reach(seconds(start_ns, i128::from(first.0)));
    // A counter cannot have been below nothing.
    if growth > 0.0 && first.1 >= 0.0 {
        before = before.min(sampled * (first.1 / growth));
    }
    let after = reach(seconds(i128::from(last.0), i128::from(end_ns)));
    Some(growth * ((sampled + before + after) / sampled) / (range_ns as f64 / 1e9))
}
