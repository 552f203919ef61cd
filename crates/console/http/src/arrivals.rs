//! What came in, by service and minute: so that a page can say who sends what right now without asking the
//! store. Counts only, in memory, of this process's life; what is kept is the store's to tell.

use std::sync::{Mutex, PoisonError};

use console_model::{LogBatch, SampleBatch, SpanBatch, StatusCode, Text};
use hashbrown::HashMap;

/// Minutes of the clock that are remembered.
pub const MINUTES_MAX: usize = 180;

/// Services that are counted apart.
pub const SERVICES_MAX: usize = 1_000;

/// What services beyond the bound are counted under: the name that the store has for those beyond its own.
pub const OTHER_SERVICES: &str = "(other services)";

/// Names longer than this are nobody's, and counted with those beyond the bound.
const NAME_BYTES_MAX: usize = 1_024;

/// The last minute is counted in parts of this length.
const PART_MS: i64 = 5_000;
const PARTS: usize = 12;
const MINUTE_MS: i64 = 60_000;

/// How many of each came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Spans.
    pub spans: u64,
    /// Log lines.
    pub lines: u64,
    /// Samples.
    pub samples: u64,
    /// Spans that failed, which are among the spans.
    pub errors: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.spans = self.spans.saturating_add(other.spans);
        self.lines = self.lines.saturating_add(other.lines);
        self.samples = self.samples.saturating_add(other.samples);
        self.errors = self.errors.saturating_add(other.errors);
    }
}

/// What one service sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its name, or [`OTHER_SERVICES`].
    pub service: Text,
    /// Since counting began.
    pub total: Counts,
    /// In the minute up to now, give or take five seconds at its beginning.
    pub last_minute: Counts,
    /// By minute of the clock, oldest first; the last one is not over.
    pub per_minute: Vec<Counts>,
    /// When something last came, milliseconds since the Unix epoch.
    pub last_seen_ms: i64,
}

/// See the module. Shared by all who take something in.
#[derive(Debug, Default)]
pub struct Arrivals {
    services: Mutex<HashMap<Text, Service>>,
}

impl Arrivals {
    /// Counting from nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts spans, by the service of their resource.
    pub fn spans(&self, batch: &SpanBatch, now_ms: i64) {
        let failed = |span: &&console_model::Span| span.status.code == StatusCode::Error;
        self.count(
            now_ms,
            batch.groups.iter().map(|group| {
                let (spans, errors) = (group.spans.len() as u64, group.spans.iter().filter(failed).count() as u64);
                (group.resource.service(), Counts { spans, errors, ..Counts::default() })
            }),
        );
    }

    /// Counts log lines, by the service between which retention is fair.
    pub fn logs(&self, batch: &LogBatch, now_ms: i64) {
        let lines = |group: &console_model::LogGroup| Counts { lines: group.records.len() as u64, ..Counts::default() };
        self.count(now_ms, batch.groups.iter().map(|group| (group.service(), lines(group))));
    }

    /// Counts samples, by the service between which retention is fair.
    pub fn samples(&self, batch: &SampleBatch, now_ms: i64) {
        let samples = |series: &console_model::SeriesSamples| Counts {
            samples: (series.samples.len() + series.histograms.len()) as u64,
            ..Counts::default()
        };
        self.count(now_ms, batch.series.iter().map(|series| (series.service(), samples(series))));
    }

    /// Groups of one service mostly follow each other: they are added up before the lock is taken.
    fn count<'a>(&self, now_ms: i64, parts: impl Iterator<Item = (&'a str, Counts)>) {
        let mut sums: Vec<(&str, Counts)> = Vec::new();
        for (service, counts) in parts {
            match sums.last_mut() {
                Some((last, sum)) if *last == service => sum.add(&counts),
                _ => sums.push((service, counts)),
            }
        }
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        for (service, counts) in sums.iter().filter(|(_, counts)| *counts != Counts::default()) {
            if let Some(known) = services.get_mut(*service) {
                known.add(counts, now_ms);
                continue;
            }
            let is_apart = services.len() < SERVICES_MAX && service.len() <= NAME_BYTES_MAX;
            let name = if is_apart { *service } else { OTHER_SERVICES };
            services.entry(name.into()).or_default().add(counts, now_ms);
        }
    }

    /// What each service sent, by name. `minutes` is how many to give by minute, [`MINUTES_MAX`] at most.
    pub fn activities(&self, now_ms: i64, minutes: usize) -> Vec<Activity> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let mut activities: Vec<Activity> = services
            .iter()
            .map(|(name, service)| Activity {
                service: name.clone(),
                total: service.total,
                last_minute: service.recent.sum(now_ms),
                per_minute: service.minutes.last(now_ms, minutes.min(MINUTES_MAX)),
                last_seen_ms: service.last_seen_ms,
            })
            .collect();
        drop(services);
        activities.sort_unstable_by(|a, b| a.service.cmp(&b.service));
        activities
    }

    /// Whether some services are counted under [`OTHER_SERVICES`].
    pub fn is_truncated(&self) -> bool {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).contains_key(OTHER_SERVICES)
    }
}

