//! Records of the head's log and of the list of series: how they are written and read.

use std::io;

use console_model::{Exemplar, HistogramSample, Labels, MetricKind, MetricMetadata, Sample, SpanId, TraceId};

use super::chunk::ChunkReader;
use super::head::{Head, Series};
use crate::codec::{Damaged, Reader, put_bytes, put_i64, put_str, put_u64};
use crate::frame;

mod histograms;

const SAMPLES: u8 = 1;
const EXEMPLAR: u8 = 2;
const METADATA: u8 = 3;
/// That a series' open chunk and its late samples went to the shelf before they filled up.
const CUT: u8 = 4;
const STATE: u8 = 5;
/// The number that the next series gets, in the list of series.
const NEXT: u8 = 6;
const SERIES: u8 = 7;
const HISTOGRAMS: u8 = 8;
/// Bytes that are written at once, at least.
const PIECE: usize = 64 << 10;

/// Samples of one batch, in the order in which they were taken. Each float gives the difference of its time
/// to that of the one before. There is a record for each run of samples of one kind.
#[derive(Default)]
pub(crate) struct SamplesRecord {
    bytes: Vec<u8>,
    last_ms: i64,
    is_of_histograms: bool,
}

impl SamplesRecord {
    pub(crate) fn add(&mut self, out: &mut Vec<u8>, number: u32, samples: &[Sample]) {
        if samples.is_empty() {
            return;
        }
        if self.is_of_histograms {
            std::mem::take(self).finish(out);
        }
        put_u64(&mut self.bytes, u64::from(number));
        self.add_samples(samples);
    }

    pub(crate) fn add_histogram(&mut self, out: &mut Vec<u8>, number: u32, sample: &HistogramSample) {
        if !self.is_of_histograms {
            std::mem::take(self).finish(out);
            self.is_of_histograms = true;
        }
        put_u64(&mut self.bytes, u64::from(number));
        histograms::put(&mut self.bytes, std::slice::from_ref(sample));
    }

    fn add_samples(&mut self, samples: &[Sample]) {
        put_u64(&mut self.bytes, samples.len() as u64);
        for sample in samples {
            put_i64(&mut self.bytes, sample.time_ms.wrapping_sub(self.last_ms));
            self.bytes.extend_from_slice(&sample.value.to_bits().to_le_bytes());
            self.last_ms = sample.time_ms;
        }
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        if !self.bytes.is_empty() {
            frame::put(out, |out| {
                out.push(if self.is_of_histograms { HISTOGRAMS } else { SAMPLES });
                out.extend_from_slice(&self.bytes);
            });
        }
    }
}

pub(crate) fn put_exemplar(out: &mut Vec<u8>, number: u32, exemplar: &Exemplar) {
    frame::put(out, |out| {
        out.push(EXEMPLAR);
        put_u64(out, u64::from(number));
        put_i64(out, exemplar.sample.time_ms);
        out.extend_from_slice(&exemplar.sample.value.to_bits().to_le_bytes());
        out.extend_from_slice(&exemplar.trace_id.map_or(0, TraceId::get).to_be_bytes());
        out.extend_from_slice(&exemplar.span_id.map_or(0, SpanId::get).to_be_bytes());
        put_str(out, exemplar.labels.packed());
    });
}

pub(crate) fn put_metadata(out: &mut Vec<u8>, metadata: &MetricMetadata) {
    frame::put(out, |out| {
        out.push(METADATA);
        put_str(out, &metadata.name);
        out.push(metadata.kind as u8);
        put_str(out, &metadata.unit);
        put_str(out, &metadata.help);
    });
}

pub(crate) fn put_cut(out: &mut Vec<u8>, number: u32) {
    frame::put(out, |out| {
        out.push(CUT);
        put_u64(out, u64::from(number));
    });
}

pub(crate) fn put_series(out: &mut Vec<u8>, number: u32, labels: &Labels) {
    frame::put(out, |out| {
        out.push(SERIES);
        put_u64(out, u64::from(number));
        out.extend_from_slice(labels.packed().as_bytes());
    });
}

pub(crate) fn put_next(out: &mut Vec<u8>, number: u32) {
    frame::put(out, |out| {
        out.push(NEXT);
        put_u64(out, u64::from(number));
    });
}

/// Everything the head knows beside its list of series, in pieces: in one it would be as large again as the
/// head, and allocators do not give such room back.
pub(crate) fn put_state(head: &Head, put: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut piece = Vec::with_capacity(2 * PIECE);
    let mut pass_on = |piece: &mut Vec<u8>, least: usize| {
        if piece.len() > least {
            put(piece)?;
            piece.clear();
        }
        Ok(())
    };
    for (number, series) in &head.series {
        put_series_state(&mut piece, *number, series);
        pass_on(&mut piece, PIECE)?;
    }
    for (number, exemplar) in &head.exemplars {
        put_exemplar(&mut piece, *number, exemplar);
        pass_on(&mut piece, PIECE)?;
    }
    for metadata in head.metadata.values() {
        put_metadata(&mut piece, metadata);
        pass_on(&mut piece, PIECE)?;
    }
    pass_on(&mut piece, 0)
}

