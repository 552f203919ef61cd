//! Metrics in protobuf. The numbers are those of `metrics.proto`.

use std::borrow::Cow;

use console_model::{Attribute, SpanId, TraceId, Value};
use console_wire::{Field, Fields, Packed};

use super::{
    Buckets, Common, Data, ExponentialPoint, HistogramPoint, Metric, Metrics, Monotony, NumberPoint, PointExemplar,
    ResourceMetrics, ScopeMetrics, SummaryPoint, Temporality,
};
use crate::budget::Budget;
use crate::error::Rejects;
use crate::protobuf::{count_of_scopes, each, group_resource, group_scope, messages, short_pair, value};
use crate::{DecodeError, Decoded};

type Result<T> = std::result::Result<T, DecodeError>;

/// Reads an `ExportMetricsServiceRequest` that arrived at this time, nanoseconds since the Unix epoch, which
/// becomes the time of points that have none.
pub fn from_protobuf(bytes: &[u8], arrival_ns: u64) -> Result<Decoded<Metrics<'_>>> {
    let mut reading = Reading { arrival_ns, budget: Budget::of(bytes.len()), rejects: Rejects::default() };
    let mut batch = Metrics::default();
    each(bytes, 1, "resourceMetrics", |bytes, index| {
        reading.budget.charge::<ResourceMetrics<'_>>()?;
        let resource = match group_resource(bytes, &mut reading.budget) {
            Ok(resource) => resource,
            Err(error) => {
                let count = || count_of_scopes(bytes, count_of_points);
                return reading.rejects.items(error, count, |error| error.under_index("resourceMetrics", index));
            }
        };
        let mut read = ResourceMetrics { resource, scopes: Vec::new() };
        each(bytes, 2, "scopeMetrics", |bytes, inner| {
            reading.budget.charge::<ScopeMetrics<'_>>()?;
            let scope = match group_scope(bytes, &mut reading.budget) {
                Ok(scope) => scope,
                Err(error) => {
                    let place =
                        |error: DecodeError| error.under(&format!("resourceMetrics[{index}].scopeMetrics[{inner}]"));
                    return reading.rejects.items(error, || count_of_points(bytes), place);
                }
            };
            let mut scope = ScopeMetrics { scope, metrics: Vec::new() };
            each(bytes, 2, "metrics", |bytes, innermost| {
                let place = || format!("resourceMetrics[{index}].scopeMetrics[{inner}].metrics[{innermost}]");
                scope.metrics.extend(reading.metric(bytes, &place)?);
                Ok(())
            })?;
            read.scopes.push(scope);
            Ok(())
        })?;
        batch.resources.push(read);
        Ok(())
    })?;
    Ok(Decoded { batch, rejected: reading.rejects.finish() })
}

/// Counts the data points of a `ScopeMetrics`.
fn count_of_points(bytes: &[u8]) -> Result<u64> {
    let mut total = 0;
    for metric in messages(bytes, 2) {
        for field in Fields::new(metric?) {
            let field = field?;
            if matches!(field.number, 5 | 7 | 9 | 10 | 11) {
                for point in messages(field.bytes()?, 1) {
                    point?;
                    total += 1;
                }
            }
        }
    }
    Ok(total)
}

struct Reading {
    arrival_ns: u64,
    budget: Budget,
    rejects: Rejects,
}

