//! <https://grafana.com/docs/loki/latest/query/log_queries/> and
//! <https://grafana.com/docs/loki/latest/query/ip/>: selectors, line filters, label filters.

use super::*;

fn streams() -> Memory {
    let mut memory = Memory::default();
    for (at, (app, name)) in
        [("mysql", "mysql-backup"), ("mysql", "mysql-1"), ("kafka", "mysql-2x"), ("kafka", "a mysql\nb")]
            .iter()
            .enumerate()
    {
        memory.push(&[("app", app), ("name", name)], at as f64, name);
    }
    memory
}

#[test]
fn selectors_choose_streams_by_equality_and_by_whole_regular_expressions() {
    let memory = streams();
    let cases: [(&str, &[&str]); 9] = [
        (r#"{app="mysql",name="mysql-backup"}"#, &["mysql-backup"]),
        (r#"{app="mysql"}"#, &["mysql-backup", "mysql-1"]),
        (r#"{name =~ "mysql.+"}"#, &["mysql-backup", "mysql-1", "mysql-2x"]),
        (r#"{app=~".+", name !~ "mysql.+"}"#, &["a mysql\nb"]),
        (r"{app=~`.+`, name !~ `mysql-\d+`}", &["mysql-backup", "mysql-2x", "a mysql\nb"]),
        (r#"{name =~ ".*mysql.*"}"#, &["mysql-backup", "mysql-1", "mysql-2x"]),
        (r#"{name =~ "(?s).*mysql.*"}"#, &["mysql-backup", "mysql-1", "mysql-2x", "a mysql\nb"]),
        (r#"{name =~ "[\\S\\s]*mysql[\\S\\s]*"}"#, &["mysql-backup", "mysql-1", "mysql-2x", "a mysql\nb"]),
        (r#"{app="mysql", none=""}"#, &["mysql-backup", "mysql-1"]),
    ];
    for (query, expected) in cases {
        assert_eq!(texts(&memory, query), expected, "{query}");
    }
}

const LINES: [&str; 8] = [
    "error: the disk is full",
    "error: timeout",
    "ERROR in capitals",
    "kafka.server:type=ReplicaManager",
    "start tsdb-ops in the middle io:2003 end",
    "x error=Refused",
    "first line error\nsecond line timeout",
    "plain",
];

#[test]
fn line_filters_are_a_grep() {
    let memory = Memory::of(&[("job", "x")], &LINES);
    let cases: [(&str, &[usize]); 18] = [
        (r#"|= "error""#, &[0, 1, 5, 6]),
        (r#"!= "kafka.server:type=ReplicaManager""#, &[0, 1, 2, 4, 5, 6, 7]),
        (r#"|~ "tsdb-ops.*io:2003""#, &[4]),
        (r"|~ `error=\w+`", &[5]),
        (r#"|= "error" != "timeout""#, &[0, 5]),
        (r#"|~ "(?i)error""#, &[0, 1, 2, 5, 6]),
        (r#"!~ "error|ERROR|kafka""#, &[4, 7]),
        (r#"|~ "line error.second""#, &[6]),
        (r#"|= "disk" or "capitals""#, &[0, 2]),
        (r#"!= "error" or "ERROR""#, &[3, 4, 7]),
        (r#"|~ "dis." or "cap.tals""#, &[0, 2]),
        (r#"!~ "err.r" or "pla?in""#, &[2, 3, 4]),
        (r#"|= "" "#, &[0, 1, 2, 3, 4, 5, 6, 7]),
        (r#"|> "<_>: timeout""#, &[1]),
        (r#"|> "error<_>""#, &[0, 1]),
        (r#"!> "<_>error<_>""#, &[2, 3, 4, 7]),
        (r#"|> "plain" or "error: <_>""#, &[0, 1, 7]),
        (r#"|= "error" |= "disk" |~ "fu..""#, &[0]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<&str> = expected.iter().map(|at| LINES[*at]).collect();
        assert_eq!(texts(&memory, &format!("{{job=\"x\"}} {filter}")), expected, "{filter}");
    }
}

#[test]
fn pattern_filters_match_the_page_s_lines() {
    // https://grafana.com/docs/loki/latest/query/query_reference/#pattern-match-filter-operators
    let lines = [
        r#"ts=2024-04-05T08:40:13.585911094Z caller=http.go:194 level=debug traceID=23e54a271db607cc orgID=3648 msg="POST /push.v1.PusherService/Push (200) 12.684035ms""#,
        r#"ts=2024-04-05T08:41:06.551403339Z caller=http.go:195 level=debug traceID=54325a1a15b42e2d orgID=1218 msg="GET /ready (200) 1.664285ms""#,
    ];
    let memory = Memory::of(&[("service_name", "distributor")], &lines);
    let pattern = r#"`<_> caller=http.go:194 level=debug <_> msg="POST /push.v1.PusherService/Push <_>`"#;
    assert_eq!(texts(&memory, &format!("{{service_name=`distributor`}} |> {pattern}")), lines[..1]);
    assert_eq!(texts(&memory, &format!("{{service_name=`distributor`}} !> {pattern}")), lines[1..]);
}

#[test]
fn addresses_are_matched_in_lines_and_labels() {
    let lines = [
        r#"3.180.71.3 - - [17/May/2015:08:05:32 +0000] "GET /downloads/product_1 HTTP/1.1" 304 0 addr=192.168.4.2 level=error"#,
        r#"80.91.33.133 - - [17/May/2015:08:05:14 +0000] "GET /downloads/product_1 HTTP/1.1" 304 0 addr=192.168.4.77 level=error"#,
        r#"93.180.71.3 - - [17/May/2015:08:05:26 +0000] "GET /downloads/product_1 HTTP/1.1" 404 324 addr=10.10.15.3 remote_addr=2001:db8::4 level=error"#,
    ];
    let memory = Memory::of(&[("job_name", "myapp")], &lines);
    let cases: [(&str, &[usize]); 12] = [
        (r#"|= "3.180.71.3""#, &[0, 2]),
        (r#"|= ip("3.180.71.3")"#, &[0]),
        (r#"|= ip("192.168.4.5/16")"#, &[0, 1]),
        (r#"!= ip("192.168.4.5-192.168.4.20")"#, &[0, 1, 2]),
        (r#"!= ip("192.168.4.2-192.168.4.20")"#, &[1, 2]),
        (r#"|= ip("80.91.33.0/24") or "404""#, &[1, 2]),
        (r#"| logfmt | remote_addr = ip("2001:db8::1-2001:db8::8") | level = "error""#, &[2]),
        (r#"| logfmt | addr = ip("192.168.4.5/16") | addr != ip("192.168.4.2")"#, &[1]),
        (r#"| logfmt | addr = ip("192.168.4.0/24") or addr = ip("10.10.15.0/24")"#, &[0, 1, 2]),
        (r#"| logfmt | addr = ip("10.10.15.3")"#, &[2]),
        (r#"| logfmt | addr != ip("10.10.15.3")"#, &[0, 1]),
        (r#"|= ip("2001:db8::/32")"#, &[2]),
    ];
    for (stages, expected) in cases {
        let expected: Vec<&str> = expected.iter().map(|at| lines[*at]).collect();
        assert_eq!(texts(&memory, &format!("{{job_name=\"myapp\"}} {stages}")), expected, "{stages}");
    }
    // What is no address is let through, and told.
    let labels = extracted("addr=here", "| logfmt | addr = ip(\"10.0.0.1\")");
    assert_eq!(labels.get("__error__").map(String::as_str), Some("LabelFilterErr"));
}

#[test]
fn label_filters_compare_text_numbers_durations_and_bytes() {
    let lines = [
        "n=0 duration=15ms size=5KB method=GET status=200",
        "n=1 duration=25ms size=20KB method=POST status=404",
        "n=2 duration=1m2s size=30MB method=GET status=200",
        "n=3 duration=20ms size=1.5KiB method=201 status=500.5",
        "n=4 method=GET",
    ];
    let memory = Memory::of(&[("job", "x")], &lines);
    let cases: [(&str, &[usize]); 26] = [
        ("| duration > 1m and size > 20MB", &[2]),
        (r#"| duration >= 20ms or size == 20KB and method!~"2..""#, &[1, 2]),
        (r#"| duration >= 20ms or size == 20KB | method!~"2..""#, &[1, 2]),
        (r#"| duration >= 20ms or size == 20KB , method!~"2..""#, &[1, 2]),
        (r#"| duration >= 20ms or size == 20KB  method!~"2..""#, &[1, 2]),
        (r#"| duration >= 20ms or method="GET" and size <= 20KB"#, &[0, 1, 3]),
        (r#"| ((duration >= 20ms or method="GET") and size <= 20KB)"#, &[0, 1, 3]),
        (r#"| duration >= 20ms or (method="GET" and size <= 20KB)"#, &[0, 1, 2, 3]),
        ("| status == 200", &[0, 2]),
        ("| status = 200", &[0, 2]),
        ("| status != 200", &[1, 3]),
        ("| status > 404", &[3]),
        ("| status >= 404", &[1, 3]),
        ("| status < 404", &[0, 2]),
        ("| status <= 404.0", &[0, 1, 2]),
        (r#"| status = "200""#, &[0, 2]),
        (r#"| status != "200""#, &[1, 3, 4]),
        (r#"| status =~ "2..|4..""#, &[0, 1, 2]),
        (r#"| status !~ "2..|4..""#, &[3, 4]),
        (r#"| status = """#, &[4]),
        ("| size = 1536B", &[3]),
        ("| size < 1.5MiB", &[0, 1, 3]),
        ("| duration = 0.025s", &[1]),
        ("| duration > -1s", &[0, 1, 2, 3]),
        ("| n >= 3", &[3, 4]),
        (r#"| n > 0 | n < 4 | method = "GET""#, &[2]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<&str> = expected.iter().map(|at| lines[*at]).collect();
        assert_eq!(texts(&memory, &format!("{{job=\"x\"}} | logfmt {filter}")), expected, "{filter}");
    }
}

#[test]
fn the_first_example_of_the_page_filters_parses_and_compares() {
    let lines = [
        "caller=metrics.go:81 duration=11s throughput_mb=1.5",
        "caller=metrics.go:81 duration=9s throughput_mb=1.5",
        "caller=metrics.go:81 duration=11s throughput_mb=501",
        "caller=http.go:194 duration=11s throughput_mb=1.5",
    ];
    let memory = Memory::of(&[("container", "query-frontend"), ("namespace", "loki-dev")], &lines);
    let query = r#"{container="query-frontend",namespace="loki-dev"} |= "metrics.go" | logfmt | duration > 10s and throughput_mb < 500"#;
    assert_eq!(texts(&memory, query), lines[..1]);
}

#[test]
fn labels_of_streams_and_metadata_are_compared_without_a_parser() {
    let mut memory = Memory::default();
    memory.push_with(&[("job", "x"), ("env", "dev")], 0.0, "a", &[("trace_id", "abc"), ("retries", "3")]);
    memory.push_with(&[("job", "x"), ("env", "prod")], 1.0, "b", &[("trace_id", "def"), ("retries", "30")]);
    assert_eq!(texts(&memory, r#"{job="x"} | env = "dev""#), ["a"]);
    assert_eq!(texts(&memory, r#"{job="x"} | trace_id = "def""#), ["b"]);
    assert_eq!(texts(&memory, r#"{job="x"} | retries > 5"#), ["b"]);
    let all = found(&memory, r#"{job="x", env="dev"}"#);
    assert_eq!(all[0].0, labels(&[("env", "dev"), ("job", "x"), ("retries", "3"), ("trace_id", "abc")]));
}

#[test]
fn comments_are_none_of_the_query() {
    // https://grafana.com/docs/loki/latest/query/query_reference/#comments
    let memory = Memory::of(&[("app", "foo")], &[r#"{"bar":"baz"}"#, r#"{"bar":"x"}"#]);
    assert_eq!(texts(&memory, "{app=\"foo\"} # anything that comes after").len(), 2);
    let query =
        "{app=\"foo\"}\n    | json\n    # this line will be ignored\n    | bar=\"baz\" # this checks if bar = \"baz\"";
    assert_eq!(texts(&memory, query), [r#"{"bar":"baz"}"#]);
    assert_eq!(texts(&memory, r##"{app="foo"} |= "#""##), Vec::<String>::new());
}

#[test]
fn lines_come_in_the_order_asked_for_up_to_the_limit_and_as_far_apart_as_asked() {
    let lines: Vec<String> = (0..10).map(|at| format!("line {at}")).collect();
    let memory = Memory::of(&[("job", "x")], &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let log = crate::parse_log("{job=\"x\"}").unwrap();
    let run = |request: LinesRequest| {
        let found = crate::lines(&log, &request, &memory, &|| false).unwrap();
        found.lines.iter().map(|line| line.line.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(run(LinesRequest { is_backward: true, ..asked(2) }), ["line 9", "line 8"]);
    assert_eq!(run(asked(2)), ["line 0", "line 1"]);
    let from_ns = START_NS + 3 * SECOND as u64;
    let to_ns = START_NS + 5 * SECOND as u64;
    assert_eq!(run(LinesRequest { from_ns, to_ns, ..asked(9) }), ["line 3", "line 4"], "the end is no part of it");
    let interval_ns = 4 * SECOND as u64;
    assert_eq!(run(LinesRequest { interval_ns, ..asked(9) }), ["line 0", "line 4", "line 8"]);
    assert_eq!(run(LinesRequest { interval_ns, is_backward: true, ..asked(9) }), ["line 9", "line 5", "line 1"]);
}

#[test]
fn a_query_that_nobody_waits_for_ends() {
    let lines: Vec<String> = (0..3_000).map(|at| format!("line {at}")).collect();
    let memory = Memory::of(&[("job", "x")], &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let log = crate::parse_log("{job=\"x\"} |= \"none\" or \"nothing\"").unwrap();
    let result = crate::lines(&log, &asked(10), &memory, &|| true);
    assert!(matches!(result, Err(QueryError::Stopped)), "{result:?}");
}
