//! Rules, alerts and silences of the running program: what senders bring makes an alert fire, whoever has to be
//! is told, and what was silenced stays so over a restart.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use eventsourcing::Clock as _;
use serde_json::{Value, json};

use super::made::{JSON, PROTOBUF, SNAPPY, Wire, series_v1, snappy};
use crate::support::{Service, log_lines, wait_for};

const RULES: &str = "\
groups:
  - name: shop
    interval: 1s
    rules:
      - {record: 'job:up:min', expr: min by (job) (up)}
      - alert: ShopDown
        expr: 'job:up:min{job=\"shop\"} == 0'
        for: 1s
        labels: {severity: page}
        annotations: {summary: '{{ $labels.job }} is down, {{ $value }}'}
";

fn now_ms() -> i64 {
    eventsourcing::clock::System.now().as_millisecond()
}

/// Says that the shop is up, or not.
fn send(console: &Service, value: f64) {
    let series = series_v1(&[("__name__", "up"), ("job", "shop"), ("instance", "one")], &[(value, now_ms())]);
    let body = snappy(&Wire::default().message(1, &series).0);
    console.post_bytes("/prometheus/api/v1/write", &[PROTOBUF, SNAPPY], &body).expect(204);
}

/// A receiver of webhooks: what it was told, and where it is.
fn receiver() -> (Arc<Mutex<Vec<Value>>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut text, mut bytes) = (Vec::new(), [0; 65_536]);
            let body = loop {
                let count = stream.read(&mut bytes).unwrap_or(0);
                text.extend_from_slice(&bytes[..count]);
                let whole = String::from_utf8_lossy(&text).into_owned();
                if let Some((head, body)) = whole.split_once("\r\n\r\n") {
                    let length = head
                        .lines()
                        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                    if length.and_then(|length| length.trim().parse().ok()).unwrap_or(0) <= body.len() || count == 0 {
                        break body.to_owned();
                    }
                }
                assert!(count > 0, "a request that ends before its head: {whole}");
            };
            kept.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    (told, url)
}

fn console(folder: &Path, rules: &str, webhook: &str) -> Service {
    let arguments = ["--rule-files", rules, "--evaluation-interval", "1s", "--alert-webhooks", webhook];
    Service::console(folder, &arguments)
}

fn rule_files(folder: &Path) -> String {
    std::fs::write(folder.join("shop.yaml"), RULES).unwrap();
    folder.join("*.yaml").to_str().unwrap().to_owned()
}

