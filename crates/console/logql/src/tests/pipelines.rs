//! <https://grafana.com/docs/loki/latest/query/log_queries/#parser-expression> and what follows it there:
//! parsers, formats, `drop` and `keep`; and <https://grafana.com/docs/loki/latest/query/query_examples/>.

use super::*;

const DOCUMENT: &str = r#"{
    "protocol": "HTTP/2.0",
    "servers": ["129.0.1.1","10.2.1.3"],
    "request": {
        "time": "6.032",
        "method": "GET",
        "host": "foo.grafana.net",
        "size": "55",
        "headers": {"Accept": "*/*", "User-Agent": "curl/7.68.0"}
    },
    "response": {"status": 401, "size": "228", "latency_seconds": "6.031"}
}"#;

#[test]
fn json_is_flattened_and_lists_are_left_out() {
    let expected = labels(&[
        ("protocol", "HTTP/2.0"),
        ("request_time", "6.032"),
        ("request_method", "GET"),
        ("request_host", "foo.grafana.net"),
        ("request_size", "55"),
        ("request_headers_Accept", "*/*"),
        ("request_headers_User_Agent", "curl/7.68.0"),
        ("response_status", "401"),
        ("response_size", "228"),
        ("response_latency_seconds", "6.031"),
    ]);
    assert_eq!(extracted(DOCUMENT, "| json"), expected);
    assert_eq!(extracted(r#"{ "a.b": {"c": "d"}, "e": "f" }"#, "| json"), labels(&[("a_b_c", "d"), ("e", "f")]));
}

#[test]
fn json_takes_out_what_expressions_say() {
    let cases: [(&str, &[(&str, &str)]); 6] = [
        (
            r#"| json first_server="servers[0]", ua="request.headers[\"User-Agent\"]""#,
            &[("first_server", "129.0.1.1"), ("ua", "curl/7.68.0")],
        ),
        (
            r#"| json server_list="servers", headers="request.headers""#,
            &[
                ("server_list", r#"["129.0.1.1","10.2.1.3"]"#),
                ("headers", r#"{"Accept": "*/*", "User-Agent": "curl/7.68.0"}"#),
            ],
        ),
        ("| json servers", &[("servers", r#"["129.0.1.1","10.2.1.3"]"#)]),
        (r#"| json servers="servers""#, &[("servers", r#"["129.0.1.1","10.2.1.3"]"#)]),
        (r#"| json status="response.status", none="response.none""#, &[("status", "401")]),
        (r#"| json protocol, size="[\"request\"].size""#, &[("protocol", "HTTP/2.0"), ("size", "55")]),
    ];
    for (stage, expected) in cases {
        assert_eq!(extracted(DOCUMENT, stage), labels(expected), "{stage}");
    }
}

#[test]
fn json_values_keep_their_digits_and_lose_their_escapes() {
    let line = r#"{"a":1.50,"b":true,"c":null,"d":"x\ty\u00e9\ud83d\ude00","e":"","1st":1e3,"f g":"h","a":"twice"}"#;
    let expected = labels(&[("a", "1.50"), ("b", "true"), ("d", "x\tyé😀"), ("_1st", "1e3"), ("f_g", "h")]);
    assert_eq!(extracted(line, "| json"), expected, "null and empty are none, the first of a name holds");
}

#[test]
fn a_line_that_is_no_json_stays_with_an_error() {
    for line in ["INFO GET / loki.net 200", "{\"a\":", "[1]", "{\"a\":1} x", "", "{\"a\":tru}", "{'a':1}"] {
        let found = extracted(line, "| json");
        assert_eq!(found.get("__error__").map(String::as_str), Some("JSONParserErr"), "{line}");
        assert!(found.contains_key("__error_details__"), "{line}");
    }
    let memory = Memory::of(&[("job", "x")], &["no json", "{\"a\":\"1\"}"]);
    // https://grafana.com/docs/loki/latest/query/query_reference/#pipeline-errors
    assert_eq!(texts(&memory, r#"{job="x"} | json | __error__ != "JSONParserErr""#), ["{\"a\":\"1\"}"]);
    assert_eq!(texts(&memory, r#"{job="x"} | json | __error__ = """#), ["{\"a\":\"1\"}"]);
    assert_eq!(texts(&memory, r#"{job="x"} | json | __error__ != """#), ["no json"]);
    // Only text leaves out what failed; numbers let it through.
    assert_eq!(texts(&memory, r#"{job="x"} | json | a > 5"#), ["no json"]);
}

#[test]
fn what_a_stream_has_already_is_extracted_under_another_name() {
    let memory = Memory::of(&[("job", "x"), ("level", "stream")], &[r#"{"level":"line","job":"y"}"#]);
    let expected = labels(&[("job", "x"), ("job_extracted", "y"), ("level", "stream"), ("level_extracted", "line")]);
    assert_eq!(found(&memory, r#"{job="x"} | json"#)[0].0, expected);
    assert_eq!(texts(&memory, r#"{job="x"} | json | level_extracted = "line""#).len(), 1);
    // A format overrides it by force.
    let formatted = found(&memory, r#"{job="x"} | json | label_format level=level_extracted"#);
    assert_eq!(formatted[0].0.get("level").map(String::as_str), Some("line"));
}

const LOGFMT: &str = "at=info method=GET path=/ host=grafana.net fwd=\"124.133.124.161\" service=8ms status=200";

#[test]
fn logfmt_takes_pairs_out() {
    let expected = labels(&[
        ("at", "info"),
        ("method", "GET"),
        ("path", "/"),
        ("host", "grafana.net"),
        ("fwd", "124.133.124.161"),
        ("service", "8ms"),
        ("status", "200"),
    ]);
    assert_eq!(extracted(LOGFMT, "| logfmt"), expected);
    let some = labels(&[("host", "grafana.net"), ("fwd_ip", "124.133.124.161")]);
    assert_eq!(extracted(LOGFMT, r#"| logfmt host, fwd_ip="fwd""#), some);
    assert_eq!(extracted(LOGFMT, r#"| logfmt --strict host, fwd_ip="fwd""#), some);
    let quoted = extracted(r#"a="x \"y\" z" b.c="é\n" d="" e"#, "| logfmt");
    assert_eq!(quoted, labels(&[("a", "x \"y\" z"), ("b_c", "é\n")]));
}

#[test]
fn logfmt_skips_what_is_no_pair_unless_it_is_strict() {
    let cases = ["=value good=1", "foo=bar=buzz good=1", "fo\"o=bar good=1"];
    for line in cases {
        assert_eq!(extracted(line, "| logfmt"), labels(&[("good", "1")]), "{line}");
        let strict = extracted(line, "| logfmt --strict");
        assert_eq!(strict.get("__error__").map(String::as_str), Some("LogfmtParserErr"), "{line}");
        assert!(!strict.contains_key("good"), "{line}");
    }
    let accepted = extracted("key=value other=\"value in double quotes\"", "| logfmt --strict");
    assert_eq!(accepted, labels(&[("key", "value"), ("other", "value in double quotes")]));
    assert_eq!(extracted("a=1 b=\"open", "| logfmt"), labels(&[("a", "1")]));
}

#[test]
fn logfmt_keeps_keys_without_a_value_where_asked() {
    // A label without a value is none in an answer; a filter sees both alike.
    assert_eq!(extracted("alone a=1", "| logfmt --keep-empty --strict"), labels(&[("a", "1")]));
    assert_eq!(extracted("alone a=1", "| logfmt --keep-empty --strict a"), labels(&[("a", "1")]));
}

#[test]
fn patterns_take_parts_out() {
    let nginx = r#"0.191.12.2 - - [10/Jun/2021:09:14:29 +0000] "GET /api/plugins/versioncheck HTTP/1.1" 200 2 "-" "Go-http-client/2.0" "13.76.247.102, 34.120.177.193" "TLSv1.2" "US" """#;
    let expected = labels(&[
        ("ip", "0.191.12.2"),
        ("method", "GET"),
        ("uri", "/api/plugins/versioncheck"),
        ("status", "200"),
        ("size", "2"),
        ("agent", "Go-http-client/2.0"),
    ]);
    let pattern = r#"| pattern `<ip> - - <_> "<method> <uri> <_>" <status> <size> <_> "<agent>" <_>`"#;
    assert_eq!(extracted(nginx, pattern), expected);
    let line = r#"level=debug ts=2021-06-10T09:24:13.472094048Z caller=logging.go:66 traceID=0568b66ad2d9294c msg="POST /loki/api/v1/push (204) 16.652862ms""#;
    let expected =
        labels(&[("method", "POST"), ("path", "/loki/api/v1/push"), ("status", "204"), ("latency", "16.652862ms")]);
    assert_eq!(extracted(line, r#"| pattern `<_> msg="<method> <path> (<status>) <latency>"`"#), expected);
    // One that begins with a literal has to begin so.
    assert_eq!(extracted("x level=info", "| pattern `level=<level>`"), labels(&[]));
    assert_eq!(extracted("level=info", "| pattern `level=<level>`"), labels(&[("level", "info")]));
    assert_eq!(extracted("a b", "| pattern `<one> <two> <three>`"), labels(&[("one", "a"), ("two", "b")]));
}

#[test]
fn regular_expressions_take_named_parts_out() {
    let line = "POST /api/prom/api/v1/query_range (200) 1.5s";
    let expected = labels(&[
        ("method", "POST"),
        ("path", "/api/prom/api/v1/query_range"),
        ("status", "200"),
        ("duration", "1.5s"),
    ]);
    let stage = r#"| regexp "(?P<method>\\w+) (?P<path>[\\w|/]+) \\((?P<status>\\d+?)\\) (?P<duration>.*)""#;
    assert_eq!(extracted(line, stage), expected);
    assert_eq!(extracted("nothing", stage), labels(&[]));
}

#[test]
fn several_parsers_follow_each_other() {
    // https://grafana.com/docs/loki/latest/query/query_examples/#examples-that-use-multiple-parsers
    let line = r#"level=debug ts=2020-10-02T10:10:42.092268913Z caller=logging.go:66 traceID=a9d4d8a928d8db1 msg="POST /api/prom/api/v1/query_range (200) 1.5s""#;
    let stages = r#"| logfmt | line_format "{{.msg}}" | regexp "(?P<method>\\w+) (?P<path>[\\w|/]+) \\((?P<status>\\d+?)\\) (?P<duration>.*)""#;
    let found = extracted(line, stages);
    assert_eq!(found.get("method").map(String::as_str), Some("POST"));
    assert_eq!(found.get("path").map(String::as_str), Some("/api/prom/api/v1/query_range"));
    assert_eq!((found.get("status").unwrap().as_str(), found.get("duration").unwrap().as_str()), ("200", "1.5s"));
}

#[test]
fn unpack_brings_back_a_packed_line() {
    let line = r#"{"container": "myapp", "pod": "pod-3223f", "_entry": "original log message"}"#;
    let memory = Memory::of(&[("job", "x")], &[line]);
    let all = found(&memory, r#"{job="x"} | unpack"#);
    assert_eq!(all[0].1, "original log message");
    assert_eq!(all[0].0, labels(&[("container", "myapp"), ("job", "x"), ("pod", "pod-3223f")]));
    let nested = r#"{"app":"a","n":{"x":"y"},"_entry":"{\"level\":\"warn\"}"}"#;
    let memory = Memory::of(&[("job", "x")], &[nested]);
    let all = found(&memory, r#"{job="x"} | unpack | json"#);
    assert_eq!(all[0].0, labels(&[("app", "a"), ("job", "x"), ("level", "warn")]));
    assert_eq!(extracted("x", "| unpack").get("__error__").map(String::as_str), Some("JSONParserErr"));
}

#[test]
fn colours_are_taken_out() {
    // https://grafana.com/docs/loki/latest/query/query_examples/#log-line-formatting-examples
    let memory = Memory::of(
        &[("job", "example")],
        &["[2022-11-04 22:17:57.811] \u{1b}[0;32mhttp\u{1b}[0m: GET /_health (0 ms) 204"],
    );
    let expected = ["[2022-11-04 22:17:57.811] http: GET /_health (0 ms) 204"];
    assert_eq!(texts(&memory, r#"{job="example"} | decolorize"#), expected);
    assert_eq!(texts(&memory, r#"{job="example"} | decolorize |= "] http:""#), expected, "filters see it by then");
}

#[test]
fn line_format_rewrites_lines() {
    let memory = Memory::of(&[("container", "frontend")], &["query=up duration=5ms ip=1.1.1.1 status=200 took=3000"]);
    let one = |stages: &str| texts(&memory, &format!("{{container=\"frontend\"}} | logfmt {stages}")).pop().unwrap();
    assert_eq!(one(r#"| line_format "{{.query}} {{.duration}}""#), "up 5ms");
    assert_eq!(one(r#"| line_format "{{.ip}} {{.status}} {{div .took 1000}}""#), "1.1.1.1 200 3");
    assert_eq!(one(r"| line_format `{{.none}}|{{.query}}`"), "|up");
    assert_eq!(one(r#"| line_format "{{.query}}" |= "up""#), "up", "a filter behind it sees the new line");
    assert!(texts(&memory, r#"{container="frontend"} | logfmt | line_format "{{.query}}" |= "frontend""#).is_empty());
    let failed = found(&memory, r#"{container="frontend"} | logfmt | line_format "{{ div .took 0 }}""#);
    assert_eq!(failed[0].0.get("__error__").map(String::as_str), Some("TemplateFormatErr"));
}

#[test]
fn the_page_s_tables_of_queries_are_written() {
    let line = r#"level=info ts=2020-10-23T20:32:18.094668233Z caller=metrics.go:81 org_id=29 traceID=1980d41501b57b68 latency=fast query="{cluster=\"ops-tools1\", job=\"loki-ops/query-frontend\"} |= \"query_range\"" query_type=filter range_type=range length=15m0s step=7s duration=650.22401ms status=200 throughput_mb=1.529717 total_bytes_mb=0.994659"#;
    let memory = Memory::of(&[("cluster", "ops-tools1"), ("name", "querier"), ("namespace", "loki-dev")], &[line]);
    let query = r#"{cluster="ops-tools1", name="querier", namespace="loki-dev"}
  |= "metrics.go" != "loki-canary"
  | logfmt
  | query != ""
  | label_format query="{{ Replace .query \"\\n\" \"\" -1 }}"
  | line_format "{{ .ts}}\t{{.duration}}\ttraceID = {{.traceID}}\t{{ printf \"%-100.100s\" .query }} ""#;
    let expected = format!(
        "2020-10-23T20:32:18.094668233Z\t650.22401ms\ttraceID = 1980d41501b57b68\t{:<100} ",
        r#"{cluster="ops-tools1", job="loki-ops/query-frontend"} |= "query_range""#
    );
    assert_eq!(texts(&memory, query), [expected]);
}

#[test]
fn users_and_addresses_are_found_in_a_security_log() {
    let line = "Nov  3 10:12:13 host sshd[42]: Invalid user admin from 10.1.2.3 port 4711";
    let memory = Memory::of(&[("job", "security")], &[line]);
    let query = r#"{job="security"}
        |~ "Invalid user.*"
        | regexp "(^(?P<user>\\S+ {1,2}){8})"
        | regexp "(^(?P<ip>\\S+ {1,2}){10})"
        | line_format "IP = {{.ip}}\tUSER = {{.user}}""#;
    assert_eq!(texts(&memory, query), ["IP = 10.1.2.3 \tUSER = admin "]);
    let line = "Nov  3 10:12:13 host sshd[42]: pam_unix(sshd:session): session opened for user root by (uid=0) x";
    let memory = Memory::of(&[("job", "security")], &[line]);
    let query = r#"{job="security"} != "grafana_com" |= "session opened" != "sudo: " |regexp "(^(?P<user>\\S+ {1,2}){11})" | line_format "USER = {{.user}}""#;
    assert_eq!(texts(&memory, query), ["USER = root "]);
}

#[test]
fn label_format_renames_and_writes() {
    let line = "src=one status=200 query=up";
    let renamed = extracted(line, "| logfmt | label_format dst=src");
    assert_eq!(renamed, labels(&[("dst", "one"), ("query", "up"), ("status", "200")]), "the source is gone");
    let written = extracted(line, r#"| logfmt | label_format dst="{{.src}}""#);
    assert_eq!((written.get("dst"), written.get("src")), (Some(&"one".to_owned()), Some(&"one".to_owned())));
    let both = extracted(line, r#"| logfmt | label_format a=src, b="{{.status}} {{.query}}""#);
    assert_eq!(both, labels(&[("a", "one"), ("b", "200 up"), ("query", "up"), ("status", "200")]));
    let twice = extracted(line, r#"| logfmt | label_format foo=src | label_format foo="new""#);
    assert_eq!(twice.get("foo").map(String::as_str), Some("new"));
    assert!(told(r#"{job="x"} | label_format foo=bar,foo="new""#).contains("multiple label name 'foo' not allowed"));
    // The value has its unit only when it is compared.
    let units = extracted("took=300", r#"| logfmt | label_format took="{{.took}}ms" | took > 200ms"#);
    assert_eq!(units, labels(&[("took", "300ms")]));
}

const API_LINES: [&str; 2] = [
    r#"{"app": "some-api-service", "level": "info", "method": "GET", "path": "/", "host": "grafana.net", "status": "200"}"#,
    r#"{"app": "other-service", "level": "info", "method": "GET", "path": "/", "host": "grafana.net", "status": "200"}"#,
];

#[test]
fn drop_takes_labels_away() {
    let line = r#"{"level": "info", "method": "GET", "path": "/", "host": "grafana.net", "status": "200"}"#;
    let expected = labels(&[("host", "grafana.net"), ("path", "/"), ("status", "200")]);
    assert_eq!(extracted(line, r#"|json|drop level, method="GET""#), expected);
    assert_eq!(extracted("INFO GET / loki.net 200", "|json|drop __error__"), labels(&[]));
    let memory = Memory::of(&[("job", "varlogs")], &API_LINES);
    let all = found(&memory, r#"{job="varlogs"}|json|drop level, path, app=~"some-api.*""#);
    let common = [("host", "grafana.net"), ("job", "varlogs"), ("method", "GET"), ("status", "200")];
    assert_eq!(all[0].0, labels(&common));
    assert_eq!(all[1].0, labels(&[common.as_slice(), &[("app", "other-service")]].concat()));
    assert_eq!(extracted(line, r#"|json|drop level, method!="GET""#).get("method").map(String::as_str), Some("GET"));
}

#[test]
fn keep_takes_all_other_labels_away() {
    let lines = [
        r#"{"level": "info", "method": "GET", "path": "/", "host": "grafana.net", "status": "200"}"#,
        r#"{"level": "info", "method": "POST", "path": "/", "host": "grafana.net", "status": "200"}"#,
    ];
    let memory = Memory::of(&[("job", "varlogs")], &lines);
    let all = found(&memory, r#"{job="varlogs"}|json|keep level, method="GET""#);
    assert_eq!(all[0].0, labels(&[("level", "info"), ("method", "GET")]));
    assert_eq!(all[1].0, labels(&[("level", "info")]));
    let memory = Memory::of(&[("job", "varlogs")], &API_LINES);
    let all = found(&memory, r#"{job="varlogs"}|json|keep level, tenant, app=~"some-api.*""#);
    assert_eq!(all[0].0, labels(&[("app", "some-api-service"), ("level", "info")]));
    assert_eq!(all[1].0, labels(&[("level", "info")]));
    let failed = extracted("no json", "| json | keep level");
    assert_eq!(failed.get("__error__").map(String::as_str), Some("JSONParserErr"), "errors are kept");
}

#[test]
fn a_value_that_is_none_of_its_kind_stays_with_an_error() {
    for filter in ["status > 5", "status > 5ms", "status > 5KB"] {
        let found = extracted("status=fast", &format!("| logfmt | {filter}"));
        assert_eq!(found.get("__error__").map(String::as_str), Some("LabelFilterErr"), "{filter}");
        assert!(!found.get("__error_details__").unwrap().is_empty());
    }
}

#[test]
fn lines_of_several_lines_are_parsed_as_one() {
    let line = "panic: oh no\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:12 +0x1d";
    let stage = r#"| regexp "(?s)panic: (?P<reason>[^\\n]+).*/app/(?P<file>\\w+\\.go)""#;
    assert_eq!(extracted(line, stage), labels(&[("reason", "oh no"), ("file", "main.go")]));
    let memory = Memory::of(&[("job", "x")], &[line]);
    assert_eq!(texts(&memory, r#"{job="x"} |~ "panic.*main.go""#).len(), 1);
}
