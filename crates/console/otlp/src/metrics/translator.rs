//! OTLP's metrics as Prometheus' series. Which names they get, and how histograms and deltas are turned, is
//! said next to that; what is here is which series a point becomes.

use console_model::{LabelSetBuilder, Labels, MetricKind, Resource, Sample, stale_marker};

use super::delta::{Deltas, Interval, Total};
use super::emit::{Emitter, Family, Reason, milliseconds};
use super::exponential::Exponential;
use super::histogram::Histogram;
use super::labels::{self, Pairs, PointLabels};
use super::name::{self, Ending};
use super::targets::Targets;
use super::translated::{Origin, Translated};
use super::{Common, Data, Metric, Metrics, Monotony, NumberPoint, SummaryPoint, Temporality, samples};
use crate::error::Rejects;
use crate::export::SAMPLES_SCOPE;
use crate::{Decoded, Rejected};

/// What a translator may hold, and make of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many numbers are held as sums of deltas: one per counter, one per bucket and bound of histograms.
    /// Beyond, deltas of new series are rejected.
    pub entries_max: usize,
    /// For how long a sum without new deltas is kept, nanoseconds.
    pub idle_ns_max: u64,
    /// How many bytes of series one request may become: a histogram repeats its labels for each bucket.
    /// Points beyond are rejected.
    pub output_bytes_max: usize,
}

impl Default for Limits {
    /// 1,000,000 numbers (about 100 MB of counters), an hour, and 128 MiB.
    fn default() -> Self {
        Self { entries_max: 1_000_000, idle_ns_max: 3_600 * 1_000_000_000, output_bytes_max: 128 << 20 }
    }
}

/// How far apart samples of `target_info` are where a request spans a long time: half of the five minutes
/// for which Prometheus looks back.
const TARGET_INFO_STEP_NS: u64 = 150 * 1_000_000_000;
/// How many of these there are at most, the latest.
const TARGET_INFO_SAMPLES_MAX: u64 = 16;

/// Turns metrics into series, with one sum per series of deltas. One translator has to see all requests.
///
/// - A gauge becomes a gauge. A sum that only grows becomes a counter, with `_total`; another one a gauge.
/// - A histogram becomes `_bucket`, `_sum` and `_count`; an exponential one as well, with bounds of its own.
/// - A summary becomes quantiles, `_sum` and `_count`.
/// - Deltas are summed up, sums that go up and down too.
/// - A point flagged as having no value becomes the mark of its series' end.
/// - A resource becomes `job` and `instance` on its series, and `target_info` with all its other attributes,
///   unless that would be older than what it became before.
/// - A scope that has a name becomes labels, `otel_scope_name` and so on.
/// - What [`crate::export::samples_json`] wrote comes back as it was.
#[derive(Debug)]
pub struct Translator {
    limits: Limits,
    deltas: Deltas,
    targets: Targets,
    builder: LabelSetBuilder,
    point: PointLabels,
}

impl Default for Translator {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Translator {
    /// One without any sums.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            deltas: Deltas::new(limits.entries_max, limits.idle_ns_max),
            targets: Targets::new(limits.idle_ns_max),
            builder: LabelSetBuilder::new(),
            point: PointLabels::default(),
        }
    }

    /// How many numbers are held as sums of deltas, of [`Limits::entries_max`].
    pub fn entries(&self) -> usize {
        self.deltas.entries()
    }

    /// The series of what was read, and all that was rejected of it, by the reader too. The time of arrival
    /// is in nanoseconds since the Unix epoch.
    pub fn translate(&mut self, decoded: Decoded<Metrics<'_>>, arrival_ns: u64) -> Translated {
        self.deltas.sweep(arrival_ns);
        self.targets.sweep(arrival_ns);
        let mut run = Run {
            emitter: Emitter::new(&mut self.builder, self.limits.output_bytes_max),
            deltas: &mut self.deltas,
            targets: &mut self.targets,
            point: &mut self.point,
            rejects: Rejects::default(),
            arrival_ns,
            times: None,
        };
        for resource in &decoded.batch.resources {
            let target = labels::of_resource(&resource.resource);
            run.times = None;
            for scope in &resource.scopes {
                if scope.scope.name == SAMPLES_SCOPE {
                    let first = run.emitter.batch.series.len();
                    samples::take(&scope.metrics, &mut run.emitter, &mut run.rejects);
                    run.emitter.share(first, Origin::Points);
                    continue;
                }
                let base = labels::base(&[&labels::of_scope(&scope.scope), &target]);
                scope.metrics.iter().for_each(|metric| run.metric(metric, &base));
            }
            run.target_info(&resource.resource, &target);
        }
        let later: Rejected = run.rejects.finish();
        let Emitter { batch, shares, left_bytes, .. } = run.emitter;
        let bytes = self.limits.output_bytes_max.saturating_sub(left_bytes);
        Translated { batch, rejected: decoded.rejected.and(later), bytes, shares }
    }
}

