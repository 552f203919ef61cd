//! What there is to ask for: labels, streams, amounts, fields, patterns.

use super::*;

fn streams() -> Loki {
    let loki = Loki::new();
    for (job, env, team, lines) in
        [("foo", "prod", "alpha", 1), ("bar", "prod", "beta", 2), ("foo", "dev", "alpha", 3), ("bar", "dev", "beta", 4)]
    {
        let lines: Vec<(u64, &str)> = (0..lines).map(|at| (at * 60 + 10, "0123456789")).collect();
        loki.take(&[("job", job), ("env", env), ("team", team)], &lines);
    }
    loki
}

#[tokio::test]
async fn labels_and_their_values_are_listed() {
    let loki = streams();
    assert_eq!(loki.get("/labels", &[]).await, json!({ "status": "success", "data": ["env", "job", "team"] }));
    assert_eq!(loki.get("/label/env/values", &[]).await["data"], json!(["dev", "prod"]));
    let query = [("query", "{team=\"alpha\", env=~\"p.*\"}")];
    assert_eq!(loki.get("/label/job/values", &query).await["data"], json!(["foo"]));
    assert_eq!(loki.get("/labels", &[("query", "{team=\"gamma\"}")]).await["data"], json!([]));
    assert_eq!(loki.get("/label/none/values", &[("query", "{}")]).await["data"], json!([]));
    let end = nanoseconds(7_200);
    assert_eq!(loki.get("/labels", &[("end", &end)]).await["data"], json!([]), "there was nothing then");
    assert_eq!(loki.refused("/labels", &[("query", "{team=")]).await.0, 400);
}

#[tokio::test]
async fn streams_are_listed_by_selectors() {
    let loki = streams();
    let matches = [("match[]", "{env=~\"d.*\", job=\"foo\"}"), ("match[]", "{team=\"beta\", env=\"prod\"}")];
    let expected = json!([
        { "env": "dev", "job": "foo", "team": "alpha" },
        { "env": "prod", "job": "bar", "team": "beta" },
    ]);
    assert_eq!(loki.get("/series", &matches).await["data"], expected);
    let (status, body) = loki.refused("/series", &[]).await;
    assert_eq!((status, body.contains("0 matcher groups supplied")), (400, true));
}

#[tokio::test]
async fn amounts_are_counted() {
    let loki = streams();
    let answer = loki.get("/index/stats", &[("query", "{env=\"dev\"}")]).await;
    assert_eq!((&answer["streams"], &answer["entries"], &answer["bytes"]), (&json!(2), &json!(7), &json!(70)));
    assert!(answer["chunks"].as_u64().unwrap() >= 1);
    let nothing = loki.get("/index/stats", &[("query", "{env=\"none\"}")]).await;
    assert_eq!(nothing, json!({ "streams": 0, "chunks": 0, "entries": 0, "bytes": 0 }));
}

