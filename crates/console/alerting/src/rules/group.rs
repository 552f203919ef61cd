//! Rules that are evaluated one after the other, in step with the clock. What one of them does is `evaluate`'s
//! business; which groups there are is `manager`'s.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use console_model::{Labels, SampleBatch};
use xxhash_rust::xxh3::xxh3_64;

use super::alerting::Occasion;
use super::evaluate::{Counts, Rule, Surroundings, ended};
use super::{GroupSpec, GroupStatus, Health, Kind, RuleStatus, restore};
use crate::Context;
use crate::notify::Notice;
use crate::query::Ports;
use crate::template::Templates;

/// How many evaluations come before the past is looked up: what is scraped, and what other rules record, has to
/// be there.
const EVALUATIONS_BEFORE_RESTORE: u32 = 2;

/// What an evaluation needs besides the rules.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Answers queries, and takes what is recorded.
    pub ports: &'a Ports,
    /// What templates and notifications tell of where they are from.
    pub context: &'a Context,
    /// Counts what is done.
    pub counts: &'a Counts,
    /// Reads and writes templates.
    pub templates: &'a Templates,
}

/// See the module.
#[derive(Debug)]
pub struct Group {
    spec: GroupSpec,
    /// Held while it is evaluated.
    running: Mutex<Running>,
    /// Held for moments, so that who asks does not wait for an evaluation.
    shown: Mutex<GroupStatus>,
}

#[derive(Debug)]
struct Running {
    rules: Vec<Rule>,
    /// Series of rules that the group has no more.
    gone: Vec<Labels>,
    evaluations: u32,
    is_restored: bool,
    /// Another took its place, or it is no more.
    is_retired: bool,
}

impl Group {
    /// One that has not been evaluated yet. `is_first` says that the process just began, so that its alerts may
    /// have been there before.
    pub fn new(spec: GroupSpec, is_first: bool) -> Self {
        let rules: Vec<Rule> = spec.rules.iter().map(|rule| Rule::new(Arc::clone(rule), !is_first)).collect();
        let shown = GroupStatus {
            file: Arc::clone(&spec.file),
            name: Arc::clone(&spec.name),
            interval: spec.interval,
            limit: spec.limit,
            last_evaluation_ms: None,
            evaluation_seconds: 0.0,
            rules: rules.iter().map(|rule| Arc::new(fresh(rule))).collect(),
        };
        let running = Running { rules, gone: Vec::new(), evaluations: 0, is_restored: !is_first, is_retired: false };
        Self { spec, running: Mutex::new(running), shown: Mutex::new(shown) }
    }

    /// What its file says of it.
    pub const fn spec(&self) -> &GroupSpec {
        &self.spec
    }

    /// How it stands.
    pub fn status(&self) -> GroupStatus {
        self.shown().clone()
    }

    fn shown(&self) -> MutexGuard<'_, GroupStatus> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next time at which it is evaluated, after this one. Groups of the same interval have different
    /// phases, so that they do not all come at once.
    pub fn next_ms(&self, after_ms: i64) -> i64 {
        let interval = self.spec.interval.ms().max(1);
        let name = format!("{};{}", self.spec.file, self.spec.name);
        let phase = i64::try_from(xxh3_64(name.as_bytes()) % interval.unsigned_abs()).unwrap_or(0);
        let since = after_ms.saturating_sub(phase).rem_euclid(interval);
        after_ms.saturating_add(interval - since)
    }

