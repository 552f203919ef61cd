//! `/query` and `/query_range`.

use super::*;

fn varlogs() -> Loki {
    let loki = Loki::new();
    let stream = |level: &'static str| [("filename", "/var/log/myproject.log"), ("job", "varlogs"), ("level", level)];
    loki.take(&stream("info"), &[(100, "foo"), (200, "bar")]);
    loki.take(&stream("warn"), &[(150, "baz")]);
    loki
}

#[tokio::test]
async fn lines_come_by_stream_the_newest_first() {
    let loki = varlogs();
    let answer = loki.get("/query_range", &[("query", "{job=\"varlogs\"}")]).await;
    assert_eq!((&answer["status"], &answer["data"]["resultType"]), (&json!("success"), &json!("streams")));
    let info = &answer["data"]["result"][0];
    let expected = json!({
        "filename": "/var/log/myproject.log", "job": "varlogs", "level": "info", "detected_level": "info",
    });
    assert_eq!(info["stream"], expected);
    assert_eq!(info["values"], json!([[nanoseconds(100), "foo"], [nanoseconds(200), "bar"]]));
    assert_eq!(answer["data"]["result"][1]["values"], json!([[nanoseconds(150), "baz"]]));
    assert_eq!(answer["data"].get("encodingFlags"), None);
    let summary = &answer["data"]["stats"]["summary"];
    assert_eq!((&summary["totalLinesProcessed"], &summary["totalBytesProcessed"]), (&json!(3), &json!(9)));
    assert_eq!(summary["totalEntriesReturned"], 3);
    assert!(summary["execTime"].as_f64().unwrap() >= 0.0);
    assert!(answer["data"]["stats"]["ingester"]["store"]["chunk"]["decompressedBytes"].is_u64());
}

