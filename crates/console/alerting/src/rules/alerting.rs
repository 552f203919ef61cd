//! A rule that raises alerts: how each alert goes from pending to firing to over. Pure: what the query gives
//! comes in, what is to be recorded goes out, and time is a number.

use std::collections::BTreeMap;

use console_model::{Labels, SeriesSamples};

use super::{ActiveAlert, RuleSpec, State, Texts};
use crate::query::{self, Evaluated};

/// How long an alert that is over is still told of.
pub(super) const RESOLVED_RETENTION_MS: i64 = 15 * 60_000;
/// Alerts of one rule. A query that gives more is a mistake, and this is where it stops to cost memory.
const ALERTS_MAX: usize = 10_000;

/// When a rule's alerts change their state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) hold_ms: i64,
    pub(super) keep_firing_ms: i64,
}

/// When a rule is evaluated, and within which bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occasion {
    pub(super) now_ms: i64,
    pub(super) query_offset_ms: i64,
    pub(super) limit: u64,
}

/// Writes the texts of an alert: a template, the labels and the value of its element.
pub(super) type Expand<'a> = &'a dyn Fn(&str, &Labels, f64) -> String;

/// The alerts of one rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Alerts {
    active: BTreeMap<Texts, ActiveAlert>,
    /// Whether what was before a restart is known. Until then nothing is recorded, so that it is not written over.
    pub(super) is_restored: bool,
}

impl Alerts {
    pub(super) fn new(is_restored: bool) -> Self {
        Self { active: BTreeMap::new(), is_restored }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ActiveAlert> {
        self.active.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut ActiveAlert> {
        self.active.values_mut()
    }

    /// Takes over what another rule, of the same name and labels, knew.
    pub(super) fn adopt(&mut self, other: &Self) {
        self.active.clone_from(&other.active);
    }

    /// What the elements of the query mean for the alerts. Gives the series that tell of them.
    pub(super) fn evaluate(
        &mut self,
        rule: &RuleSpec,
        elements: &[Evaluated],
        times: Times,
        occasion: Occasion,
        expand: Expand<'_>,
    ) -> Result<Vec<SeriesSamples>, String> {
        let raised = raised(rule, elements, occasion.now_ms, expand)?;
        let found: Vec<Texts> = raised.keys().cloned().collect();
        for (labels, alert) in raised {
            match self.active.get_mut(&labels).filter(|known| known.state != State::Inactive) {
                Some(known) => {
                    known.value = alert.value;
                    known.annotations = alert.annotations;
                }
                None => {
                    self.active.insert(labels, alert);
                }
            }
        }
        let is_found = |labels: &Texts| found.binary_search(labels).is_ok();
        let mut series = Vec::new();
        let mut standing = 0_usize;
        let is_restored = self.is_restored;
        self.active.retain(|labels, alert| {
            let (is_kept, stands) = step(alert, is_found(labels), times, occasion.now_ms);
            if stands {
                standing += 1;
                if is_restored {
                    let time_ms = occasion.now_ms.saturating_sub(occasion.query_offset_ms);
                    series.extend(told(rule, alert, time_ms));
                }
            }
            is_kept
        });
        if occasion.limit > 0 && standing as u64 > occasion.limit {
            self.active.clear();
            return Err(format!("exceeded limit of {} with {standing} alerts", occasion.limit));
        }
        Ok(series)
    }
}

/// The alerts that the elements raise, by labels.
fn raised(
    rule: &RuleSpec,
    elements: &[Evaluated],
    now_ms: i64,
    expand: Expand<'_>,
) -> Result<BTreeMap<Texts, ActiveAlert>, String> {
    if elements.len() > ALERTS_MAX {
        let count = elements.len();
        return Err(format!(
            "{count} alerts at once, {ALERTS_MAX} are the most; aggregate the query, as in sum by (job) (…)"
        ));
    }
    let super::Kind::Alerting { annotations, .. } = &rule.kind else { return Ok(BTreeMap::new()) };
    let mut raised = BTreeMap::new();
    for Evaluated { labels: of_element, value } in elements {
        let mut labels: Texts = of_element
            .iter()
            .filter(|(name, _)| *name != "__name__")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (name, template) in &rule.labels {
            labels.insert(name.clone(), expand(template, of_element, *value));
        }
        labels.insert("alertname".to_owned(), rule.name.clone());
        labels.retain(|_, value| !value.is_empty());
        let written = annotations.iter().map(|(name, text)| (name.clone(), expand(text, of_element, *value)));
        let alert = ActiveAlert {
            state: State::Pending,
            labels: labels.clone(),
            annotations: written.collect(),
            value: *value,
            active_at_ms: now_ms,
            fired_at_ms: None,
            resolved_at_ms: None,
            keep_firing_since_ms: None,
            last_sent_ms: None,
            valid_until_ms: 0,
        };
        if raised.insert(labels, alert).is_some() {
            return Err("vector contains metrics with the same labelset after applying alert labels".to_owned());
        }
    }
    Ok(raised)
}

/// What the time and its element, or the lack of it, make of an alert: whether it is still known, and whether it
/// still stands.
fn step(alert: &mut ActiveAlert, is_found: bool, times: Times, now_ms: i64) -> (bool, bool) {
    let mut is_kept = true;
    if is_found {
        alert.keep_firing_since_ms = None;
    } else {
        let mut goes_on = false;
        if alert.state == State::Firing && times.keep_firing_ms > 0 {
            let since = *alert.keep_firing_since_ms.get_or_insert(now_ms);
            goes_on = now_ms.saturating_sub(since) < times.keep_firing_ms;
        }
        let is_forgotten = alert.resolved_at_ms.is_some_and(|at| now_ms.saturating_sub(at) > RESOLVED_RETENTION_MS);
        is_kept = alert.state != State::Pending && !is_forgotten;
        if alert.state != State::Inactive && !goes_on {
            alert.state = State::Inactive;
            alert.resolved_at_ms = Some(now_ms);
        }
        if !goes_on {
            return (is_kept, false);
        }
    }
    if alert.state == State::Pending && now_ms.saturating_sub(alert.active_at_ms) >= times.hold_ms {
        alert.state = State::Firing;
        alert.fired_at_ms = Some(now_ms);
    }
    (is_kept, true)
}

/// The series `ALERTS` and `ALERTS_FOR_STATE` of an alert.
fn told(rule: &RuleSpec, alert: &ActiveAlert, time_ms: i64) -> [SeriesSamples; 2] {
    let own = || alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let named = |name| [("__name__", name), ("alertname", rule.name.as_str())];
    let state = [("alertstate", alert.state.name())];
    let series = |labels, value| query::series(labels, time_ms, value);
    [
        series(Labels::from_pairs(own().chain(named("ALERTS")).chain(state)), 1.0),
        series(Labels::from_pairs(own().chain(named("ALERTS_FOR_STATE"))), whole_seconds(alert.active_at_ms)),
    ]
}

/// As Prometheus keeps it, whose times in `ALERTS_FOR_STATE` are whole seconds.
#[expect(clippy::cast_precision_loss, reason = "seconds of any calendar are exact")]
fn whole_seconds(time_ms: i64) -> f64 {
    time_ms.div_euclid(1_000) as f64
}

#[cfg(test)]
mod tests;
