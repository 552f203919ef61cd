//! What a scrape costs the process: without the host's metrics, with them, and by collector.

use std::time::{Duration, Instant};

use telemetry::Metrics;
use telemetry::metrics::host::Options;

use crate::Row;

const SCRAPES: usize = 2_000;
/// Collectors that are told of, the most expensive first.
const TOLD: usize = 3;

pub fn scrape() -> Vec<Row> {
    let with = |host: bool| {
        let mut metrics = Metrics::new("bench", "0");
        metrics.register_process();
        metrics.register_runtime(&tokio::runtime::Handle::current());
        if host {
            metrics.register_host(Options::default());
        }
        metrics
    };
    let row = |what: &str, metrics: &Metrics| {
        let mut times: Vec<_> = (0..SCRAPES).map(|_| time(metrics)).collect();
        times.sort();
        let (middle, late) = (micros(times[SCRAPES / 2]), micros(times[SCRAPES * 99 / 100]));
        let text = metrics.encode().unwrap();
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        let detail = format!("median of {SCRAPES}, 99 % below {late:.0}; {series} series, {} bytes", text.len());
        Row::new(what, middle, "µs", detail)
    };
    let host = with(true);
    let mut rows =
        vec![row("scrape: process and runtime", &with(false)), row("scrape: process, runtime and host", &host)];
    rows.extend(collectors(&host));
    rows
}

fn time(metrics: &Metrics) -> Duration {
    let begun = Instant::now();
    std::hint::black_box(metrics.encode().unwrap());
    begun.elapsed()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// By what the collectors tell of themselves.
fn collectors(metrics: &Metrics) -> Vec<Row> {
    let scrapes: Vec<Vec<(String, f64)>> = (0..SCRAPES / 10).map(|_| durations(&metrics.encode().unwrap())).collect();
    let mut medians: Vec<_> = (0..scrapes[0].len())
        .map(|collector| {
            let mut times: Vec<_> = scrapes.iter().map(|scrape| scrape[collector].1).collect();
            times.sort_by(f64::total_cmp);
            (times[times.len() / 2] * 1e6, scrapes[0][collector].0.clone())
        })
        .collect();
    medians.sort_by(|one, other| other.0.total_cmp(&one.0));
    let row = |(median, name): (f64, String)| {
        Row::new(format!("scrape: collector {name}"), median, "µs", "reading and parsing")
    };
    medians.into_iter().take(TOLD).map(row).collect()
}

fn durations(text: &str) -> Vec<(String, f64)> {
    let lines =
        text.lines().filter_map(|line| line.strip_prefix("node_scrape_collector_duration_seconds{collector=\""));
    lines
        .map(|line| line.split_once("\"} ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}