#[tokio::test]
async fn direction_limit_interval_and_times_choose_lines() {
    let loki = varlogs();
    let lines = |parameters: Vec<(&'static str, String)>| {
        let router = &loki;
        async move {
            let mut all = vec![("query", "{job=\"varlogs\"} | keep job".to_owned())];
            all.extend(parameters);
            let borrowed: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = router.get("/query_range", &borrowed).await;
            let values = answer["data"]["result"][0]["values"].as_array().cloned().unwrap_or_default();
            values.iter().map(|value| value[1].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(lines(vec![]).await, ["foo", "baz", "bar"]);
    assert_eq!(lines(vec![("direction", "forward".into())]).await, ["bar", "baz", "foo"]);
    assert_eq!(lines(vec![("limit", "2".into())]).await, ["foo", "baz"]);
    assert_eq!(
        lines(vec![("start", nanoseconds(150)), ("end", nanoseconds(100))]).await,
        ["baz"],
        "the end is no part"
    );
    assert_eq!(lines(vec![("since", "120s".into())]).await, ["foo"]);
    assert_eq!(lines(vec![("interval", "60s".into())]).await, ["foo", "bar"]);
    assert_eq!(lines(vec![("start", (NOW_S - 120).to_string())]).await, ["foo"]);
    let rfc3339 = Timestamp::from_second((NOW_S - 160) as i64).unwrap().to_string();
    assert_eq!(lines(vec![("start", rfc3339)]).await, ["foo", "baz"]);
    assert_eq!(lines(vec![("start", format!("{}.5", NOW_S - 151))]).await, ["foo", "baz"]);
}

#[tokio::test]
async fn labels_are_shown_by_where_they_came_from_where_asked() {
    let loki = Loki::new();
    let mut one = record(10, "{\"user\":\"ann\"}");
    one.attributes =
        Attributes(vec![Attribute::new("trace_id", "0242ac120002"), Attribute::new("user.id", "superUser123")]);
    loki.take_records(&[("app", "x")], vec![one]);
    let address = address("/query_range", &[("query", "{app=\"x\"} | json")]);
    let request = |flags: &str| {
        let builder = Request::get(address.as_str()).header("X-Loki-Response-Encoding-Flags", flags);
        builder.body(Body::empty()).unwrap()
    };
    let (_, _, body) = loki.ask(request("categorize-labels")).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["data"]["encodingFlags"], json!(["categorize-labels"]));
    let result = &answer["data"]["result"][0];
    assert_eq!(result["stream"], json!({ "app": "x" }));
    let expected = json!([nanoseconds(10), "{\"user\":\"ann\"}", {
        "structuredMetadata": {
            "detected_level": "info", "severity_number": "9", "trace_id": "0242ac120002", "user_id": "superUser123",
        },
        "parsed": { "user": "ann" },
    }]);
    assert_eq!(result["values"][0], expected);
    let plain = loki.get("/query_range", &[("query", "{app=\"x\"} | json")]).await;
    assert_eq!(plain["data"]["result"][0]["stream"]["user"], "ann");
    assert_eq!(plain["data"]["result"][0]["values"][0].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn numbers_come_as_a_vector_at_one_time() {
    let loki = varlogs();
    let time = nanoseconds(0);
    let query = "sum(rate({job=\"varlogs\"}[10m])) by (level)";
    let answer = loki.get("/query", &[("query", query), ("time", &time)]).await;
    assert_eq!(answer["data"]["resultType"], "vector");
    let expected = json!([
        { "metric": { "level": "info" }, "value": [NOW_S, "0.0033333333333333335"] },
        { "metric": { "level": "warn" }, "value": [NOW_S, "0.0016666666666666668"] },
    ]);
    assert_eq!(answer["data"]["result"], expected);
    // What Grafana asks to learn whether all is well.
    let parameters = [("direction", "backward"), ("query", "vector(1)+vector(1)"), ("time", "4000000000")];
    let answer = loki.get("/query", &parameters).await;
    assert_eq!(answer["data"]["result"], json!([{ "metric": {}, "value": [4_000_000_000_u64, "2"] }]));
    let answer = loki.get("/query", &[("query", "1 + 1"), ("time", &time)]).await;
    assert_eq!((&answer["data"]["resultType"], &answer["data"]["result"]), (&json!("scalar"), &json!([NOW_S, "2"])));
}

#[tokio::test]
async fn numbers_come_as_a_matrix_over_times() {
    let loki = varlogs();
    let (start, end) = (nanoseconds(300), nanoseconds(0));
    let query = "sum(count_over_time({job=\"varlogs\"}[100s])) by (job)";
    let parameters = [("query", query), ("start", &start), ("end", &end), ("step", "100")];
    let answer = loki.get("/query_range", &parameters).await;
    assert_eq!(answer["data"]["resultType"], "matrix");
    let expected = json!([{
        "metric": { "job": "varlogs" },
        "values": [[NOW_S - 200, "1"], [NOW_S - 100, "2"]],
    }]);
    assert_eq!(answer["data"]["result"], expected);
    let parameters = [("query", query), ("start", &start), ("end", &end), ("step", "500ms")];
    let answer = loki.get("/query_range", &parameters).await;
    assert_eq!(answer["data"]["result"][0]["values"][1], json!([NOW_S as f64 - 199.5, "1"]));
}

#[tokio::test]
async fn what_grafana_s_log_volume_asks_is_answered() {
    let loki = varlogs();
    let (start, end) = (nanoseconds(300), nanoseconds(0));
    let query = "sum by (level, detected_level) (count_over_time({job=\"varlogs\"}[1m]))";
    let parameters =
        [("query", query), ("start", &start), ("end", &end), ("step", "60000ms"), ("direction", "backward")];
    let answer = loki.get("/query_range", &parameters).await;
    let metrics: Vec<&Value> = answer["data"]["result"].as_array().unwrap().iter().map(|one| &one["metric"]).collect();
    let expected =
        [json!({ "detected_level": "info", "level": "info" }), json!({ "detected_level": "info", "level": "warn" })];
    assert_eq!(metrics, expected.iter().collect::<Vec<_>>(), "the number of OTLP is what the level is taken from");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_in_plain_text() {
    let loki = varlogs();
    type Case = (&'static str, Vec<(&'static str, &'static str)>, &'static str);
    let cases: [Case; 11] = [
        ("/query", vec![("query", "rtfm")], "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER\n"),
        ("/query", vec![("query", "{job=\"varlogs\"}")], "log queries are not supported as an instant query type"),
        ("/query", vec![], "name a query, as in query={app=\"api\"}"),
        ("/query_range", vec![("query", "{app=~\".*\"}")], "queries require at least one regexp or equality matcher"),
        ("/query_range", vec![("query", "{a=\"b\"}"), ("limit", "5001")], "max entries limit per query exceeded"),
        ("/query_range", vec![("query", "{a=\"b\"}"), ("direction", "up")], "invalid direction 'up'"),
        ("/query_range", vec![("query", "{a=\"b\"}"), ("start", "yesterday")], "is no time"),
        (
            "/query_range",
            vec![("query", "{a=\"b\"}"), ("start", "20"), ("end", "10")],
            "end timestamp must not be before",
        ),
        ("/query_range", vec![("query", "rate({a=\"b\"}[5m])"), ("step", "0")], "is no duration longer than nothing"),
        (
            "/query_range",
            vec![("query", "rate({a=\"b\"}[5m])"), ("step", "1ms")],
            "exceeded maximum resolution of 11000 points",
        ),
        (
            "/query_range",
            vec![("query", "sum(count_over_time({job=\"varlogs\"} | json [5m]))")],
            "pipeline error: 'JSONParserErr'",
        ),
    ];
    for (path, parameters, expected) in cases {
        let (status, body) = loki.refused(path, &parameters).await;
        assert_eq!(status, 400, "{body}");
        assert!(body.contains(expected) && body.ends_with('\n'), "{parameters:?}: {body}");
    }
}

#[tokio::test]
async fn a_tail_is_a_web_socket() {
    let loki = Loki::new();
    let (status, body) = loki.refused("/tail", &[("query", "{app=\"x\"}")]).await;
    assert_eq!(status, 400);
    assert!(body.contains("/tail is a WebSocket"), "{body}");
    assert_eq!(loki.refused("/tail", &[("query", "{app=")]).await.0, 400);
}

#[tokio::test]
async fn lines_are_grouped_by_what_is_shown_of_them() {
    let loki = Loki::new();
    let with = |ago: u64, line: &str, attributes: &[(&'static str, &'static str)]| {
        let attributes = attributes.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
        LogRecord { severity_number: 0, attributes, ..record(ago, line) }
    };
    loki.take_records(
        &[("app", "x")],
        vec![
            with(10, "level=warn", &[]),
            with(11, "level=warn", &[("level", "error"), ("http.status", "500")]),
            with(12, "nothing of it", &[("detected_level", "mine"), ("user id", "7")]),
            LogRecord { severity_number: 21, severity_text: "FATAL".into(), ..with(13, "level=warn", &[]) },
        ],
    );
    loki.take_records(&[("app", "y"), ("level", "debug")], vec![with(14, "level=warn", &[]), with(15, "x", &[])]);
    let shown = loki.get("/query_range", &[("query", "{app=~\".+\"}")]).await;
    let shown = shown["data"]["result"].as_array().unwrap();
    let names: Vec<String> = shown.iter().flat_map(|one| one["stream"].as_object().unwrap().keys().cloned()).collect();
    assert!(
        ["app", "level", "detected_level", "http_status", "user_id"].iter().all(|it| names.iter().any(|n| n == it))
    );
    for name in names.iter().map(String::as_str).chain(["nothing"]) {
        let mut expected = std::collections::BTreeMap::<String, u64>::new();
        for one in shown {
            let value = one["stream"][name].as_str().unwrap_or_default().to_owned();
            *expected.entry(value).or_default() += one["values"].as_array().unwrap().len() as u64;
        }
        let query = format!("sum by ({name}) (count_over_time({{app=~\".+\"}}[1h]))");
        let counted = loki.get("/query", &[("query", &query)]).await;
        let counted = counted["data"]["result"].as_array().unwrap().iter().map(|one| {
            let value = one["metric"][name].as_str().unwrap_or_default().to_owned();
            (value, one["value"][1].as_str().unwrap().parse::<u64>().unwrap())
        });
        assert_eq!(counted.collect::<std::collections::BTreeMap<_, _>>(), expected, "{name}");
    }
}
