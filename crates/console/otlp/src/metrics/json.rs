//! Metrics in OTLP's JSON.

use std::borrow::Cow;

use console_model::{Attribute, Value};

use super::{
    Buckets, Common, Data, ExponentialPoint, HistogramPoint, Metric, Metrics, Monotony, NumberPoint, PointExemplar,
    ResourceMetrics, ScopeMetrics, SummaryPoint, Temporality,
};
use crate::budget::Budget;
use crate::error::Rejects;
use crate::json::reader::{Number, Reader};
use crate::json::{WrongLength, resource, scope, span_id, trace_id, value};
use crate::{DecodeError, Decoded};

type Result<T> = std::result::Result<T, DecodeError>;

const TEMPORALITIES: [&str; 3] = ["UNSPECIFIED", "DELTA", "CUMULATIVE"];

/// Reads an `ExportMetricsServiceRequest` in JSON that arrived at this time, nanoseconds since the Unix
/// epoch, which becomes the time of points that have none.
pub fn from_json(text: &[u8], arrival_ns: u64) -> Result<Decoded<Metrics<'_>>> {
    let mut reading = Reading { text, arrival_ns, budget: Budget::of(text.len()), rejects: Rejects::default() };
    let mut batch = Metrics::default();
    let mut reader = Reader::new(text);
    let read = reader.object(|reader, name| match name {
        "resourceMetrics" | "resource_metrics" => reader.array(|reader| {
            let place = format!("resourceMetrics[{}]", batch.resources.len());
            batch.resources.push(reading.resource_metrics(reader, &place)?);
            Ok(())
        }),
        _ => reader.skip(),
    });
    read.and_then(|()| reader.end()).map_err(|error| error.located(text))?;
    Ok(Decoded { batch, rejected: reading.rejects.finish() })
}

struct Reading<'a> {
    text: &'a [u8],
    arrival_ns: u64,
    budget: Budget,
    rejects: Rejects,
}

