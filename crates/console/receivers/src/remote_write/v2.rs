//! `io.prometheus.write.v2.Request`: which field holds what, and the table of texts that it refers to. What is
//! done with it is not here.

use console_model::{MetricKind, Sample};
use console_wire::{Field, Fields, Malformed};

use super::Decoded;
use super::series::{Request, Series, kind, sample};
use crate::exemplar;

const UNPAIRED: &str = "invalid labels for series: an odd number of references, but each name has a value";
const OUT_OF_RANGE: &str = "invalid labels for series: a reference beyond the symbols of the request, or to one that \
     is not UTF-8";

/// The texts of a request; `None` where one is not UTF-8, which spoils the series that refer to it.
type Symbols<'a> = Vec<Option<&'a str>>;

/// Reads a request of remote write 2.0. An error means that the bytes are no such message and that nothing
/// was taken.
pub fn decode_v2(bytes: &[u8]) -> Result<Decoded, Malformed> {
    // Protobuf lets a sender put the symbols behind those who refer to them.
    let mut symbols = Symbols::new();
    let mut count = 0;
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            4 => symbols.push(match field.text() {
                Err(Malformed::Text { .. }) => None,
                text => Some(text?),
            }),
            5 => count += 1,
            _ => {}
        }
    }
    let mut request = Request::default();
    let mut series = Series::default();
    request.reserve(count);
    for field in Fields::new(bytes) {
        let field = field?;
        if field.number != 5 {
            continue;
        }
        let metadata = read_series(field.message()?, &symbols, &mut series)?;
        let name = request.take(&mut series, |fields, builder| read_exemplar(fields, &symbols, builder))?;
        if let Some((name, (kind, help, unit))) = name.zip(metadata) {
            request.describe(family(name, kind), kind, text(&symbols, unit), text(&symbols, help));
        }
    }
    Ok(request.finish())
}

/// The name without what the series of a histogram or summary have behind it.
fn family(name: &str, kind: MetricKind) -> &str {
    let endings: &[&str] = match kind {
        MetricKind::Histogram => &["_bucket", "_sum", "_count"],
        MetricKind::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
        MetricKind::Summary => &["_sum", "_count"],
        _ => &[],
    };
    endings.iter().find_map(|ending| name.strip_suffix(ending)).filter(|name| !name.is_empty()).unwrap_or(name)
}

fn text<'a>(symbols: &Symbols<'a>, reference: u32) -> &'a str {
    symbol(symbols, u64::from(reference)).unwrap_or_default()
}

fn symbol<'a>(symbols: &Symbols<'a>, reference: u64) -> Option<&'a str> {
    usize::try_from(reference).ok().and_then(|reference| symbols.get(reference).copied().flatten())
}

/// Gives type and the references to description and unit, if there are any.
fn read_series<'a>(
    fields: Fields<'a>,
    symbols: &Symbols<'a>,
    series: &mut Series<'a>,
) -> Result<Option<(MetricKind, u32, u32)>, Malformed> {
    series.clear();
    let mut metadata = None;
    let mut pending = None;
    for field in fields {
        let field = field?;
        match field.number {
            1 => {
                let add = |name, value| series.label(name, value);
                let fault = read_labels(field, symbols, &mut pending, add)?;
                series.fault = series.fault.or(fault);
            }
            2 => series.sample(sample(field.message()?)?),
            3 => series.histogram(field.message()?),
            4 => series.exemplar(field.message()?),
            5 => metadata = Some(read_metadata(field.message()?)?),
            _ => {}
        }
    }
    if pending.is_some() {
        series.fault = series.fault.or(Some(UNPAIRED));
    }
    Ok(metadata)
}

/// Adds the labels that the references give. A name that waits for its value is pending, for a sender may
/// send references one by one.
fn read_labels<'a>(
    field: Field<'a>,
    symbols: &Symbols<'a>,
    pending: &mut Option<&'a str>,
    mut add: impl FnMut(&'a str, &'a str),
) -> Result<Option<&'static str>, Malformed> {
    let mut fault = None;
    for reference in field.varints()? {
        let Some(text) = symbol(symbols, reference?) else {
            fault = Some(OUT_OF_RANGE);
            continue;
        };
        match pending.take() {
            Some(name) => add(name, text),
            None => *pending = Some(text),
        }
    }
    Ok(fault)
}

fn read_metadata(fields: Fields<'_>) -> Result<(MetricKind, u32, u32), Malformed> {
    let mut metadata = (MetricKind::Unknown, 0, 0);
    for field in fields {
        let field = field?;
        match field.number {
            1 => metadata.0 = kind(field.int32()?),
            3 => metadata.1 = field.uint32()?,
            4 => metadata.2 = field.uint32()?,
            _ => {}
        }
    }
    Ok(metadata)
}

fn read_exemplar<'a>(
    fields: Fields<'a>,
    symbols: &Symbols<'a>,
    builder: &mut exemplar::Builder,
) -> Result<Sample, Malformed> {
    let mut sample = Sample { time_ms: 0, value: 0.0 };
    let mut pending = None;
    for field in fields {
        let field = field?;
        match field.number {
            1 => drop(read_labels(field, symbols, &mut pending, |name, value| builder.push(name, value))?),
            2 => sample.value = field.double()?,
            3 => sample.time_ms = field.int64()?,
            _ => {}
        }
    }
    Ok(sample)
}
