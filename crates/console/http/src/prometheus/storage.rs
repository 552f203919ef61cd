//! The console's store as the evaluator of PromQL sees it. What a query does with the series is not known here.

use std::sync::Arc;

use console_model::Labels;
use console_promql::{MatchOp, Matcher, Points, Selection, Series, Storage, StorageError};
use console_storage::{ReadError, SelectedSeries, Store};

/// See the module.
#[derive(Clone)]
pub struct Stored(Arc<Store>);

impl Stored {
    /// The series that a store keeps.
    pub const fn new(store: Arc<Store>) -> Self {
        Self(store)
    }
}

/// A matcher as the store has it. Its pattern is not compiled again.
pub(super) fn of_store(matcher: &Matcher) -> console_storage::Matcher {
    let (name, value) = (matcher.name(), matcher.value());
    match (matcher.op(), matcher.pattern()) {
        (MatchOp::Matches, Some(regex)) => console_storage::Matcher::compiled(name, value, regex, false),
        (MatchOp::MatchesNot, Some(regex)) => console_storage::Matcher::compiled(name, value, regex, true),
        (MatchOp::NotEqual, _) => console_storage::Matcher::not_equal(name, value),
        _ => console_storage::Matcher::equal(name, value),
    }
}

impl Storage for Stored {
    fn select<'s>(&'s self, selection: &Selection<'_>) -> Result<Vec<Box<dyn Series + 's>>, StorageError> {
        let matchers: Vec<console_storage::Matcher> = selection.matchers.iter().map(of_store).collect();
        let Selection { from_ms, to_ms, series_max, .. } = *selection;
        let selected = self.0.select_series(&matchers, from_ms, to_ms, series_max).map_err(|error| match error {
            ReadError::TooMany { what: "series", limit } => StorageError::TooManySeries(limit),
            error => StorageError::Failed(error.into()),
        })?;
        Ok(selected.into_iter().map(|series| Box::new(OneSeries(series)) as Box<dyn Series>).collect())
    }
}

struct OneSeries(SelectedSeries);

impl Series for OneSeries {
    fn labels(&self) -> &Labels {
        &self.0.labels
    }

    fn read(&self, into: &mut Points) -> Result<(), StorageError> {
        into.reserve(self.0.samples_max());
        self.0.samples().for_each(|sample| into.push_float(sample.time_ms, sample.value));
        Ok(())
    }
}
