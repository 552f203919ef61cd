//! Range aggregations: lines run through their pipeline once, each into the tile of its series.

use console_model::{LabelSetBuilder, Labels, Text};
use hashbrown::HashMap;

use super::tiles::Tiles;
use super::window::{Function, Kept, Tile};
use super::{Context, Series, count_labels};
use crate::ast::{Grouping, LabelFilter, MatchOp, Matcher, RangeAggregation, RangeOp, Stage};
use crate::entry::{Buffers, ERROR, ERROR_DETAILS, Entry, Needed};
use crate::error::QueryError;
use crate::source::{Order, Selection};
use crate::stage::{Pipeline, TextTest};

/// What a series of lines has gathered.
struct Gathered {
    labels: Labels,
    /// In order.
    tiles: Vec<(u32, Tile)>,
}

/// Gathers lines by series.
struct Gatherer<'a> {
    grouping: Grouping,
    tiles: Tiles,
    function: Function,
    /// Whether errors tell series apart that are grouped by other labels.
    keeps_errors: bool,
    /// Errors that the query asks to keep.
    kept_errors: Vec<TextTest>,
    series: Vec<Gathered>,
    by_key: HashMap<Box<str>, usize>,
    key: String,
    builder: LabelSetBuilder,
    samples: usize,
    label_bytes: usize,
    context: &'a Context<'a>,
}

impl Context<'_> {
    /// Evaluates a range aggregation; `sum_by` has the groups over which it is to be summed up.
    pub(super) fn range(
        &mut self,
        range: &RangeAggregation,
        sum_by: Option<&Grouping>,
    ) -> Result<Vec<Series>, QueryError> {
        let unwrapped = range.log.stages.iter().find_map(|stage| match stage {
            Stage::Unwrap(unwrap) => Some(&unwrap.label),
            _ => None,
        });
        let is_absent = range.op == RangeOp::AbsentOverTime;
        let none = Grouping { without: false, labels: Vec::new() };
        let all = Grouping { without: true, labels: unwrapped.into_iter().cloned().collect() };
        let grouping = match (is_absent, sum_by, &range.grouping) {
            (true, ..) => none,
            (false, Some(by), _) => by.clone(),
            (false, None, Some(by)) => by.clone(),
            (false, None, None) => all,
        };
        let pipeline = Pipeline::new(&range.log, self.now_ns).map_err(QueryError::Asked)?;
        let errors = [Text::from(ERROR)];
        let needed = if grouping.without { None } else { pipeline.needed(grouping.labels.iter().chain(&errors)) };
        let function = Function {
            op: range.op,
            parameter: range.parameter.unwrap_or(0.0),
            range_ns: range.range_ns,
            is_unwrapped: unwrapped.is_some() && !is_absent,
        };
        let scan = {
            let mut gatherer = Gatherer {
                grouping,
                tiles: Tiles::new(self.steps, range.range_ns, range.offset_ns),
                function,
                keeps_errors: sum_by.is_none(),
                kept_errors: kept_errors(range)?,
                series: Vec::new(),
                by_key: HashMap::new(),
                key: String::new(),
                builder: LabelSetBuilder::new(),
                samples: 0,
                label_bytes: 0,
                context: self,
            };
            let scan = gatherer.gather(range, &pipeline, needed.as_ref())?;
            let series = if is_absent { vec![gatherer.absent(range)] } else { gatherer.finish(range.offset_ns)? };
            (scan, series)
        };
        self.scan.add(scan.0);
        Ok(scan.1)
    }
}