impl Reading {
    /// `Metric`; `None` if its name or the like is not UTF-8, which rejects its points.
    fn metric<'a>(&mut self, bytes: &'a [u8], place: &dyn Fn() -> String) -> Result<Option<Metric<'a>>> {
        self.budget.charge::<Metric<'_>>()?;
        let mut metric = Metric::default();
        let mut spoilt = None;
        for field in Fields::new(bytes) {
            let field = field?;
            let mut text = |field: Field<'a>| -> Result<Cow<'a, str>> {
                match field.text().map_err(DecodeError::from) {
                    Ok(text) => Ok(Cow::Borrowed(text)),
                    Err(error) if error.is_of_item() => {
                        spoilt = Some(error);
                        Ok(Cow::Borrowed(""))
                    }
                    Err(error) => Err(error),
                }
            };
            match field.number {
                1 => metric.name = text(field)?,
                2 => metric.description = text(field)?,
                3 => metric.unit = text(field)?,
                5 | 7 | 9 | 10 | 11 => metric.data = self.data(field, place)?,
                12 => {
                    let (key, text) = pair(field.bytes()?, &mut self.budget)?;
                    if key == "prometheus.type" {
                        metric.prometheus_type = text;
                    }
                }
                _ => {}
            }
        }
        if let Some(error) = spoilt {
            self.rejects.add(metric.data.len() as u64, || error.under(&place()).to_string());
            return Ok(None);
        }
        Ok(Some(metric))
    }

    /// `Gauge`, `Sum`, `Histogram`, `ExponentialHistogram` or `Summary`, by the field's number.
    fn data<'a>(&mut self, field: Field<'a>, place: &dyn Fn() -> String) -> Result<Data<'a>> {
        let bytes = field.bytes()?;
        let (mut temporality, mut monotony) = (Temporality::Unspecified, Monotony::UpAndDown);
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                2 => temporality = Temporality::from_number(field.int32()?),
                3 if field.boolean()? => monotony = Monotony::Growing,
                _ => {}
            }
        }
        Ok(match field.number {
            5 => Data::Gauge(self.points(bytes, "gauge", place, number)?),
            7 => Data::Sum(self.points(bytes, "sum", place, number)?, temporality, monotony),
            9 => Data::Histogram(self.points(bytes, "histogram", place, histogram)?, temporality),
            10 => Data::Exponential(self.points(bytes, "exponentialHistogram", place, exponential)?, temporality),
            _ => Data::Summary(self.points(bytes, "summary", place, summary)?),
        })
    }

    fn points<'a, P: Default + AsMut<Common<'a>>>(
        &mut self,
        bytes: &'a [u8],
        name: &str,
        place: &dyn Fn() -> String,
        read: impl Fn(&'a [u8], &mut Budget, &mut P) -> Result<()>,
    ) -> Result<Vec<P>> {
        let mut points = Vec::new();
        each(bytes, 1, "dataPoints", |bytes, index| {
            self.budget.charge::<P>()?;
            let mut point = P::default();
            if let Err(error) = read(bytes, &mut self.budget, &mut point) {
                let placed = |error: DecodeError| error.under_index("dataPoints", index).under(name).under(&place());
                return self.rejects.item(error, placed);
            }
            point.as_mut().complete(self.arrival_ns);
            points.push(point);
            Ok(())
        })?;
        Ok(points)
    }
}

macro_rules! common {
    ($($point:ident),*) => {
        $(impl<'a> AsMut<Common<'a>> for $point<'a> {
            fn as_mut(&mut self) -> &mut Common<'a> {
                &mut self.common
            }
        })*
    };
}

common!(NumberPoint, HistogramPoint, ExponentialPoint, SummaryPoint);

/// `NumberDataPoint`
fn number<'a>(bytes: &'a [u8], budget: &mut Budget, point: &mut NumberPoint<'a>) -> Result<()> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            2 => point.common.start_ns = field.fixed64()?,
            3 => point.common.time_ns = field.fixed64()?,
            4 => point.value = Some(field.double()?),
            5 => push_exemplar(&mut point.common.exemplars, field, budget)?,
            6 => point.value = Some(field.fixed64()?.cast_signed() as f64),
            7 => push_pair(&mut point.common.attributes, field, budget)?,
            8 => point.common.set_flags(field.uint32()?),
            _ => {}
        }
    }
    Ok(())
}

/// `HistogramDataPoint`
fn histogram<'a>(bytes: &'a [u8], budget: &mut Budget, point: &mut HistogramPoint<'a>) -> Result<()> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            2 => point.common.start_ns = field.fixed64()?,
            3 => point.common.time_ns = field.fixed64()?,
            4 => point.count = field.fixed64()?,
            5 => point.sum = Some(field.double()?),
            6 => push_counts(&mut point.counts, field.fixed64s()?, budget)?,
            7 => {
                let packed = field.fixed64s()?;
                budget.charge_bytes(packed.count_max().saturating_mul(8))?;
                for bound in packed.doubles() {
                    point.bounds.push(bound?);
                }
            }
            8 => push_exemplar(&mut point.common.exemplars, field, budget)?,
            9 => push_pair(&mut point.common.attributes, field, budget)?,
            10 => point.common.set_flags(field.uint32()?),
            _ => {}
        }
    }
    Ok(())
}

