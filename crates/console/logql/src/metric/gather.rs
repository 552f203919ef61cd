//! Lines on their way into tiles: each runs through the pipeline, and counts in the tile of its series. Several
//! gatherers may be at it at the same time, each with lines of its own; they are joined in the end.

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicUsize};

use console_model::{LabelSetBuilder, Labels};
use hashbrown::HashMap;

use super::tiles::Tiles;
use super::window::{Function, Kept, Tile};
use super::{Context, count_labels};
use crate::ast::{Grouping, RangeOp};
use crate::entry::{Buffers, ERROR, ERROR_DETAILS, Entry, Needed};
use crate::error::QueryError;
use crate::source::{Bulk, Line, Sink, Taken};
use crate::stage::{Pipeline, TextTest};

/// Numbers after which the other gatherers are told how many are held.
const TELL_EVERY: usize = 1_024;

/// What a series of lines has gathered.
pub(super) struct Gathered {
    pub(super) labels: Labels,
    /// In order.
    pub(super) tiles: Vec<(u32, Tile)>,
}

/// What becomes of lines: the same for all gatherers of a query.
pub(super) struct Plan<'a> {
    context: &'a Context<'a>,
    grouping: Grouping,
    tiles: Tiles,
    function: Function,
    needed: Option<Needed>,
    /// Whether errors tell series apart that are grouped by other labels.
    keeps_errors: bool,
    /// Errors that the query asks to keep.
    kept_errors: Vec<TextTest>,
    /// Numbers that all gatherers hold, as far as they have told.
    samples: AtomicUsize,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        grouping: Grouping,
        tiles: Tiles,
        function: Function,
        needed: Option<Needed>,
        (keeps_errors, kept_errors): (bool, Vec<TextTest>),
    ) -> Self {
        let samples = AtomicUsize::new(0);
        Self { context, grouping, tiles, function, needed, keeps_errors, kept_errors, samples }
    }

    /// Whether series are told apart by everything that is known of a line.
    pub(super) const fn asks_for_all(&self) -> bool {
        self.grouping.without
    }

    /// Whether it is all the same what lines say, and only how many there are counts.
    fn counts_only(&self) -> bool {
        !self.grouping.without
            && self.function.kept() == Kept::Count
            && !matches!(self.function.op, RangeOp::BytesRate | RangeOp::BytesOverTime)
    }
}

/// Gathers lines by series.
pub(super) struct Gatherer<'a> {
    plan: &'a Plan<'a>,
    /// One of its own: regular expressions are quickest where one thread has them to itself.
    pipeline: Pipeline,
    /// Lines after which it is asked whether to go on.
    stop_every: u64,
    series: Vec<Gathered>,
    by_key: HashMap<Box<str>, usize>,
    /// The key of the line at hand, and that of the one before with its series: lines of a series mostly come one
    /// after the other.
    key: String,
    last: Option<(String, usize)>,
    builder: LabelSetBuilder,
    buffers: Buffers,
    seen: u64,
    label_bytes: usize,
    samples: usize,
    /// Of those, how many all gatherers know of, and how many they had together then.
    told: usize,
    known: usize,
    fault: Option<QueryError>,
}

