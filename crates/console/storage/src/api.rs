//! What callers do with a store: hand in batches, read, pin.

use console_model::{Exemplar, Labels, LogBatch, MetricMetadata, SampleBatch, SpanBatch, Text, TraceId};

use crate::error::{IngestError, ReadError};
use crate::logs::{Direction, LogBlocks, LogLines, LogQuery};
use crate::matcher::Matcher;
use crate::metrics::{Depth, SampleOutcome, SelectLimits, SelectedSeries};
use crate::shelf::Left;
use crate::store::{Oldest, Store};
use crate::traces::{Operation, SpanHead, Trace, TraceOutline, TraceQuery};

impl Store {
    /// Takes spans, and tells what it left out. On return they are found by readers; on disk they are within the
    /// flush interval.
    pub fn ingest_spans(&self, batch: &SpanBatch) -> Result<Left, IngestError> {
        let inner = self.inner();
        let now_ms = inner.now_ms();
        let result = inner.traces.ingest(batch, now_ms, inner.options.cutoff_ms(now_ms));
        inner.counters.change(|counts| match &result {
            Ok(left) => {
                counts.spans += batch.len() as u64 - left.too_old - left.too_large;
                counts.spans_too_old += left.too_old;
                counts.spans_too_large += left.too_large;
            }
            Err(_) => counts.batches_refused += 1,
        });
        inner.make_room();
        result
    }

    /// Takes log records, and tells what it left out. On return they are found by readers; on disk they are within
    /// the flush interval.
    pub fn ingest_logs(&self, batch: &LogBatch) -> Result<Left, IngestError> {
        let inner = self.inner();
        let now_ms = inner.now_ms();
        let result = inner.logs.ingest(batch, now_ms, inner.options.cutoff_ms(now_ms));
        inner.counters.change(|counts| match &result {
            Ok(taken) => {
                counts.log_records += batch.len() as u64 - taken.left.too_old - taken.left.too_large;
                counts.log_records_too_old += taken.left.too_old;
                counts.log_records_too_large += taken.left.too_large;
                counts.log_records_merged += taken.merged;
            }
            Err(_) => counts.batches_refused += 1,
        });
        inner.make_room();
        result.map(|taken| taken.left)
    }

    /// Takes samples, and tells which were not taken. On return they are found by readers; on disk they are
    /// within the flush interval.
    pub fn ingest_samples(&self, batch: &SampleBatch) -> Result<SampleOutcome, IngestError> {
        let inner = self.inner();
        let result = inner.metrics.ingest(batch, inner.now_ms());
        inner.counters.change(|counts| match &result {
            Ok(outcome) => {
                counts.samples += outcome.accepted;
                counts.samples_repeated += outcome.repeated;
                counts.samples_duplicate += outcome.duplicate;
                counts.samples_out_of_order += outcome.out_of_order;
                counts.samples_too_old += outcome.too_old;
                counts.samples_over_series_limit += outcome.over_series_limit;
                counts.samples_invalid += outcome.invalid;
            }
            Err(_) => counts.batches_refused += 1,
        });
        inner.make_room();
        result
    }

    /// A trace, as far as it is kept. One of which nothing is kept has no spans.
    pub fn trace(&self, id: TraceId) -> Result<Trace, ReadError> {
        Ok(self.inner().traces.traces(&[id])?.pop().unwrap_or_default())
    }

    /// Many at a time, in the order of the ids, of which none may be there twice: each block is read once for all of
    /// them. Whoever asks bounds what that may be.
    pub fn traces(&self, ids: &[TraceId]) -> Result<Vec<Trace>, ReadError> {
        self.inner().traces.traces(ids)
    }

    /// Traces without their details, in the order of the ids, of which none may be there twice. Each block is read once for all of them, so to ask for
    /// many at a time is faster; what is given back is bounded by [`TRACE_SPANS_MAX`](crate::TRACE_SPANS_MAX) spans
    /// of each.
    pub fn trace_outlines(&self, ids: &[TraceId]) -> Result<Vec<TraceOutline>, ReadError> {
        self.inner().traces.outlines(ids)
    }

    /// The ids of traces that match, those with the newest matching span first.
    pub fn search_traces(&self, query: &TraceQuery) -> Result<Vec<TraceId>, ReadError> {
        self.inner().traces.search(query)
    }

    /// The services that have spans, sorted.
    pub fn trace_services(&self) -> Vec<Text> {
        self.inner().traces.services()
    }

    /// The operations of a service, sorted. With more than 4,096 in one segment, some are missing.
    pub fn operations(&self, service: &str) -> Vec<Operation> {
        self.inner().traces.operations(service)
    }