/// `ExponentialHistogramDataPoint`
fn exponential<'a>(bytes: &'a [u8], budget: &mut Budget, point: &mut ExponentialPoint<'a>) -> Result<()> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => push_pair(&mut point.common.attributes, field, budget)?,
            2 => point.common.start_ns = field.fixed64()?,
            3 => point.common.time_ns = field.fixed64()?,
            4 => point.count = field.fixed64()?,
            5 => point.sum = Some(field.double()?),
            6 => point.scale = field.sint32()?,
            7 => point.zero_count = field.fixed64()?,
            8 => buckets(field.bytes()?, budget, &mut point.positive)?,
            9 => buckets(field.bytes()?, budget, &mut point.negative)?,
            10 => point.common.set_flags(field.uint32()?),
            11 => push_exemplar(&mut point.common.exemplars, field, budget)?,
            14 => point.zero_threshold = field.double()?,
            _ => {}
        }
    }
    Ok(())
}

/// `ExponentialHistogramDataPoint.Buckets`
fn buckets(bytes: &[u8], budget: &mut Budget, buckets: &mut Buckets) -> Result<()> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => buckets.offset = field.sint32()?.into(),
            2 => push_counts(&mut buckets.counts, field.varints()?, budget)?,
            _ => {}
        }
    }
    Ok(())
}

/// `SummaryDataPoint`
fn summary<'a>(bytes: &'a [u8], budget: &mut Budget, point: &mut SummaryPoint<'a>) -> Result<()> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            2 => point.common.start_ns = field.fixed64()?,
            3 => point.common.time_ns = field.fixed64()?,
            4 => point.count = field.fixed64()?,
            5 => point.sum = field.double()?,
            6 => {
                budget.charge::<(f64, f64)>()?;
                let mut pair = (0.0, 0.0);
                for field in field.message()? {
                    let field = field?;
                    match field.number {
                        1 => pair.0 = field.double()?,
                        2 => pair.1 = field.double()?,
                        _ => {}
                    }
                }
                point.quantiles.push(pair);
            }
            7 => push_pair(&mut point.common.attributes, field, budget)?,
            8 => point.common.set_flags(field.uint32()?),
            _ => {}
        }
    }
    Ok(())
}

fn push_counts(counts: &mut Vec<u64>, packed: Packed<'_>, budget: &mut Budget) -> Result<()> {
    budget.charge_bytes(packed.count_max().saturating_mul(8))?;
    for count in packed {
        counts.push(count?);
    }
    Ok(())
}

/// `Exemplar`; one without a value says nothing.
fn push_exemplar<'a>(exemplars: &mut Vec<PointExemplar<'a>>, field: Field<'a>, budget: &mut Budget) -> Result<()> {
    budget.charge::<PointExemplar<'_>>()?;
    let (mut exemplar, mut value) = (PointExemplar::default(), None);
    for field in field.message()? {
        let field = field?;
        match field.number {
            2 => exemplar.time_ns = field.fixed64()?,
            3 => value = Some(field.double()?),
            4 => exemplar.span_id = SpanId::from_bytes(field.bytes()?).ok(),
            5 => exemplar.trace_id = TraceId::from_bytes(field.bytes()?).ok(),
            6 => value = Some(field.fixed64()?.cast_signed() as f64),
            7 => push_pair(&mut exemplar.attributes, field, budget)?,
            _ => {}
        }
    }
    if let Some(value) = value {
        exemplars.push(PointExemplar { value, ..exemplar });
    }
    Ok(())
}

fn push_pair<'a>(pairs: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>, field: Field<'a>, budget: &mut Budget) -> Result<()> {
    pairs.push(pair(field.bytes()?, budget).map_err(|error| error.under_index("attributes", pairs.len()))?);
    Ok(())
}

/// `KeyValue`, the value as text. Text, which most are, is not copied.
fn pair<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<(Cow<'a, str>, Cow<'a, str>)> {
    budget.charge::<Attribute>()?;
    if let Some((key, text)) = short_pair(bytes) {
        return Ok((Cow::Borrowed(key), Cow::Borrowed(text)));
    }
    let (mut key, mut text) = (Cow::Borrowed(""), Cow::Borrowed(""));
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => key = Cow::Borrowed(field.text()?),
            2 => text = value_text(field.bytes()?, budget)?,
            _ => {}
        }
    }
    Ok((key, text))
}

fn value_text<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<Cow<'a, str>> {
    let mut fields = Fields::new(bytes);
    if let (Some(Ok(field)), None) = (fields.next(), fields.next())
        && field.number == 1
    {
        return Ok(Cow::Borrowed(field.text()?));
    }
    match value(bytes, budget, 1)? {
        Value::String(text) => Ok(Cow::Owned(text.into())),
        other => Ok(Cow::Owned(other.to_string())),
    }
}