impl Sink for Gatherer<'_> {
    fn line(&mut self, line: &dyn Line) -> bool {
        if !self.goes_on() {
            return false;
        }
        let mut buffers = std::mem::take(&mut self.buffers);
        let result = match self.pipeline.run(line, &mut buffers, self.plan.needed.as_ref()) {
            Some(entry) => self.take(&entry),
            None => Ok(()),
        };
        self.buffers = buffers;
        if let Err(fault) = result {
            self.fault = Some(fault);
            return false;
        }
        true
    }

    fn bulk(&mut self, bulk: &Bulk<'_>) -> Taken {
        if !self.goes_on() || !self.pipeline.lets_all_through() || !self.plan.counts_only() {
            return Taken::No;
        }
        let Some((first, others)) = bulk.streams.split_first() else { return Taken::No };
        self.key.clear();
        for name in &self.plan.grouping.labels {
            // What is no label of a stream may be metadata of a line.
            let Some(value) = first.get(name).filter(|value| !value.is_empty()) else { return Taken::No };
            if others.iter().any(|stream| stream.get(name) != Some(value)) {
                return Taken::No;
            }
            push(&mut self.key, name, value);
        }
        let Ok(first_ns) = i64::try_from(bulk.first_ns) else { return Taken::No };
        let last_ns = self.plan.tiles.last_beside(first_ns).unsigned_abs();
        if bulk.last_ns > last_ns {
            return Taken::UpTo(last_ns);
        }
        if let Some(tile) = self.plan.tiles.of(first_ns) {
            let added = self.series_of_key().and_then(|at| self.add(at, tile, bulk.last_ns, bulk.count, 0.0));
            self.fault = added.err();
        }
        Taken::Yes
    }
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, pipeline: Pipeline) -> Self {
        Self {
            plan,
            stop_every: pipeline.stop_every(),
            pipeline,
            series: Vec::new(),
            by_key: HashMap::new(),
            key: String::new(),
            last: None,
            builder: LabelSetBuilder::new(),
            buffers: Buffers::default(),
            seen: 0,
            label_bytes: 0,
            samples: 0,
            told: 0,
            known: 0,
            fault: None,
        }
    }

    /// Whether somebody waits, and nothing went wrong yet.
    fn goes_on(&mut self) -> bool {
        self.seen += 1;
        if self.seen.is_multiple_of(self.stop_every) && (self.plan.context.stop)() {
            self.fault = Some(QueryError::Stopped);
        }
        self.fault.is_none()
    }

    fn take(&mut self, entry: &Entry<'_>) -> Result<(), QueryError> {
        let time_ns = entry.labels.source().time_ns();
        let Some(tile) = i64::try_from(time_ns).ok().and_then(|time_ns| self.plan.tiles.of(time_ns)) else {
            return Ok(());
        };
        if let Some(error) = entry.labels.get(ERROR)
            && !self.plan.kept_errors.iter().any(|test| test.fits(error))
        {
            return Err(pipeline_error(error, entry));
        }
        let count = match self.plan.function.op {
            RangeOp::BytesRate | RangeOp::BytesOverTime => entry.line.bytes() as u64,
            _ => 1,
        };
        self.put_key(entry);
        let at = self.series_of_key()?;
        self.add(at, tile, time_ns, count, entry.value)
    }

    /// Adds to a tile of a series: what a line counts, or its number.
    fn add(&mut self, series: usize, tile: u32, time_ns: u64, count: u64, value: f64) -> Result<(), QueryError> {
        let kept = self.plan.function.kept();
        let Some(series) = self.series.get_mut(series) else { return Ok(()) };
        let place = match series.tiles.last() {
            Some((last, _)) if *last == tile => Ok(series.tiles.len() - 1),
            Some((last, _)) if *last < tile => Err(series.tiles.len()),
            None => Err(0),
            _ => series.tiles.binary_search_by_key(&tile, |(tile, _)| *tile),
        };
        self.samples += usize::from(place.is_err() || kept == Kept::Values);
        match place {
            Ok(place) => {
                if let Some((_, tile)) = series.tiles.get_mut(place) {
                    tile.add(time_ns, count, value);
                }
            }
            Err(place) => series.tiles.insert(place, (tile, Tile::of(kept, time_ns, count, value))),
        }
        self.check_samples()
    }

    /// Numbers are bounded for all gatherers together.
    fn check_samples(&mut self) -> Result<(), QueryError> {
        if self.samples - self.told >= TELL_EVERY {
            let more = self.samples - self.told;
            self.known = self.plan.samples.fetch_add(more, atomic::Ordering::Relaxed) + more;
            self.told = self.samples;
        }
        self.plan.context.check_samples(self.known + self.samples - self.told)
    }

    /// Makes the key of the series that a line belongs to.
    fn put_key(&mut self, entry: &Entry<'_>) {
        self.key.clear();
        let grouping = &self.plan.grouping;
        if grouping.without {
            for (name, value, _) in &entry.labels.all() {
                if !grouping.labels.iter().any(|label| label == name) {
                    push(&mut self.key, name, value);
                }
            }
            return;
        }
        for name in &grouping.labels {
            push(&mut self.key, name, entry.labels.get(name).unwrap_or_default());
        }
        if self.plan.keeps_errors && entry.labels.has_error() {
            for name in [ERROR, ERROR_DETAILS] {
                if !grouping.labels.iter().any(|label| label == name) {
                    push(&mut self.key, name, entry.labels.get(name).unwrap_or_default());
                }
            }
        }
    }

    /// The number of the series with the key at hand.
    fn series_of_key(&mut self) -> Result<usize, QueryError> {
        if let Some((_, at)) = self.last.as_ref().filter(|(last, _)| *last == self.key) {
            return Ok(*at);
        }
        let at = match self.by_key.get(self.key.as_str()) {
            Some(at) => *at,
            None => self.new_series()?,
        };
        let (last, last_at) = self.last.get_or_insert_default();
        last.clone_from(&self.key);
        *last_at = at;
        Ok(at)
    }

    fn new_series(&mut self) -> Result<usize, QueryError> {
        let limit = self.plan.context.limits.inner_series;
        if self.series.len() >= limit {
            let told = format!(
                "the query counts more than {limit} series; aggregate by fewer labels, as in sum by (level) (…), or \
                 select fewer streams"
            );
            return Err(QueryError::limit(told));
        }
        count_labels(&mut self.label_bytes, self.key.len())?;
        let mut parts = self.key.split('\0');
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            self.builder.push(name, value);
        }
        let at = self.series.len();
        self.series.push(Gathered { labels: self.builder.finish(), tiles: Vec::new() });
        self.by_key.insert(self.key.as_str().into(), at);
        Ok(at)
    }

    /// Adds what another has gathered.
    pub(super) fn join(&mut self, mut other: Self) -> Result<(), QueryError> {
        if let Some(fault) = self.fault.take().or(other.fault) {
            return Err(fault);
        }
        self.samples += other.samples;
        for (key, at) in other.by_key {
            let Some(theirs) = other.series.get_mut(at).map(|series| std::mem::take(&mut series.tiles)) else {
                continue;
            };
            self.key.clear();
            self.key.push_str(&key);
            let own = self.series_of_key()?;
            if let Some(series) = self.series.get_mut(own) {
                series.tiles = joined(std::mem::take(&mut series.tiles), theirs);
            }
        }
        Ok(())
    }

    /// All series.
    pub(super) fn finish(self) -> Result<Vec<Gathered>, QueryError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.plan.context.check_samples(self.samples)?;
        Ok(self.series)
    }
}

