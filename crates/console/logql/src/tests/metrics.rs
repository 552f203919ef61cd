//! <https://grafana.com/docs/loki/latest/query/metric_queries/>: ranges, unwrapped ranges, aggregations.

use super::*;

/// A line each second for two minutes: `mysql` on two hosts, every fourth an error.
fn mysql() -> Memory {
    let mut memory = Memory::default();
    for at in 0..120 {
        let host = if at % 2 == 0 { "a" } else { "b" };
        let (level, text) = if at % 4 == 0 { ("error", "error") } else { ("info", "fine") };
        let line = format!("{{\"msg\":\"{text}\",\"duration\":\"{}s\",\"took\":{at}}}", at % 20);
        memory.push(&[("job", "mysql"), ("host", host), ("level", level)], f64::from(at), &line);
    }
    memory
}

#[test]
fn lines_are_counted_by_stream() {
    let memory = mysql();
    let counted = vector(&memory, r#"count_over_time({job="mysql"}[1m])"#, 119.0);
    let expected = [
        r#"{host="a", job="mysql", level="error"} 15"#,
        r#"{host="a", job="mysql", level="info"} 15"#,
        r#"{host="b", job="mysql", level="info"} 30"#,
    ];
    assert_eq!(counted, expected);
    assert_eq!(
        vector(&memory, r#"sum(count_over_time({job="mysql"}[5m])) by (level)"#, 119.0),
        [r#"{level="error"} 30"#, r#"{level="info"} 90"#]
    );
}

#[test]
fn a_range_begins_after_its_start_and_ends_with_its_end() {
    let mut memory = Memory::default();
    [0.0, 10.0, 20.0].iter().for_each(|at| {
        memory.push(&[("a", "b")], *at, "x");
    });
    let count = |seconds: f64| vector(&memory, r#"count_over_time({a="b"}[10s])"#, seconds);
    assert_eq!(count(10.0), [r#"{a="b"} 1"#]);
    assert_eq!(count(20.0), [r#"{a="b"} 1"#]);
    assert_eq!(count(9.999_999), [r#"{a="b"} 1"#]);
    assert_eq!(count(31.0), Vec::<String>::new());
}

#[test]
fn rates_are_by_the_second_and_bytes_are_those_of_lines() {
    let memory = Memory::of(&[("a", "b")], &["12345", "123456", "é"]);
    assert_eq!(vector(&memory, r#"rate({a="b"}[10s])"#, 2.0), [r#"{a="b"} 0.3"#]);
    assert_eq!(vector(&memory, r#"bytes_over_time({a="b"}[10s])"#, 2.0), [r#"{a="b"} 13"#]);
    assert_eq!(vector(&memory, r#"bytes_rate({a="b"}[10s])"#, 2.0), [r#"{a="b"} 1.3"#]);
    assert_eq!(vector(&memory, r#"bytes_over_time({a="b"} | line_format "x" [10s])"#, 2.0), [r#"{a="b"} 3"#]);
}

#[test]
fn filters_and_parsers_are_part_of_a_range() {
    let memory = mysql();
    let query = r#"sum by (host) (rate({job="mysql"} |= "error" != "timeout" | json | duration > 10s [1m]))"#;
    // Of the last minute: every fourth second whose number within twenty is above ten.
    assert_eq!(vector(&memory, query, 119.0), [r#"{host="a"} 0.1"#]);
    let same = r#"sum by (host) (rate({job="mysql"}[1m] |= "error" != "timeout" | json | duration > 10s))"#;
    assert_eq!(vector(&memory, same, 119.0), [r#"{host="a"} 0.1"#], "the range may stand behind the selector");
    let region = r#"avg(rate(({job="mysql"} |= "fine" | json | msg="fine")[10s])) by (region)"#;
    assert_eq!(vector(&memory, region, 119.0).len(), 1, "a query in parentheses");
}

#[test]
fn an_offset_looks_back() {
    let memory = mysql();
    let query = r#"sum(count_over_time({job="mysql", level="error"}[20s] offset 1m))"#;
    assert_eq!(vector(&memory, query, 119.0), ["{} 5"]);
    assert_eq!(vector(&memory, r#"sum(count_over_time({job="mysql"}[1m] offset 2m))"#, 125.0), ["{} 6"]);
    assert_eq!(vector(&memory, r#"sum(count_over_time({job="mysql"}[1m] offset -1m))"#, 60.0), ["{} 59"]);
    assert!(told(r#"count_over_time({job="mysql"}[5m]) offset 5m"#).contains("unexpected OFFSET"));
}

fn latencies() -> Memory {
    let mut memory = Memory::default();
    for (at, (path, took, bytes)) in
        [("/a", "0.1", "1KB"), ("/a", "0.3", "2KB"), ("/b", "2", "1MB"), ("/a", "0.2", "3KB"), ("/b", "4", "3MB")]
            .iter()
            .enumerate()
    {
        let line = format!("path={path} request_time={took} took={took}s size={bytes}");
        memory.push(&[("app", "x")], at as f64, &line);
    }
    memory
}

#[test]
fn unwrapped_numbers_are_aggregated_by_group() {
    let memory = latencies();
    let value = |function: &str| {
        let query = format!("{function}({{app=\"x\"}} | logfmt | unwrap request_time [1m]) by (path)");
        vector(&memory, &query, 10.0)
    };
    let near = |found: Vec<String>, expected: [f64; 2]| {
        let numbers: Vec<f64> = found.iter().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert_eq!(numbers.len(), 2, "{found:?}");
        numbers.iter().zip(expected).for_each(|(found, expected)| assert!((found - expected).abs() < 1e-12, "{found}"));
    };
    near(value("avg_over_time"), [0.2, 3.0]);
    near(value("max_over_time"), [0.3, 4.0]);
    near(value("min_over_time"), [0.1, 2.0]);
    near(value("first_over_time"), [0.1, 2.0]);
    near(value("last_over_time"), [0.2, 4.0]);
    near(value("stdvar_over_time"), [0.02 / 3.0, 1.0]);
    near(value("stddev_over_time"), [(0.02_f64 / 3.0).sqrt(), 1.0]);
    let query = r#"quantile_over_time(0.5, {app="x"} | logfmt | unwrap request_time [1m]) by (path)"#;
    near(vector(&memory, query, 10.0), [0.2, 3.0]);
    let query = r#"sum by (path) (sum_over_time({app="x"} | logfmt | unwrap request_time [1m]))"#;
    near(vector(&memory, query, 10.0), [0.6, 6.0]);
    let query = r#"sum by (path) (rate({app="x"} | logfmt | unwrap request_time [1m]))"#;
    near(vector(&memory, query, 10.0), [0.01, 0.1]);
}

#[test]
fn unwrapped_labels_are_converted() {
    let memory = latencies();
    let sum = |unwrap: &str| {
        vector(&memory, &format!("sum(sum_over_time({{app=\"x\"}} | logfmt | unwrap {unwrap} [1m]))"), 10.0)
    };
    assert_eq!(sum("duration(took)"), ["{} 6.6"]);
    assert_eq!(sum("duration_seconds(took)"), ["{} 6.6"]);
    assert_eq!(sum("bytes(size)"), ["{} 4006000"]);
    assert_eq!(sum("none"), Vec::<String>::new(), "lines without the label do not count");
}

#[test]
fn series_of_an_unwrapped_range_have_all_labels_but_the_unwrapped() {
    let memory = Memory::of(&[("app", "x")], &["path=/a took=1", "path=/a took=2"]);
    let query = r#"sum_over_time({app="x"} | logfmt | unwrap took [1m])"#;
    assert_eq!(vector(&memory, query, 5.0), [r#"{app="x", path="/a"} 3"#]);
    let without = r#"max_over_time({app="x"} | logfmt | unwrap took [1m]) without (app)"#;
    assert_eq!(vector(&memory, without, 5.0).len(), 2, "{:?}", vector(&memory, without, 5.0));
}

#[test]
fn counters_grow_over_resets() {
    let mut memory = Memory::default();
    for (at, count) in [10, 20, 30, 5, 15, 25].iter().enumerate() {
        memory.push(&[("app", "x")], at as f64 * 10.0, &format!("count={count}"));
    }
    let query = r#"rate_counter({app="x"} | logfmt | unwrap count [1m])"#;
    // 45 in fifty seconds, carried on to a minute: a tenth more than what was seen on either end.
    let found = vector(&memory, query, 55.0);
    let number: f64 = found[0].rsplit(' ').next().unwrap().parse().unwrap();
    assert!((number - 45.0 * (60.0 / 50.0) / 60.0).abs() < 1e-9, "{number}");
}

#[test]
fn nothing_is_absent_or_there() {
    let memory = Memory::of(&[("app", "x")], &["a", "b"]);
    assert_eq!(vector(&memory, r#"absent_over_time({app="x"}[1m])"#, 10.0), Vec::<String>::new());
    assert_eq!(vector(&memory, r#"absent_over_time({app="x"}[1m])"#, 100.0), [r#"{app="x"} 1"#]);
    let query = r#"absent_over_time({app="y", env=~"a.*", job="j"} |= "x" [1m])"#;
    assert_eq!(vector(&memory, query, 10.0), [r#"{app="y", job="j"} 1"#]);
    let query = r#"absent_over_time({app="x"} | logfmt | unwrap took [1m])"#;
    assert_eq!(vector(&memory, query, 10.0), [r#"{app="x"} 1"#]);
}

#[test]
fn errors_in_a_pipeline_fail_a_metric_query_unless_they_are_asked_for() {
    let memory = Memory::of(&[("app", "x")], &["{\"took\":1}", "no json", "{\"took\":\"fast\"}"]);
    let fails = |query: &str| at(&memory, query, 10.0).unwrap_err().to_string();
    let error = fails(r#"sum(count_over_time({app="x"} | json [1m]))"#);
    assert!(error.starts_with("pipeline error: 'JSONParserErr' for series: '{"), "{error}");
    assert!(
        error.contains("Use a label filter to intentionally skip this error. (e.g | __error__!=\"JSONParserErr\").")
    );
    assert_eq!(vector(&memory, r#"sum(count_over_time({app="x"} | json | __error__="" [1m]))"#, 10.0), ["{} 2"]);
    assert_eq!(
        vector(&memory, r#"sum by (app) (count_over_time({app="x"} | json | __error__!="" [1m]))"#, 10.0),
        [r#"{app="x"} 1"#]
    );
    assert_eq!(
        vector(&memory, r#"sum by (app) (count_over_time({app="x"} | json | __error__=~".*" [1m]))"#, 10.0).len(),
        1
    );
    // What unwrap cannot read is an error behind it.
    let error = fails(r#"sum(sum_over_time({app="x"} | json | __error__="" | unwrap took [1m]))"#);
    assert!(error.contains("'SampleExtractionErr'"), "{error}");
    let query = r#"sum(sum_over_time({app="x"} | json | unwrap took | __error__="" [1m]))"#;
    assert_eq!(vector(&memory, query, 10.0), ["{} 1"]);
    let query =
        r#"quantile_over_time(0.99, {app="x"} | json | __error__ = "" | unwrap took | __error__="" [1m]) by (path)"#;
    assert_eq!(vector(&memory, query, 10.0), ["{} 1"]);
    // A part of a filter that lets an error through did not ask for it.
    let error = fails(r#"sum(count_over_time({app="x"} | json | __error__="" or app="x" [1m]))"#);
    assert!(error.starts_with("pipeline error"), "{error}");
}

#[test]
fn vectors_are_aggregated_by_groups() {
    let mut memory = Memory::default();
    for (name, zone, count) in [("a", "1", 1), ("b", "1", 3), ("c", "2", 8)] {
        for at in 0..count {
            memory.push(&[("name", name), ("zone", zone), ("job", "x")], f64::from(at), "line");
        }
    }
    let over =
        |aggregation: &str| vector(&memory, &aggregation.replace('*', r#"count_over_time({job="x"}[1m])"#), 30.0);
    let cases: [(&str, &[&str]); 16] = [
        ("sum(*)", &["{} 12"]),
        ("sum by (zone) (*)", &[r#"{zone="1"} 4"#, r#"{zone="2"} 8"#]),
        ("sum(*) by (zone)", &[r#"{zone="1"} 4"#, r#"{zone="2"} 8"#]),
        ("sum without (name, job) (*)", &[r#"{zone="1"} 4"#, r#"{zone="2"} 8"#]),
        ("avg by (zone) (*)", &[r#"{zone="1"} 2"#, r#"{zone="2"} 8"#]),
        ("min(*)", &["{} 1"]),
        ("max(*)", &["{} 8"]),
        ("count(*)", &["{} 3"]),
        ("stdvar by (zone) (*)", &[r#"{zone="1"} 1"#, r#"{zone="2"} 0"#]),
        ("stddev by (zone) (*)", &[r#"{zone="1"} 1"#, r#"{zone="2"} 0"#]),
        ("topk(2, sum by (name) (*))", &[r#"{name="c"} 8"#, r#"{name="b"} 3"#]),
        ("bottomk(2, sum by (name) (*))", &[r#"{name="a"} 1"#, r#"{name="b"} 3"#]),
        ("topk(1, sum by (name, zone) (*)) by (zone)", &[r#"{name="b", zone="1"} 3"#, r#"{name="c", zone="2"} 8"#]),
        ("approx_topk(1, sum by (name) (*))", &[r#"{name="c"} 8"#]),
        ("sort(sum by (name) (*))", &[r#"{name="a"} 1"#, r#"{name="b"} 3"#, r#"{name="c"} 8"#]),
        ("sort_desc(sum by (name) (*))", &[r#"{name="c"} 8"#, r#"{name="b"} 3"#, r#"{name="a"} 1"#]),
    ];
    for (aggregation, expected) in cases {
        assert_eq!(over(aggregation), expected, "{aggregation}");
    }
    // https://grafana.com/docs/loki/latest/query/query_examples/#vector-aggregation-examples
    assert_eq!(over("topk(10,sum(rate({job=\"x\"}[1m])) by (name))").len(), 3);
}

#[test]
fn a_vector_says_something_where_there_is_nothing() {
    let memory = mysql();
    let query =
        "sum(count_over_time({namespace=\"traefik\"}[5m])) # will return nothing\n  or\nvector(0) # will return 0";
    assert_eq!(vector(&memory, query, 100.0), ["{} 0"]);
    assert_eq!(vector(&memory, "vector(1)+vector(1)", 100.0), ["{} 2"]);
    assert_eq!(matrix(&memory, "vector(3)", 0.0, 20.0, 10.0)[0].points, [(0, 3.0), (1, 3.0), (2, 3.0)]);
    assert_eq!(matrix(&memory, "3", 0.0, 10.0, 10.0)[0].points, [(0, 3.0), (1, 3.0)]);
}

#[test]
fn labels_are_replaced() {
    // https://grafana.com/docs/loki/latest/query/query_reference/#label_replace
    let memory = Memory::of(&[("job", "api-server"), ("service", "a:c")], &["err"]);
    let query =
        r#"label_replace(rate({job="api-server",service="a:c"} |= "err" [1m]), "foo", "$1", "service", "(.*):.*")"#;
    let expected = [r#"{foo="a", job="api-server", service="a:c"} 0.016666666666666666"#];
    assert_eq!(vector(&memory, query, 10.0), expected);
    let unchanged = r#"label_replace(rate({job="api-server"}[1m]), "foo", "$1", "service", "x")"#;
    assert_eq!(vector(&memory, unchanged, 10.0), [r#"{job="api-server", service="a:c"} 0.016666666666666666"#]);
}

#[test]
fn a_range_query_is_an_instant_query_at_each_step() {
    let memory = mysql();
    let queries = [
        r#"sum by (host) (count_over_time({job="mysql"}[17s]))"#,
        r#"rate({job="mysql", level="error"}[5s])"#,
        r#"quantile_over_time(0.9, {job="mysql"} | json | unwrap took [25s]) by (host)"#,
        r#"stddev_over_time({job="mysql"} | json | unwrap took [25s] offset 10s) by (host)"#,
        r#"last_over_time({job="mysql"} | json | unwrap took [7s]) by (level)"#,
        r#"max by (level) (bytes_rate({job="mysql"}[30s]))"#,
        r#"absent_over_time({job="mysql", level="error"}[3s])"#,
        r#"topk(1, sum by (host, level) (count_over_time({job="mysql"}[9s])))"#,
        r#"sum(rate({job="mysql"} | json | unwrap took [13s])) / sum(rate({job="mysql"}[13s]))"#,
    ];
    for query in queries {
        for step in [3.0, 10.0, 40.0] {
            let ranged = matrix(&memory, query, 0.0, 150.0, step);
            let mut expected: BTreeMap<String, Vec<(u32, f64)>> = BTreeMap::new();
            for number in 0..=(150.0 / step) as u32 {
                let Ok(Answer::Series(series)) = at(&memory, query, f64::from(number) * step) else {
                    panic!("{query}")
                };
                for one in series {
                    expected.entry(one.labels.to_string()).or_default().push((number, one.points[0].1));
                }
            }
            let found: BTreeMap<String, Vec<(u32, f64)>> =
                ranged.into_iter().map(|series| (series.labels.to_string(), series.points)).collect();
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{query}");
            for (labels, points) in found {
                let wanted = expected.get(&labels).unwrap();
                assert_eq!(points.len(), wanted.len(), "{query} {labels}");
                for (found, wanted) in points.iter().zip(wanted) {
                    assert_eq!(found.0, wanted.0, "{query} {labels}");
                    assert!((found.1 - wanted.1).abs() < 1e-9, "{query} {labels}: {found:?} {wanted:?}");
                }
            }
        }
    }
}

#[test]
fn metadata_is_a_label_of_series_as_well() {
    let mut memory = Memory::default();
    memory.push_with(&[("app", "x")], 0.0, "a", &[("detected_level", "info")]);
    memory.push_with(&[("app", "x")], 1.0, "b", &[("detected_level", "error")]);
    let query = r#"sum by (detected_level) (count_over_time({app="x"}[1m]))"#;
    assert_eq!(vector(&memory, query, 10.0), [r#"{detected_level="error"} 1"#, r#"{detected_level="info"} 1"#]);
    assert_eq!(vector(&memory, r#"count_over_time({app="x"}[1m])"#, 10.0).len(), 2);
}

#[test]
fn an_answer_has_a_bounded_number_of_series_and_steps() {
    let lines: Vec<String> = (0..600).map(|at| format!("n={at}")).collect();
    let memory = Memory::of(&[("app", "x")], &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let error = at(&memory, r#"count_over_time({app="x"} | logfmt [1h])"#, 600.0).unwrap_err().to_string();
    assert!(error.starts_with("maximum number of series (500) reached for a single query"), "{error}");
    assert_eq!(vector(&memory, r#"topk(5, sum by (n) (count_over_time({app="x"} | logfmt [1h])))"#, 600.0).len(), 5);
    let Expr::Metric(expr) = crate::parse(r#"rate({app="x"}[1m])"#).unwrap() else { panic!() };
    let request = |step_ns| MetricRequest { start_ns: 0, end_ns: 20_000 * SECOND, step_ns: Some(step_ns), now_ns: 0 };
    let run = |step_ns| crate::metric(&expr, &request(step_ns), &memory, Limits::default(), &|| false);
    assert!(run(SECOND).unwrap_err().to_string().contains("exceeded maximum resolution of 11000 points"));
    assert!(run(0).unwrap_err().to_string().contains("zero or negative query resolution step"));
    let stopped = crate::metric(&expr, &request(SECOND * 60), &memory, Limits::default(), &|| true);
    assert!(matches!(stopped, Err(QueryError::Stopped)));
    let few = Limits { samples: 10, ..Limits::default() };
    let Expr::Metric(expr) = crate::parse(r#"sum by (n) (count_over_time({app="x"} | logfmt [1m]))"#).unwrap() else {
        panic!()
    };
    let request = MetricRequest { start_ns: 0, end_ns: START_NS as i64 + 600 * SECOND, step_ns: None, now_ns: 0 };
    let request = MetricRequest { end_ns: request.end_ns - 570 * SECOND, ..request };
    let error = crate::metric(&expr, &request, &memory, few, &|| false).unwrap_err();
    assert!(matches!(error, QueryError::Limit(_)), "{error}");
}

#[test]
fn a_label_that_grows_from_call_to_call_ends_the_query() {
    let memory = Memory::of(&[("app", "x")], &["a"]);
    let mut query = r#"count_over_time({app="x"}[1h])"#.to_owned();
    for _ in 0..50 {
        query = format!(r#"label_replace({query}, "app", "$1$1", "app", "(.*)")"#);
    }
    let error = at(&memory, &query, 600.0).unwrap_err();
    assert!(matches!(error, QueryError::Limit(_)), "{error}");
}

#[test]
fn a_query_has_a_bounded_number_of_regular_expressions() {
    let with = |count: usize| crate::parse(&format!("{{app=\"x\"}} |~ \"\\\\w\"{}", " or \"\\\\w\"".repeat(count)));
    assert!(with(99).is_ok());
    assert!(with(100).unwrap_err().to_string().contains("more than 100 regular expressions"));
}
