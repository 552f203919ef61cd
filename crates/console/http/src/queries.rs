//! Counts of queries by the API they came to and how they ended, for the console's own metrics. What a query is
//! is not known here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The APIs that take queries.
const APIS: [&str; 2] = ["prometheus", "loki"];

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// It was no query.
    Malformed,
    /// It has no answer, or touches more than it may.
    Failed,
    /// Its time was up.
    TimedOut,
    /// The one who asked left.
    Canceled,
    /// The console was too busy.
    TurnedAway,
}

impl Outcome {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Answered, "answered"),
        (Self::Malformed, "malformed"),
        (Self::Failed, "failed"),
        (Self::TimedOut, "timed_out"),
        (Self::Canceled, "canceled"),
        (Self::TurnedAway, "turned_away"),
    ];
}

/// See the module.
#[derive(Debug, Default)]
pub struct Queries {
    counts: [[AtomicU64; Outcome::ALL.len()]; APIS.len()],
}

/// A query that was begun. One that is dropped without an end was left by the one who asked.
#[derive(Debug)]
pub struct Begun {
    queries: Arc<Queries>,
    api: &'static str,
    outcome: Outcome,
}

impl Queries {
    /// Begins to count a query.
    pub fn begin(self: &Arc<Self>, api: &'static str) -> Begun {
        Begun { queries: Arc::clone(self), api, outcome: Outcome::Canceled }
    }

    /// How many there were, by API and outcome, since the start.
    pub fn counts(&self) -> Vec<(&'static str, &'static str, u64)> {
        let of = |(api, counts): (&'static str, &[AtomicU64; Outcome::ALL.len()])| {
            let outcomes = Outcome::ALL.into_iter().zip(counts);
            outcomes.map(|((_, name), count)| (api, name, count.load(Ordering::Relaxed))).collect::<Vec<_>>()
        };
        APIS.into_iter().zip(&self.counts).flat_map(of).collect()
    }
}

impl Begun {
    /// Ends it.
    pub fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let api = APIS.iter().position(|api| *api == self.api);
        let outcome = Outcome::ALL.iter().position(|(outcome, _)| *outcome == self.outcome);
        let counts = api.and_then(|api| self.queries.counts.get(api));
        if let Some(count) = counts.zip(outcome).and_then(|(counts, at)| counts.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_nobody_waited_for_counts_as_canceled() {
        let queries = Arc::new(Queries::default());
        queries.begin("prometheus").end(Outcome::Answered);
        drop(queries.begin("prometheus"));
        drop(queries.begin("loki"));
        let counts: Vec<_> = queries.counts().into_iter().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(counts, [("prometheus", "answered", 1), ("prometheus", "canceled", 1), ("loki", "canceled", 1)]);
    }
}
