//! What the exporter says about itself: that a collector has gone, that it is back. Only what changes
//! is logged, never an attempt.

use std::time::Duration;

use tokio::time::Instant;

use super::TARGET;

/// Between two lines of a kind, so that a collector that comes and goes does not fill the log.
const QUIET: Duration = Duration::from_secs(60);
/// One attempt may fail because an idle connection was closed; the next one is about half a second later.
const FAILURES_IN_A_ROW: u32 = 2;

/// How it stands with one signal.
pub(super) struct Health {
    signal: &'static str,
    failures: u32,
    /// Records lost before the failures began.
    lost_before: u64,
    is_told: bool,
    told: Option<Instant>,
    remarked: Option<Instant>,
}

impl Health {
    pub(super) const fn new(signal: &'static str) -> Self {
        Self { signal, failures: 0, lost_before: 0, is_told: false, told: None, remarked: None }
    }

    /// An attempt failed; `is_final` when its records are lost, which `lost` does not count yet.
    pub(super) fn failed(&mut self, reason: &'static str, cause: &str, is_final: bool, lost: u64) {
        if self.failures == 0 {
            self.lost_before = lost;
        }
        self.failures = self.failures.saturating_add(1);
        let is_due = is_final || self.failures >= FAILURES_IN_A_ROW;
        if is_due && !self.is_told && may_tell(&mut self.told) {
            self.is_told = true;
            tracing::warn!(
                target: TARGET,
                signal = self.signal,
                reason,
                error.cause = cause,
                "telemetry cannot be delivered"
            );
        }
    }

    /// A request arrived.
    pub(super) fn delivered(&mut self, lost: u64) {
        self.failures = 0;
        if std::mem::take(&mut self.is_told) {
            let lost = lost.saturating_sub(self.lost_before);
            tracing::info!(target: TARGET, signal = self.signal, lost, "telemetry is delivered again");
        }
    }

    /// A request arrived, and the collector has something to say about it.
    pub(super) fn remark(&mut self, rejected: u64, words: &str) {
        if may_tell(&mut self.remarked) {
            tracing::warn!(
                target: TARGET,
                signal = self.signal,
                lost = rejected,
                error.cause = words,
                "telemetry was refused in part"
            );
        }
    }
}

fn may_tell(last: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let is_quiet = last.is_some_and(|last| now.duration_since(last) < QUIET);
    if !is_quiet {
        *last = Some(now);
    }
    !is_quiet
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::{Event, Subscriber};
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    struct Message(String);

    impl Visit for Message {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if ["message", "lost"].contains(&field.name()) {
                self.0 = format!("{} {value:?}", self.0).trim().to_owned();
            }
        }
    }

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().unwrap().push(message.0);
        }
    }

    /// The lines that come of what is done.
    fn lines(act: impl FnOnce(&mut Health)) -> Vec<String> {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry().with(lines.clone());
        tracing::subscriber::with_default(subscriber, || act(&mut Health::new("traces")));
        lines.0.lock().unwrap().clone()
    }

    const AWAY: &str = "telemetry cannot be delivered";

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_told_once_with_its_cost() {
        let found = lines(|health| {
            health.failed("unreachable", "why", false, 5);
            health.failed("unreachable", "why", false, 5);
            health.failed("unreachable", "why", true, 5);
            health.failed("unreachable", "why", true, 15);
            health.delivered(25);
            health.delivered(30);
        });
        assert_eq!(found, [AWAY, "telemetry is delivered again 20"]);
    }

    #[test]
    fn one_failure_that_cost_nothing_is_not_told() {
        let found = lines(|health| {
            health.failed("unreachable", "why", false, 0);
            health.delivered(0);
        });
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_collector_that_comes_and_goes_does_not_fill_the_log() {
        let found = lines(|health| {
            for _ in 0..100 {
                health.failed("rejected", "why", true, 0);
                health.delivered(0);
                health.remark(1, "why");
            }
        });
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