#[derive(Debug, Default)]
struct Service {
    total: Counts,
    minutes: Ring<MINUTE_MS, MINUTES_MAX>,
    recent: Ring<PART_MS, PARTS>,
    last_seen_ms: i64,
}

impl Service {
    fn add(&mut self, counts: &Counts, now_ms: i64) {
        self.total.add(counts);
        self.minutes.add(counts, now_ms);
        self.recent.add(counts, now_ms);
        self.last_seen_ms = self.last_seen_ms.max(now_ms);
    }
}

/// Counts of the last `LENGTH` parts of the clock of `PART` milliseconds each.
#[derive(Debug)]
struct Ring<const PART: i64, const LENGTH: usize> {
    /// Made when something first comes.
    counts: Vec<Counts>,
    /// The number of the newest part, counted from the Unix epoch.
    newest: i64,
}

impl<const PART: i64, const LENGTH: usize> Default for Ring<PART, LENGTH> {
    fn default() -> Self {
        Self { counts: Vec::new(), newest: 0 }
    }
}

impl<const PART: i64, const LENGTH: usize> Ring<PART, LENGTH> {
    fn slot(number: i64) -> usize {
        usize::try_from(number.rem_euclid(LENGTH as i64)).unwrap_or(0)
    }

    fn add(&mut self, counts: &Counts, now_ms: i64) {
        let number = now_ms.div_euclid(PART);
        if self.counts.is_empty() {
            self.counts = vec![Counts::default(); LENGTH];
            self.newest = number;
        }
        // A clock that was set back by more than the ring holds begins anew.
        if number.saturating_add(LENGTH as i64) <= self.newest || self.newest.saturating_add(LENGTH as i64) <= number {
            self.counts.fill(Counts::default());
            self.newest = number;
        }
        while self.newest < number {
            self.newest += 1;
            if let Some(slot) = self.counts.get_mut(Self::slot(self.newest)) {
                *slot = Counts::default();
            }
        }
        if let Some(slot) = self.counts.get_mut(Self::slot(number)) {
            slot.add(counts);
        }
    }

    /// The counts of the last so many parts, oldest first, that of now last.
    fn last(&self, now_ms: i64, parts: usize) -> Vec<Counts> {
        let now = now_ms.div_euclid(PART);
        let first = now.saturating_sub(parts as i64).saturating_add(1);
        let is_kept = |number: i64| number <= self.newest && self.newest.saturating_sub(number) < LENGTH as i64;
        (first..=now)
            .map(|number| self.counts.get(Self::slot(number)).filter(|_| is_kept(number)).copied().unwrap_or_default())
            .collect()
    }

