//! `Histogram`, the same message in both versions: counts as integers, told as differences, or as floats.

use std::sync::Arc;

use console_model::{
    BUCKETS_MAX, BucketSpan, Buckets, CounterReset, FloatHistogram, HistogramSample, InvalidHistogram, is_exponential,
};
use console_wire::{Field, Fields, Malformed};

const MISMATCH: &str =
    "histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)";
const TOO_SMALL: &str =
    "histogram's observation count should be at least the number of observations found in the buckets";

/// One side of zero while it is read.
#[derive(Debug, Default)]
struct Side {
    spans: Vec<BucketSpan>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

/// The message while it is read.
#[derive(Debug, Default)]
struct Message {
    count: Count,
    zero_count: Count,
    sum: f64,
    schema: i32,
    zero_threshold: f64,
    negative: Side,
    positive: Side,
    reset_hint: i32,
    time_ms: i64,
    custom_values: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
enum Count {
    Integer(u64),
    Float(f64),
}

impl Default for Count {
    fn default() -> Self {
        Self::Integer(0)
    }
}

impl Count {
    const fn float(self) -> f64 {
        match self {
            Self::Integer(count) => count as f64,
            Self::Float(count) => count,
        }
    }

    const fn integer(self) -> u64 {
        match self {
            Self::Integer(count) => count,
            Self::Float(count) => count as u64,
        }
    }
}

/// Reads a histogram. The inner error is one that Prometheus does not take either.
pub(super) fn histogram(fields: Fields<'_>) -> Result<Result<HistogramSample, InvalidHistogram>, Malformed> {
    let mut message = Message::default();
    for field in fields {
        message.read(field?)?;
    }
    let time_ms = message.time_ms;
    Ok(message.into_histogram().map(|histogram| HistogramSample { time_ms, histogram: Arc::new(histogram) }))
}

impl Message {
    fn read(&mut self, field: Field<'_>) -> Result<(), Malformed> {
        match field.number {
            1 => self.count = Count::Integer(field.varint()?),
            2 => self.count = Count::Float(field.double()?),
            3 => self.sum = field.double()?,
            4 => self.schema = field.sint32()?,
            5 => self.zero_threshold = field.double()?,
            6 => self.zero_count = Count::Integer(field.varint()?),
            7 => self.zero_count = Count::Float(field.double()?),
            8 => self.negative.spans.push(span(field.message()?)?),
            9 => read_all(&mut self.negative.deltas, field.varints()?.sint64s())?,
            10 => read_all(&mut self.negative.counts, field.fixed64s()?.doubles())?,
            11 => self.positive.spans.push(span(field.message()?)?),
            12 => read_all(&mut self.positive.deltas, field.varints()?.sint64s())?,
            13 => read_all(&mut self.positive.counts, field.fixed64s()?.doubles())?,
            14 => self.reset_hint = field.int32()?,
            15 => self.time_ms = field.int64()?,
            16 => read_all(&mut self.custom_values, field.fixed64s()?.doubles())?,
            _ => {}
        }
        Ok(())
    }

    fn into_histogram(self) -> Result<FloatHistogram, InvalidHistogram> {
        let hint = u8::try_from(self.reset_hint).ok().and_then(CounterReset::from_number).unwrap_or_default();
        if console_model::is_stale(self.sum) {
            return Ok(FloatHistogram { counter_reset: hint, ..FloatHistogram::stale() });
        }
        // Before anything is made of it, so that what is told is the schema and not what follows from it.
        let schema = i8::try_from(self.schema)
            .ok()
            .filter(|schema| is_exponential(*schema) || *schema == console_model::CUSTOM_SCHEMA);
        let schema = schema.ok_or(InvalidHistogram::Schema(self.schema))?;
        let is_float = matches!(self.count, Count::Float(_));
        let (count, zero_count) = (self.count, self.zero_count);
        let histogram = FloatHistogram {
            counter_reset: hint,
            schema,
            zero_threshold: self.zero_threshold,
            zero_count: zero_count.float(),
            count: count.float(),
            sum: self.sum,
            positive: self.positive.into_buckets("positive", is_float)?,
            negative: self.negative.into_buckets("negative", is_float)?,
            custom_values: self.custom_values.into(),
        };
        histogram.check()?;
        if !is_float {
            check_count(&histogram, count.integer(), zero_count.integer())?;
        }
        Ok(histogram)
    }
}

/// That whole counts add up.
fn check_count(histogram: &FloatHistogram, count: u64, zero_count: u64) -> Result<(), InvalidHistogram> {
    let buckets = histogram.positive.counts().iter().chain(histogram.negative.counts());
    let in_buckets = buckets.fold(zero_count, |sum, count| sum.saturating_add(*count as u64));
    match (histogram.sum.is_nan(), in_buckets > count, in_buckets == count) {
        (true, true, _) => Err(InvalidHistogram::CountMismatch { in_buckets, count, rule: TOO_SMALL }),
        (false, _, false) => Err(InvalidHistogram::CountMismatch { in_buckets, count, rule: MISMATCH }),
        _ => Ok(()),
    }
}

impl Side {
    fn into_buckets(self, side: &'static str, is_float: bool) -> Result<Buckets, InvalidHistogram> {
        let length = if is_float { self.counts.len() } else { self.deltas.len() };
        if length > BUCKETS_MAX {
            return Err(InvalidHistogram::TooMany(length));
        }
        let counts = if is_float { self.counts } else { absolute(&self.deltas, side)? };
        Buckets::from_spans(self.spans, counts).map_err(|why| InvalidHistogram::Spans { side, why })
    }
}

/// Counts from the differences of each to the one before. A negative one, which may stand for one that has no
/// room in 64 bits, is told here, before it is a float.
fn absolute(deltas: &[i64], side: &'static str) -> Result<Vec<f64>, InvalidHistogram> {
    let mut count = 0_i64;
    let mut counts = Vec::with_capacity(deltas.len());
    for (position, delta) in (1..).zip(deltas) {
        count = count.wrapping_add(*delta);
        if count < 0 {
            return Err(InvalidHistogram::NegativeBucket { side, position, count: count as f64 });
        }
        counts.push(count as f64);
    }
    Ok(counts)
}

fn span(fields: Fields<'_>) -> Result<BucketSpan, Malformed> {
    let mut span = BucketSpan::default();
    for field in fields {
        let field = field?;
        match field.number {
            1 => span.offset = field.sint32()?,
            2 => span.length = field.uint32()?,
            _ => {}
        }
    }
    Ok(span)
}

fn read_all<T>(into: &mut Vec<T>, numbers: impl Iterator<Item = Result<T, Malformed>>) -> Result<(), Malformed> {
    for number in numbers {
        into.push(number?);
    }
    Ok(())
}