impl<'a> Reading<'a> {
    fn resource_metrics(&mut self, reader: &mut Reader<'a>, place: &str) -> Result<ResourceMetrics<'a>> {
        self.budget.charge::<ResourceMetrics<'_>>()?;
        let mut read = ResourceMetrics::default();
        reader.object(|reader, name| {
            match name {
                "resource" => resource(reader, &mut self.budget, &mut read.resource)?,
                "schemaUrl" | "schema_url" => read.resource.schema_url = reader.text()?.into(),
                "scopeMetrics" | "scope_metrics" => reader.array(|reader| {
                    let place = format!("{place}.scopeMetrics[{}]", read.scopes.len());
                    read.scopes.push(self.scope_metrics(reader, &place)?);
                    Ok(())
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(read)
    }

    fn scope_metrics(&mut self, reader: &mut Reader<'a>, place: &str) -> Result<ScopeMetrics<'a>> {
        self.budget.charge::<ScopeMetrics<'_>>()?;
        let mut read = ScopeMetrics::default();
        reader.object(|reader, name| {
            match name {
                "scope" => scope(reader, &mut self.budget, &mut read.scope)?,
                "schemaUrl" | "schema_url" => read.scope.schema_url = reader.text()?.into(),
                "metrics" => {
                    let mut index = 0;
                    reader.array(|reader| {
                        let place = format!("{place}.metrics[{index}]");
                        index += 1;
                        read.metrics.extend(self.metric(reader, &place)?);
                        Ok(())
                    })?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(read)
    }

    /// `Metric`; `None` if its name or the like is not UTF-8, which rejects its points.
    fn metric(&mut self, reader: &mut Reader<'a>, place: &str) -> Result<Option<Metric<'a>>> {
        self.budget.charge::<Metric<'_>>()?;
        let mut metric = Metric::default();
        let mut spoilt = None;
        reader.object(|reader, field| {
            let mut text = |reader: &mut Reader<'a>| match reader.text() {
                Err(error) if error.is_of_item() => {
                    spoilt = Some(error.under(field));
                    Ok(Cow::Borrowed(""))
                }
                read => read,
            };
            match field {
                "name" => metric.name = text(reader)?,
                "description" => metric.description = text(reader)?,
                "unit" => metric.unit = text(reader)?,
                "gauge" | "sum" | "histogram" | "exponentialHistogram" | "exponential_histogram" | "summary" => {
                    if !reader.null() {
                        metric.data = self.data(reader, field, place)?;
                    }
                }
                "metadata" => {
                    let mut pairs = Vec::new();
                    read_pairs(reader, &mut self.budget, &mut pairs)?;
                    let found = pairs.into_iter().find(|(key, _)| key == "prometheus.type");
                    metric.prometheus_type = found.map(|(_, text)| text).unwrap_or_default();
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        if let Some(error) = spoilt {
            let points = metric.data.len() as u64;
            self.rejects.add(points, || error.under(place).located(self.text).to_string());
            return Ok(None);
        }
        Ok(Some(metric))
    }

    fn data(&mut self, reader: &mut Reader<'a>, field: &str, place: &str) -> Result<Data<'a>> {
        let (mut temporality, mut monotony) = (Temporality::Unspecified, Monotony::UpAndDown);
        let place = format!("{place}.{field}");
        let mut data = match field {
            "gauge" => Data::Gauge(Vec::new()),
            "sum" => Data::Sum(Vec::new(), temporality, monotony),
            "histogram" => Data::Histogram(Vec::new(), temporality),
            "summary" => Data::Summary(Vec::new()),
            _ => Data::Exponential(Vec::new(), temporality),
        };
        reader.object(|reader, name| {
            match name {
                "dataPoints" | "data_points" => match &mut data {
                    Data::Gauge(points) | Data::Sum(points, ..) => self.points(reader, &place, points, number)?,
                    Data::Histogram(points, _) => self.points(reader, &place, points, histogram)?,
                    Data::Exponential(points, _) => self.points(reader, &place, points, exponential)?,
                    Data::Summary(points) => self.points(reader, &place, points, summary)?,
                    Data::Empty => reader.skip()?,
                },
                "aggregationTemporality" | "aggregation_temporality" => {
                    let number = reader.enumeration("AGGREGATION_TEMPORALITY_", &TEMPORALITIES)?;
                    temporality = Temporality::from_number(number);
                }
                "isMonotonic" | "is_monotonic" => {
                    monotony = if reader.boolean()? { Monotony::Growing } else { Monotony::UpAndDown };
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(match data {
            Data::Sum(points, ..) => Data::Sum(points, temporality, monotony),
            Data::Histogram(points, _) => Data::Histogram(points, temporality),
            Data::Exponential(points, _) => Data::Exponential(points, temporality),
            other => other,
        })
    }

    fn points<P: Default + AsMut<Common<'a>>>(
        &mut self,
        reader: &mut Reader<'a>,
        place: &str,
        points: &mut Vec<P>,
        read: impl Fn(&mut Reader<'a>, &str, &mut Budget, &mut P) -> Result<()>,
    ) -> Result<()> {
        let mut index = 0;
        reader.array(|reader| {
            let start = reader.offset();
            self.budget.charge::<P>()?;
            let mut point = P::default();
            let done = reader.object(|reader, name| {
                if common(reader, name, &mut self.budget, point.as_mut())? {
                    return Ok(());
                }
                read(reader, name, &mut self.budget, &mut point)
            });
            match done {
                Ok(()) => {
                    point.as_mut().complete(self.arrival_ns);
                    points.push(point);
                }
                Err(error) => {
                    let placed = |error: DecodeError| error.at(start).under_index("dataPoints", index).under(place);
                    self.rejects.item(error, |error| placed(error).located(self.text))?;
                    reader.back_to(start);
                    reader.skip()?;
                }
            }
            index += 1;
            Ok(())
        })
    }
}

/// What all points have; says whether the field was one of these.
fn common<'a>(reader: &mut Reader<'a>, name: &str, budget: &mut Budget, common: &mut Common<'a>) -> Result<bool> {
    match name {
        "attributes" => read_pairs(reader, budget, &mut common.attributes)?,
        "startTimeUnixNano" | "start_time_unix_nano" => common.start_ns = reader.uint64()?,
        "timeUnixNano" | "time_unix_nano" => common.time_ns = reader.uint64()?,
        "flags" => common.set_flags(reader.uint32()?),
        "exemplars" => reader.array(|reader| push_exemplar(reader, budget, &mut common.exemplars))?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn number<'a>(reader: &mut Reader<'a>, name: &str, _: &mut Budget, point: &mut NumberPoint<'a>) -> Result<()> {
    number_value(reader, name, &mut point.value)
}

/// The value of a number or an exemplar: one of two fields, of which the other may be null.
fn number_value(reader: &mut Reader<'_>, name: &str, value: &mut Option<f64>) -> Result<()> {
    match name {
        "asDouble" | "as_double" if !reader.null() => *value = Some(reader.double()?),
        "asInt" | "as_int" if !reader.null() => {
            *value = Some(match reader.int64_or_double()? {
                Number::Int(number) => number as f64,
                Number::Double(number) => number,
            });
        }
        "asDouble" | "as_double" | "asInt" | "as_int" => {}
        _ => reader.skip()?,
    }
    Ok(())
}

fn histogram<'a>(
    reader: &mut Reader<'a>,
    name: &str,
    budget: &mut Budget,
    point: &mut HistogramPoint<'a>,
) -> Result<()> {
    match name {
        "count" => point.count = reader.uint64()?,
        "sum" if !reader.null() => point.sum = Some(reader.double()?),
        "bucketCounts" | "bucket_counts" => counts(reader, budget, &mut point.counts)?,
        "explicitBounds" | "explicit_bounds" => reader.array(|reader| {
            budget.charge::<f64>()?;
            point.bounds.push(reader.double()?);
            Ok(())
        })?,
        "sum" => {}
        _ => reader.skip()?,
    }
    Ok(())
}

fn exponential<'a>(
    reader: &mut Reader<'a>,
    name: &str,
    budget: &mut Budget,
    point: &mut ExponentialPoint<'a>,
) -> Result<()> {
    match name {
        "count" => point.count = reader.uint64()?,
        "sum" if !reader.null() => point.sum = Some(reader.double()?),
        "scale" => point.scale = reader.int32()?,
        "zeroCount" | "zero_count" => point.zero_count = reader.uint64()?,
        "zeroThreshold" | "zero_threshold" => point.zero_threshold = reader.double()?,
        "positive" => buckets(reader, budget, &mut point.positive)?,
        "negative" => buckets(reader, budget, &mut point.negative)?,
        "sum" => {}
        _ => reader.skip()?,
    }
    Ok(())
}

fn buckets(reader: &mut Reader<'_>, budget: &mut Budget, buckets: &mut Buckets) -> Result<()> {
    reader.object(|reader, name| {
        match name {
            "offset" => buckets.offset = reader.int32()?.into(),
            "bucketCounts" | "bucket_counts" => counts(reader, budget, &mut buckets.counts)?,
            _ => reader.skip()?,
        }
        Ok(())
    })
}

fn counts(reader: &mut Reader<'_>, budget: &mut Budget, counts: &mut Vec<u64>) -> Result<()> {
    reader.array(|reader| {
        budget.charge::<u64>()?;
        counts.push(reader.uint64()?);
        Ok(())
    })
}

fn summary<'a>(reader: &mut Reader<'a>, name: &str, budget: &mut Budget, point: &mut SummaryPoint<'a>) -> Result<()> {
    match name {
        "count" => point.count = reader.uint64()?,
        "sum" => point.sum = reader.double()?,
        "quantileValues" | "quantile_values" => reader.array(|reader| {
            budget.charge::<(f64, f64)>()?;
            let mut pair = (0.0, 0.0);
            reader.object(|reader, name| {
                match name {
                    "quantile" => pair.0 = reader.double()?,
                    "value" => pair.1 = reader.double()?,
                    _ => reader.skip()?,
                }
                Ok(())
            })?;
            point.quantiles.push(pair);
            Ok(())
        })?,
        _ => reader.skip()?,
    }
    Ok(())
}

/// `Exemplar`; one without a value says nothing.
fn push_exemplar<'a>(
    reader: &mut Reader<'a>,
    budget: &mut Budget,
    exemplars: &mut Vec<PointExemplar<'a>>,
) -> Result<()> {
    budget.charge::<PointExemplar<'_>>()?;
    let (mut exemplar, mut value) = (PointExemplar::default(), None);
    reader.object(|reader, name| {
        match name {
            "timeUnixNano" | "time_unix_nano" => exemplar.time_ns = reader.uint64()?,
            "traceId" | "trace_id" => exemplar.trace_id = trace_id(reader, WrongLength::Ignored)?,
            "spanId" | "span_id" => exemplar.span_id = span_id(reader, WrongLength::Ignored)?,
            "filteredAttributes" | "filtered_attributes" => {
                read_pairs(reader, budget, &mut exemplar.attributes)?;
            }
            _ => number_value(reader, name, &mut value)?,
        }
        Ok(())
    })?;
    if let Some(value) = value {
        exemplars.push(PointExemplar { value, ..exemplar });
    }
    Ok(())
}

/// A list of `KeyValue`, the values as text.
fn read_pairs<'a>(
    reader: &mut Reader<'a>,
    budget: &mut Budget,
    pairs: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
) -> Result<()> {
    reader.array(|reader| {
        budget.charge::<Attribute>()?;
        let (mut key, mut text) = (Cow::Borrowed(""), Cow::Borrowed(""));
        reader.object(|reader, name| {
            match name {
                "key" => key = reader.text()?,
                "value" => {
                    text = match value(reader, budget, 1)? {
                        Value::String(text) => Cow::Owned(text.into()),
                        other => Cow::Owned(other.to_string()),
                    };
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        pairs.push((key, text));
        Ok(())
    })
}
