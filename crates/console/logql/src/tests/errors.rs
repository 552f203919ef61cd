//! What is no query, in Loki's words, and how queries are written back.

use super::*;

#[test]
fn what_is_no_query_is_told_with_its_place() {
    let cases = [
        ("rtfm", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"),
        ("", "parse error at line 1, col 1: syntax error: unexpected $end"),
        ("{", "parse error at line 1, col 2: syntax error: unexpected $end, expecting IDENTIFIER or }"),
        ("{app", "parse error at line 1, col 5: syntax error: unexpected $end, expecting = or != or =~ or !~"),
        ("{app=", "parse error at line 1, col 6: syntax error: unexpected $end, expecting STRING"),
        ("{app=foo}", "parse error at line 1, col 6: syntax error: unexpected IDENTIFIER, expecting STRING"),
        ("{app=\"foo\"", "parse error at line 1, col 11: syntax error: unexpected $end, expecting } or ,"),
        (
            "{app=\"foo\"}\n | json |",
            "parse error at line 2, col 10: syntax error: unexpected $end, expecting IDENTIFIER",
        ),
        ("{app=\"foo\"} |= ", "parse error at line 1, col 16: syntax error: unexpected $end, expecting STRING"),
        (
            "{app=\"foo\"} |= foo",
            "parse error at line 1, col 16: syntax error: unexpected IDENTIFIER, expecting STRING",
        ),
        ("{app=\"foo\"} | a", "parse error at line 1, col 16: syntax error: unexpected $end"),
        (
            "{app=\"foo\"} | a == \"b\"",
            "parse error at line 1, col 20: syntax error: unexpected STRING, expecting BYTES or NUMBER or DURATION",
        ),
        (
            "{app=\"foo\"} | line_format a",
            "parse error at line 1, col 27: syntax error: unexpected IDENTIFIER, expecting STRING",
        ),
        ("{app=\"foo\"} | unwrap a", "parse error at line 1, col 15: syntax error: unexpected UNWRAP"),
        ("rate({app=\"foo\"})", "parse error at line 1, col 17: syntax error: unexpected )"),
        ("rate({app=\"foo\"}[5m]", "parse error at line 1, col 21: syntax error: unexpected $end, expecting )"),
        (
            "rate({app=\"foo\"}[x])",
            "parse error at line 1, col 18: syntax error: unexpected IDENTIFIER, expecting DURATION",
        ),
        ("sum({app=\"foo\"})", "parse error at line 1, col 5: syntax error: unexpected {"),
        ("{app=\"foo\"} 5", "parse error at line 1, col 13: syntax error: unexpected NUMBER"),
        ("{app=\"foo\"", "parse error at line 1, col 11: syntax error: unexpected $end, expecting } or ,"),
        ("{app=\"foo}", "parse error at line 1, col 6: literal not terminated"),
        ("{app=\"\\q\"}", "parse error at line 1, col 6: invalid char escape"),
        ("vector(a)", "parse error at line 1, col 8: syntax error: unexpected IDENTIFIER, expecting NUMBER"),
        ("1 +", "parse error at line 1, col 4: syntax error: unexpected $end"),
        (
            "1 + 9e999",
            "parse error at line 1, col 5: \"9e999\" is out of range: the greatest number is 1.7976931348623157e308",
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(told(query), expected, "{query}");
    }
}

#[test]
fn what_a_query_may_not_ask_is_told() {
    let cases = [
        (
            "{}",
            "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will",
        ),
        ("{app=~\".*\"}", "empty-compatible"),
        ("{app!=\"x\"}", "empty-compatible"),
        ("{app=~\"[\"}", "error parsing regexp"),
        ("{app=\"x\"} |~ \"(\"", "error parsing regexp"),
        ("{app=\"x\"} | regexp \"x\"", "at least one named capture must be supplied"),
        ("{app=\"x\"} | pattern \"<_>\"", "at least one capture is required"),
        ("{app=\"x\"} | line_format \"{{ nope }}\"", "function \"nope\" not defined"),
        ("{app=\"x\"} | json a=\"b[\"", "cannot parse expression"),
        ("{app=\"x\"} | logfmt --fast", "unknown parser flag --fast"),
        ("{app=\"x\"} |= ip(\"x\")", "invalid pattern"),
        ("{app=\"x\"} |> \"<a>\"", "must not contain any named capture"),
        ("sum_over_time({app=\"x\"}[5m])", "parse error : invalid aggregation sum_over_time without unwrap"),
        (
            "count_over_time({app=\"x\"} | unwrap a [5m])",
            "parse error : invalid aggregation count_over_time with unwrap",
        ),
        (
            "sum_over_time({app=\"x\"} | unwrap a [5m]) by (b)",
            "parse error : grouping not allowed for sum_over_time aggregation",
        ),
        (
            "quantile_over_time({app=\"x\"} | unwrap a [5m])",
            "parse error : parameter required for operation quantile_over_time",
        ),
        ("rate(5, {app=\"x\"}[5m])", "parse error : parameter 5 not supported for operation rate"),
        ("topk(rate({app=\"x\"}[5m]))", "parse error : parameter required for operation topk"),
        ("topk(0, rate({app=\"x\"}[5m]))", "invalid parameter (must be greater than 0) topk(0,"),
        ("sum(5, rate({app=\"x\"}[5m]))", "unsupported parameter for operation sum(5,"),
        ("sort by (a) (rate({app=\"x\"}[5m]))", "grouping not allowed for sort aggregation"),
        ("1 and rate({app=\"x\"}[5m])", "unexpected literal for left leg of logical/set binary operation (and): 1"),
        ("rate({app=\"x\"}[5m]) or 1", "unexpected literal for right leg of logical/set binary operation (or): 1"),
        ("rate({app=\"x\"}[5m]) + bool 1", "bool modifier can only be used on comparison operators"),
        (
            "rate({app=\"x\"}[5m]) and on(a) group_left rate({app=\"x\"}[5m])",
            "no grouping allowed for \"and\" operation",
        ),
        ("rate({app=\"x\"}[0s])", "longer than nothing"),
        ("label_replace(rate({app=\"x\"}[5m]), \"a\", \"b\", \"c\", \"(\")", "error parsing regexp"),
    ];
    for (query, expected) in cases {
        let told = told(query);
        assert!(told.contains(expected), "{query}: {told}");
    }
}

#[test]
fn hostile_queries_are_refused() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
    assert!(told(&deep("(", ")")).contains("nested deeper"));
    assert!(
        told(&format!("{}rate({{a=\"b\"}}[5m]){}", "sum(".repeat(5_000), ")".repeat(5_000))).contains("nested deeper")
    );
    assert!(told(&"1 + ".repeat(5_000)).contains("more than 300 operators"));
    assert!(told(&format!("{{a=\"b\"}} | {}", "a=\"b\" or ".repeat(5_000))).contains("more than 300 operators"));
    assert!(told(&format!("{{a=\"b\"}} {}", "|= \"x\" ".repeat(5_000))).contains("more than 200 stages"));
    assert!(told(&format!("{{a=\"b\"}} | {}", "(".repeat(5_000))).contains("nested deeper"));
    assert!(told(&"(".repeat(5_000)).contains("nested deeper"));
    assert!(told("{a=~\"((((x{100}){100}){100}){100})\"}").contains("error parsing regexp"));
    assert!(told(&format!("{{a=\"{}\"}}", "x".repeat(200_000))).contains("it may have 131072"));
}

#[test]
fn queries_are_written_back_as_loki_writes_them() {
    let cases = [
        ("{ app =\"foo\" , b!~`x.*` }", r#"{app="foo", b!~"x.*"}"#),
        ("{app=\"foo\"}|=\"a\"or\"b\"!=`c`|~\"d\"", r#"{app="foo"} |= "a" or "b" != "c" |~ "d""#),
        (
            "{a=\"b\"}|json|logfmt --strict x,y=\"z\"|unpack|decolorize",
            r#"{a="b"} | json | logfmt --strict x="x", y="z" | unpack | decolorize"#,
        ),
        ("{a=\"b\"}|pattern`<x> <_>`|regexp`(?P<y>.)`", r#"{a="b"} | pattern "<x> <_>" | regexp "(?P<y>.)""#),
        (
            "{a=\"b\"} | a>5 and b=~\"c\" or d<=5m,e!=20MB",
            r#"{a="b"} | ( ( ( a > 5 and b=~"c" ) or d <= 5m ) and e != 20MB )"#,
        ),
        (
            "{a=\"b\"}|label_format x=y,z=\"{{.q}}\"|line_format\"{{.x}}\"|drop a,b=\"c\"|keep d",
            r#"{a="b"} | label_format x=y, z="{{.q}}" | line_format "{{.x}}" | drop a, b="c" | keep d"#,
        ),
        ("sum by(a,b)(rate({a=\"b\"}[5m]))", r#"sum by (a, b) (rate({a="b"}[5m]))"#),
        ("sum(rate({a=\"b\"}[300s] offset 1h)) by (a)", r#"sum by (a) (rate({a="b"}[5m] offset 1h))"#),
        (
            "quantile_over_time(0.99,{a=\"b\"}|unwrap bytes(x)|__error__=\"\"[1m])by(p)",
            r#"quantile_over_time(0.99,{a="b"} | unwrap bytes(x) | __error__=""[1m]) by (p)"#,
        ),
        ("topk(3,rate({a=\"b\"}[5m]))*2+1", r#"(topk(3,rate({a="b"}[5m])) * 2) + 1"#),
        (
            "rate({a=\"b\"}[5m])>bool on(x)group_left(y)rate({c=\"d\"}[5m])",
            r#"rate({a="b"}[5m]) > bool on (x) group_left (y) rate({c="d"}[5m])"#,
        ),
        ("vector(1)", "vector(1)"),
        ("{a=\"b\"} | x = ip(\"::1\") != ip(\"10.0.0.0/8\")", r#"{a="b"} | x = ip("::1") != ip("10.0.0.0/8")"#),
    ];
    for (query, expected) in cases {
        let written = crate::parse(query).unwrap_or_else(|error| panic!("{query}: {error}")).to_string();
        assert_eq!(written, expected);
        assert_eq!(crate::parse(&written).unwrap(), crate::parse(query).unwrap(), "{query}");
    }
}

#[test]
fn long_queries_are_written_over_lines() {
    let query = r#"sum by (host) (rate({job="mysql", namespace="production"} |= "error" != "timeout" | json | duration > 10s | a = "b" [1m])) / ignoring(host) group_left sum(rate({job="mysql"}[1m]))"#;
    let expected = r#"  sum by (host) (
    rate(
      {job="mysql", namespace="production"} |= "error" != "timeout" | json | duration > 10s | a="b" [1m]
    )
  )
/ ignoring (host) group_left ()
  sum(rate({job="mysql"}[1m]))"#;
    let expr = crate::parse(query).unwrap();
    assert_eq!(crate::ast::pretty(&expr), expected);
    assert_eq!(crate::parse(expected).unwrap(), expr);
    assert_eq!(crate::ast::pretty(&crate::parse("{a=\"b\"} |= \"c\"").unwrap()), "{a=\"b\"} |= \"c\"");
}

#[test]
fn selectors_alone_may_select_everything() {
    assert_eq!(crate::parse_selector("{}").unwrap(), []);
    assert_eq!(crate::parse_selector("{app=\"x\"}").unwrap().len(), 1);
    assert!(crate::parse_selector("{app=\"x\"} |= \"y\"").is_err());
    assert!(
        crate::parse_log("rate({a=\"b\"}[5m])").unwrap_err().to_string().contains("only log selector is supported")
    );
}