fn put_series_state(out: &mut Vec<u8>, number: u32, series: &Series) {
    let Some(last) = series.last else { return };
    frame::put(out, |out| {
        out.push(STATE);
        put_u64(out, u64::from(number));
        put_i64(out, series.first_ms);
        put_i64(out, last.time_ms);
        out.extend_from_slice(&last.value.to_bits().to_le_bytes());
        // As bits: with all samples spelled out, a log of many series would be larger than what is kept.
        put_u64(out, u64::from(series.chunk.count()));
        put_bytes(out, &series.chunk.finished());
        let mut samples = SamplesRecord::default();
        samples.add_samples(&series.late);
        out.extend_from_slice(&samples.bytes);
        histograms::put_state(out, series);
    });
}

/// Does to the head what a record says. What is said of a series that is not known is passed over.
pub(crate) fn replay(head: &mut Head, payload: &[u8]) -> Result<(), Damaged> {
    let mut reader = Reader::new(payload);
    match reader.u8()? {
        SAMPLES => {
            let mut last_ms = 0;
            while !reader.is_empty() {
                let number = reader.u32()?;
                read_samples(&mut reader, &mut last_ms, |sample| head.append(number, sample))?;
            }
            Ok(())
        }
        HISTOGRAMS => {
            while !reader.is_empty() {
                let number = reader.u32()?;
                histograms::read(&mut reader, |sample| head.append_histogram(number, sample))?;
            }
            Ok(())
        }
        EXEMPLAR => {
            let number = reader.u32()?;
            let exemplar = read_exemplar(&mut reader)?;
            if let Some(series) = head.series.get_mut(&number) {
                series.last_exemplar = Some(exemplar.sample);
                head.exemplars.push_back((number, exemplar));
            }
            Ok(())
        }
        METADATA => {
            let (name, kind) = (reader.text()?, MetricKind::from_number(reader.u8()?));
            let metadata = MetricMetadata { name, kind, unit: reader.text()?, help: reader.text()? };
            head.metadata.insert(metadata.name.clone(), metadata);
            Ok(())
        }
        CUT => {
            let number = reader.u32()?;
            head.cut_all(number);
            Ok(())
        }
        STATE => replay_state(head, &mut reader),
        _ => Err(Damaged),
    }
}

fn replay_state(head: &mut Head, reader: &mut Reader<'_>) -> Result<(), Damaged> {
    let number = reader.u32()?;
    let first_ms = reader.i64()?;
    let last = Sample { time_ms: reader.i64()?, value: f64::from_bits(reader.fixed_u64()?) };
    let count = u16::try_from(reader.u64()?).map_err(|_| Damaged)?;
    let bits = reader.bytes()?;
    head.forget_histograms(number);
    let Some(series) = head.series.get_mut(&number) else { return Ok(()) };
    (series.chunk, series.late) = Default::default();
    ChunkReader::new(bits, count).for_each(|sample| series.chunk.push(sample));
    read_samples(reader, &mut 0, |sample| series.late.push(sample))?;
    series.first_ms = first_ms;
    series.last = Some(last);
    let is_whole = series.chunk.count() == count;
    histograms::read_state(reader, head, number)?;
    if is_whole { Ok(()) } else { Err(Damaged) }
}

fn read_samples(reader: &mut Reader<'_>, last_ms: &mut i64, mut give: impl FnMut(Sample)) -> Result<(), Damaged> {
    for _ in 0..reader.count()? {
        *last_ms = last_ms.wrapping_add(reader.i64()?);
        give(Sample { time_ms: *last_ms, value: f64::from_bits(reader.fixed_u64()?) });
    }
    Ok(())
}

fn read_exemplar(reader: &mut Reader<'_>) -> Result<Exemplar, Damaged> {
    Ok(Exemplar {
        sample: Sample { time_ms: reader.i64()?, value: f64::from_bits(reader.fixed_u64()?) },
        trace_id: TraceId::new(u128::from_be_bytes(reader.array()?)),
        span_id: SpanId::new(u64::from_be_bytes(reader.array()?)),
        labels: Labels::from_packed(reader.str()?).ok_or(Damaged)?,
    })
}

/// Adds to the head what a record of the list of series says.
pub(crate) fn replay_series(head: &mut Head, payload: &[u8]) -> Result<(), Damaged> {
    let mut reader = Reader::new(payload);
    let kind = reader.u8()?;
    let number = reader.u32()?;
    match kind {
        NEXT => head.next_series = head.next_series.max(number),
        SERIES => {
            let packed = std::str::from_utf8(reader.rest()).map_err(|_| Damaged)?;
            let labels = Labels::from_packed(packed).ok_or(Damaged)?;
            if head.index.find(&labels).is_none() && !head.series.contains_key(&number) {
                head.add_series(number, &labels);
            }
        }
        _ => return Err(Damaged),
    }
    Ok(())
}
