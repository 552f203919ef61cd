//! Label values without end, and numbers that are none.

use prost::Message;
use serde_json::json;

use super::subject::{Subject, now_ns};
use crate::console::made::{JSON, PROTOBUF, SNAPPY, gauge, point, series_v1, snappy};

/// What one service may have.
const OF_ONE_SERVICE: u64 = 200_000;

#[test]
#[ignore = "takes long: make test-load"]
fn a_million_label_values_in_one_metric_stop_at_the_bound_and_are_told() {
    let subject = Subject::start();
    let now = now_ns();
    let mut rejected = 0;
    for part in 0..10_u64 {
        let point = |number: u64| point(number as f64, now, &[("user", &number.to_string())]);
        let points = (part * 100_000..(part + 1) * 100_000).map(point).collect();
        let request = gauge("crowded", "logins", points).encode_to_vec();
        let (count, told) = subject.rejected("/v1/metrics", &request);
        assert!(count == 0 || told.contains("series beyond the console's limit"), "{told}");
        rejected += count;
    }
    assert!((1_000_000 - OF_ONE_SERVICE as i64..=1_000_000).contains(&rejected), "{rejected}");
    // Another service has its own room, and what is wrong is said where people look.
    let other = gauge("quiet", "logins", vec![point(1.0, now, &[])]).encode_to_vec();
    assert_eq!(subject.rejected("/v1/metrics", &other), (0, String::new()));
    let overview = subject.within(|| subject.console.fetch("/api/overview").expect(200).json());
    let dropped = overview["dropped"].to_string();
    assert!(dropped.contains("samples of series beyond the bound on series"), "{dropped}");
    let export = subject.console.fetch("/api/export?signal=metrics&service=crowded").expect(400).text();
    assert!(export.contains("20000") && export.contains("narrow"), "{export}");
    subject.end("a million label values");
}

#[test]
#[ignore = "takes long: make test-load"]
fn a_million_series_of_many_services_are_taken_and_the_next_is_not() {
    let subject = Subject::start();
    let now_ms = i64::try_from(now_ns() / 1_000_000).unwrap();
    let mut refused = 0;
    for service in 0..6 {
        let job = format!("service {service}");
        for part in 0..4 {
            let mut body = crate::console::made::Wire::default();
            for number in part * 50_000..(part + 1) * 50_000 {
                let number = number.to_string();
                let labels = [("__name__", "requests_total"), ("instance", &*number), ("job", &*job)];
                body = body.message(1, &series_v1(&labels, &[(1.0, now_ms)]));
            }
            let headers = [PROTOBUF, SNAPPY];
            let reply = subject.post("/prometheus/api/v1/write", &headers, &snappy(&body.0));
            assert!(matches!(reply.status, 204 | 400), "{}", reply.text());
            refused += u32::from(reply.status == 400);
            assert!(
                reply.status == 204 || reply.text().contains("series beyond the console's limit"),
                "{}",
                reply.text()
            );
        }
    }
    // The console's own series are among the million, so the last of the fifth service may not be.
    assert!((4..=5).contains(&refused), "{refused} of 24 refused; of 1.2 million there is room for a million");
    println!("RSS with a million series: {} MB", subject.console.resident() / 1_000_000);
    // A kilobyte for each series, in tables that grow by doubling.
    subject.end_within("a million series", 1_300_000_000);
}

#[test]
#[ignore = "takes long: make test-load"]
fn numbers_that_are_none_come_back_to_the_bit() {
    let subject = Subject::start_with(&[("RETENTION_AGE", "0")]);
    let now = now_ns();
    let values = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        f64::MIN_POSITIVE / 2.0,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
    ];
    let points = (1..).zip(values).map(|(step, value)| point(value, now + step * 1_000_000_000, &[])).collect();
    let request = gauge("odd", "odd", points).encode_to_vec();
    assert_eq!(subject.rejected("/v1/metrics", &request), (0, String::new()));
    let found = subject.console.export("signal=metrics&service=odd").to_string();
    let other = Subject::start_with(&[("RETENTION_AGE", "0")]);
    let reply = other.post("/api/import", &[JSON], found.as_bytes()).expect(200);
    assert_eq!(reply.json()["rejected"], 0, "what went out comes in again: {}", reply.text());
    let again = other.console.export("signal=metrics&service=odd").to_string();
    assert!(again == found, "and out again as it was");
    other.end("numbers imported");
    for text in ["NaN", "\"Infinity\"", "\"-Infinity\"", "1.7976931348623157e+308"] {
        assert!(found.contains(text), "{text} is not in: {found}");
    }
    assert!(found.contains("-0"), "{found}");
    // The ends of time, and JSON's own ways to write what is no number.
    for (number, value) in
        [json!("NaN"), json!("-Infinity"), json!("Infinity"), json!(-0.0), json!(1e308)].iter().enumerate()
    {
        for time in [0, 1, u64::MAX] {
            let point = json!({"timeUnixNano": time.to_string(), "asDouble": value});
            let metric = json!({"name": format!("json_{number}_{time}"), "gauge": {"dataPoints": [point]}});
            let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).to_string();
            subject.post("/v1/metrics", &[JSON], body.as_bytes()).expect(200);
        }
    }
    for bad in [r#""nan""#, r#""inf""#, r#""0x10""#, r#""""#, "true", "{}", "1e999"] {
        let body = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"x","gauge":{{"dataPoints":[{{"timeUnixNano":"1","asDouble":{bad}}}]}}}}]}}]}}]}}"#
        );
        let reply = subject.post("/v1/metrics", &[JSON], body.as_bytes());
        println!("asDouble {bad}: {} {}", reply.status, reply.text());
        assert!(
            reply.status == 400 || reply.text().contains("rejectedDataPoints") || bad == "1e999",
            "{bad}: {}",
            reply.text()
        );
    }
    subject.console.fetch("/api/overview").expect(200);
    subject.console.fetch("/metrics").expect(200);
    subject.end("numbers");
}
