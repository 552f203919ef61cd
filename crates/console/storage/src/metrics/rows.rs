//! Full chunks as rows of a shelf: whose they are, what time they reach over, their bits.

use bytes::Bytes;
use console_model::{HistogramSample, Sample};

use super::chunk::{ChunkReader, ChunkWriter};
use super::histogram_chunk::{HistogramReader, HistogramWriter};
use crate::codec::{Damaged, Reader, put_column, put_u64};
use crate::hash;
use crate::pack::{self, Section};
use crate::shelf::{Encoded, Extent, Form, Rows};

const FULL_BYTES: usize = 512 << 10;

/// What a chunk's bits are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ChunkKind {
    Floats,
    Histograms,
}

/// A chunk that takes no more.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) series: u32,
    pub(crate) count: u16,
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
    pub(crate) kind: ChunkKind,
    /// Whether its samples were late. Of two samples of one time, the one that was not is meant.
    pub(crate) is_late: bool,
    pub(crate) bits: Bytes,
}

impl Chunk {
    /// Of a chunk of floats.
    pub(crate) fn samples(&self) -> ChunkReader<'_> {
        ChunkReader::new(&self.bits, self.count)
    }

    /// Of a chunk of histograms.
    pub(crate) fn histograms(&self) -> HistogramReader<'_> {
        HistogramReader::new(&self.bits, self.count)
    }

    pub(crate) fn meets(&self, from_ms: i64, to_ms: i64) -> bool {
        self.min_ms <= to_ms && from_ms <= self.max_ms
    }

    /// A chunk of late samples, sorted; `None` if there are none.
    pub(crate) fn of_late(series: u32, samples: &[Sample]) -> Option<Self> {
        let mut writer = ChunkWriter::default();
        samples.iter().for_each(|sample| writer.push(*sample));
        Some(Self {
            series,
            count: writer.count(),
            min_ms: samples.first()?.time_ms,
            max_ms: samples.last()?.time_ms,
            kind: ChunkKind::Floats,
            is_late: true,
            bits: writer.finished().into(),
        })
    }

    /// The chunk of what was written so far.
    pub(crate) fn of_histograms(series: u32, writer: &HistogramWriter) -> Self {
        Self {
            series,
            count: writer.count(),
            min_ms: writer.first_ms(),
            max_ms: writer.last_ms(),
            kind: ChunkKind::Histograms,
            is_late: false,
            bits: writer.finished().into(),
        }
    }

    /// A chunk of late histograms, sorted; `None` if there are none.
    pub(crate) fn of_late_histograms(series: u32, samples: &[HistogramSample]) -> Option<Self> {
        let mut writer = HistogramWriter::default();
        samples.iter().for_each(|sample| writer.push(sample));
        (writer.count() > 0).then(|| Self { is_late: true, ..Self::of_histograms(series, &writer) })
    }
}

/// Beside the count of a chunk whose samples were late.
const LATE: u16 = 1 << 15;
/// Beside the count of a chunk of histograms.
const HISTOGRAMS: u16 = 1 << 14;

const fn marked_count(chunk: &Chunk) -> u16 {
    let late = if chunk.is_late { LATE } else { 0 };
    let kind = match chunk.kind {
        ChunkKind::Floats => 0,
        ChunkKind::Histograms => HISTOGRAMS,
    };
    chunk.count | late | kind
}

/// A time in milliseconds as shelves order by it.
pub(crate) const fn ns(time_ms: i64) -> i64 {
    time_ms.saturating_mul(1_000_000)
}

/// The key by which blocks with a series are found: spread evenly, as tables of keys want it.
pub(crate) const fn key(series: u32) -> u64 {
    hash::mix(series as u64)
}

/// Open rows.
#[derive(Default)]
pub(crate) struct OpenChunks {
    chunks: Vec<Chunk>,
    bits: usize,
    newest_ms: Option<i64>,
    oldest_ms: Option<i64>,
}

impl OpenChunks {
    pub(crate) fn add(&mut self, chunk: Chunk) {
        self.bits += chunk.bits.len();
        self.newest_ms = self.newest_ms.max(Some(chunk.max_ms));
        self.oldest_ms = Some(self.oldest_ms.map_or(chunk.min_ms, |oldest| oldest.min(chunk.min_ms)));
        self.chunks.push(chunk);
    }
}

impl Rows for OpenChunks {
    fn len(&self) -> usize {
        self.chunks.len()
    }

