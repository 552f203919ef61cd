//! One evaluation of one rule: its query, what becomes of it, and the series that ended with it. When rules are
//! evaluated is `group`'s business.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use console_model::{Labels, SampleBatch, SeriesSamples, stale_marker};

use super::alerting::{Alerts, Occasion, Times};
use super::{AlertingStatus, Kind, RuleKind, RuleSpec, State, recording};
use crate::Context;
use crate::notify::Notice;
use crate::query::{self, Left, Ports};
use crate::template::{Subject, Templates};

/// What rules have done since the process began.
#[derive(Debug, Default)]
pub struct Counts {
    /// Evaluations of rules.
    pub evaluations: AtomicU64,
    /// Those that went wrong.
    pub failures: AtomicU64,
    /// Evaluations of groups that were left out, because the one before took too long.
    pub missed: AtomicU64,
    /// Samples that rules recorded.
    pub samples: AtomicU64,
}

/// A rule, and what it remembers from one evaluation to the next.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) spec: Arc<RuleSpec>,
    /// Of a rule that raises alerts.
    pub(super) alerts: Option<Alerts>,
    /// The series that the last evaluation gave.
    pub(super) recorded: HashSet<Labels>,
}

/// What every evaluation of a group has at hand.
pub(super) struct Surroundings<'a> {
    pub(super) ports: &'a Ports,
    pub(super) context: &'a Context,
    pub(super) counts: &'a Counts,
    pub(super) templates: &'a Templates,
    pub(super) notify: &'a dyn Fn(Vec<Notice>),
    pub(super) interval_ms: i64,
}

impl Rule {
    pub(super) fn new(spec: Arc<RuleSpec>, is_restored: bool) -> Self {
        let alerts = matches!(spec.kind, Kind::Alerting { .. });
        let alerts = alerts.then(|| Alerts::new(is_restored));
        Self { spec, alerts, recorded: HashSet::new() }
    }

    pub(super) fn kind(&self) -> RuleKind {
        match &self.alerts {
            None => RuleKind::Recording,
            Some(alerts) => RuleKind::Alerting(AlertingStatus { alerts: alerts.iter().cloned().collect() }),
        }
    }

    /// Evaluates it. What it says is why it did not go well.
    pub(super) fn evaluate(&mut self, occasion: Occasion, around: &Surroundings<'_>) -> Result<(), String> {
        around.counts.evaluations.fetch_add(1, Ordering::Relaxed);
        let time_ms = occasion.now_ms.saturating_sub(occasion.query_offset_ms);
        let series = self.series(occasion, time_ms, around)?;
        if self.alerts.is_some() {
            let notices = self.notices(occasion.now_ms, around);
            if !notices.is_empty() {
                (around.notify)(notices);
            }
        }
        self.record(series, time_ms, around)
    }

    fn series(
        &mut self,
        occasion: Occasion,
        time_ms: i64,
        around: &Surroundings<'_>,
    ) -> Result<Vec<SeriesSamples>, String> {
        let querier = around.ports.querier.as_ref();
        let elements = querier.instant(&self.spec.query, time_ms).map_err(|error| error.to_string())?;
        let (Some(alerts), Kind::Alerting { hold, keep_firing, .. }) = (&mut self.alerts, &self.spec.kind) else {
            return recording::record(&self.spec, elements, time_ms, occasion.limit);
        };
        let expand = |text: &str, labels: &Labels, value: f64| {
            let subject = Subject { labels, value, context: around.context, time_ms: occasion.now_ms };
            let name = format!("__alert_{}", self.spec.name);
            around
                .templates
                .expand(&name, text, &subject)
                .unwrap_or_else(|error| format!("<error expanding template: {error}>"))
        };
        let times = Times { hold_ms: hold.ms(), keep_firing_ms: keep_firing.ms() };
        alerts.evaluate(&self.spec, &elements, times, occasion, &expand)
    }

    /// Whom somebody has to be told of now.
    fn notices(&mut self, now_ms: i64, around: &Surroundings<'_>) -> Vec<Notice> {
        let resend_ms = around.context.resend_delay_ms;
        let valid_ms = resend_ms.max(around.interval_ms).saturating_mul(4);
        let generator_url = around.context.generator_url(&self.spec.query);
        let alerts = self.alerts.iter_mut().flat_map(Alerts::iter_mut);
        let due = alerts.filter(|alert| alert.needs_sending(now_ms, resend_ms));
        due.map(|alert| {
            alert.last_sent_ms = Some(now_ms);
            alert.valid_until_ms = now_ms.saturating_add(valid_ms);
            let is_over = alert.state == State::Inactive;
            let ends_at_ms = alert.resolved_at_ms.filter(|_| is_over).unwrap_or(alert.valid_until_ms);
            let mut labels = around.context.external_labels.clone();
            labels.extend(alert.labels.clone());
            Notice {
                labels,
                annotations: alert.annotations.clone(),
                starts_at_ms: alert.fired_at_ms.unwrap_or(alert.active_at_ms),
                ends_at_ms,
                generator_url: generator_url.clone(),
            }
        })
        .collect()
    }

    /// Keeps the series, and marks those as ended that were there before and are no more.
    fn record(&mut self, series: Vec<SeriesSamples>, time_ms: i64, around: &Surroundings<'_>) -> Result<(), String> {
        let now: HashSet<Labels> = series.iter().map(|one| one.labels.clone()).collect();
        let mut batch = SampleBatch { series, metadata: Vec::new() };
        around.counts.samples.fetch_add(batch.series.len() as u64, Ordering::Relaxed);
        batch.series.extend(self.recorded.difference(&now).map(|labels| ended(labels.clone(), time_ms)));
        self.recorded = now;
        if batch.is_empty() {
            return Ok(());
        }
        let left = around.ports.appender.append(batch).map_err(|error| error.to_string())?;
        told(left)
    }
}

/// The mark of a series' end.
pub(super) fn ended(labels: Labels, time_ms: i64) -> SeriesSamples {
    query::series(labels, time_ms, stale_marker())
}

/// What was not taken is a fault of the rule.
fn told(left: Left) -> Result<(), String> {
    let kinds = [
        (left.duplicate, "duplicate sample for timestamp"),
        (left.out_of_order, "out of order sample"),
        (left.too_old, "sample too old"),
        (left.over_series_limit, "sample beyond the limit of series"),
    ];
    let told: Vec<String> =
        kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{kind} ({count})")).collect();
    if told.is_empty() { Ok(()) } else { Err(told.join(", ")) }
}
