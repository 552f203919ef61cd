//! The console's store as the evaluator of PromQL sees it. What a query does with the series is not known here.

use std::sync::Arc;

use console_model::Labels;
use console_promql::{MatchOp, Matcher, Points, Selection, Series, Storage, StorageError};
use console_storage::{Point, ReadError, SelectLimits, SelectedSeries, Store};

/// Bytes of blocks that one selector holds.
const BYTES_MAX: usize = 256 << 20;

/// Says whether to go on.
type GoesOn = Arc<dyn Fn() -> bool + Send + Sync>;

/// See the module.
#[derive(Clone)]
pub struct Stored {
    store: Arc<Store>,
    goes_on: GoesOn,
}

impl Stored {
    /// The series that a store keeps.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, goes_on: Arc::new(|| true) }
    }

    /// The same, where reading ends as soon as nobody has use of it. It is asked for every block that is read.
    #[must_use]
    pub fn while_it(self, goes_on: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { goes_on: Arc::new(goes_on), ..self }
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
        let Selection { from_ms, to_ms, series_max, hints, .. } = *selection;
        let limits = SelectLimits { series_max, bytes_max: BYTES_MAX, goes_on: &*self.goes_on };
        let selected = if hints.newest_only {
            self.store.select_newest_within(&matchers, from_ms, to_ms, &limits)
        } else {
            self.store.select_series_within(&matchers, from_ms, to_ms, &limits)
        };
        let selected = selected.map_err(|error| match error {
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
        if self.0.has_histograms() {
            self.0.points().for_each(|point| match point {
                Point::Float(sample) => into.push_float(sample.time_ms, sample.value),
                Point::Histogram(sample) => into.push_histogram(sample.time_ms, sample.histogram),
            });
        } else {
            self.0.samples().for_each(|sample| into.push_float(sample.time_ms, sample.value));
        }
        Ok(())
    }
}