#[tokio::test]
async fn volumes_are_by_the_labels_that_are_selected() {
    let loki = streams();
    let volume = |parameters: Vec<(&'static str, &'static str)>| {
        let loki = &loki;
        async move {
            let answer = loki.get("/index/volume", &parameters).await;
            let one = |one: &Value| (one["metric"].clone(), one["value"][1].as_str().unwrap().to_owned());
            answer["data"]["result"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
        }
    };
    let foo = volume(vec![("query", "{job=\"foo\", env=~\".+\"}")]).await;
    let expected =
        [(json!({ "job": "foo", "env": "dev" }), "30".into()), (json!({ "job": "foo", "env": "prod" }), "10".into())];
    assert_eq!(foo, expected, "the largest first");
    let targets = volume(vec![("query", "{team=\"alpha\", env!=\"dev\"}"), ("targetLabels", "team,job")]).await;
    assert_eq!(targets, [(json!({ "team": "alpha", "job": "foo" }), "10".into())]);
    let labels = volume(vec![("query", "{job=\"foo\"}"), ("aggregateBy", "labels")]).await;
    assert_eq!(labels.len(), 3);
    assert!(labels.iter().all(|(_, value)| value == "40"), "{labels:?}");
    assert_eq!(volume(vec![("query", "{job=~\".+\"}"), ("limit", "1")]).await.len(), 1);
    let (start, end) = (nanoseconds(240), nanoseconds(0));
    let parameters = [("query", "{job=\"foo\", env=\"dev\"}"), ("start", &start), ("end", &end), ("step", "60")];
    let answer = loki.get("/index/volume_range", &parameters).await;
    assert_eq!(answer["data"]["resultType"], "matrix");
    let values = answer["data"]["result"][0]["values"].as_array().unwrap();
    assert_eq!(values.len(), 3);
    assert_eq!(values[0], json!([NOW_S - 180, "10"]));
    assert_eq!(loki.refused("/index/volume", &[("query", "{a=\"b\"}"), ("aggregateBy", "x")]).await.0, 400);
}

#[tokio::test]
async fn labels_worth_choosing_by_are_detected() {
    let loki = streams();
    loki.take(&[("job", "foo"), ("pid", "4711"), ("pod", "17")], &[(5, "x")]);
    let answer = loki.get("/detected_labels", &[]).await;
    let expected = json!([
        { "label": "env", "cardinality": 2 },
        { "label": "job", "cardinality": 2 },
        { "label": "pod", "cardinality": 1 },
        { "label": "team", "cardinality": 2 },
    ]);
    assert_eq!(answer["detectedLabels"], expected, "numbers alone are none");
}

#[tokio::test]
async fn fields_of_lines_are_detected_with_what_they_are() {
    let loki = Loki::new();
    loki.take(
        &[("app", "x")],
        &[
            (1, r#"{"took":"1.5s","n":{"count":3,"ratio":0.5},"app":"y","ok":true}"#),
            (2, r#"{"took":"20ms","n":{"count":4,"ratio":2},"size":"5KB"}"#),
            (3, "took=3s user=ann"),
            (4, "nothing here"),
        ],
    );
    let answer = loki.get("/detected_fields", &[("query", "{app=\"x\"}")]).await;
    let field = |name: &str| {
        let fields = answer["fields"].as_array().unwrap();
        fields.iter().find(|field| field["label"] == name).unwrap_or_else(|| panic!("no {name} in {answer}")).clone()
    };
    assert_eq!(
        field("took"),
        json!({ "label": "took", "type": "duration", "cardinality": 3, "parsers": ["json", "logfmt"], "jsonPath": ["took"] })
    );
    assert_eq!(
        field("n_count"),
        json!({ "label": "n_count", "type": "int", "cardinality": 2, "parsers": ["json"], "jsonPath": ["n", "count"] })
    );
    assert_eq!((field("n_ratio")["type"].as_str(), field("ok")["type"].as_str()), (Some("float"), Some("boolean")));
    assert_eq!((field("size")["type"].as_str(), field("user")["type"].as_str()), (Some("bytes"), Some("string")));
    assert_eq!(field("app_extracted")["cardinality"], 1);
    assert_eq!(field("detected_level")["parsers"], Value::Null, "structured metadata has no parser");
    let values = loki.get("/detected_field/took/values", &[("query", "{app=\"x\"} |= \"took\"")]).await;
    assert_eq!(values["values"], json!(["1.5s", "20ms", "3s"]));
    let few = loki.get("/detected_fields", &[("query", "{app=\"x\"}"), ("limit", "2")]).await;
    assert_eq!((few["fields"].as_array().unwrap().len(), &few["limit"]), (2, &json!(2)));
}

#[tokio::test]
async fn patterns_of_lines_are_found_with_how_often() {
    let loki = Loki::new();
    let lines: Vec<String> =
        (0..30).map(|at| format!("ts={at} level=info method=/Push duration={}ms msg=gRPC", at * 7)).collect();
    let lines: Vec<(u64, &str)> = lines.iter().enumerate().map(|(at, line)| (1 + at as u64, line.as_str())).collect();
    loki.take(&[("app", "loki")], &lines);
    let answer = loki.get("/patterns", &[("query", "{app=\"loki\"}"), ("step", "10s")]).await;
    assert_eq!(answer["status"], "success");
    let pattern = &answer["data"][0];
    assert_eq!(pattern["pattern"], "ts=<_> level=info method=/Push duration=<_> msg=gRPC");
    let samples = pattern["samples"].as_array().unwrap();
    assert!((3..=4).contains(&samples.len()), "{samples:?}");
    assert_eq!(samples.iter().map(|sample| sample[1].as_u64().unwrap()).sum::<u64>(), 30);
    assert!(samples.iter().all(|sample| sample[0].as_u64().unwrap() % 10 == 0));
}
