//! The APIs of rules and alerts over a store in a folder, with a clock that stands still.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use console_alerting::rules::file::Defaults;
use console_alerting::rules::{self, Source};
use console_alerting::service::{Configuration, Tell};
use console_alerting::{Context, Duration, notify};
use console_model::{Labels, Sample, SampleBatch, SeriesSamples};
use console_storage::{Options, Store};
use eventsourcing::Clock;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const NOW_MS: i64 = 1_795_600_800_000;

struct Standing;

impl Clock for Standing {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(NOW_MS).unwrap()
    }
}

const RULES: &str = "\
groups:
  - name: first
    interval: 30s
    rules:
      - {record: r, expr: sum(up)}
      - {record: labelled, expr: up, labels: {team: orders}}
  - name: second
    limit: 5
    rules:
      - {alert: Down, expr: up == 0, labels: {severity: page}, annotations: {summary: '{{ $labels.job }}: {{ $value }}'}}
      - {alert: Broken, expr: 'up + on () up', for: 90s, keep_firing_for: 1m}
";

struct Scene {
    router: Router,
    service: Arc<Service>,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), Options::default(), Arc::new(Standing)).unwrap());
        let up = |job: &str, value: f64| SeriesSamples {
            labels: Labels::from_pairs([("__name__", "up"), ("job", job)]),
            samples: vec![Sample { time_ms: NOW_MS - 1_000, value }],
            histograms: Vec::new(),
            exemplars: Vec::new(),
        };
        let series = vec![up("a", 0.0), up("b", 1.0)];
        store.ingest_samples(&SampleBatch { series, metadata: Vec::new() }).unwrap();
        let defaults = Defaults { interval: Duration::from_seconds(60), query_offset: Duration::ZERO };
        let sources = vec![Source::Text { name: "rules.yaml", text: RULES }];
        let configuration = Configuration {
            rules: rules::Configuration { sources, defaults, context: Context::default() },
            notifications: notify::Configuration::default(),
            alertmanagers: vec!["http://elsewhere:9093".to_owned()],
            kept: None,
        };
        let tell: Tell = Arc::new(|event| panic!("{event:?}"));
        let service = Arc::new(Service::new(configuration, ports::of_store(&store), Arc::new(Standing), tell));
        for group in service.rules().groups() {
            let dispatch = |notices| service.with_dispatcher(|dispatcher, now_ms| dispatcher.notice(notices, now_ms));
            service.rules().evaluate(&group, NOW_MS, &dispatch);
        }
        Self { router: router(Arc::clone(&service), "1.2.3"), service, _folder: folder }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.ask("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }
}

/// Times of evaluation are the machine's.
fn without_times(mut value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("evaluationTime");
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}

#[tokio::test]
async fn rules_are_told_as_prometheus_tells_them() {
    let scene = Scene::new();
    let answer = without_times(scene.get("/prometheus/api/v1/rules").await);
    let at = "2026-11-25T10:00:00Z";
    let broken = &answer["data"]["groups"][1]["rules"][1]["lastError"];
    assert!(broken.as_str().unwrap().contains("many-to-many"), "{broken}");
    let alert = json!({
        "labels": { "alertname": "Down", "job": "a", "severity": "page" }, "annotations": { "summary": "a: 0" },
        "state": "firing", "activeAt": at, "value": "0e+00",
    });
    let expected = json!({ "status": "success", "data": { "groups": [
        { "name": "first", "file": "rules.yaml", "interval": 30, "limit": 0, "lastEvaluation": at, "rules": [
            { "name": "r", "query": "sum(up)", "health": "ok", "lastEvaluation": at, "type": "recording" },
            { "name": "labelled", "query": "up", "labels": { "team": "orders" }, "health": "ok", "lastEvaluation": at,
              "type": "recording" },
        ] },
        { "name": "second", "file": "rules.yaml", "interval": 60, "limit": 5, "lastEvaluation": at, "rules": [
            { "state": "firing", "name": "Down", "query": "up == 0", "duration": 0, "keepFiringFor": 0,
              "labels": { "severity": "page" }, "annotations": { "summary": "{{ $labels.job }}: {{ $value }}" },
              "alerts": [alert], "health": "ok", "lastEvaluation": at, "type": "alerting" },
            { "state": "inactive", "name": "Broken", "query": "up + on () up", "duration": 90, "keepFiringFor": 60,
              "labels": {}, "annotations": {}, "alerts": [], "health": "err", "lastError": broken,
              "lastEvaluation": at, "type": "alerting" },
        ] },
    ] } });
    assert_eq!(answer, expected);
    let alerts = scene.get("/prometheus/api/v1/alerts").await;
    assert_eq!(alerts, json!({ "status": "success", "data": { "alerts": [alert] } }));
    let managers = scene.get("/prometheus/api/v1/alertmanagers").await;
    assert_eq!(managers["data"]["activeAlertmanagers"][0]["url"], "http://elsewhere:9093/api/v2/alerts");
    // Whoever looks at the series of an alert that a webhook told of is led to the page.
    let (status, _) = scene.ask("GET", "/prometheus/graph?g0.expr=up%20%3D%3D%200&g0.tab=1", "").await;
    assert_eq!(status, 303);
    let files = scene.get("/api/rule-files").await;
    assert_eq!(files, json!({ "files": [{ "name": "rules.yaml", "loadedAt": at, "faults": [] }] }));
    assert_eq!(scene.service.rules().groups().len(), 2);
}

