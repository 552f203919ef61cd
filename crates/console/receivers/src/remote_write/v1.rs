//! `prometheus.WriteRequest`: which field holds what. What is done with it is not here.

use console_model::{MetricKind, Sample};
use console_wire::{Field, Fields, Malformed};

use super::Decoded;
use super::series::{Request, Series, kind, sample};
use crate::exemplar;

const INVALID: &str = "invalid metric name or labels";

/// Reads a request of remote write 1.0. An error means that the bytes are no such message and that nothing
/// was taken.
pub fn decode_v1(bytes: &[u8]) -> Result<Decoded, Malformed> {
    let mut request = Request::default();
    let mut series = Series::default();
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => {
                read_series(field.message()?, &mut series)?;
                request.take(&mut series, read_exemplar)?;
            }
            3 => {
                let mut metric = (MetricKind::Unknown, "", "", "");
                for field in field.message()? {
                    let field = field?;
                    match field.number {
                        1 => metric.0 = kind(field.int32()?),
                        2 => metric.1 = text(field)?.unwrap_or_default(),
                        4 => metric.2 = text(field)?.unwrap_or_default(),
                        5 => metric.3 = text(field)?.unwrap_or_default(),
                        _ => {}
                    }
                }
                let (kind, name, help, unit) = metric;
                if !name.is_empty() {
                    request.describe(name, kind, unit, help);
                }
            }
            _ => {}
        }
    }
    Ok(request.finish())
}

fn read_series<'a>(fields: Fields<'a>, series: &mut Series<'a>) -> Result<(), Malformed> {
    series.clear();
    for field in fields {
        let field = field?;
        match field.number {
            1 => match label(field.message()?)? {
                Some((name, value)) => series.label(name, value),
                None => series.fault = Some(INVALID),
            },
            2 => series.sample(sample(field.message()?)?),
            3 => series.exemplar(field.message()?),
            4 => series.histogram(field.message()?),
            _ => {}
        }
    }
    Ok(())
}

/// A text; `None` if it is not UTF-8, which spoils a series but not the request.
fn text(field: Field<'_>) -> Result<Option<&str>, Malformed> {
    match field.text() {
        Err(Malformed::Text { .. }) => Ok(None),
        text => text.map(Some),
    }
}

fn label(fields: Fields<'_>) -> Result<Option<(&str, &str)>, Malformed> {
    let (mut name, mut value) = (Some(""), Some(""));
    for field in fields {
        let field = field?;
        match field.number {
            1 => name = text(field)?,
            2 => value = text(field)?,
            _ => {}
        }
    }
    Ok(name.zip(value))
}

fn read_exemplar(fields: Fields<'_>, builder: &mut exemplar::Builder) -> Result<Sample, Malformed> {
    let mut sample = Sample { time_ms: 0, value: 0.0 };
    for field in fields {
        let field = field?;
        match field.number {
            1 => {
                if let Some((name, value)) = label(field.message()?)? {
                    builder.push(name, value);
                }
            }
            2 => sample.value = field.double()?,
            3 => sample.time_ms = field.int64()?,
            _ => {}
        }
    }
    Ok(sample)
}
