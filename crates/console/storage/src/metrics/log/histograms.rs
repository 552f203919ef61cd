//! Native histograms in records of the head's log, packed as in a chunk.

use console_model::HistogramSample;

use crate::codec::{Damaged, Reader, put_bytes, put_u64};
use crate::metrics::head::{Head, Series};
use crate::metrics::histogram_chunk::{HistogramReader, HistogramWriter};

/// More than a chunk ever has.
const COUNT_MAX: u16 = 1_000;
/// That the newest sample of a series is a histogram.
const LAST: u64 = 1;

/// Adds samples, at most as many as a chunk has.
pub(super) fn put(out: &mut Vec<u8>, samples: &[HistogramSample]) {
    let mut writer = HistogramWriter::default();
    samples.iter().for_each(|sample| writer.push(sample));
    put_packed(out, &writer);
}

fn put_packed(out: &mut Vec<u8>, writer: &HistogramWriter) {
    put_u64(out, u64::from(writer.count()));
    put_bytes(out, &writer.finished());
}

/// Reads what [`put`] added. The samples that are whole are given, also where the others are damaged.
pub(super) fn read(reader: &mut Reader<'_>, mut give: impl FnMut(HistogramSample)) -> Result<(), Damaged> {
    let count = u16::try_from(reader.u64()?).ok().filter(|count| *count <= COUNT_MAX).ok_or(Damaged)?;
    let mut found = 0;
    HistogramReader::new(reader.bytes()?, count).for_each(|sample| {
        found += 1;
        give(sample);
    });
    if found == count { Ok(()) } else { Err(Damaged) }
}

/// Adds what a series has of histograms; nothing for one that has none, as before there were any.
pub(super) fn put_state(out: &mut Vec<u8>, series: &Series) {
    let Some(histograms) = &series.histograms else {
        if series.last_is_histogram {
            put_u64(out, LAST);
        }
        return;
    };
    put_u64(out, u64::from(series.last_is_histogram));
    put(out, histograms.last.as_slice());
    put_packed(out, &histograms.chunk);
    put(out, &histograms.late);
}

/// Reads what [`put_state`] added into a series that has no histograms yet.
pub(super) fn read_state(reader: &mut Reader<'_>, head: &mut Head, number: u32) -> Result<(), Damaged> {
    let Some(series) = head.series.get_mut(&number) else { return Ok(()) };
    series.last_is_histogram = false;
    if reader.is_empty() {
        return Ok(());
    }
    series.last_is_histogram = reader.u64()? == LAST;
    if reader.is_empty() {
        return Ok(());
    }
    let histograms = series.histograms.get_or_insert_default();
    let whole = read(reader, |sample| histograms.last = Some(sample))
        .and_then(|()| read(reader, |sample| histograms.chunk.push(&sample)))
        .and_then(|()| read(reader, |sample| histograms.late.push(sample)));
    let bytes = histograms.bytes();
    head.histogram_bytes += bytes;
    whole
}
