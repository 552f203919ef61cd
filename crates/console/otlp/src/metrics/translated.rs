//! The series that a request became, and how they stand to its data points: a store counts samples, but a
//! sender is told of data points.

use console_model::{SampleBatch, SeriesSamples};

use crate::Rejected;

/// What [`super::Translator::translate`] gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Translated {
    /// The series.
    pub batch: SampleBatch,
    /// The data points of which there are none.
    pub rejected: Rejected,
    /// How many bytes the series take, roughly.
    pub bytes: usize,
    /// How many of the series belong to what, in their order.
    pub(super) shares: Vec<Share>,
}

/// So many series that have the same origin; of [`Origin::Point`], those of one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) series: usize,
    pub(super) origin: Origin,
}

/// What the samples of a part are to the data points of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Each is a data point.
    Points,
    /// All together are one data point: a histogram, a summary.
    Point,
    /// They were made up beside the data points: `target_info`, and the zeros where sums of deltas begin.
    Beside,
}

impl Origin {
    /// How many data points a store has refused if it refused so many samples of the part.
    pub const fn points_refused(self, samples_refused: u64) -> u64 {
        match self {
            Self::Points => samples_refused,
            Self::Point => (samples_refused > 0) as u64,
            Self::Beside => 0,
        }
    }
}

impl Translated {
    /// The batch in parts of one origin each, to be handed to a store one by one in this order. Points of one
    /// series that follow each other are one part.
    pub fn into_parts(self) -> Vec<(SampleBatch, Origin)> {
        let mut parts = Vec::new();
        let SampleBatch { series, metadata } = self.batch;
        if !metadata.is_empty() {
            parts.push((SampleBatch { series: Vec::new(), metadata }, Origin::Beside));
        }
        let mut series = series.into_iter();
        for share in self.shares {
            let mut own: Vec<SeriesSamples> = series.by_ref().take(share.series).collect();
            if share.origin == Origin::Point {
                let zeros: Vec<SeriesSamples> = own.iter_mut().filter_map(take_zero).collect();
                if !zeros.is_empty() {
                    parts.push((SampleBatch { series: zeros, metadata: Vec::new() }, Origin::Beside));
                }
            }
            parts.push((SampleBatch { series: own, metadata: Vec::new() }, share.origin));
        }
        parts
    }
}

/// What comes before the last sample of a point's series: the zero where its sum begins. A store that was told
/// of the sum before has a sample at that time, and refuses the zero, which loses nothing of the point.
fn take_zero(series: &mut SeriesSamples) -> Option<SeriesSamples> {
    let before = series.samples.len().checked_sub(1).filter(|before| *before > 0)?;
    let samples = series.samples.drain(..before).collect();
    Some(SeriesSamples { labels: series.labels.clone(), samples, histograms: Vec::new(), exemplars: Vec::new() })
}