    fn sum(&self, now_ms: i64) -> Counts {
        self.last(now_ms, LENGTH).iter().fold(Counts::default(), |mut sum, counts| {
            sum.add(counts);
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use console_model::{
        Attributes, Labels, LogGroup, LogRecord, Resource, Sample, SeriesSamples, Span, SpanGroup, SpanId, TraceId,
    };

    use super::*;

    const NOW_MS: i64 = 1_795_600_800_000;

    fn resource(service: &str) -> Arc<Resource> {
        let mut attributes = Attributes::new();
        attributes.push("service.name", service);
        Arc::new(Resource { attributes, ..Resource::default() })
    }

    fn spans(service: &str, count: usize) -> SpanBatch {
        let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(1).unwrap());
        let mut spans = vec![span.clone(); count];
        span.status.code = StatusCode::Error;
        spans.push(span);
        SpanBatch { groups: vec![SpanGroup { resource: resource(service), scope: Arc::default(), spans }] }
    }

    fn only(arrivals: &Arrivals, now_ms: i64, minutes: usize) -> Activity {
        let mut all = arrivals.activities(now_ms, minutes);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn each_signal_is_counted_under_the_service_that_retention_knows() {
        let arrivals = Arrivals::new();
        arrivals.spans(&spans("api", 4), NOW_MS);
        let stream = Labels::from_pairs([("service_name", "api")]);
        let records = vec![LogRecord::default(); 3];
        let group = LogGroup { stream, resource: resource("else"), scope: Arc::default(), records };
        arrivals.logs(&LogBatch { groups: vec![group] }, NOW_MS + 1);
        let labels = Labels::from_pairs([("__name__", "up"), ("job", "api")]);
        let samples = vec![Sample { time_ms: 0, value: 1.0 }; 2];
        let series = SeriesSamples { labels, samples, histograms: Vec::new(), exemplars: Vec::new() };
        arrivals.samples(&SampleBatch { series: vec![series.clone(), series], metadata: Vec::new() }, NOW_MS + 2);
        let api = only(&arrivals, NOW_MS + 3, 1);
        assert_eq!(api.total, Counts { spans: 5, lines: 3, samples: 4, errors: 1 });
        assert_eq!((api.last_minute, api.per_minute), (api.total, vec![api.total]));
        assert_eq!((api.service.as_str(), api.last_seen_ms), ("api", NOW_MS + 2));
    }

    #[test]
    fn minutes_pass_and_are_forgotten() {
        let arrivals = Arrivals::new();
        for minute in 0..3 {
            arrivals.spans(&spans("api", minute as usize), NOW_MS + minute * MINUTE_MS);
        }
        let by_minute = |now_ms: i64, minutes: usize| -> Vec<u64> {
            only(&arrivals, now_ms, minutes).per_minute.iter().map(|counts| counts.spans).collect()
        };
        assert_eq!(by_minute(NOW_MS + 2 * MINUTE_MS, 4), [0, 1, 2, 3]);
        assert_eq!(by_minute(NOW_MS + 3 * MINUTE_MS, 2), [3, 0]);
        assert_eq!(by_minute(NOW_MS + 182 * MINUTE_MS, 180).iter().sum::<u64>(), 0);
        let later = NOW_MS + 181 * MINUTE_MS;
        arrivals.spans(&spans("api", 9), later);
        let all = only(&arrivals, later, usize::MAX);
        assert_eq!(all.per_minute.len(), MINUTES_MAX);
        assert_eq!(all.per_minute.first().map(|counts| counts.spans), Some(3));
        assert_eq!((all.per_minute.iter().map(|counts| counts.spans).sum::<u64>(), all.total.spans), (13, 16));
    }

    #[test]
    fn the_last_minute_does_not_begin_with_the_clocks() {
        let arrivals = Arrivals::new();
        arrivals.spans(&spans("api", 1), NOW_MS + 58_000);
        assert_eq!(only(&arrivals, NOW_MS + 61_000, 1).last_minute.spans, 2);
        assert_eq!(only(&arrivals, NOW_MS + 61_000, 1).per_minute[0].spans, 0);
        assert_eq!(only(&arrivals, NOW_MS + 118_000, 1).last_minute.spans, 0);
    }

    #[test]
    fn clocks_that_jump_lose_counts_by_minute_and_nothing_else() {
        let arrivals = Arrivals::new();
        for now_ms in [NOW_MS, NOW_MS - 2 * MINUTE_MS, i64::MAX, i64::MIN, 0, NOW_MS] {
            arrivals.spans(&spans("api", 1), now_ms);
            arrivals.activities(now_ms, MINUTES_MAX);
        }
        let api = only(&arrivals, NOW_MS, 180);
        assert_eq!((api.total.spans, api.per_minute[179].spans), (12, 2));
    }

    #[test]
    fn services_without_end_are_counted_together() {
        let arrivals = Arrivals::new();
        for number in 0..SERVICES_MAX {
            arrivals.spans(&spans(&format!("service {number}"), 0), NOW_MS);
        }
        assert!(!arrivals.is_truncated());
        arrivals.spans(&spans("one more", 0), NOW_MS);
        arrivals.spans(&spans("and another", 0), NOW_MS);
        arrivals.spans(&spans(&"long".repeat(1_000), 0), NOW_MS);
        arrivals.spans(&spans("service 7", 0), NOW_MS);
        assert!(arrivals.is_truncated());
        let all = arrivals.activities(NOW_MS, 1);
        assert_eq!(all.len(), SERVICES_MAX + 1);
        let total = |name: &str| all.iter().find(|it| it.service == name).map(|it| it.total.spans);
        assert_eq!((total(OTHER_SERVICES), total("service 7"), total("one more")), (Some(3), Some(2), None));
    }
}
