//! How long a PromQL query takes, and the memory that it leaves behind, beside Prometheus: both are sent the
//! same samples by remote write and asked the same questions in turns, and have to give the same answer.

use std::collections::BTreeMap;
use std::time::Instant;

use super::parties::{Kind, Party, Signal};
use super::protobuf::Writer;
use super::table::{Table, Target};
use super::template::{mix, now_ns};
use crate::client::{Connection, get, post_head};

/// Milliseconds from one scrape to the next.
const STEP_MS: u64 = 15_000;
/// Scrapes of the narrow counters: what an hour's range looks back on, its first window included.
const NARROW_SCRAPES: u64 = 66 * 60_000 / STEP_MS;
/// Scrapes of the many series.
const WIDE_SCRAPES: u64 = 8;
const DAY_MS: u64 = 24 * 60 * 60_000;
const NARROW: u64 = 1_000;
const WIDE: u64 = 100_000;
const ROUTES: u64 = 20;
const BOUNDS: [&str; 12] = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
/// Series in one request.
const BATCH: usize = 10_000;
const TURNS: usize = 7;
/// Answers are the same where no value differs by more, relative to its size.
const TOLERANCE: f64 = 1e-9;

/// Over how long a time and at which step, in seconds; none for an instant.
type Range = Option<(u64, u64)>;

/// What is asked: what it is called, the query, and its range.
const QUERIES: [(&str, &str, Range); 5] = [
    ("sum by (job) (rate), 1,000 series, 1 h at 15 s", "sum by (job) (rate(m[5m]))", Some((3_600, 15))),
    (
        "histogram_quantile by route, 240 series, 24 h at 60 s",
        "histogram_quantile(0.95, sum by (le, route) (rate(request_seconds_bucket[5m])))",
        Some((86_400 - 600, 60)),
    ),
    ("topk of 100,000 series, now", "topk(10, wide)", None),
    ("topk of the rates of 100,000 series, now", "topk(10, sum by (pod) (rate(wide[2m])))", None),
    (
        "regular expressions, 1,000 series, 1 h at 15 s",
        "sum(rate(m{path=~\"/api/v[0-4]/.*\",instance!~\".*[13579]:80\"}[5m]))",
        Some((3_600, 15)),
    ),
];

