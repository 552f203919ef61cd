//! Chunks of native histograms: samples of one series as bytes, each told by what differs from the one
//! before. Buckets and bounds are only written where they change, numbers that are whole as differences,
//! others as XOR. Every bit of every number comes back. Which samples go into a chunk is the head's business.

use std::sync::Arc;

use console_model::{BUCKETS_MAX, BucketSpan, Buckets, CounterReset, FloatHistogram, HistogramSample};

use crate::codec::{Damaged, Reader, put_i64, put_u64};

/// The hint, in the two low bits of what a sample begins with.
const HINT: u8 = 0b11;
/// Buckets and bounds follow; else they are those of the sample before.
const LAYOUT: u8 = 1 << 2;
/// Numbers are whole, and so are those of the sample before: what follows are differences.
const WHOLE: u8 = 1 << 3;
/// All numbers follow, else only those that changed, each after how many did not.
const DENSE: u8 = 1 << 4;
const KNOWN: u8 = HINT | LAYOUT | WHOLE | DENSE;
/// Up to here every whole number is one, and a difference of two has room in 64 bits.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Before a number that did not change, among numbers that are not whole.
const SAME: u8 = 0x80;

/// A chunk that takes more samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct HistogramWriter {
    bytes: Vec<u8>,
    count: u16,
    first_ms: i64,
    last_ms: i64,
    step: i64,
    last: Option<Arc<FloatHistogram>>,
    last_is_whole: bool,
}

impl HistogramWriter {
    pub(crate) const fn count(&self) -> u16 {
        self.count
    }

    pub(crate) const fn first_ms(&self) -> i64 {
        self.first_ms
    }

