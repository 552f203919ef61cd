//! Prometheus' API: what was written comes back by query, Grafana's requests in its forms, and queries that are
//! meant to hurt keep nobody else waiting.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use eventsourcing::Clock as _;
use serde_json::{Value, json};

use super::made::{PROTOBUF, SNAPPY, Wire, series_v1, snappy};
use crate::support::{Reply, Service, wait_for};

const API: &str = "/prometheus/api/v1";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn now_ms() -> i64 {
    eventsourcing::clock::System.now().as_millisecond()
}

/// Letters, digits and a few others stay; all else is escaped.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect::<Vec<_>>().join("&")
}

fn get(console: &Service, path: &str, pairs: &[(&str, &str)]) -> Reply {
    console.fetch(&format!("{API}/{path}?{}", form(pairs)))
}

fn post(console: &Service, path: &str, pairs: &[(&str, &str)]) -> Reply {
    console.post_bytes(&format!("{API}/{path}"), &[FORM], form(pairs).as_bytes())
}

/// A minute of a counter at each of `count` series, the last sample now.
fn write(console: &Service, name: &str, count: usize) -> i64 {
    let now = now_ms();
    let mut request = Wire::default();
    for number in 0..count {
        let number = number.to_string();
        let samples: Vec<(f64, i64)> =
            (0..5_i32).map(|at| (f64::from(at) * 30.0, now - 60_000 + i64::from(at) * 15_000)).collect();
        request =
            request.message(1, &series_v1(&[("__name__", name), ("job", "writer"), ("number", &number)], &samples));
    }
    console.post_bytes("/prometheus/api/v1/write", &[PROTOBUF, SNAPPY], &snappy(&request.0)).expect(204);
    now
}

#[test]
fn what_was_written_is_there_to_be_queried() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = write(&console, "boxes_total", 3);
    let time = format!("{}.{:03}", now / 1_000, now % 1_000);
    let answer =
        get(&console, "query", &[("query", "sum by (job) (rate(boxes_total[1m]))"), ("time", &time)]).expect(200);
    let result = &answer.json()["data"]["result"];
    assert_eq!(result[0]["metric"], json!({ "job": "writer" }), "{result}");
    let rate: f64 = result[0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!((rate - 6.0).abs() < 1e-9, "{rate}");
    let start = ((now - 60_000) / 1_000).to_string();
    let times = [("start", start.as_str()), ("end", time.as_str()), ("step", "15s")];
    let range =
        post(&console, "query_range", &[&[("query", "boxes_total{number=\"1\"}")][..], &times].concat()).expect(200);
    assert_eq!(range.json()["data"]["resultType"], "matrix");
    let names = get(&console, "label/__name__/values", &[("match[]", "{job=\"writer\"}")]).expect(200);
    assert_eq!(names.json()["data"], json!(["boxes_total"]));
    let wrong = get(&console, "query", &[("query", "sum(")]).expect(400);
    assert_eq!(
        (wrong.json()["status"].as_str(), wrong.json()["errorType"].as_str()),
        (Some("error"), Some("bad_data"))
    );
    let metrics = console.get("/metrics").expect(200).body;
    for (outcome, count) in [("answered", 2), ("malformed", 1)] {
        let line = format!("console_queries_total{{api=\"prometheus\",outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line} is not in {metrics}");
    }
}

#[test]
fn grafana_s_requests_get_what_grafana_looks_for() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = write(&console, "boxes_total", 2);
    // "Save & test".
    let saved = post(&console, "query", &[("query", "1+1"), ("time", "4")]).expect(200);
    assert_eq!(saved.json()["data"], json!({ "resultType": "scalar", "result": [4, "2"] }));
    let build = console.fetch(&format!("{API}/status/buildinfo")).expect(200).json();
    assert!(build["data"]["version"].as_str().unwrap().starts_with("3.5.0"), "{build}");
    assert!(build["data"].get("features").is_none(), "or it is taken for Mimir: {build}");
    // A panel: whole steps, bare seconds.
    let (start, end) = ((now / 15_000 * 15 - 60).to_string(), (now / 15_000 * 15).to_string());
    let panel = [("query", "boxes_total"), ("start", &start), ("end", &end), ("step", "15")];
    let panel = post(&console, "query_range", &panel).expect(200).json();
    assert_eq!(panel["data"]["result"].as_array().unwrap().len(), 2, "{panel}");
    // Exemplars, and the probe whether there are any, in milliseconds.
    let (start_ms, end_ms) = ((now - 60_000).to_string(), now.to_string());
    let probe = get(&console, "query_exemplars", &[("query", "test"), ("start", &start_ms), ("end", &end_ms)]);
    assert_eq!(probe.expect(200).json()["status"], "success");
    let window = [("start", start.as_str()), ("end", end.as_str()), ("limit", "40000")];
    let labels = post(&console, "labels", &window).expect(200).json();
    assert_eq!(labels["data"].as_array().unwrap().first(), Some(&json!("__name__")), "{labels}");
    let names = [&window[..], &[("match[]", "{__name__=~\".*boxes.*\"}")]].concat();
    let names = get(&console, "label/__name__/values", &names).expect(200).json();
    assert_eq!(names["data"], json!(["boxes_total"]));
    let series = [&window[..], &[("match[]", "{__name__!=\"\",job=\"writer\"}")]].concat();
    assert_eq!(post(&console, "series", &series).expect(200).json()["data"].as_array().unwrap().len(), 2);
    let metadata = get(&console, "metadata", &[("limit", "40000")]).expect(200).json();
    assert_eq!(metadata["status"], "success");
    for path in ["targets", "status/flags", "status/config", "status/runtimeinfo", "status/tsdb", "notifications"] {
        assert_eq!(console.fetch(&format!("{API}/{path}")).expect(200).json()["status"], "success", "{path}");
    }
    // What it asks by GET where a POST was refused.
    assert_eq!(post(&console, "metadata", &[]).expect(405).header("allow"), Some("GET, OPTIONS"));
}