/// The state of the one rule that raises alerts.
fn state(console: &Service) -> String {
    let rules = console.fetch("/prometheus/api/v1/rules?type=alert").expect(200).json();
    rules["data"]["groups"][0]["rules"][0]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_alert_fires_is_told_of_and_is_over() {
    let (folder, rules) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (told, url) = receiver();
    let console = console(folder.path(), &rule_files(rules.path()), &url);
    wait_for(|| {
        send(&console, 0.0);
        (state(&console) == "firing").then_some(())
    });
    let alerts = console.fetch("/prometheus/api/v1/alerts").expect(200).json();
    let alert = &alerts["data"]["alerts"][0];
    assert_eq!(alert["labels"], json!({ "alertname": "ShopDown", "job": "shop", "severity": "page" }));
    assert_eq!(alert["annotations"], json!({ "summary": "shop is down, 0" }));
    assert_eq!((&alert["state"], &alert["value"]), (&json!("firing"), &json!("0e+00")));
    // What it recorded can be asked for, and so can the alert.
    let asked = |query: &str| console.fetch(&format!("/prometheus/api/v1/query?query={query}")).expect(200).json();
    wait_for(|| (asked("ALERTS")["data"]["result"][0]["metric"]["alertstate"] == "firing").then_some(()));
    assert_eq!(asked("job:up:min%7Bjob%3D%22shop%22%7D")["data"]["result"][0]["metric"]["job"], "shop");

    let of_manager = wait_for(|| {
        send(&console, 0.0);
        let alerts = console.fetch("/alertmanager/api/v2/alerts").expect(200).json();
        alerts.get(0).cloned()
    });
    assert_eq!(of_manager["labels"]["alertname"], "ShopDown");
    let first = wait_for(|| {
        send(&console, 0.0);
        told.lock().unwrap().first().cloned()
    });
    assert_eq!((&first["version"], &first["status"]), (&json!("4"), &json!("firing")));
    assert_eq!(first["groupKey"], r#"{}:{alertname="ShopDown"}"#);
    let generator = first["alerts"][0]["generatorURL"].as_str().unwrap();
    assert!(generator.contains("/prometheus/graph?g0.expr="), "{generator}");

    wait_for(|| {
        send(&console, 1.0);
        (state(&console) == "inactive").then_some(())
    });
    let groups = console.fetch("/prometheus/api/v1/rules?rule_name[]=job:up:min").expect(200).json();
    let record = &groups["data"]["groups"][0]["rules"][0];
    assert_eq!((&record["type"], &record["health"]), (&json!("recording"), &json!("ok")));
    let metrics = console.fetch("/metrics").expect(200).text();
    assert!(metrics.contains("console_rules_evaluations_total{outcome=\"ok\"}"), "{metrics}");
    assert!(metrics.contains("console_notifications_total{outcome=\"delivered\"} 1"), "{metrics}");
}

#[test]
fn silences_hold_over_a_restart_and_can_be_ended() {
    let (folder, rules) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pattern = rule_files(rules.path());
    let first = console(folder.path(), &pattern, "http://127.0.0.1:1/nobody");
    let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let silence = json!({
        "matchers": [{ "name": "alertname", "value": "Shop.*", "isRegex": true, "isEqual": true }],
        "startsAt": time(now_ms()), "endsAt": time(now_ms() + 3_600_000), "createdBy": "me", "comment": "known",
    });
    let path = "/alertmanager/api/v2/silences";
    let made = first.post_bytes(path, &[JSON], silence.to_string().as_bytes()).expect(200).json();
    let id = made["silenceID"].as_str().unwrap().to_owned();
    let wrong =
        first.post_bytes(path, &[JSON], br#"{"matchers": [], "startsAt": "now", "endsAt": "then"}"#).expect(400);
    assert!(wrong.text().contains("as in 2026"), "{}", wrong.text());
    wait_for(|| folder.path().join("console.alerts.json").exists().then_some(()));
    assert!(first.stop().success());

    let again = console(folder.path(), &pattern, "http://127.0.0.1:1/nobody");
    let shown = again.fetch(&format!("/alertmanager/api/v2/silence/{id}")).expect(200).json();
    assert_eq!((&shown["status"]["state"], &shown["createdBy"]), (&json!("active"), &json!("me")));
    let alert = json!([{ "labels": { "alertname": "ShopSlow", "instance": "two" } }]);
    again.post_bytes("/alertmanager/api/v2/alerts", &[JSON], alert.to_string().as_bytes()).expect(200);
    let found = again.fetch("/alertmanager/api/v2/alerts?filter=instance%3D%22two%22").expect(200).json();
    assert_eq!(
        found[0]["status"],
        json!({ "inhibitedBy": [], "mutedBy": [], "silencedBy": [id], "state": "suppressed" })
    );
    let active = again.fetch("/alertmanager/api/v2/alerts?silenced=false").expect(200).json();
    assert_eq!(active, json!([]));
    let url = format!("{}/alertmanager/api/v2/silence/{id}", again.address("console"));
    let ended = crate::support::send_bytes(&crate::support::agent(), "DELETE", &url, &[], None).unwrap();
    assert_eq!(ended.status, 200);
    let active = again.fetch("/alertmanager/api/v2/alerts/groups?silenced=false").expect(200).json();
    assert_eq!(active[0]["labels"], json!({ "alertname": "ShopSlow" }));
    again.fetch("/alertmanager/api/v2/silence/none").expect(404);
}

#[test]
fn what_goes_wrong_with_rules_and_notifications_is_told_and_what_was_good_goes_on() {
    let (folder, rules) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("console.alerts.json"), "no silences").unwrap();
    std::fs::create_dir(folder.path().join("console.alerts.json.new")).unwrap();
    let pattern = rule_files(rules.path());
    let console = console(folder.path(), &pattern, "http://127.0.0.1:1/nobody");
    let logged = |message: &str| {
        let is_it = |line: &Value| line["message"] == message;
        wait_for(|| log_lines(folder.path()).into_iter().find(is_it))
    };
    logged("silences could not be read");
    std::fs::write(rules.path().join("shop.yaml"), RULES.replace("expr:", "exprs:")).unwrap();
    let reloaded = console.post_bytes("/prometheus/-/reload", &[], b"").expect(500).text();
    assert!(reloaded.contains("shop.yaml:5:") && reloaded.contains("exprs"), "{reloaded}");
    let line = logged("rule file is not as it has to be");
    assert!(line["file.path"].as_str().unwrap().ends_with("shop.yaml"), "{line}");
    let files = console.fetch("/api/rule-files").expect(200).json();
    assert!(files["files"][0]["faults"][0].as_str().unwrap().contains("exprs"), "{files}");
    // What it read before goes on.
    wait_for(|| {
        send(&console, 0.0);
        (state(&console) == "firing").then_some(())
    });
    let past = now_ms() - 60_000;
    let since = jiff::Timestamp::from_millisecond(past).unwrap().to_string();
    let alert = json!([{ "labels": { "alertname": "Old" }, "startsAt": since }]);
    console.post_bytes("/alertmanager/api/v2/alerts", &[JSON], alert.to_string().as_bytes()).expect(200);
    let line = logged("notification of alerts was not delivered");
    assert_eq!(line["receiver"], "webhook-1", "{line}");
    let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let silence = json!({
        "matchers": [{ "name": "alertname", "value": "Old", "isRegex": false }],
        "startsAt": time(now_ms()), "endsAt": time(now_ms() + 3_600_000), "createdBy": "me", "comment": "known",
    });
    console.post_bytes("/alertmanager/api/v2/silences", &[JSON], silence.to_string().as_bytes()).expect(200);
    logged("silences could not be written");
}

#[test]
fn everything_in_one_process_has_the_order_services_rules() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &["up", "--no-traffic"]);
    let rules = service.fetch("/prometheus/api/v1/rules").expect(200).json();
    let groups = rules["data"]["groups"].as_array().unwrap();
    let names: Vec<&str> = groups.iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"api:alerts") && names.contains(&"slo:orders-availability:alerts"), "{names:?}");
    let files = service.fetch("/api/rule-files").expect(200).json();
    let faults = files["files"].as_array().unwrap().iter().flat_map(|file| file["faults"].as_array().unwrap());
    assert_eq!(faults.count(), 0, "{files}");
}
