//! `info`: labels of info metrics joined to series by `instance` and `job`. Experimental in Prometheus.

use console_model::Labels;
use hashbrown::HashMap;

use super::block::{Block, NAME, Row, is_absent, is_histogram, visible, with_label};
use super::call::argument;
use super::{Evaluation, Grid};
use crate::ast::{At, Call, DurationExpr, Expr, Node, Selector, ValueType};
use crate::function::Id;
use crate::{Error, MatchOp, Matcher};

/// The labels that say which series an info metric is about.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// What an info series says, and when its samples were taken, by step.
struct Said {
    labels: Labels,
    times_ms: Vec<Option<i64>>,
}

/// When info series are looked up: at a fixed time, or so long before each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lookup {
    Fixed(i64),
    Before(i64),
}

impl Evaluation<'_> {
    pub(super) fn info(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let base = argument(call, 0)?;
        let matchers: &[Matcher] = match call.arguments.get(1).map(|expr| &expr.unwrapped().node) {
            Some(Node::Selector(selector)) => &selector.matchers,
            _ => &[],
        };
        let (names, data): (Vec<Matcher>, Vec<Matcher>) =
            matchers.iter().cloned().partition(|matcher| matcher.name() == NAME);
        let names = with_defaults(names)?;
        let known = self.known(&names, &data, self.lookup(base)?, grid)?;
        let block = self.vector(base, grid)?;
        let required = data.iter().any(|matcher| !matcher.matches(""));
        let mut result = Block::new(grid.steps, &self.meter);
        let mut joined = false;
        for (place, row) in block.rows.iter().enumerate() {
            let name = row.labels.get(NAME).unwrap_or_default();
            let said = known.get(&identity(&row.labels)).map_or(&[][..], Vec::as_slice);
            if names.iter().all(|matcher| matcher.matches(name)) {
                block.row(place).map_or(Ok(()), |row| result.push(row))?;
                continue;
            }
            joined = true;
            let mut rows: Vec<(Labels, usize)> = Vec::new();
            for (step, cell) in block.cells(place).iter().enumerate() {
                if is_absent(*cell) {
                    continue;
                }
                let Some(labels) =
                    enriched(&row.labels, said, &data, step)?.or((!required).then(|| row.labels.clone()))
                else {
                    continue;
                };
                let at = match rows.iter().find(|(known, _)| *known == labels) {
                    Some((_, at)) => *at,
                    None => {
                        let at = result.rows.len();
                        result.push_empty(Row::new(labels.clone(), row.nameless))?;
                        rows.push((labels, at));
                        at
                    }
                };
                if let Some(to) = result.cells.get_mut(at * grid.steps + step) {
                    *to = *cell;
                }
                if is_histogram(*cell)
                    && let (Some(histogram), Some(row)) = (row.histogram(step), result.rows.get_mut(at))
                {
                    row.histograms.push((step, histogram.clone()));
                }
            }
            self.tick(grid.steps)?;
        }
        result.compact();
        if joined {
            result.merge(self.delayed())?;
        }
        Ok(result)
    }

    /// The info series by what they are about.
    fn known(
        &self,
        names: &[Matcher],
        data: &[Matcher],
        lookup: Lookup,
        grid: Grid,
    ) -> Result<HashMap<[String; 2], Vec<Said>>, Error> {
        let (at, offset) = match lookup {
            Lookup::Fixed(time_ms) => (Some(At::Time(time_ms)), None),
            Lookup::Before(ms) => (None, Some(DurationExpr::Literal(ms))),
        };
        let selector = Selector {
            name: String::new(),
            matchers: names.iter().chain(data).cloned().collect(),
            range: None,
            offset,
            at,
            anchored: false,
            smoothed: false,
        };
        let mut known: HashMap<[String; 2], Vec<Said>> = HashMap::new();
        let mut charge = super::Charge::none(&self.meter);
        self.last_samples(&selector, grid, &mut |labels, points, found| {
            if found.iter().flatten().any(|at| points.histogram(*at).is_some()) {
                let name = labels.get(NAME).unwrap_or_default();
                return Err(Error::Execution(format!("this should be an info metric, with float samples: {name}")));
            }
            let times_ms: Vec<Option<i64>> =
                found.iter().map(|at| at.and_then(|at| points.times_ms.get(at)).copied()).collect();
            charge.add(times_ms.len())?;
            known.entry(identity(labels)).or_default().push(Said { labels: labels.clone(), times_ms });
            Ok(())
        })?;
        known.remove(&[String::new(), String::new()]);
        Ok(known)
    }

    /// Info series are looked up when the samples were taken that they are joined to, if that is one time.
    fn lookup(&self, base: &Expr) -> Result<Lookup, Error> {
        let mut found = Vec::new();
        self.lookups(base, Lookup::Before(0), &mut found)?;
        found.dedup();
        Ok(match found.as_slice() {
            [only] => *only,
            _ => Lookup::Before(0),
        })
    }

    fn lookups(&self, expr: &Expr, outer: Lookup, found: &mut Vec<Lookup>) -> Result<(), Error> {
        let moved = |at: Option<At>, offset: Option<&DurationExpr>| -> Result<Lookup, Error> {
            let offset_ms = self.offset(offset)?;
            let fixed_ms = match at {
                None => None,
                Some(At::Time(time_ms)) => Some(time_ms),
                Some(At::Start) => Some(self.start_ms),
                Some(At::End) => Some(self.end_ms),
            };
            Ok(match (fixed_ms, outer) {
                (Some(time_ms), _) => Lookup::Fixed(time_ms.saturating_sub(offset_ms)),
                (None, Lookup::Fixed(time_ms)) => Lookup::Fixed(time_ms.saturating_sub(offset_ms)),
                (None, Lookup::Before(ms)) => Lookup::Before(ms.saturating_add(offset_ms)),
            })
        };
        match &expr.node {
            Node::Selector(selector) => found.push(moved(selector.at, selector.offset.as_ref())?),
            Node::Subquery(subquery) => {
                let moved = moved(subquery.at, subquery.offset.as_ref())?;
                self.lookups(&subquery.expr, moved, found)?;
            }
            Node::Call(call) if call.function.id == Id::Info => self.lookups(argument(call, 0)?, outer, found)?,
            _ => {
                let scalar = |expr: &&Expr| matches!(expr.value_type(), ValueType::Scalar | ValueType::String);
                let children: Vec<&Expr> = expr.children().into_iter().filter(|child| !scalar(child)).collect();
                if children.is_empty() {
                    found.push(outer);
                }
                children.into_iter().try_for_each(|child| self.lookups(child, outer, found))?;
            }
        }
        Ok(())
    }
}