/// A series: its labels in order of names, and how fast it counts.
struct Series {
    labels: Vec<(&'static str, String)>,
    seed: u64,
}

impl Series {
    /// A counter's value after so many seconds: it grows unevenly, and starts again every few hours.
    fn value(&self, seconds: u64) -> f64 {
        let since = (seconds + self.seed % 10_000) % 20_000;
        (since * (1 + self.seed % 7) + mix(self.seed ^ seconds) % (1 + self.seed % 7)) as f64
    }
}

pub async fn beside_prometheus(table: &mut Table) {
    let end_ms = now_ns() / 1_000_000 / STEP_MS * STEP_MS;
    let kinds: Vec<Kind> = [Kind::Console, Kind::Prometheus].into_iter().filter(|kind| kind.is_there()).collect();
    let mut parties = Vec::new();
    for kind in kinds {
        let party = kind.start().await;
        let begun = Instant::now();
        let sent = load(&party, end_ms).await;
        // Prometheus counts what it has appended a moment later.
        let stored = party.stored(Signal::Samples).await;
        eprintln!("promql: {} has {stored} of {sent} samples, {:.1} s", kind.name(), begun.elapsed().as_secs_f64());
        table.figure("memory with the samples loaded", "MiB RSS", Target::None).add(kind, party.resident_mib());
        parties.push(party);
    }
    for (what, query, range) in QUERIES {
        let path = path(query, range, end_ms / 1_000);
        let mut answers = Vec::new();
        for turn in 0..=TURNS {
            for party in &parties {
                let (took_ms, body) = ask(party, &path).await;
                if turn == 0 {
                    // The first is for warming up, and for looking at.
                    answers.push(values(&body));
                } else {
                    table.figure(what, "ms", Target::NotAbove(Kind::Prometheus)).add(party.kind, took_ms);
                }
            }
        }
        let told = match answers.as_slice() {
            [own, theirs] if same(query, own, theirs) => {
                format!("same answer, {} values", own.values().map(Vec::len).sum::<usize>())
            }
            [own, theirs] => format!("ANSWERS DIFFER: {} and {} series", own.len(), theirs.len()),
            _ => "nobody to compare with".to_owned(),
        };
        table.figure(what, "ms", Target::NotAbove(Kind::Prometheus)).note("answer", told);
    }
    for party in &parties {
        table.figure("memory after the queries", "MiB RSS", Target::None).add(party.kind, party.resident_mib());
    }
}

/// Sends everything in order of time, for that is how Prometheus takes it. Gives the number of samples.
async fn load(party: &Party, end_ms: u64) -> u64 {
    let (narrow, buckets, wide) = (narrow(), buckets(), wide());
    let mut connection = Connection::open(party.query).await.unwrap();
    let mut sent = 0;
    for scrape in (0..=DAY_MS / STEP_MS).rev() {
        let time_ms = end_ms - scrape * STEP_MS;
        let mut due: Vec<&Series> = Vec::new();
        if scrape.is_multiple_of(4) {
            due.extend(&buckets);
        }
        if scrape < NARROW_SCRAPES {
            due.extend(&narrow);
        }
        if scrape < WIDE_SCRAPES {
            due.extend(&wide);
        }
        for batch in due.chunks(BATCH) {
            let answer = connection.send(&request(batch, time_ms)).await.unwrap();
            assert!(
                (200..300).contains(&answer.status),
                "{}: {} {}",
                party.kind.name(),
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
            sent += batch.len() as u64;
        }
    }
    sent
}

fn narrow() -> Vec<Series> {
    let series = |number: u64| Series {
        labels: vec![
            ("__name__", "m".to_owned()),
            ("instance", format!("10.0.0.{}:80", number % 100)),
            ("job", format!("job-{}", number % 10)),
            ("path", format!("/api/v{}/things/{number}", number % 7)),
        ],
        seed: mix(number),
    };
    (0..NARROW).map(series).collect()
}

/// Histograms whose buckets hold what those below them hold.
fn buckets() -> Vec<Series> {
    let of_route = |route: u64| {
        BOUNDS.iter().enumerate().map(move |(index, bound)| Series {
            labels: vec![
                ("__name__", "request_seconds_bucket".to_owned()),
                ("job", "api".to_owned()),
                ("le", (*bound).to_owned()),
                ("route", format!("/api/orders/{route}")),
            ],
            // The same time of starting again, and a rate that grows with the bound.
            seed: route * 70_000 + (index as u64 / 2).min(6),
        })
    };
    (0..ROUTES).flat_map(of_route).collect()
}

fn wide() -> Vec<Series> {
    let series = |number: u64| Series {
        labels: vec![
            ("__name__", "wide".to_owned()),
            ("container", format!("container-{}", number % 5)),
            ("job", format!("job-{}", number % 20)),
            ("pod", format!("pod-{}", number / 5)),
        ],
        seed: mix(number << 20),
    };
    (0..WIDE).map(series).collect()
}

fn request(batch: &[&Series], time_ms: u64) -> Vec<u8> {
    let mut body = Vec::new();
    for series in batch {
        Writer::new(&mut body).message(1, |message| {
            for (name, value) in &series.labels {
                message.message(1, |label| {
                    label.text(1, name);
                    label.text(2, value);
                });
            }
            message.message(2, |sample| {
                sample.double(1, series.value(time_ms / 1_000));
                sample.varint(2, time_ms);
            });
        });
    }
    let body = snap::raw::Encoder::new().compress_vec(&body).unwrap();
    let headers = "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n\
                   x-prometheus-remote-write-version: 0.1.0\r\n";
    let mut request = post_head("/prometheus/api/v1/write", headers, body.len());
    request.extend_from_slice(&body);
    request
}

fn path(query: &str, range: Range, end: u64) -> String {
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    match range {
        Some((length, step)) => {
            format!("/prometheus/api/v1/query_range?query={query}&start={}&end={end}&step={step}", end - length)
        }
        None => format!("/prometheus/api/v1/query?query={query}&time={end}"),
    }
}

async fn ask(party: &Party, path: &str) -> (f64, Vec<u8>) {
    let mut connection = Connection::open(party.query).await.unwrap();
    let asked = Instant::now();
    let answer = connection.send(&get(path)).await.unwrap();
    let took_ms = asked.elapsed().as_secs_f64() * 1_000.0;
    let text = || String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
    assert_eq!(answer.status, 200, "{}: {}", party.kind.name(), text());
    (took_ms, answer.body)
}

type Values = BTreeMap<String, Vec<(f64, f64)>>;

/// Times and values by series.
fn values(body: &[u8]) -> Values {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let result = answer.pointer("/data/result").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let point =
        |point: &serde_json::Value| Some((point.get(0)?.as_f64()?, point.get(1)?.as_str()?.parse::<f64>().ok()?));
    let series = |series: &serde_json::Value| {
        let several = series.get("values").and_then(serde_json::Value::as_array);
        let points = match several {
            Some(points) => points.iter().filter_map(point).collect(),
            None => series.get("value").and_then(point).into_iter().collect(),
        };
        (series["metric"].to_string(), points)
    };
    result.iter().map(series).collect()
}

fn same(query: &str, own: &Values, theirs: &Values) -> bool {
    let close =
        |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs());
    let points = |own: &[(f64, f64)], theirs: &[(f64, f64)]| {
        own.len() == theirs.len() && own.iter().zip(theirs).all(|(a, b)| close(a.0, b.0) && close(a.1, b.1))
    };
    let least = |values: &Values| values.values().flatten().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    // Of those that are equally the last among the first, anyone may be chosen.
    let is_last =
        |values: &[(f64, f64)]| query.starts_with("topk(") && values.iter().all(|(_, v)| close(*v, least(own)));
    let same_named = |(name, values): (&String, &Vec<(f64, f64)>)| {
        is_last(values) || theirs.get(name).is_some_and(|other| points(values, other))
    };
    !own.is_empty() && own.len() == theirs.len() && close(least(own), least(theirs)) && own.iter().all(same_named)
}
