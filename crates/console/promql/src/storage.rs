//! What the evaluator asks of a storage. How samples are kept, and which series match, is not known here.

use std::sync::Arc;

use console_model::{CounterReset, FloatHistogram, Labels, is_stale};

use crate::Matcher;

/// What may help a storage to read less. It may ignore all of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The function that is applied to the samples, if one is: `rate`.
    pub function: Option<&'a str>,
    /// The distance of the evaluation's steps, milliseconds; 0 for an instant.
    pub step_ms: i64,
    /// The width of the range, milliseconds; 0 for an instant vector.
    pub range_ms: i64,
    /// Whether nothing but the newest sample of each series is looked at, floats, histograms and stale markers alike.
    pub newest_only: bool,
}

/// Which series, and from when to when.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// All must be fulfilled.
    pub matchers: &'a [Matcher],
    /// The first time that is of interest, inclusive, milliseconds since the Unix epoch.
    pub from_ms: i64,
    /// The last time that is of interest, inclusive.
    pub to_ms: i64,
    /// At most this many series may be returned; a storage that finds more says so by
    /// [`StorageError::TooManySeries`] and need not look for the rest.
    pub series_max: usize,
    /// What may help to read less.
    pub hints: Hints<'a>,
}

/// Why a storage gives no series.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// More series match than the selection allows.
    #[error("more than {0} series match")]
    TooManySeries(usize),
    /// It could not be read.
    #[error(transparent)]
    Failed(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// Where series are kept.
pub trait Storage: Sync {
    /// The series that match, in any order, each label set once. Those without a sample in the selection's
    /// time may be left out. MUST be cheap beside reading: samples are read by [`Series::read`].
    ///
    /// # Errors
    /// See [`StorageError`].
    fn select<'s>(&'s self, selection: &Selection<'_>) -> Result<Vec<Box<dyn Series + 's>>, StorageError>;
}

/// One series of a selection.
pub trait Series {
    /// Its labels, with its name as `__name__`.
    fn labels(&self) -> &Labels;

    /// Appends its samples, those at least that lie in the selection's time, in order of time, each time
    /// once, stale markers included.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn read(&self, into: &mut Points) -> Result<(), StorageError>;
}

/// Stands in a column of numbers where there is a histogram instead. A NaN that nothing computes.
pub(crate) const HISTOGRAM: u64 = 0x7ff8_0000_0000_0a02;
/// Stands in a column of numbers where there is nothing.
pub(crate) const ABSENT: u64 = 0x7ff8_0000_0000_0a01;

/// The samples of one series in order of time: floats and native histograms.
#[derive(Debug, Clone, Default)]
pub struct Points {
    pub(crate) times_ms: Vec<i64>,
    /// Floats; [`HISTOGRAM`] where there is a histogram.
    pub(crate) values: Vec<f64>,
    /// Where histograms are, in rising order.
    pub(crate) histograms: Vec<(usize, Arc<FloatHistogram>)>,
}

impl Points {
    /// Adds a float. Times must grow; one that does not is left out.
    pub fn push_float(&mut self, time_ms: i64, value: f64) {
        if self.times_ms.last().is_none_or(|last| *last < time_ms) {
            self.times_ms.push(time_ms);
            let taken = matches!(value.to_bits(), HISTOGRAM | ABSENT);
            self.values.push(if taken { f64::NAN } else { value });
        }
    }

    /// Adds a histogram. Times must grow; one that does not is left out.
    pub fn push_histogram(&mut self, time_ms: i64, histogram: Arc<FloatHistogram>) {
        if self.times_ms.last().is_none_or(|last| *last < time_ms) {
            self.histograms.push((self.values.len(), histogram));
            self.times_ms.push(time_ms);
            self.values.push(f64::from_bits(HISTOGRAM));
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.times_ms.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times_ms.is_empty()
    }

    /// Forgets all samples and keeps the memory.
    pub fn clear(&mut self) {
        self.times_ms.clear();
        self.values.clear();
        self.histograms.clear();
    }

    /// Forgets the samples from this place on.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.times_ms.truncate(length);
        self.values.truncate(length);
        self.histograms.truncate(self.histograms.partition_point(|(place, _)| *place < length));
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, samples: usize) {
        self.times_ms.reserve(samples);
        self.values.reserve(samples);
    }

    /// The histogram at this place, if one is there.
    pub(crate) fn histogram(&self, at: usize) -> Option<&Arc<FloatHistogram>> {
        // In a series of histograms alone, which most are, the place is the index.
        match self.histograms.get(at) {
            Some((place, histogram)) if *place == at => return Some(histogram),
            _ => {}
        }
        let found = self.histograms.binary_search_by_key(&at, |(place, _)| *place).ok()?;
        self.histograms.get(found).map(|(_, histogram)| histogram)
    }

    /// Whether the sample at this place says that the series has ended.
    pub(crate) fn is_stale(&self, at: usize) -> bool {
        let Some(value) = self.values.get(at) else {
            return false;
        };
        match value.to_bits() {
            HISTOGRAM => self.histogram(at).is_some_and(|histogram| histogram.is_stale()),
            _ => is_stale(*value),
        }
    }

    /// Finds out where a counter began anew if the samples do not say.
    pub(crate) fn compare_histograms(&mut self) {
        let mut before: Option<(usize, Arc<FloatHistogram>)> = None;
        for (place, histogram) in &mut self.histograms {
            if let Some((at, last)) = &before
                && at + 1 == *place
                && histogram.counter_reset == CounterReset::Unknown
                && last.counter_reset != CounterReset::Gauge
                && !last.is_stale()
            {
                let anew = histogram.is_reset_since(last);
                let counter_reset = if anew { CounterReset::Reset } else { CounterReset::NotReset };
                *histogram = Arc::new(FloatHistogram { counter_reset, ..(**histogram).clone() });
            }
            before = Some((*place, Arc::clone(histogram)));
        }
    }

    /// Leaves out the samples that say that the series has ended.
    pub(crate) fn drop_stale(&mut self) {
        let stale_floats = self.values.iter().any(|value| is_stale(*value));
        if !stale_floats && !self.histograms.iter().any(|(_, histogram)| histogram.is_stale()) {
            return;
        }
        let all = std::mem::take(self);
        let mut histograms = all.histograms.into_iter();
        for (time_ms, value) in all.times_ms.into_iter().zip(all.values) {
            if value.to_bits() == HISTOGRAM {
                match histograms.next() {
                    Some((_, histogram)) if !histogram.is_stale() => self.push_histogram(time_ms, histogram),
                    _ => {}
                }
            } else if !is_stale(value) {
                self.push_float(time_ms, value);
            }
        }
    }
}

/// Asked now and then by the evaluation whether to go on.
pub trait Stop: Sync {
    /// MUST be cheap: it is asked some thousand times a second. [`Error::Canceled`](crate::Error::Canceled)
    /// when the one who asked has left, [`Error::Timeout`](crate::Error::Timeout) when time is up.
    ///
    /// # Errors
    /// The error that the query ends with.
    fn check(&self) -> Result<(), crate::Error>;
}

/// Never stops.
impl Stop for () {
    fn check(&self) -> Result<(), crate::Error> {
        Ok(())
    }
}

impl<F: Fn() -> Result<(), crate::Error> + Sync> Stop for F {
    fn check(&self) -> Result<(), crate::Error> {
        self()
    }
}