    fn bytes(&self) -> usize {
        self.bits + self.chunks.len() * size_of::<Chunk>()
    }

    fn is_full(&self) -> bool {
        self.bits + self.chunks.len() * 30 >= FULL_BYTES
    }

    fn newest_ns(&self) -> i64 {
        ns(self.newest_ms.unwrap_or(i64::MIN))
    }

    fn oldest_ns(&self) -> Option<i64> {
        self.oldest_ms.map(ns)
    }

    /// What searches do not need of the extent tells how many samples there are, for facts.
    fn encode(&self, from: usize, form: Form) -> Encoded {
        let chunks = self.chunks.get(from..).unwrap_or_default();
        let mut columns = Vec::with_capacity(chunks.len() * 30);
        put_u64(&mut columns, chunks.len() as u64);
        put_column(&mut columns, chunks.iter().map(|chunk| chunk.series.to_le_bytes()));
        put_column(&mut columns, chunks.iter().map(|chunk| marked_count(chunk).to_le_bytes()));
        put_column(&mut columns, chunks.iter().map(|chunk| chunk.min_ms.to_le_bytes()));
        put_column(&mut columns, chunks.iter().map(|chunk| chunk.max_ms.to_le_bytes()));
        put_column(&mut columns, chunks.iter().map(|chunk| (chunk.bits.len() as u32).to_le_bytes()));
        let mut bits = Vec::with_capacity(self.bits);
        chunks.iter().for_each(|chunk| bits.extend_from_slice(&chunk.bits));
        let mut body = Vec::with_capacity(columns.len() + bits.len());
        pack::put(&mut body, &columns, form);
        // Bits are as dense as they get.
        pack::put(&mut body, &bits, Form::Plain);
        let mut extent = Extent::NONE;
        for chunk in chunks {
            extent.include(&Extent { min: ns(chunk.min_ms), max: ns(chunk.max_ms), low: 0, high: 0 });
        }
        extent.high = chunks.iter().map(|chunk| u64::from(chunk.count)).sum();
        let mut keys = Vec::new();
        if form == Form::Packed {
            keys.extend(chunks.iter().map(|chunk| key(chunk.series)));
            keys.sort_unstable();
            keys.dedup();
        }
        Encoded { extent, keys, filter: Vec::new(), words: Vec::new(), body }
    }

    fn absorb(&mut self, body: &[u8]) -> Result<(), Damaged> {
        let body = Bytes::copy_from_slice(body);
        let mut chunks = Vec::new();
        read(&body, |_| true, |chunk| chunks.push(chunk))?;
        chunks.into_iter().for_each(|chunk| self.add(chunk));
        Ok(())
    }
}

/// Gives the chunks of a body that are wanted. They share its bytes.
pub(crate) fn read(body: &Bytes, wanted: impl Fn(u32) -> bool, mut give: impl FnMut(Chunk)) -> Result<(), Damaged> {
    let mut reader = Reader::new(body);
    let columns = Section::read(&mut reader)?.unpack()?;
    let length = usize::try_from(reader.u64()?).map_err(|_| Damaged)?;
    if reader.u64()? != length as u64 || reader.rest().len() != length {
        return Err(Damaged);
    }
    let bits = body.slice(body.len() - length..);
    let mut columns = Reader::new(&columns);
    let count = columns.count()?;
    let series = columns.column(count, u32::from_le_bytes)?;
    let counts = columns.column(count, u16::from_le_bytes)?;
    let mins = columns.column(count, i64::from_le_bytes)?;
    let maxs = columns.column(count, i64::from_le_bytes)?;
    let lengths = columns.column(count, u32::from_le_bytes)?;
    let rows = series.iter().zip(&counts).zip(&mins).zip(&maxs).zip(&lengths);
    let mut from = 0_usize;
    for ((((series, count), min_ms), max_ms), length) in rows {
        let to = from + *length as usize;
        if to > bits.len() {
            return Err(Damaged);
        }
        if wanted(*series) {
            give(Chunk {
                series: *series,
                count: *count & !(LATE | HISTOGRAMS),
                min_ms: *min_ms,
                max_ms: *max_ms,
                kind: if *count & HISTOGRAMS == 0 { ChunkKind::Floats } else { ChunkKind::Histograms },
                is_late: *count & LATE != 0,
                bits: bits.slice(from..to),
            });
        }
        from = to;
    }
    Ok(())
}