/// Which info metrics are meant: `target_info`, unless others are.
fn with_defaults(mut names: Vec<Matcher>) -> Result<Vec<Matcher>, Error> {
    let positive = names.iter().any(|matcher| matches!(matcher.op(), MatchOp::Equal | MatchOp::Matches));
    let more = match (names.is_empty(), positive) {
        (true, _) => Matcher::new(NAME, MatchOp::Equal, "target_info"),
        (false, false) => Matcher::new(NAME, MatchOp::Matches, ".+_info"),
        (false, true) => return Ok(names),
    };
    names.push(more.map_err(Error::Execution)?);
    Ok(names)
}

fn identity(labels: &Labels) -> [String; 2] {
    IDENTIFYING.map(|name| labels.get(name).unwrap_or_default().to_owned())
}

/// Labels with what is said of them at a step; `None` if nothing is.
fn enriched(labels: &Labels, said: &[Said], data: &[Matcher], step: usize) -> Result<Option<Labels>, Error> {
    // Of each info metric what was said last holds.
    let mut last: Vec<(&str, i64, &Labels)> = Vec::new();
    for said in said {
        let Some(time_ms) = said.times_ms.get(step).copied().flatten() else { continue };
        let name = said.labels.get(NAME).unwrap_or_default();
        match last.iter_mut().find(|(known, _, _)| *known == name) {
            Some(known) if known.1 < time_ms => *known = (name, time_ms, &said.labels),
            Some(_) => {}
            None => last.push((name, time_ms, &said.labels)),
        }
    }
    if last.is_empty() {
        return Ok(None);
    }
    let mut added: Vec<(&str, &str)> = Vec::new();
    for (_, _, said) in last {
        for (name, value) in visible(said, true) {
            let wanted = data.is_empty() || data.iter().any(|matcher| matcher.name() == name);
            if !wanted || IDENTIFYING.contains(&name) || labels.get(name).is_some() {
                continue;
            }
            match added.iter().find(|(known, _)| *known == name) {
                Some((_, known)) if *known != value => {
                    return Err(Error::Execution(format!("conflicting label: {name}")));
                }
                Some(_) => {}
                None => added.push((name, value)),
            }
        }
    }
    let joined = added.into_iter().fold(labels.clone(), |labels, (name, value)| with_label(&labels, name, value));
    Ok(Some(joined))
}