fn push(key: &mut String, name: &str, value: &str) {
    key.push_str(name);
    key.push('\0');
    key.push_str(value);
    key.push('\0');
}

/// Tiles of both, in order; those that both have are made one.
fn joined(own: Vec<(u32, Tile)>, theirs: Vec<(u32, Tile)>) -> Vec<(u32, Tile)> {
    let mut all = Vec::with_capacity(own.len().max(theirs.len()));
    let (mut own, mut theirs) = (own.into_iter().peekable(), theirs.into_iter().peekable());
    loop {
        let order = match (own.peek(), theirs.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return all,
        };
        if order == Ordering::Greater {
            all.extend(theirs.next());
            continue;
        }
        let Some((number, mut tile)) = own.next() else { return all };
        if order == Ordering::Equal
            && let Some((_, other)) = theirs.next()
        {
            tile.join(other);
        }
        all.push((number, tile));
    }
}

fn pipeline_error(error: &str, entry: &Entry<'_>) -> QueryError {
    let labels = entry.labels.all();
    let pairs = labels.iter().map(|(name, value, _)| (*name, *value));
    let mut series = Labels::from_pairs(pairs).to_string();
    if series.len() > 1_000 {
        series.truncate(series.floor_char_boundary(1_000));
        series.push('…');
    }
    QueryError::Asked(format!(
        "pipeline error: '{error}' for series: '{series}'.\nUse a label filter to intentionally skip this error. (e.g | \
         __error__!=\"{error}\").\nTo skip all potential errors you can match empty errors.(e.g __error__=\"\")\nThe \
         label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n"
    ))
}