    pub(crate) const fn last_ms(&self) -> i64 {
        self.last_ms
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The samples as they are written so far.
    pub(crate) fn finished(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    pub(crate) fn push(&mut self, sample: &HistogramSample) {
        let step = sample.time_ms.wrapping_sub(self.last_ms);
        let histogram = &sample.histogram;
        let same = self.last.as_ref().filter(|last| last.same_layout(histogram));
        let nothing = FloatHistogram::default();
        let before = same.map_or(&nothing, |last| last.as_ref());
        let count = 2 + histogram.positive.len() + histogram.negative.len();
        let (mut is_whole_now, mut changed) = (true, 0_usize);
        for (before, now) in pairs(before, histogram) {
            is_whole_now &= is_whole(now);
            changed += usize::from(before.to_bits() != now.to_bits());
        }
        let is_whole = is_whole_now && (same.is_none() || self.last_is_whole);
        let is_dense = changed * 2 > count;
        let mut flags = histogram.counter_reset.number();
        for (is_set, flag) in [(same.is_none(), LAYOUT), (is_whole, WHOLE), (is_dense, DENSE)] {
            flags |= if is_set { flag } else { 0 };
        }
        self.bytes.push(flags);
        put_i64(&mut self.bytes, step.wrapping_sub(self.step));
        if same.is_none() {
            put_layout(&mut self.bytes, histogram);
        }
        put_xor(&mut self.bytes, before.sum, histogram.sum);
        let put = if is_whole { put_difference } else { put_xor };
        if is_dense {
            pairs(before, histogram).for_each(|(before, now)| put(&mut self.bytes, before, now));
        } else {
            put_u64(&mut self.bytes, changed as u64);
            let mut unchanged = 0;
            for (before, now) in pairs(before, histogram) {
                if before.to_bits() == now.to_bits() {
                    unchanged += 1;
                } else {
                    put_u64(&mut self.bytes, unchanged);
                    put(&mut self.bytes, before, now);
                    unchanged = 0;
                }
            }
        }
        if self.count == 0 {
            self.first_ms = sample.time_ms;
        } else {
            self.step = step;
        }
        self.count = self.count.saturating_add(1);
        self.last_ms = sample.time_ms;
        self.last = Some(sample.histogram.clone());
        self.last_is_whole = is_whole_now;
    }
}

/// What is counted: in all, in the zero bucket, in the buckets.
fn numbers(histogram: &FloatHistogram) -> impl Iterator<Item = f64> + '_ {
    let buckets = histogram.positive.counts().iter().chain(histogram.negative.counts());
    [histogram.count, histogram.zero_count].into_iter().chain(buckets.copied())
}

/// What was counted before with what is counted now; 0 where there was nothing before.
fn pairs<'a>(before: &'a FloatHistogram, now: &'a FloatHistogram) -> impl Iterator<Item = (f64, f64)> + 'a {
    numbers(before).chain(std::iter::repeat(0.0)).zip(numbers(now))
}

fn is_whole(number: f64) -> bool {
    number.trunc() == number && number.abs() <= WHOLE_MAX && !(number == 0.0 && number.is_sign_negative())
}

fn put_difference(out: &mut Vec<u8>, before: f64, now: f64) {
    put_i64(out, now as i64 - before as i64);
}

/// How many bytes are zero at the beginning and at the end, and those between.
fn put_xor(out: &mut Vec<u8>, before: f64, now: f64) {
    let xor = before.to_bits() ^ now.to_bits();
    if xor == 0 {
        return out.push(SAME);
    }
    let (leading, trailing) = (xor.leading_zeros() as usize / 8, xor.trailing_zeros() as usize / 8);
    out.push((leading << 4 | trailing) as u8);
    out.extend_from_slice(xor.to_be_bytes().get(leading..8 - trailing).unwrap_or_default());
}

fn put_layout(out: &mut Vec<u8>, histogram: &FloatHistogram) {
    out.push(histogram.schema as u8);
    out.extend_from_slice(&histogram.zero_threshold.to_bits().to_le_bytes());
    put_u64(out, histogram.custom_values.len() as u64);
    for bound in histogram.custom_values.iter() {
        out.extend_from_slice(&bound.to_bits().to_le_bytes());
    }
    for buckets in [&histogram.positive, &histogram.negative] {
        put_u64(out, buckets.spans().len() as u64);
        for span in buckets.spans() {
            put_i64(out, i64::from(span.offset));
            put_u64(out, u64::from(span.length));
        }
    }
}

/// Reads the samples of a chunk. Damage ends it early.
#[derive(Debug, Clone)]
pub(crate) struct HistogramReader<'a> {
    bytes: Reader<'a>,
    left: u16,
    is_first: bool,
    time_ms: i64,
    step: i64,
    last: FloatHistogram,
}

impl<'a> HistogramReader<'a> {
    pub(crate) fn new(bytes: &'a [u8], count: u16) -> Self {
        let last = FloatHistogram::default();
        Self { bytes: Reader::new(bytes), left: count, is_first: true, time_ms: 0, step: 0, last }
    }

    fn read(&mut self) -> Result<HistogramSample, Damaged> {
        let flags = self.bytes.u8()?;
        if flags & !KNOWN != 0 || (self.is_first && flags & LAYOUT == 0) {
            return Err(Damaged);
        }
        let step = self.step.wrapping_add(self.bytes.i64()?);
        self.time_ms = self.time_ms.wrapping_add(step);
        // The first time is no step of the second.
        self.step = if self.is_first { 0 } else { step };
        self.is_first = false;
        if flags & LAYOUT != 0 {
            self.last = self.layout()?;
        }
        self.last.counter_reset = CounterReset::from_number(flags & HINT).unwrap_or_default();
        self.last.sum = read_xor(&mut self.bytes, self.last.sum)?;
        let is_whole = flags & WHOLE != 0;
        if flags & DENSE != 0 {
            self.dense(is_whole)?
        } else {
            self.sparse(is_whole)?
        }
        Ok(HistogramSample { time_ms: self.time_ms, histogram: Arc::new(self.finished()) })
    }