    /// Evaluates its rules at this time. Blocks for as long as their queries take. `notify` is called with the
    /// alerts of which somebody has to be told.
    pub fn evaluate(&self, now_ms: i64, means: Means<'_>, notify: &dyn Fn(Vec<Notice>)) {
        let began = Instant::now();
        let mut running = self.running();
        if running.is_retired {
            return;
        }
        let interval_ms = self.spec.interval.ms();
        let Means { ports, context, counts, templates } = means;
        let around = Surroundings { ports, context, counts, templates, notify, interval_ms };
        let query_offset_ms = self.spec.query_offset.ms();
        let occasion = Occasion { now_ms, query_offset_ms, limit: self.spec.limit };
        for (position, rule) in running.rules.iter_mut().enumerate() {
            let began = Instant::now();
            let done = rule.evaluate(occasion, &around);
            if done.is_err() {
                counts.failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            let status = Arc::new(RuleStatus {
                spec: Arc::clone(&rule.spec),
                health: if done.is_ok() { Health::Good } else { Health::Bad },
                last_error: done.err().unwrap_or_default(),
                last_evaluation_ms: Some(now_ms),
                evaluation_seconds: began.elapsed().as_secs_f64(),
                kind: rule.kind(),
            });
            if let Some(shown) = self.shown().rules.get_mut(position) {
                *shown = status;
            }
        }
        let gone = std::mem::take(&mut running.gone);
        self.end_series(gone, now_ms, ports);
        running.evaluations = running.evaluations.saturating_add(1);
        if !running.is_restored && running.evaluations >= EVALUATIONS_BEFORE_RESTORE {
            self.restore(&mut running, now_ms, ports);
        }
        drop(running);
        let mut shown = self.shown();
        shown.last_evaluation_ms = Some(now_ms);
        shown.evaluation_seconds = began.elapsed().as_secs_f64();
    }

    fn restore(&self, running: &mut Running, now_ms: i64, ports: &Ports) {
        let mut is_restored = true;
        for rule in &mut running.rules {
            let (Some(alerts), Kind::Alerting { hold, .. }) = (&mut rule.alerts, &rule.spec.kind) else { continue };
            if !alerts.is_restored {
                let restored = restore::restore(&rule.spec, hold.ms(), alerts, now_ms, ports.querier.as_ref());
                // A store that cannot be read now is asked again with the next evaluation.
                is_restored &= restored.is_ok();
            }
        }
        running.is_restored = is_restored;
    }

    /// Takes the place of a group of the same name whose file has changed. Waits for an evaluation of it to end.
    pub(super) fn replace(&self, former: &Self) {
        let (mut running, mut other) = (self.running(), former.running());
        other.is_retired = true;
        let mut by_name: HashMap<(String, super::Texts), Vec<Rule>> = HashMap::new();
        for rule in other.rules.drain(..).rev() {
            by_name.entry((rule.spec.name.clone(), rule.spec.labels.clone())).or_default().push(rule);
        }
        for rule in &mut running.rules {
            let key = (rule.spec.name.clone(), rule.spec.labels.clone());
            let Some(known) = by_name.get_mut(&key).and_then(Vec::pop) else { continue };
            rule.recorded = known.recorded;
            if let (Some(alerts), Some(known)) = (&mut rule.alerts, &known.alerts) {
                alerts.adopt(known);
            }
        }
        let left = by_name.into_values().flatten().flat_map(|rule| rule.recorded);
        running.gone = other.gone.drain(..).chain(left).collect();
    }

    /// Ends it: it is evaluated no more, and its series are marked as ended.
    pub(super) fn retire(&self, now_ms: i64, ports: &Ports) {
        let mut running = self.running();
        running.is_retired = true;
        let rules = std::mem::take(&mut running.rules);
        let gone = std::mem::take(&mut running.gone);
        let series: HashSet<Labels> = rules.into_iter().flat_map(|rule| rule.recorded).chain(gone).collect();
        self.end_series(series.into_iter().collect(), now_ms, ports);
    }

    fn end_series(&self, series: Vec<Labels>, now_ms: i64, ports: &Ports) {
        if series.is_empty() {
            return;
        }
        let time_ms = now_ms.saturating_sub(self.spec.query_offset.ms());
        let series = series.into_iter().map(|labels| ended(labels, time_ms)).collect();
        // What cannot be marked ends by itself when it is not continued.
        let _ = ports.appender.append(SampleBatch { series, metadata: Vec::new() });
    }
}

fn fresh(rule: &Rule) -> RuleStatus {
    RuleStatus {
        spec: Arc::clone(&rule.spec),
        health: Health::Unknown,
        last_error: String::new(),
        last_evaluation_ms: None,
        evaluation_seconds: 0.0,
        kind: rule.kind(),
    }
}

#[cfg(test)]
mod tests;
