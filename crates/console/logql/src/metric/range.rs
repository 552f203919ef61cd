//! Range aggregations: lines run through their pipeline once, each into the tile of its series; then tiles become
//! the numbers of windows.

use console_model::{Labels, Text};

use super::gather::{Gathered, Gatherer, Plan};
use super::tiles::Tiles;
use super::window::{Function, Kept, Tile};
use super::{Context, Series};
use crate::ast::{Grouping, LabelFilter, MatchOp, Matcher, RangeAggregation, RangeOp, Stage};
use crate::entry::ERROR;
use crate::error::QueryError;
use crate::source::{Scan, Selection, Sink};
use crate::stage::{Pipeline, TextTest};

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
        let tiles = Tiles::new(self.steps, range.range_ns, range.offset_ns);
        let plan = Plan::new(self, grouping, tiles, function, needed, (sum_by.is_none(), kept_errors(range)?));
        let (gathered, scan) = self.gather(range, &plan, pipeline)?;
        let series = if is_absent {
            vec![self.absent(range, &tiles, &gathered)]
        } else {
            self.finish(&function, &tiles, range.offset_ns, gathered)?
        };
        self.scan.add(scan);
        Ok(series)
    }

    /// Reads the lines of all windows, on as many threads as there may be.
    fn gather(
        &self,
        range: &RangeAggregation,
        plan: &Plan<'_>,
        pipeline: Pipeline,
    ) -> Result<(Vec<Gathered>, Scan), QueryError> {
        let steps = self.steps;
        let first_ns = i128::from(steps.start_ns) - i128::from(range.offset_ns);
        let last_ns = first_ns + i128::from(steps.step_ns) * (steps.count as i128 - 1);
        let clamp = |time: i128| u64::try_from(time.max(0)).unwrap_or(u64::MAX);
        if last_ns < 0 {
            return Ok((Vec::new(), Scan::default()));
        }
        let selection = Selection {
            matchers: range.log.matchers.clone(),
            from_ns: clamp(first_ns - i128::from(range.range_ns) + 1),
            to_ns: clamp(last_ns),
            contains: pipeline.contains.clone(),
            // Metadata may be all that a line has, its level included.
            skips_text: pipeline.lets_all_through() && !plan.asks_for_all(),
        };
        let mut gatherers = vec![Gatherer::new(plan, pipeline)];
        for _ in 1..self.limits.threads {
            let pipeline = Pipeline::new(&range.log, self.now_ns).map_err(QueryError::Asked)?;
            gatherers.push(Gatherer::new(plan, pipeline));
        }
        let scan = {
            let mut sinks: Vec<&mut dyn Sink> = gatherers.iter_mut().map(|one| one as &mut dyn Sink).collect();
            self.source.share(&selection, &mut sinks).map_err(QueryError::Source)?
        };
        let mut gatherers = gatherers.into_iter();
        let Some(mut all) = gatherers.next() else { return Ok((Vec::new(), scan)) };
        for gatherer in gatherers {
            all.join(gatherer)?;
        }
        Ok((all.finish()?, scan))
    }

    /// The numbers of all windows.
    fn finish(
        &self,
        function: &Function,
        tiles_of: &Tiles,
        offset_ns: i64,
        gathered: Vec<Gathered>,
    ) -> Result<Vec<Series>, QueryError> {
        let steps = self.steps;
        let mut finished = Vec::with_capacity(gathered.len());
        let mut values = Vec::new();
        let mut points_all = 0;
        for Gathered { labels, tiles } in gathered {
            self.check_stop()?;
            let mut points = Vec::new();
            let (mut from, mut to, mut count) = (0, 0, 0_u64);
            let counted = |tile: Option<&(u32, Tile)>| match tile {
                Some((_, Tile::Count(count))) => *count,
                _ => 0,
            };
            for step in 0..steps.count {
                let (first, last) = tiles_of.window(step);
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
                    self.check_stop()?;
                }
                let window = tiles.get(from..to).unwrap_or_default();
                let end_ns = steps.start_ns.saturating_add(steps.step_ns.saturating_mul(step as i64)) - offset_ns;
                let number = match function.kept() {
                    Kept::Count => Some(function.of_count(count)),
                    Kept::Summary => function.of_summaries(window),
                    Kept::Values => function.of_values(window, end_ns, &mut values),
                };
                points.extend(number.map(|number| (step as u32, number)));
            }
            points_all += points.len();
            self.check_samples(points_all)?;
            finished.push(Series { labels, points });
        }
        Ok(finished)
    }

    /// 1 wherever there is nothing, under the labels that the selector says a stream has.
    fn absent(&self, range: &RangeAggregation, tiles_of: &Tiles, gathered: &[Gathered]) -> Series {
        let steps = self.steps;
        let tiles: Vec<u32> = gathered.iter().flat_map(|series| series.tiles.iter().map(|(tile, _)| *tile)).collect();
        let mut sorted = tiles;
        sorted.sort_unstable();
        let mut points = Vec::new();
        for step in 0..steps.count {
            let (first, last) = tiles_of.window(step);
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