/// The filters that ask for lines with an error, rather than leave them out.
fn kept_errors(range: &RangeAggregation) -> Result<Vec<TextTest>, QueryError> {
    fn collect<'a>(filter: &'a LabelFilter, found: &mut Vec<&'a Matcher>) {
        match filter {
            LabelFilter::Matcher(matcher) if matcher.name == ERROR => found.push(matcher),
            LabelFilter::And(left, right) | LabelFilter::Or(left, right) => {
                collect(left, found);
                collect(right, found);
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for stage in &range.log.stages {
        if let Stage::LabelFilter(filter) = stage {
            collect(filter, &mut found);
        }
    }
    // To exclude one error does not ask for the others.
    let asks = |matcher: &&Matcher| match matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => matcher.value.is_empty() == (matcher.op == MatchOp::NotEqual),
        MatchOp::Matches => true,
        MatchOp::MatchesNot => false,
    };
    found.into_iter().filter(asks).map(TextTest::new).collect::<Result<_, _>>().map_err(QueryError::Asked)
}

impl Gatherer<'_> {
    fn gather(
        &mut self,
        range: &RangeAggregation,
        pipeline: &Pipeline,
        needed: Option<&Needed>,
    ) -> Result<crate::source::Scan, QueryError> {
        let steps = self.context.steps;
        let first_ns = i128::from(steps.start_ns) - i128::from(range.offset_ns);
        let last_ns = first_ns + i128::from(steps.step_ns) * (steps.count as i128 - 1);
        let clamp = |time: i128| u64::try_from(time.max(0)).unwrap_or(u64::MAX);
        if last_ns < 0 {
            return Ok(crate::source::Scan::default());
        }
        let selection = Selection {
            matchers: range.log.matchers.clone(),
            from_ns: clamp(first_ns - i128::from(range.range_ns) + 1),
            to_ns: clamp(last_ns),
            contains: pipeline.contains.clone(),
        };
        let mut buffers = Buffers::default();
        let stop_every = pipeline.stop_every();
        let (mut seen, mut fault) = (0_u64, None);
        let context = self.context;
        let scan = context.source.lines(&selection, Order::Any, &mut |line| {
            seen += 1;
            if seen.is_multiple_of(stop_every) && (context.stop)() {
                fault = Some(QueryError::Stopped);
                return false;
            }
            let Some(entry) = pipeline.run(line, &mut buffers, needed) else { return true };
            match self.take(&entry) {
                Ok(()) => true,
                Err(error) => {
                    fault = Some(error);
                    false
                }
            }
        });
        let scan = scan.map_err(QueryError::Source)?;
        match fault {
            Some(fault) => Err(fault),
            None => Ok(scan),
        }
    }

    fn take(&mut self, entry: &Entry<'_>) -> Result<(), QueryError> {
        let time_ns = entry.labels.source().time_ns();
        let Some(tile) = i64::try_from(time_ns).ok().and_then(|time_ns| self.tiles.of(time_ns)) else {
            return Ok(());
        };
        if let Some(error) = entry.labels.get(ERROR)
            && !self.kept_errors.iter().any(|test| test.fits(error))
        {
            return Err(pipeline_error(error, entry));
        }
        let count = match self.function.op {
            RangeOp::BytesRate | RangeOp::BytesOverTime => entry.line.len() as u64,
            _ => 1,
        };
        let at = self.series_of(entry)?;
        let kept = self.function.kept();
        let Some(series) = self.series.get_mut(at) else { return Ok(()) };
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
                    tile.add(time_ns, count, entry.value);
                }
            }
            Err(place) => series.tiles.insert(place, (tile, Tile::of(kept, time_ns, count, entry.value))),
        }
        self.context.check_samples(self.samples)
    }

    /// The number of the series that a line belongs to.
    fn series_of(&mut self, entry: &Entry<'_>) -> Result<usize, QueryError> {
        self.key.clear();
        let mut push = |name: &str, value: &str| {
            self.key.push_str(name);
            self.key.push('\0');
            self.key.push_str(value);
            self.key.push('\0');
        };
        let all;
        if self.grouping.without {
            all = entry.labels.all();
            for (name, value, _) in &all {
                if !self.grouping.labels.iter().any(|label| label == name) {
                    push(name, value);
                }
            }
        } else {
            for name in &self.grouping.labels {
                push(name, entry.labels.get(name).unwrap_or_default());
            }
            for name in [ERROR, ERROR_DETAILS] {
                if self.keeps_errors
                    && entry.labels.has_error()
                    && !self.grouping.labels.iter().any(|label| label == name)
                {
                    push(name, entry.labels.get(name).unwrap_or_default());
                }
            }
        }
        if let Some(at) = self.by_key.get(self.key.as_str()) {
            return Ok(*at);
        }
        let limit = self.context.limits.inner_series;
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

    /// The numbers of all windows.
    fn finish(self, offset_ns: i64) -> Result<Vec<Series>, QueryError> {
        let steps = self.context.steps;
        let mut finished = Vec::with_capacity(self.series.len());
        let mut values = Vec::new();
        let mut points_all = 0;
        for Gathered { labels, tiles } in self.series {
            self.context.check_stop()?;
            let mut points = Vec::new();
            let (mut from, mut to, mut count) = (0, 0, 0_u64);
            let counted = |tile: Option<&(u32, Tile)>| match tile {
                Some((_, Tile::Count(count))) => *count,
                _ => 0,
            };
            for step in 0..steps.count {
                let (first, last) = self.tiles.window(step);
                while tiles.get(to).is_some_and(|(tile, _)| *tile <= last) {
                    count += counted(tiles.get(to));
                    to += 1;
                }
                while from < to && tiles.get(from).is_some_and(|(tile, _)| *tile < first) {
                    count -= counted(tiles.get(from));
                    from += 1;
                }
                if from == to {
                    continue;
                }
                if step % 64 == 63 {
                    self.context.check_stop()?;
                }
                let window = tiles.get(from..to).unwrap_or_default();
                let end_ns = steps.start_ns.saturating_add(steps.step_ns.saturating_mul(step as i64)) - offset_ns;
                let number = match self.function.kept() {
                    Kept::Count => Some(self.function.of_count(count)),
                    Kept::Summary => self.function.of_summaries(window),
                    Kept::Values => self.function.of_values(window, end_ns, &mut values),
                };
                points.extend(number.map(|number| (step as u32, number)));
            }
            points_all += points.len();
            self.context.check_samples(points_all)?;
            finished.push(Series { labels, points });
        }
        Ok(finished)
    }

    /// 1 wherever there is nothing, under the labels that the selector says a stream has.
    fn absent(self, range: &RangeAggregation) -> Series {
        let steps = self.context.steps;
        let tiles: Vec<u32> =
            self.series.iter().flat_map(|series| series.tiles.iter().map(|(tile, _)| *tile)).collect();
        let mut sorted = tiles;
        sorted.sort_unstable();
        let mut points = Vec::new();
        for step in 0..steps.count {
            let (first, last) = self.tiles.window(step);
            let at = sorted.partition_point(|tile| *tile < first);
            if sorted.get(at).is_none_or(|tile| *tile > last) {
                points.push((step as u32, 1.0));
            }
        }
        let matchers = &range.log.matchers;
        let told_once = |matcher: &&Matcher| {
            matcher.op == MatchOp::Equal && matchers.iter().filter(|other| other.name == matcher.name).count() == 1
        };
        let pairs = matchers.iter().filter(told_once).map(|matcher| (matcher.name.as_str(), matcher.value.as_str()));
        Series { labels: Labels::from_pairs(pairs), points }
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
