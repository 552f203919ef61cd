//! What a rule knows again after a restart, from the series `ALERTS_FOR_STATE` that it wrote before.

use std::collections::HashMap;

use console_model::is_stale;

use super::alerting::Alerts;
use super::{RuleSpec, Texts};
use crate::query::{Querier, QueryError};

/// An outage that was longer leaves alerts to begin anew, milliseconds.
pub const OUTAGE_TOLERANCE_MS: i64 = 60 * 60_000;
/// An alert does not fire sooner after a restart than this, if it did not fire before, milliseconds. Rules that
/// hold for less begin anew.
pub const FOR_GRACE_MS: i64 = 10 * 60_000;

/// Since when each alert is there, and when that was last written. Nothing is asked of the store for a rule that
/// begins anew anyway.
pub(super) fn restore(
    rule: &RuleSpec,
    hold_ms: i64,
    alerts: &mut Alerts,
    now_ms: i64,
    querier: &dyn Querier,
) -> Result<(), QueryError> {
    if hold_ms >= FOR_GRACE_MS && alerts.iter().next().is_some() {
        let labels = [("__name__", "ALERTS_FOR_STATE"), ("alertname", rule.name.as_str())];
        let found = querier.last(&labels, now_ms.saturating_sub(OUTAGE_TOLERANCE_MS), now_ms)?;
        let found: HashMap<Texts, _> = found
            .into_iter()
            .map(|(labels, sample)| {
                let labels = labels.iter().filter(|(name, _)| *name != "__name__");
                (labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), sample)
            })
            .collect();
        for alert in alerts.iter_mut() {
            if let Some(sample) = found.get(&alert.labels).filter(|sample| !is_stale(sample.value)) {
                alert.active_at_ms = active_at(sample.value, sample.time_ms, hold_ms, now_ms);
            }
        }
    }
    alerts.is_restored = true;
    Ok(())
}

/// Since when an alert counts as there, that was there since `since_seconds` when the process ended at `down_at_ms`.
fn active_at(since_seconds: f64, down_at_ms: i64, hold_ms: i64, now_ms: i64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "beyond the range the ends of time are as good as any")]
    let before_ms = (since_seconds as i64).saturating_mul(1_000);
    let pending_ms = down_at_ms.saturating_sub(before_ms);
    let remaining_ms = hold_ms.saturating_sub(pending_ms);
    if remaining_ms <= 0 {
        // It fired before, and fires again with the next evaluation that finds it.
        before_ms
    } else if remaining_ms < FOR_GRACE_MS {
        now_ms.saturating_add(FOR_GRACE_MS).saturating_sub(hold_ms)
    } else {
        // The time without evaluation does not count.
        before_ms.saturating_add(now_ms.saturating_sub(down_at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    #[test]
    fn time_without_evaluation_does_not_count_and_nothing_fires_at_once_that_did_not_before() {
        let hold = 30 * MINUTE_MS;
        let (down_at, now) = (100 * MINUTE_MS, 120 * MINUTE_MS);
        let since = |minute: i64| active_at((minute * 60) as f64, down_at, hold, now) / MINUTE_MS;
        // It had fired for a while.
        assert_eq!(since(60), 60);
        // Five minutes were left: now it is ten, which is the least.
        assert_eq!(since(75), 120 + 10 - 30);
        // Twenty-five minutes were left, and still are.
        assert_eq!(since(95), 95 + 20);
        for odd in [f64::NAN, f64::INFINITY, -1e300] {
            active_at(odd, down_at, hold, now);
        }
    }
}
