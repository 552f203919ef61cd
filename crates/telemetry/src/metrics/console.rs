//! What a console counts of its own work. It counts for itself; here its counts get their names.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::Metrics;
use crate::names;

/// What a console has counted since it was started, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsoleCounts {
    /// Records taken, by signal: `traces`, `logs`, `metrics`.
    pub ingested: Vec<(&'static str, u64)>,
    /// Records not taken of requests that were, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// Requests, by what became of them.
    pub requests: Vec<(&'static str, u64)>,
    /// Queries, by the API they came to and how they ended.
    pub queries: Vec<(&'static str, &'static str, u64)>,
    /// Evaluations of rules, by how they ended: `ok`, `failed`, `missed`.
    pub rule_evaluations: Vec<(&'static str, u64)>,
    /// Notifications of alerts, by what became of them.
    pub notifications: Vec<(&'static str, u64)>,
    /// Alerts of rules that stand now, by state.
    pub alerts: Vec<(&'static str, u64)>,
    /// Rule files that are not as they have to be.
    pub rule_files_faulty: u64,
    /// Bytes removed to stay within the limits.
    pub evicted_bytes: u64,
    /// Bytes on disk.
    pub store_bytes: u64,
    /// Series that are known.
    pub series: u64,
    /// Whether the disk takes nothing at the moment.
    pub is_in_trouble: bool,
}

impl Metrics {
    /// Exposes a console's counts, read whenever somebody looks. To be called once.
    pub fn register_console(&mut self, read: impl Fn() -> ConsoleCounts + Send + Sync + 'static) {
        self.registry.register_collector(Box::new(Console(Box::new(read))));
    }
}

struct Console(Box<dyn Fn() -> ConsoleCounts + Send + Sync>);

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// A counter with one label.
fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    label: &'static str,
    values: &[(&'static str, u64)],
) -> fmt::Result {
    let kind = ConstCounter::new(0_u64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    values.iter().try_for_each(|(word, count)| {
        let labels = [(label, *word)];
        ConstCounter::new(*count).encode(family.encode_family(&labels)?)
    })
}

/// A counter with two labels.
fn counters_of_two(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    [first, second]: [&'static str; 2],
    values: &[(&'static str, &'static str, u64)],
) -> fmt::Result {
    let kind = ConstCounter::new(0_u64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    values.iter().try_for_each(|(one, other, count)| {
        let labels = [(first, *one), (second, *other)];
        ConstCounter::new(*count).encode(family.encode_family(&labels)?)
    })
}

/// A gauge with one label.
fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    label: &'static str,
    values: &[(&'static str, u64)],
) -> fmt::Result {
    let gauge = |value: u64| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    let mut family = encoder.encode_descriptor(name, help, None, gauge(0).metric_type())?;
    values.iter().try_for_each(|(word, value)| gauge(*value).encode(family.encode_family(&[(label, *word)])?))
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, (name, help): (&str, &str), value: u64) -> fmt::Result {
    let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    gauge.encode(encoder)
}

impl Collector for Console {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counts = (self.0)();
        let encoder = &mut encoder;
        counters(encoder, names::CONSOLE_INGESTED, "signal", &counts.ingested)?;
        counters(encoder, names::CONSOLE_DROPPED, "reason", &counts.dropped)?;
        counters(encoder, names::CONSOLE_REQUESTS, "outcome", &counts.requests)?;
        counters_of_two(encoder, names::CONSOLE_QUERIES, ["api", "outcome"], &counts.queries)?;
        counters(encoder, names::CONSOLE_RULES_EVALUATIONS, "outcome", &counts.rule_evaluations)?;
        counters(encoder, names::CONSOLE_NOTIFICATIONS, "outcome", &counts.notifications)?;
        gauges(encoder, names::CONSOLE_ALERTS, "state", &counts.alerts)?;
        gauge(encoder, names::CONSOLE_RULES_FILES_FAULTY, counts.rule_files_faulty)?;
        let evicted = ConstCounter::new(counts.evicted_bytes);
        let (name, help) = names::CONSOLE_EVICTED;
        evicted.encode(encoder.encode_descriptor(name, help, None, evicted.metric_type())?)?;
        gauge(encoder, names::CONSOLE_STORE_SIZE, counts.store_bytes)?;
        gauge(encoder, names::CONSOLE_STORE_SERIES, counts.series)?;
        gauge(encoder, names::CONSOLE_STORE_TROUBLE, u64::from(counts.is_in_trouble))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_anew_each_time() {
        let mut metrics = Metrics::new("highbeam-console", "1.2.3");
        let reads = std::sync::atomic::AtomicU64::new(0);
        metrics.register_console(move || ConsoleCounts {
            ingested: vec![("traces", reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed))],
            queries: vec![("prometheus", "failed", 3)],
            alerts: vec![("firing", 2)],
            is_in_trouble: true,
            ..ConsoleCounts::default()
        });
        assert!(metrics.encode().unwrap().contains("console_ingested_total{signal=\"traces\"} 0\n"));
        let text = metrics.encode().unwrap();
        assert!(text.contains("console_ingested_total{signal=\"traces\"} 1\n"), "{text}");
        assert!(text.contains("console_store_trouble 1\n"), "{text}");
        assert!(text.contains("console_alerts{state=\"firing\"} 2\n"), "{text}");
        assert!(text.contains("console_queries_total{api=\"prometheus\",outcome=\"failed\"} 3\n"), "{text}");
    }
}
