//! Sparse buckets: which indexes there are and how much is counted in each. What an index means as a range
//! of values is the schema's business.

/// Indexes are from the negative of this on and below it: far beyond what any number needs, and near enough
/// for the distance between any two to be an `i32`, as a span's offset is.
const INDEX_END: i32 = 1 << 30;

/// Says why spans and counts are no buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpans {
    /// Spans and counts do not go together.
    #[error(
        "spans need {expected} buckets, have {found} buckets: histogram spans specify different number of buckets than provided"
    )]
    Count {
        /// How many buckets the spans have.
        expected: u64,
        /// How many counts there are.
        found: usize,
    },
    /// Only the first span may begin anywhere.
    #[error("span number {position} with offset {offset}: histogram has a span whose offset is negative")]
    Offset {
        /// Which span, counted from 1.
        position: usize,
        /// Its offset.
        offset: i32,
    },
    /// An index beyond what there may be.
    #[error("span number {position} reaches beyond bucket 1073741824 or its negative, which no number needs")]
    Range {
        /// Which span, counted from 1.
        position: usize,
    },
}

/// Buckets side by side: the first one's index, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Run {
    start: i32,
    length: u32,
}

impl Run {
    /// The index after the last one. The constructor saw to it that it fits.
    const fn end(self) -> i64 {
        self.start as i64 + self.length as i64
    }

    fn indexes(self) -> std::ops::Range<i32> {
        self.start..i32::try_from(self.end()).unwrap_or(INDEX_END)
    }
}

/// A span as Prometheus and its protobuf messages have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// How many indexes are left out since the end of the span before; the first span's own first index.
    pub offset: i32,
    /// How many buckets follow.
    pub length: u32,
}

/// Counts of buckets by index, in rising order of indexes. Equal layouts have equal spans: spans of no
/// length and spans that touch are joined when buckets are built.
///
/// Equality of counts is equality of bits.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    runs: Vec<Run>,
    counts: Vec<f64>,
}

impl PartialEq for Buckets {
    fn eq(&self, other: &Self) -> bool {
        self.runs == other.runs
            && self.counts.iter().map(|count| count.to_bits()).eq(other.counts.iter().map(|count| count.to_bits()))
    }
}

impl Eq for Buckets {}

impl Buckets {
    /// No buckets.
    pub const fn new() -> Self {
        Self { runs: Vec::new(), counts: Vec::new() }
    }

    /// The buckets of these spans, with their absolute counts.
    pub fn from_spans(spans: impl IntoIterator<Item = Span>, counts: Vec<f64>) -> Result<Self, InvalidSpans> {
        let mut runs: Vec<Run> = Vec::new();
        let (mut next, mut expected) = (0_i64, 0_u64);
        for (position, span) in spans.into_iter().enumerate() {
            let position = position + 1;
            if position > 1 && span.offset < 0 {
                return Err(InvalidSpans::Offset { position, offset: span.offset });
            }
            let from = next + i64::from(span.offset);
            next = from + i64::from(span.length);
            let start = i32::try_from(from).map_err(|_| InvalidSpans::Range { position })?;
            if start < -INDEX_END || next > i64::from(INDEX_END) {
                return Err(InvalidSpans::Range { position });
            }
            expected += u64::from(span.length);
            push_run(&mut runs, Run { start, length: span.length });
        }
        if expected != counts.len() as u64 {
            return Err(InvalidSpans::Count { expected, found: counts.len() });
        }
        Ok(Self { runs, counts })
    }

    /// The buckets of these indexes and counts. Indexes must rise, and be within 2^30 of zero; others are left
    /// out.
    pub fn from_counts(counts: impl IntoIterator<Item = (i32, f64)>) -> Self {
        let mut buckets = Self::new();
        counts.into_iter().for_each(|(index, count)| buckets.push(index, count));
        buckets
    }

    /// The buckets from this index on, side by side, as the scripts of Prometheus' tests write them.
    pub fn from_offset(offset: i32, counts: impl IntoIterator<Item = f64>) -> Self {
        Self::from_counts((offset..INDEX_END).zip(counts))
    }

    /// Adds a bucket at the end; without effect if its index is not above the last one, or beyond 2^30.
    pub fn push(&mut self, index: i32, count: f64) {
        let is_within = (-INDEX_END..INDEX_END).contains(&index);
        if !is_within || self.runs.last().is_some_and(|last| i64::from(index) < last.end()) {
            return;
        }
        push_run(&mut self.runs, Run { start: index, length: 1 });
        self.counts.push(count);
    }