    /// Shows the head of each span that started in `from_ns..=to_ns`, in no order, until `see` gives `false`.
    pub fn span_heads(
        &self,
        from_ns: u64,
        to_ns: u64,
        mut see: impl FnMut(&SpanHead<'_>) -> bool,
    ) -> Result<(), ReadError> {
        self.inner().traces.heads(from_ns, to_ns, &mut see)
    }

    /// Keeps a trace when its segments are removed, until whoever pins it, by any name, lets go; kept over a
    /// restart, and on disk within the flush interval. To pin again what is pinned changes nothing. There are
    /// 10,000 pins at most, the oldest gives way, as does what is pinned beyond a 16th of the limit of bytes.
    pub fn pin(&self, by: &str, id: TraceId) {
        self.inner().pins.add(by, id);
    }

    /// Lets go of everything that was pinned by that name.
    pub fn unpin(&self, by: &str) {
        self.inner().pins.release(by);
    }

    /// Who pins what, oldest first; what exemplars pin is not among it.
    pub fn pins(&self) -> Vec<(Text, TraceId)> {
        self.inner().pins.all()
    }

    /// Selected lines in order of time.
    pub fn log_lines(&self, query: LogQuery, direction: Direction) -> Result<LogLines, ReadError> {
        self.inner().logs.lines(query, direction)
    }

    /// Selected lines block by block, for those who count and do not care for the order of lines of different
    /// blocks. Blocks come in order of their first line in the direction.
    pub fn log_blocks(&self, query: LogQuery, direction: Direction) -> Result<LogBlocks, ReadError> {
        self.inner().logs.blocks(query, direction)
    }

    /// The streams that matchers select and that may have lines in the time, sorted.
    pub fn log_streams(&self, matchers: &[Matcher], from_ns: u64, to_ns: u64) -> Vec<Labels> {
        self.inner().logs.streams(matchers, from_ns, to_ns)
    }

    /// The series that matchers select and that have samples in `from_ms..=to_ms`, sorted by labels, with
    /// their samples. More than `series_max` are an error.
    pub fn select_series(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        series_max: usize,
    ) -> Result<Vec<SelectedSeries>, ReadError> {
        self.inner().metrics.select(matchers, from_ms, to_ms, Depth::All, &SelectLimits::series(series_max))
    }

    /// The same within other bounds.
    pub fn select_series_within(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        limits: &SelectLimits<'_>,
    ) -> Result<Vec<SelectedSeries>, ReadError> {
        self.inner().metrics.select(matchers, from_ms, to_ms, Depth::All, limits)
    }

    /// The same for those who look at nothing but each series' newest sample in the time. That is known without
    /// reading where the time reaches up to it; otherwise the series has all its samples of the time.
    pub fn select_newest_within(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        limits: &SelectLimits<'_>,
    ) -> Result<Vec<SelectedSeries>, ReadError> {
        self.inner().metrics.select(matchers, from_ms, to_ms, Depth::Newest, limits)
    }

    /// The labels of the series that matchers select and that may have samples in the time, sorted.
    pub fn series_labels(&self, matchers: &[Matcher], from_ms: i64, to_ms: i64) -> Vec<Labels> {
        self.inner().metrics.series_labels(matchers, from_ms, to_ms)
    }

    /// How many series there are.
    pub fn series_count(&self) -> usize {
        self.inner().metrics.series_count()
    }

    /// Exemplars of the selected series, by series, oldest first.
    pub fn exemplars(&self, matchers: &[Matcher], from_ms: i64, to_ms: i64) -> Vec<(Labels, Vec<Exemplar>)> {
        self.inner().metrics.exemplars(matchers, from_ms, to_ms)
    }

    /// What is known of metrics, by name.
    pub fn metric_metadata(&self) -> Vec<MetricMetadata> {
        self.inner().metrics.metadata()
    }

    /// The oldest that is kept of each signal. Reads no file.
    pub fn oldest(&self) -> Oldest {
        let inner = self.inner();
        Oldest {
            spans_ns: inner.traces.shelf.oldest_ns().into_iter().chain(inner.traces.pinned.oldest_ns()).min(),
            log_records_ns: inner.logs.shelf.oldest_ns(),
            samples_ns: inner.metrics.oldest_ns(),
        }
    }

    /// Bytes by service, all signals together, the largest first: those of blocks as they are on disk, and those of
    /// what is in no block yet as they are in memory, which is more than they will take.
    pub fn usage(&self) -> Vec<(Text, u64)> {
        let inner = self.inner();
        let shelves = [
            inner.traces.shelf.usage(),
            inner.traces.shelf.open_usage(),
            inner.traces.pinned.usage(),
            inner.traces.pinned.open_usage(),
            inner.logs.shelf.usage(),
            inner.logs.shelf.open_usage(),
            inner.metrics.shelf.usage(),
            inner.metrics.open_usage(),
        ];
        let mut by_service = std::collections::BTreeMap::<Text, u64>::new();
        for (service, bytes) in shelves.into_iter().flatten() {
            *by_service.entry(service.as_ref().into()).or_insert(0) += bytes;
        }
        let mut usage: Vec<(Text, u64)> = by_service.into_iter().collect();
        usage.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        usage
    }
}