#[test]
fn what_is_scraped_is_among_the_targets() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &["--scrape-interval", "1s"]);
    let target = wait_for(|| {
        let targets = console.fetch(&format!("{API}/targets?state=active")).expect(200).json();
        targets["data"]["activeTargets"].as_array().unwrap().iter().find(|target| target["health"] == "up").cloned()
    });
    assert_eq!((&target["lastError"], &target["scrapeInterval"]), (&json!(""), &json!("1s")), "{target}");
    assert_eq!(target["labels"]["job"], target["scrapePool"], "{target}");
    assert!(target["lastScrapeDuration"].as_f64().unwrap() > 0.0, "{target}");
    let metadata = wait_for(|| {
        let reply = get(&console, "targets/metadata", &[("metric", "console_store_size_bytes")]).expect(200).json();
        reply["data"][0].is_object().then_some(reply)
    });
    assert_eq!(metadata["data"][0]["type"], "gauge", "{metadata}");
}

/// The kind of the error, which has come within `limit`.
fn refused(begun: Instant, limit: Duration, reply: &Reply) -> Value {
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    let json = reply.json();
    assert_eq!(json["status"], "error", "{}", &reply.text()[..200]);
    json["errorType"].clone()
}

#[test]
fn queries_that_are_meant_to_hurt_end_in_time_and_keep_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    for part in 0..5 {
        write(&console, &format!("many_{part}"), 1_000);
    }
    let (end, start) = ((now_ms() / 1_000).to_string(), (now_ms() / 1_000 - 11_000).to_string());
    let window = [("start", start.as_str()), ("end", end.as_str()), ("step", "1")];
    let nested = |open: &str, close: &str, depth: usize| format!("{}up{}", open.repeat(depth), close.repeat(depth));
    let limit = Duration::from_secs(30);
    for (query, kind) in [
        (nested("(", ")", 100_000), "bad_data"),
        (nested("-", "", 100_000), "bad_data"),
        (nested("abs(", ")", 20_000), "bad_data"),
        (nested("{", "}", 10_000), "bad_data"),
        (r#"up{a=~"((((a{100}){100}){100}){100})"}"#.to_owned(), "bad_data"),
        ("many_0 + ".repeat(50_000) + "1", "bad_data"),
        // 5,000 series at 11,001 steps.
        (r#"{__name__=~"many_.+"}"#.to_owned(), "execution"),
        (r#"sum_over_time({__name__=~".+"}[1h:1s])"#.to_owned(), "execution"),
    ] {
        let begun = Instant::now();
        let reply = post(&console, "query_range", &[&[("query", query.as_str())][..], &window].concat());
        assert_eq!(refused(begun, limit, &reply), kind, "{}", &query[..query.len().min(60)]);
    }
    // As many as are evaluated at a time, and more, of what takes long: others answer meanwhile.
    let slow = form(
        &[&[("query", r#"sum(max_over_time({__name__=~"many_.+"}[1h:1s]))"#), ("timeout", "3s")][..], &window].concat(),
    );
    let asked: Vec<TcpStream> = (0..6).map(|_| ask_and_leave_open(&console, &slow)).collect();
    std::thread::sleep(Duration::from_millis(300));
    for path in
        ["/livez", "/prometheus/-/ready", &format!("{API}/label/job/values"), &format!("{API}/status/buildinfo")]
    {
        let begun = Instant::now();
        console.fetch(path).expect(200);
        assert!(begun.elapsed() < Duration::from_secs(3), "{path} took {:?}", begun.elapsed());
    }
    // Three stay, and are told; the others leave, and their queries end.
    for (number, mut stream) in asked.into_iter().enumerate() {
        if number < 3 {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(
                answer.contains("\"errorType\":\"timeout\"") || answer.contains("\"errorType\":\"execution\""),
                "{answer}"
            );
        }
    }
    let begun = Instant::now();
    assert_eq!(get(&console, "query", &[("query", "count({job=\"writer\"})")]).expect(200).json()["status"], "success");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(console.resident_max() < 900 << 20, "{}", console.resident_max());
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// Sends a range query and does not wait for its answer.
fn ask_and_leave_open(console: &Service, form: &str) -> TcpStream {
    let host = console.address("console").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST {API}/query_range HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        FORM.1,
        form.len()
    );
    stream.write_all(format!("{head}{form}").as_bytes()).unwrap();
    stream
}