    /// The spans: as many as there are runs of buckets side by side.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = Span> + '_ {
        let mut end = 0_i64;
        self.runs.iter().map(move |run| {
            let offset = i64::from(run.start) - end;
            end = run.end();
            Span { offset: i32::try_from(offset).unwrap_or(INDEX_END), length: run.length }
        })
    }

    /// The counts, in rising order of indexes.
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// The counts, to be changed in place.
    pub fn counts_mut(&mut self) -> &mut [f64] {
        &mut self.counts
    }

    /// Index and count, in rising order of indexes.
    pub fn iter(&self) -> impl Iterator<Item = (i32, f64)> + '_ {
        self.runs.iter().flat_map(|run| run.indexes()).zip(self.counts.iter().copied())
    }

    /// Index and count, in falling order of indexes.
    pub fn iter_reversed(&self) -> impl Iterator<Item = (i32, f64)> + '_ {
        self.runs.iter().rev().flat_map(|run| run.indexes().rev()).zip(self.counts.iter().rev().copied())
    }

    /// How many buckets there are, empty ones included.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there are none, not even empty ones.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Whether both have the same indexes.
    pub fn same_layout(&self, other: &Self) -> bool {
        self.runs == other.runs
    }

    /// Leaves out the buckets whose count is 0.
    pub fn compact(&mut self) {
        if self.counts.contains(&0.0) {
            *self = Self::from_counts(self.iter().filter(|(_, count)| *count != 0.0));
        }
    }

    /// The sum of all counts.
    pub fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// Joins buckets whose index becomes the same; `index_of` must not fall.
    pub(super) fn regroup(&self, index_of: impl Fn(i32) -> i32) -> Self {
        let mut grouped = Self::new();
        let mut last = None;
        for (index, count) in self.iter() {
            let index = index_of(index);
            if last == Some(index) {
                if let Some(total) = grouped.counts.last_mut() {
                    *total += count;
                }
            } else {
                grouped.push(index, count);
                last = Some(index);
            }
        }
        grouped
    }

    /// Makes the layout cover that of `other`: what is missing is there as 0 afterwards.
    pub(super) fn cover(&mut self, other: &Self) {
        if self.runs == other.runs {
            return;
        }
        let runs = union(&self.runs, &other.runs);
        if runs == self.runs {
            return;
        }
        let mut counts = vec![0.0; runs.iter().map(|run| run.length as usize).sum()];
        let mut rest = self.counts.as_slice();
        for (at, run) in places(&self.runs, &runs) {
            let (mine, after) = rest.split_at_checked(run.length as usize).unwrap_or((rest, &[]));
            rest = after;
            if let Some(target) = counts.get_mut(at..at + mine.len()) {
                target.copy_from_slice(mine);
            }
        }
        *self = Self { runs, counts };
    }

    /// Does `each` with every one of our counts that `other` has a bucket for, after [`Buckets::cover`]. The
    /// second is its place among our counts.
    pub(super) fn with_each(&mut self, other: &Self, mut each: impl FnMut(&mut f64, usize, f64)) {
        let mut theirs = other.counts.iter().copied();
        for (at, run) in places(&other.runs, &self.runs) {
            let length = run.length as usize;
            let Some(mine) = self.counts.get_mut(at..at + length) else { return };
            for (place, (count, their)) in mine.iter_mut().zip(theirs.by_ref().take(length)).enumerate() {
                each(count, at + place, their);
            }
        }
    }

    /// Whether any bucket that `before` has counts less here, or is not here at all.
    pub(super) fn falls_short_of(&self, before: &Self) -> bool {
        if self.runs == before.runs {
            return self.counts.iter().zip(&before.counts).any(|(now, before)| now < before);
        }
        let mut mine = self.iter().peekable();
        before.iter().any(|(index, before)| {
            while mine.next_if(|(candidate, _)| *candidate < index).is_some() {}
            let now = mine.next_if(|(candidate, _)| *candidate == index).map_or(0.0, |(_, count)| count);
            now < before
        })
    }

    /// What it takes in memory beside itself, bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<Run>() + self.counts.capacity() * size_of::<f64>()
    }
}

/// Adds a run that begins at or after the end of the last one.
fn push_run(runs: &mut Vec<Run>, run: Run) {
    if run.length == 0 {
        return;
    }
    match runs.last_mut() {
        Some(last) if last.end() == i64::from(run.start) => last.length = last.length.saturating_add(run.length),
        _ => runs.push(run),
    }
}

/// All indexes of both.
fn union(left: &[Run], right: &[Run]) -> Vec<Run> {
    let (mut left, mut right) = (left.iter().copied().peekable(), right.iter().copied().peekable());
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let from_left = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) => one.start <= other.start,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return runs,
        };
        let next = if from_left { left.next() } else { right.next() };
        let Some(next) = next else { return runs };
        match runs.last_mut() {
            Some(last) if last.end() >= i64::from(next.start) => {
                let end = last.end().max(next.end());
                last.length = u32::try_from(end - i64::from(last.start)).unwrap_or(last.length);
            }
            _ => runs.push(next),
        }
    }
}

/// Where each of `runs` begins among the counts of `cover`, which covers them.
fn places<'a>(runs: &'a [Run], cover: &'a [Run]) -> impl Iterator<Item = (usize, Run)> + 'a {
    let mut covering = cover.iter().peekable();
    let mut before = 0_usize;
    runs.iter().filter_map(move |run| {
        while let Some(passed) = covering.next_if(|candidate| candidate.end() <= i64::from(run.start)) {
            before += passed.length as usize;
        }
        let within = i64::from(run.start) - i64::from(covering.peek()?.start);
        Some((before + usize::try_from(within).ok()?, *run))
    })
}
