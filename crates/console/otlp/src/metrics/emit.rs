//! Puts series together, within the bytes that a request may become. What their values are is decided
//! elsewhere.

use std::borrow::Cow;
use std::collections::HashSet;

use console_model::{
    Exemplar, LabelSetBuilder, Labels, MetricKind, MetricMetadata, Sample, SampleBatch, SeriesSamples,
};

use super::PointExemplar;
use super::labels::{Pairs, PointLabels};
use super::name::push_label;
use super::translated::{Origin, Share};

/// Bytes of the labels of a series, names and values together, as Prometheus' receivers have it.
const LABEL_BYTES_MAX: usize = 64 << 10;
/// The same of an exemplar, which may have its attributes in addition to those of its series.
const EXEMPLAR_BYTES_MAX: usize = 4 << 10;
/// Bytes of a description that are kept.
const HELP_BYTES_MAX: usize = 4 << 10;

/// A description, as far as it is kept.
pub(super) fn cut_help(text: &str) -> &str {
    text.get(..text.floor_char_boundary(HELP_BYTES_MAX)).unwrap_or_default()
}

/// Why a point is not taken.
pub(super) type Reason = Cow<'static, str>;

/// Milliseconds since the Unix epoch.
pub(super) const fn milliseconds(ns: u64) -> i64 {
    (ns / 1_000_000).cast_signed()
}

/// The label of a series' name.
pub(super) const NAME: &str = "__name__";

/// A metric's name and the labels that all its points have, sorted, with [`NAME`] among them.
#[derive(Clone, Copy)]
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    pub(super) base: &'a Pairs,
}

/// What one request becomes.
pub(super) struct Emitter<'t> {
    pub(super) builder: &'t mut LabelSetBuilder,
    pub(super) batch: SampleBatch,
    pub(super) shares: Vec<Share>,
    named: HashSet<String>,
    pub(super) left_bytes: usize,
}

impl<'t> Emitter<'t> {
    pub(super) fn new(builder: &'t mut LabelSetBuilder, output_bytes_max: usize) -> Self {
        let (batch, shares, named) = (SampleBatch::default(), Vec::new(), HashSet::new());
        Self { builder, batch, shares, named, left_bytes: output_bytes_max }
    }

    /// Takes so many bytes of those that the request may become.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Reason> {
        self.left_bytes = self
            .left_bytes
            .checked_sub(bytes)
            .ok_or("the series of the request take too much memory; send it in parts")?;
        Ok(())
    }

    /// The labels of a series: those of the point, those of its family, its name with this ending, and one
    /// more. Of labels with the same name the latter holds.
    pub(super) fn labels(
        &mut self,
        point: &PointLabels,
        family: Family<'_>,
        ending: &str,
        more: Option<(&str, &str)>,
    ) -> Result<Labels, Reason> {
        // Before they are put together: what is too long would be put together for each point.
        let mut bytes = 0;
        let own = point.iter().map(|(name, value)| name.len() + value.len());
        for length in own.chain(family.base.iter().map(|(name, value)| name.len() + value.len())) {
            bytes += length;
            if bytes > LABEL_BYTES_MAX {
                return Err(format!("the labels of its series take more than {LABEL_BYTES_MAX} bytes").into());
            }
        }
        self.charge(bytes + size_of::<SeriesSamples>() + size_of::<Sample>())?;
        self.merge(point, family);
        if !ending.is_empty() {
            self.builder.push(NAME, &[family.name, ending].concat());
        }
        if let Some((name, value)) = more {
            self.builder.push(name, value);
        }
        Ok(self.builder.finish())
    }

    /// Both are sorted, and go to the builder sorted, which then has nothing to sort.
    fn merge(&mut self, point: &PointLabels, family: Family<'_>) {
        let mut base = family.base.as_slice();
        let builder = &mut *self.builder;
        let push_base = |builder: &mut LabelSetBuilder, (name, value): &(String, String)| {
            builder.push(name, if name == NAME { family.name } else { value });
        };
        let mut shadowed = "";
        for (name, value) in point.iter() {
            while let Some((first, rest)) = base.split_first()
                && first.0.as_str() <= name
            {
                push_base(builder, first);
                shadowed = &first.0;
                base = rest;
            }
            if shadowed != name {
                builder.push(name, value);
            }
        }
        base.iter().for_each(|pair| push_base(builder, pair));
    }

    /// Adds a series.
    pub(super) fn push(&mut self, labels: Labels, samples: Vec<Sample>, exemplars: Vec<Exemplar>) {
        self.batch.series.push(SeriesSamples { labels, samples, histograms: Vec::new(), exemplars });
    }

    /// Says what the series from the one with this number on are.
    pub(super) fn share(&mut self, first: usize, origin: Origin) {
        let series = self.batch.series.len().saturating_sub(first);
        match self.shares.last_mut() {
            _ if series == 0 => {}
            Some(last) if last.origin == origin && origin != Origin::Point => last.series += series,
            _ => self.shares.push(Share { series, origin }),
        }
    }

    /// Adds what is known of a metric, once per request.
    pub(super) fn metadata(&mut self, name: &str, kind: MetricKind, unit: String, help: &str) -> Result<(), Reason> {
        if self.named.contains(name) {
            return Ok(());
        }
        let help = cut_help(help);
        self.charge(size_of::<MetricMetadata>() + 2 * name.len() + unit.len() + help.len())?;
        self.named.insert(name.to_owned());
        self.batch.metadata.push(MetricMetadata { name: name.into(), kind, unit: unit.into(), help: help.into() });
        Ok(())
    }

    /// An exemplar as the store has it. One without a time has that of its point.
    pub(super) fn exemplar(&mut self, exemplar: &PointExemplar<'_>, point_ms: i64) -> Result<Exemplar, Reason> {
        let bytes = exemplar.attributes.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        if bytes > EXEMPLAR_BYTES_MAX {
            return Err(
                format!("an exemplar with {bytes} bytes of attributes, but {EXEMPLAR_BYTES_MAX} are kept").into()
            );
        }
        let mut name = String::new();
        for (key, value) in &exemplar.attributes {
            name.clear();
            push_label(&mut name, key);
            self.builder.push(&name, value);
        }
        let labels = self.builder.finish();
        self.charge(labels.packed().len() + size_of::<Exemplar>())?;
        let time_ms = if exemplar.time_ns == 0 { point_ms } else { milliseconds(exemplar.time_ns) };
        let sample = Sample { time_ms, value: exemplar.value };
        Ok(Exemplar { sample, trace_id: exemplar.trace_id, span_id: exemplar.span_id, labels })
    }
}
