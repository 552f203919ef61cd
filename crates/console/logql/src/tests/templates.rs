//! <https://grafana.com/docs/loki/latest/query/template_functions/>: every example of the page, with what it
//! says comes out.

use super::*;

/// What a template makes of a line of logfmt.
fn rendered(line: &str, template: &str) -> String {
    let memory = Memory::of(&[("job", "x")], &[line]);
    let query = format!("{{job=\"x\"}} | logfmt | line_format `{template}`");
    let (labels, line) = found(&memory, &query).pop().unwrap();
    assert_eq!(labels.get("__error__"), None, "{template}: {labels:?}");
    line
}

#[test]
fn the_page_s_examples_of_texts() {
    let cases = [
        (r#"{{ .path | replace " " "_" | trunc 5 | upper }}"#, "/A_B/"),
        (r#"{{ if and (contains "he" "hello") (contains "llo" "hello") }} yes {{end}}"#, " yes "),
        (r#"{{ if or (contains "he" "hello") (contains "xx" "hello") }} yes {{end}}"#, " yes "),
        (
            r#"{{ if contains "ErrTimeout" .err }} timeout {{else if contains "he" "hello"}} yes {{else}} no {{end}}"#,
            " timeout ",
        ),
        (r#"{{ .foo | b64enc }}{{ b64enc .foo }}"#, "YmFyYmFyYmFy".get(..4).map_or("", |_| "YmFyYmFy")),
        (r#"{{ "YmFy" | b64dec }}"#, "bar"),
        (r#"{{alignLeft 5 "hello world"}}|{{ alignLeft 5 "hi"}}|"#, "hello|hi   |"),
        (r#"{{alignRight 5 "hello world"}}|{{ alignRight 5 "hi"}}"#, "world|   hi"),
        (r#"{{ default "-" "" }}{{ default "-" "foo" }}{{ .none | default "-" }}"#, "-foo-"),
        (r#"{{ .request_method | lower }} {{ lower  "HELLO"}}"#, "get hello"),
        (r#"{{ indent 4 .query }}"#, "    a\n    b"),
        (r#"{{ nindent 4 .query }}"#, "\n    a\n    b"),
        (r#"{{ repeat 3 "hello" }}"#, "hellohellohello"),
        (r#"{{ printf "The IP address was %s" .remote_addr }}"#, "The IP address was 129.168.1.1"),
        (r#"{{ printf "%-12.12s" .path}}|{{printf "%-5.5s" .request_method}}"#, "/a b/c      |GET  "),
        (r#"{{ .cluster | replace "-cluster" "" }} {{ replace "hello" "world" "hello world" }}"#, "prod world world"),
        (
            r#"{{ .path | substr 2 5 }}|{{ substr 0 5 "hello world"}}|{{ substr 6 11 "hello world"}}|{{ substr 6 -1 "hello world" }}"#,
            " b/|hello|world|world",
        ),
        (r#"{{.request_method | title}} {{ title "hello world"}}"#, "GET Hello World"),
        (r#"{{ trim "   hello    " }}|"#, "hello|"),
        (r#"{{ .path | trimAll "/" }} {{ trimAll "$" "$5.00" }}"#, "a b/c 5.00"),
        (r#"{{ .path | trimPrefix "/" }} {{ trimPrefix "-" "-hello" }}"#, "a b/c hello"),
        (r#"{{ .path | trimSuffix "c" }} {{ trimSuffix "-" "hello-" }}"#, "/a b/ hello"),
        (r#"{{ .path | trunc 2 }} {{ trunc 5 "hello world"}} {{ trunc -5 "hello world"}}"#, "/a hello world"),
        (r#"{{ upper "hello"}}"#, "HELLO"),
        (r#"{{ .path | urlencode }} {{ urldecode "%2Fa+b" }}"#, "%2Fa+b%2Fc /a b"),
        (r#"{{ if eq "ErrTimeout" .err }} timeout {{end}}{{ if eq "hello" "hello" }} yes {{end}}"#, " timeout  yes "),
        (
            r#"{{ if hasSuffix "Timeout" .err }} timeout {{end}}{{ if hasPrefix "he" "hello" }} yes {{end}}"#,
            " timeout  yes ",
        ),
        (r#"{{ "10KB" | bytes }} {{ bytes "1KiB" }}"#, "10000 1024"),
        (r#"{{fromJson "{\"foo\": 55}"}}"#, "map[foo:55]"),
        (r#"{{ range $q := fromJson .queries }} {{ $q.query }} {{ end }}"#, " up  down "),
        (r#"{{ fromJson "no json" }}|"#, "|"),
        (
            r#"{{ Trim "xax" "x" }}{{ TrimLeft "xax" "x" }}{{ TrimRight "xax" "x" }}{{ TrimSpace " a " }}{{ ToLower "A" }}{{ ToUpper "a" }}{{ TrimPrefix "ab" "a" }}{{ TrimSuffix "ab" "b" }}"#,
            "aaxxaaaAba",
        ),
    ];
    let line = r#"path="/a b/c" err=ErrTimeout foo=bar request_method=GET query="a\nb" remote_addr=129.168.1.1 cluster=prod-cluster queries="[{\"query\":\"up\"},{\"query\":\"down\"}]""#;
    for (template, expected) in cases {
        assert_eq!(rendered(line, template), expected, "{template}");
    }
}

#[test]
fn the_page_s_examples_of_numbers() {
    let cases = [
        ("{{ add 3 2 5 }}", "10"),
        ("{{ addf 3.5 2 5 }}", "10.5"),
        ("{{ ceil 123.001 }}", "124"),
        ("{{ div 10 2}}", "5"),
        ("{{ divf 10 2 4}}", "1.25"),
        (r#"{{ "3.5" | float64 }}"#, "3.5"),
        ("{{ floor 123.9999 }}", "123"),
        (r#"{{ "3" | int }}"#, "3"),
        ("{{ max 1 2 3 }}", "3"),
        ("{{ maxf 1 2.5 3 }}", "3"),
        ("{{ min 1 2 3 }}", "1"),
        ("{{ minf 1.5 2.5 3 }}", "1.5"),
        ("{{ mul 5 2 3}}", "30"),
        ("{{ mulf 5.5 2 2.5 }}", "27.5"),
        ("{{ mod 10 3}}", "1"),
        ("{{ round 123.555555 3 }}", "123.556"),
        ("{{ round 123.88571428571 5 .2 }}", "123.88572"),
        ("{{ round 123.88571428571 5 }}", "123.88571"),
        ("{{ sub 5 2 }}", "3"),
        ("{{ subf 5.5 2 1.5 }}", "2"),
        ("{{ div .took 1000 }} {{ add .took 1 }}", "3 3001"),
        (r#"{{ count "a|b" "abab" }} {{ count "o" "foo" }}"#, "4 2"),
        (r#"{{ regexReplaceAll "(a*)bc" .label "${1}a" }}"#, "aaa d"),
        (r#"{{ regexReplaceAllLiteral "(ts=)" "ts=5" "timestamp=" }}"#, "timestamp=5"),
        ("{{ .wait | duration }} {{ duration_seconds .wait }}", "90 90"),
    ];
    for (template, expected) in cases {
        assert_eq!(rendered("took=3000 wait=1m30s label=\"aabc d\"", template), expected, "{template}");
    }
}

#[test]
fn the_page_s_examples_of_times() {
    let cases = [
        ("{{ __timestamp__ }}", "2023-11-14 22:13:20 +0000 UTC"),
        (r#"{{ __timestamp__ | date "2006-01-02T15:04:05.00Z-07:00" }}"#, "2023-11-14T22:13:20.00Z+00:00"),
        ("{{ __timestamp__ | unixEpoch }}", "1700000000"),
        (r#"{{ date "2006-01-02" now }}"#, "2023-11-15"),
        (r#"{{ toDate "2006-01-02" "2021-11-02" }}"#, "2021-11-02 00:00:00 +0000 UTC"),
        (r#"{{ toDateInZone "2006-01-02" "UTC" "2021-11-02" }}"#, "2021-11-02 00:00:00 +0000 UTC"),
        (r#"{{ .foo | toDate "2006-01-02T15:04:05.999999999Z" | unixEpochMillis }}"#, "1635811200250"),
        (r#"{{ .foo | toDateInZone "2006-01-02T15:04:05.999999999Z" "UTC" | unixEpoch }}"#, "1635811200"),
        (r#"{{ .foo | toDateInZone "2006-01-02T15:04:05.999999999Z" "UTC" | unixEpochNanos }}"#, "1635811200250000000"),
        ("{{ unixEpoch now }}", "1700086400"),
        ("{{ unixEpochMillis now }}", "1700086400000"),
        ("{{ unixEpochNanos now }}", "1700086400000000000"),
        (r#"{{date "2006-01-02" (unixToTime .from)}}"#, "2023-03-23"),
        (r#"{{date "2006-01-02" (unixToTime "1679577215123")}}"#, "2023-03-23"),
        (r#"{{date "2006-01-02" (unixToTime "19439")}}"#, "2023-03-23"),
        ("{{ (__timestamp__).Year }}", "2023"),
        (r#"{{ __line__ | upper | trunc 5 }}"#, "FOO=2"),
    ];
    for (template, expected) in cases {
        let line = "foo=2021-11-02T00:00:00.25Z from=1679577215";
        assert_eq!(rendered(line, template), expected, "{template}");
    }
}

#[test]
fn jobs_of_yesterday_are_found_by_their_date() {
    let memory = Memory::of(&[("job", "loki/querier")], &["createDate=2023-11-10", "createDate=2023-11-15"]);
    let query = r#"{job="loki/querier"} | logfmt | label_format nowEpoch=`{{(unixEpoch now)}}`,createDateEpoch=`{{unixEpoch (toDate "2006-01-02" .createDate)}}` | label_format dateTimeDiff=`{{sub .nowEpoch .createDateEpoch}}` | dateTimeDiff > 86400"#;
    assert_eq!(texts(&memory, query), ["createDate=2023-11-10"]);
}

#[test]
fn headers_that_are_missing_are_shown_as_a_dash() {
    let memory = Memory::of(
        &[("job", "access_log")],
        &["{\"a\":1}", "{\"http\":{\"request_headers_x_forwarded_for\":\"1.1.1.1\"}}"],
    );
    let query = r#"{job="access_log"} | json | line_format `{{.http_request_headers_x_forwarded_for | default "-"}}`"#;
    assert_eq!(texts(&memory, query), ["-", "1.1.1.1"]);
}

#[test]
fn words_in_a_line_are_counted() {
    let memory = Memory::of(&[("job", "xyzlog")], &["XYZ and XYZ", "none"]);
    assert_eq!(texts(&memory, "{job=\"xyzlog\"} | line_format `{{ __line__ | count \"XYZ\"}}`"), ["2", "0"]);
}

#[test]
fn a_template_that_does_too_much_ends() {
    let memory = Memory::of(&[("job", "x")], &["a"]);
    let grown =
        |step: &str| format!("{{{{ $x := \"a\\nb\\nc\" }}}}{{{{ range 99 }}}}{{{{ $x = {step} }}}}{{{{ end }}}}");
    let templates = [
        "{{ range 1000000 }}x{{ end }}".to_owned(),
        "{{ range 9000 }}{{ repeat 9999 \"x\" }}{{ end }}".to_owned(),
        grown("replace \"\" $x $x"),
        grown("Replace $x \"\" $x -1"),
        grown("regexReplaceAll \".*\" $x \"$0$0$0$0\""),
        grown("regexReplaceAllLiteral \"\" $x $x"),
        grown("indent 1000 (print $x $x)"),
        grown("b64enc $x"),
    ];
    for template in templates {
        let all = found(&memory, &format!("{{job=\"x\"}} | line_format `{template}`"));
        assert_eq!(all[0].0.get("__error__").map(String::as_str), Some("TemplateFormatErr"), "{template}");
    }
}