    fn layout(&mut self) -> Result<FloatHistogram, Damaged> {
        let schema = i8::from_le_bytes(self.bytes.array()?);
        let zero_threshold = f64::from_bits(self.bytes.fixed_u64()?);
        let bounds = self.bytes.count()?;
        let custom_values = self.bytes.column(bounds, |bits| f64::from_bits(u64::from_le_bytes(bits)))?.into();
        let mut histogram = FloatHistogram { schema, zero_threshold, custom_values, ..FloatHistogram::default() };
        histogram.positive = self.empty_buckets()?;
        histogram.negative = self.empty_buckets()?;
        Ok(histogram)
    }

    fn empty_buckets(&mut self) -> Result<Buckets, Damaged> {
        let (mut spans, mut length) = (Vec::new(), 0_usize);
        for _ in 0..self.bytes.count()? {
            let offset = i32::try_from(self.bytes.i64()?).map_err(|_| Damaged)?;
            let span = BucketSpan { offset, length: self.bytes.u32()? };
            length = length.saturating_add(span.length as usize);
            if length > BUCKETS_MAX {
                return Err(Damaged);
            }
            spans.push(span);
        }
        Buckets::from_spans(spans, vec![0.0; length]).map_err(|_| Damaged)
    }

    fn dense(&mut self, is_whole: bool) -> Result<(), Damaged> {
        let Self { bytes, last, .. } = self;
        let FloatHistogram { count, zero_count, positive, negative, .. } = last;
        let buckets = positive.counts_mut().iter_mut().chain(negative.counts_mut());
        for number in [count, zero_count].into_iter().chain(buckets) {
            *number = read_number(bytes, *number, is_whole)?;
        }
        Ok(())
    }

    fn sparse(&mut self, is_whole: bool) -> Result<(), Damaged> {
        let mut place = 0_usize;
        for _ in 0..self.bytes.count()? {
            let unchanged = usize::try_from(self.bytes.u64()?).map_err(|_| Damaged)?;
            place = place.checked_add(unchanged).ok_or(Damaged)?;
            let number = number_at(&mut self.last, place).ok_or(Damaged)?;
            *number = read_number(&mut self.bytes, *number, is_whole)?;
            place += 1;
        }
        Ok(())
    }

    /// The histogram that was read. The next one is told by what differs from it, if there is a next one.
    fn finished(&mut self) -> FloatHistogram {
        if self.left == 0 { std::mem::take(&mut self.last) } else { self.last.clone() }
    }
}

/// The number at a place among those that [`numbers`] gives.
fn number_at(histogram: &mut FloatHistogram, place: usize) -> Option<&mut f64> {
    let positive = histogram.positive.len();
    match place {
        0 => Some(&mut histogram.count),
        1 => Some(&mut histogram.zero_count),
        place if place - 2 < positive => histogram.positive.counts_mut().get_mut(place - 2),
        place => histogram.negative.counts_mut().get_mut(place - 2 - positive),
    }
}

fn read_number(bytes: &mut Reader<'_>, before: f64, is_whole: bool) -> Result<f64, Damaged> {
    if !is_whole {
        return read_xor(bytes, before);
    }
    let now = (before as i64).wrapping_add(bytes.i64()?);
    Ok(now as f64)
}

fn read_xor(bytes: &mut Reader<'_>, before: f64) -> Result<f64, Damaged> {
    let lengths = bytes.u8()?;
    if lengths == SAME {
        return Ok(before);
    }
    let (leading, trailing) = (usize::from(lengths >> 4), usize::from(lengths & 0xf));
    let length = 8_usize.checked_sub(leading + trailing).ok_or(Damaged)?;
    let bits = bytes.take(length)?.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let bits = if trailing < 8 { bits << (8 * trailing) } else { 0 };
    Ok(f64::from_bits(before.to_bits() ^ bits))
}

impl Iterator for HistogramReader<'_> {
    type Item = HistogramSample;

    fn next(&mut self) -> Option<HistogramSample> {
        self.left = self.left.checked_sub(1)?;
        match self.read() {
            Ok(sample) => Some(sample),
            Err(Damaged) => {
                self.left = 0;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