/// The translation of one request.
struct Run<'t> {
    emitter: Emitter<'t>,
    deltas: &'t mut Deltas,
    targets: &'t mut Targets,
    point: &'t mut PointLabels,
    rejects: Rejects,
    arrival_ns: u64,
    /// The first and the last time of the resource's points, nanoseconds.
    times: Option<(u64, u64)>,
}

impl Run<'_> {
    fn metric(&mut self, metric: &Metric<'_>, base: &Pairs) {
        let (kind, ending) = kind(metric);
        let name = name::metric(&metric.name, &metric.unit, ending);
        let points = metric.data.len() as u64;
        if points == 0 {
            return;
        }
        if name.is_empty() {
            let reason = "its name has no letter or digit that a name in Prometheus can have";
            self.rejects.add(points, || rejection(metric, reason));
            return;
        }
        let family = Family { name: &name, base };
        let described = self.emitter.metadata(&name, kind, name::unit(&metric.unit), &metric.description);
        if let Err(reason) = described {
            self.rejects.add(points, || rejection(metric, &reason));
            return;
        }
        self.emitter.batch.series.reserve(metric.data.len());
        match &metric.data {
            Data::Empty => {}
            Data::Gauge(points) => self.each(metric, points, |run, point| run.number(point, family, None)),
            Data::Sum(points, temporality, monotony) => {
                let sum = Some((*temporality, *monotony));
                self.each(metric, points, |run, point| run.number(point, family, sum));
            }
            Data::Histogram(points, temporality) => self.each(metric, points, |run, point| {
                run.histogram(&point.common, family, *temporality, || Histogram::new(point).map(Total::Histogram))
            }),
            Data::Exponential(points, temporality) => self.each(metric, points, |run, point| {
                run.histogram(&point.common, family, *temporality, || Exponential::new(point).map(Total::Exponential))
            }),
            Data::Summary(points) => self.each(metric, points, |run, point| run.summary(point, family)),
        }
    }

    fn each<P>(
        &mut self,
        metric: &Metric<'_>,
        points: &[P],
        mut take: impl FnMut(&mut Self, &P) -> Result<(), Reason>,
    ) {
        for point in points {
            let before = self.emitter.batch.series.len();
            if let Err(reason) = take(self, point) {
                // No half of a histogram.
                self.emitter.batch.series.truncate(before);
                self.rejects.add(1, || rejection(metric, &reason));
                continue;
            }
            let made = self.emitter.batch.series.get(before..).unwrap_or_default();
            let is_one_sample = matches!(made, [series] if series.samples.len() == 1);
            self.emitter.share(before, if is_one_sample { Origin::Points } else { Origin::Point });
        }
    }

    fn seen(&mut self, time_ns: u64) {
        let (first, last) = self.times.unwrap_or((time_ns, time_ns));
        self.times = Some((first.min(time_ns), last.max(time_ns)));
    }

    fn interval(&self, common: &Common<'_>) -> Interval {
        Interval { start_ns: common.start_ns, time_ns: common.time_ns, arrival_ns: self.arrival_ns }
    }

    /// A point of a gauge, or of a sum.
    fn number(
        &mut self,
        point: &NumberPoint<'_>,
        family: Family<'_>,
        sum: Option<(Temporality, Monotony)>,
    ) -> Result<(), Reason> {
        let common = &point.common;
        self.point.fill(&common.attributes)?;
        let labels = self.emitter.labels(self.point, family, "", None)?;
        let time_ms = milliseconds(common.time_ns);
        let mut samples = Vec::with_capacity(1);
        let value = if common.stale {
            self.deltas.end(&labels);
            stale_marker()
        } else {
            let value = point.value.ok_or("a point with neither a value nor the flag that there is none")?;
            match sum {
                None | Some((Temporality::Cumulative, _)) => value,
                Some((Temporality::Unspecified, _)) => return Err(UNSPECIFIED.into()),
                Some((Temporality::Delta, monotony)) => {
                    let growing = monotony == Monotony::Growing;
                    self.delta(&labels, common, value, growing, &mut samples)?
                }
            }
        };
        samples.push(Sample { time_ms, value });
        let mut exemplars = Vec::new();
        for exemplar in &common.exemplars {
            exemplars.push(self.emitter.exemplar(exemplar, time_ms)?);
        }
        self.emitter.push(labels, samples, exemplars);
        self.seen(common.time_ns);
        Ok(())
    }

    /// The sum with this delta; where it begins anew, with a zero before it.
    fn delta(
        &mut self,
        labels: &Labels,
        common: &Common<'_>,
        value: f64,
        growing: bool,
        samples: &mut Vec<Sample>,
    ) -> Result<f64, Reason> {
        if growing && value < 0.0 {
            return Err("a sum that only grows, but the delta is negative".into());
        }
        let (total, zero_ms) = self.deltas.add(labels, self.interval(common), Total::Number(value))?;
        // A gauge has no resets.
        samples.extend(zero_ms.filter(|_| growing).map(|time_ms| Sample { time_ms, value: 0.0 }));
        Ok(if let Total::Number(total) = total { total } else { value })
    }

    /// A point of a histogram of either kind, which `read` gives.
    fn histogram(
        &mut self,
        common: &Common<'_>,
        family: Family<'_>,
        temporality: Temporality,
        read: impl FnOnce() -> Result<Total, Reason>,
    ) -> Result<(), Reason> {
        self.point.fill(&common.attributes)?;
        let (mut histogram, mut zero_ms) = (read()?, None);
        match temporality {
            Temporality::Cumulative => {}
            Temporality::Unspecified => return Err(UNSPECIFIED.into()),
            Temporality::Delta => {
                let series = self.emitter.labels(self.point, family, "", None)?;
                if common.stale {
                    self.deltas.end(&series);
                } else {
                    (histogram, zero_ms) = self.deltas.add(&series, self.interval(common), histogram)?;
                }
            }
        }
        let (count, sum, buckets) = match &histogram {
            Total::Number(_) => return Err("not a histogram".into()),
            Total::Histogram(histogram) => (histogram.count, histogram.sum, histogram.buckets()),
            Total::Exponential(histogram) => (histogram.count, histogram.sum, histogram.buckets()),
        };
        self.buckets(common, family, zero_ms, &buckets, count)?;
        if let Some(sum) = sum {
            self.one(common, family, "_sum", None, zero_ms, sum)?;
        }
        self.one(common, family, "_count", None, zero_ms, count as f64)?;
        self.seen(common.time_ns);
        Ok(())
    }

    /// The `_bucket` series, each with the exemplars that no lower one holds.
    fn buckets(
        &mut self,
        common: &Common<'_>,
        family: Family<'_>,
        zero_ms: Option<i64>,
        buckets: &[(f64, u64)],
        count: u64,
    ) -> Result<(), Reason> {
        let first = self.emitter.batch.series.len();
        for (bound, up_to) in buckets {
            let bound = bound.to_string();
            self.one(common, family, "_bucket", Some(("le", &bound)), zero_ms, *up_to as f64)?;
        }
        self.one(common, family, "_bucket", Some(("le", "+Inf")), zero_ms, count as f64)?;
        for exemplar in &common.exemplars {
            let above = buckets.iter().position(|(bound, _)| exemplar.value <= *bound).unwrap_or(buckets.len());
            let exemplar = self.emitter.exemplar(exemplar, milliseconds(common.time_ns))?;
            if let Some(series) = self.emitter.batch.series.get_mut(first + above) {
                series.exemplars.push(exemplar);
            }
        }
        Ok(())
    }

    /// One of the series that a point becomes.
    fn one(
        &mut self,
        common: &Common<'_>,
        family: Family<'_>,
        ending: &str,
        more: Option<(&str, &str)>,
        zero_ms: Option<i64>,
        value: f64,
    ) -> Result<(), Reason> {
        let labels = self.emitter.labels(self.point, family, ending, more)?;
        let mut samples = Vec::with_capacity(1);
        samples.extend(zero_ms.map(|time_ms| Sample { time_ms, value: 0.0 }));
        let value = if common.stale { stale_marker() } else { value };
        samples.push(Sample { time_ms: milliseconds(common.time_ns), value });
        self.emitter.push(labels, samples, Vec::new());
        Ok(())
    }

    fn summary(&mut self, point: &SummaryPoint<'_>, family: Family<'_>) -> Result<(), Reason> {
        let common = &point.common;
        self.point.fill(&common.attributes)?;
        for (quantile, value) in &point.quantiles {
            let quantile = quantile.to_string();
            self.one(common, family, "", Some(("quantile", &quantile)), None, *value)?;
        }
        self.one(common, family, "_sum", None, None, point.sum)?;
        self.one(common, family, "_count", None, None, point.count as f64)?;
        self.seen(common.time_ns);
        Ok(())
    }

    /// `target_info`, for a resource that can be told from others and says more than that.
    fn target_info(&mut self, resource: &Resource, target: &Pairs) {
        let Some((first_ns, last_ns)) = self.times else { return };
        let others = labels::of_target(resource);
        if others.is_empty() || target.is_empty() {
            return;
        }
        let pairs = labels::base(&[&others, target]);
        let family = Family { name: "target_info", base: &pairs };
        let steps = (last_ns - first_ns) / TARGET_INFO_STEP_NS;
        let steps = steps.min(TARGET_INFO_SAMPLES_MAX - 1);
        let times = (0..=steps).rev().map(|step| last_ns - step * TARGET_INFO_STEP_NS);
        let mut samples = times.map(|ns| Sample { time_ms: milliseconds(ns), value: 1.0 }).collect();
        // Without room for it the points are rejected too, and say so.
        let Ok(labels) = self.emitter.labels(&PointLabels::default(), family, "", None) else { return };
        self.targets.forward(&labels, &mut samples, self.arrival_ns);
        if !samples.is_empty()
            && self.emitter.metadata(family.name, MetricKind::Gauge, String::new(), "Target metadata").is_ok()
        {
            let first = self.emitter.batch.series.len();
            self.emitter.push(labels, samples, Vec::new());
            self.emitter.share(first, Origin::Beside);
        }
    }
}