#[tokio::test]
async fn rules_can_be_chosen_and_come_page_by_page() {
    let scene = Scene::new();
    let names = async |query: &str| -> Vec<String> {
        let answer = scene.get(&format!("/prometheus/api/v1/rules?{query}")).await;
        let groups = answer["data"]["groups"].as_array().unwrap().clone();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        rules.map(|rule| rule["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("type=record").await, ["r", "labelled"]);
    assert_eq!(names("type=alert&rule_name[]=Down&rule_name[]=r").await, ["Down"]);
    assert_eq!(names("rule_group[]=first&file[]=rules.yaml").await, ["r", "labelled"]);
    assert_eq!(names("file[]=other.yaml").await, Vec::<String>::new());
    assert_eq!(
        names("match[]=%7Bteam%3D~%22ord.*%22%7D&match[]=%7Bseverity%3D%22page%22%7D").await,
        ["labelled", "Down"]
    );
    let without = scene.get("/prometheus/api/v1/rules?exclude_alerts=true&rule_name[]=Down").await;
    assert_eq!(without["data"]["groups"][0]["rules"][0]["alerts"], Value::Null);
    let first = scene.get("/prometheus/api/v1/rules?group_limit=1").await;
    let token = first["data"]["groupNextToken"].as_str().unwrap();
    let second = scene.get(&format!("/prometheus/api/v1/rules?group_limit=1&group_next_token={token}")).await;
    assert_eq!(
        (&second["data"]["groups"][0]["name"], &second["data"]["groupNextToken"]),
        (&json!("second"), &Value::Null)
    );
    for (query, told) in [
        ("type=x", "invalid parameter \"type\": not supported value \"x\""),
        ("group_limit=0", "invalid parameter \"group_limit\": group_limit needs to be greater than 0"),
        (
            "group_next_token=x",
            "invalid parameter \"group_next_token\": group_limit needs to be present in order to paginate over the groups",
        ),
        (
            "group_limit=1&group_next_token=x",
            "invalid parameter \"group_next_token\": invalid group_next_token 'x'. were rule groups changed?",
        ),
    ] {
        let (status, answer) = scene.ask("GET", &format!("/prometheus/api/v1/rules?{query}"), "").await;
        assert_eq!((status, answer), (400, json!({ "status": "error", "errorType": "bad_data", "error": told })));
    }
}

#[tokio::test]
async fn alerts_are_told_and_taken_as_alertmanager_does() {
    let scene = Scene::new();
    let alerts = scene.get("/alertmanager/api/v2/alerts").await;
    let fingerprint = alerts[0]["fingerprint"].clone();
    let expected = json!([{
        "labels": { "alertname": "Down", "job": "a", "severity": "page" }, "annotations": { "summary": "a: 0" },
        "startsAt": "2026-11-25T10:00:00.000Z", "endsAt": "2026-11-25T10:04:00.000Z",
        "updatedAt": "2026-11-25T10:00:00.000Z", "fingerprint": fingerprint, "receivers": [{ "name": "webhooks" }],
        "generatorURL": "/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "status": { "inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active" },
    }]);
    assert_eq!(alerts, expected);
    let sent = json!([{ "labels": { "alertname": "Sent", "job": "b" } }, { "labels": {} }]).to_string();
    let (status, told) = scene.ask("POST", "/alertmanager/api/v2/alerts", &sent).await;
    assert_eq!((status, told.as_str().unwrap().contains("at least one label pair required")), (400, true));
    let groups = scene.get("/alertmanager/api/v2/alerts/groups").await;
    let labels: Vec<_> = groups.as_array().unwrap().iter().map(|group| group["labels"].clone()).collect();
    assert_eq!(labels, [json!({ "alertname": "Down" }), json!({ "alertname": "Sent" })]);
    for (query, count) in [
        ("filter=job%3Db", 1),
        ("filter=alertname%3D~%22Do.*%7CSe.*%22", 2),
        ("receiver=web.*", 2),
        ("receiver=other", 0),
        ("unprocessed=false", 2),
        ("active=false", 0),
    ] {
        let found = scene.get(&format!("/alertmanager/api/v2/alerts?{query}")).await;
        assert_eq!(found.as_array().unwrap().len(), count, "{query}");
    }
    let (status, told) = scene.ask("GET", "/alertmanager/api/v2/alerts?filter=nothing", "").await;
    assert_eq!((status, told.as_str().unwrap().contains("bad matcher")), (400, true));
    let (status, told) = scene.ask("POST", "/alertmanager/api/v2/alerts", "{").await;
    assert_eq!((status, told.as_str().unwrap().starts_with("bad request")), (400, true));
    let known = scene.get("/alertmanager/api/v2/status").await;
    assert_eq!((&known["versionInfo"]["version"], &known["cluster"]["status"]), (&json!("1.2.3"), &json!("disabled")));
    assert_eq!(scene.get("/alertmanager/api/v2/receivers").await, json!([{ "name": "webhooks" }]));
}

#[tokio::test]
async fn silences_are_made_shown_and_ended() {
    let scene = Scene::new();
    let silence = json!({
        "matchers": [{ "name": "alertname", "value": "Down", "isRegex": false, "isEqual": true }],
        "startsAt": "2026-11-25T09:00:00Z", "endsAt": "2026-11-25T12:00:00Z", "createdBy": "me", "comment": "known",
    });
    let (status, made) = scene.ask("POST", "/alertmanager/api/v2/silences", &silence.to_string()).await;
    let id = made["silenceID"].as_str().unwrap_or_default().to_owned();
    assert_eq!((status, id.len()), (200, 36), "{made}");
    let mut expected = silence;
    expected["id"] = json!(id);
    expected["status"] = json!({ "state": "active" });
    for (field, time) in [("startsAt", "10:00"), ("updatedAt", "10:00"), ("endsAt", "12:00")] {
        expected[field] = json!(format!("2026-11-25T{time}:00.000Z"));
    }
    assert_eq!(scene.get("/alertmanager/api/v2/silences").await, json!([expected]));
    assert_eq!(scene.get("/alertmanager/api/v2/silences?filter=alertname%3DOther").await, json!([]));
    let alerts = scene.get("/alertmanager/api/v2/alerts").await;
    assert_eq!(alerts[0]["status"]["state"], "suppressed");
    let path = format!("/alertmanager/api/v2/silence/{id}");
    assert_eq!(scene.ask("DELETE", &path, "").await.0, 200);
    assert_eq!(scene.get(&path).await["status"]["state"], "expired");
    assert_eq!(scene.ask("GET", "/alertmanager/api/v2/silence/none", "").await, (404, json!("silence none not found")));
    let (status, told) = scene.ask("POST", "/alertmanager/api/v2/silences", r#"{"matchers": []}"#).await;
    assert_eq!((status, told.as_str().unwrap().contains("startsAt")), (400, true));
}