const UNSPECIFIED: &str = "its aggregation temporality is neither delta nor cumulative";

fn rejection(metric: &Metric<'_>, reason: &str) -> String {
    let name: String = metric.name.chars().take(100).collect();
    format!("metric {name:?}: {reason}")
}

/// The type of a metric, and what its name ends with. Where it was one of Prometheus' before, it is that.
fn kind(metric: &Metric<'_>) -> (MetricKind, Ending) {
    match (&metric.data, metric.prometheus_type.as_ref()) {
        (Data::Gauge(_), "unknown") => (MetricKind::Unknown, Ending::Gauge),
        (Data::Sum(.., Monotony::UpAndDown), "info") => (MetricKind::Info, Ending::Other),
        (Data::Sum(.., Monotony::UpAndDown), "stateset") => (MetricKind::StateSet, Ending::Other),
        (Data::Gauge(_), _) => (MetricKind::Gauge, Ending::Gauge),
        (Data::Sum(.., Monotony::Growing), _) => (MetricKind::Counter, Ending::Counter),
        (Data::Sum(.., Monotony::UpAndDown), _) => (MetricKind::Gauge, Ending::Other),
        (Data::Histogram(..) | Data::Exponential(..), _) => (MetricKind::Histogram, Ending::Other),
        (Data::Summary(_), _) => (MetricKind::Summary, Ending::Other),
        (Data::Empty, _) => (MetricKind::Unknown, Ending::Other),
    }
}
