//! What is PromQL and what is not, in which words it is refused, and how it is laid out.

use console_promql::{Features, format, parse, parse_with};

fn refusal(query: &str) -> String {
    parse(query).map(|expr| format!("parsed as {expr}")).unwrap_or_else(|error| error.to_string())
}

#[test]
fn a_query_is_written_back_in_its_one_form() {
    let cases = [
        ("foo", "foo"),
        (r#"foo { a = "b" , c=~'d.*' , }"#, r#"foo{a="b",c=~"d.*"}"#),
        (r#"{"foo", "bar", __name__=~"b"}"#, r#"{"foo",__name__="bar",__name__=~"b"}"#),
        (r#"{"foo.bar", "a b"="c"}"#, r#"{"foo.bar","a b"="c"}"#),
        ("sum(foo)by(a,b)", "sum by (a, b) (foo)"),
        ("topk without(a)(5,foo)", "topk without (a) (5, foo)"),
        ("a+b*c^d^e", "a + b * c ^ d ^ e"),
        ("-1^2", "-1 ^ 2"),
        ("rate(foo[300] offset -1h30m)", "rate(foo[5m] offset -1h30m)"),
        (
            "max_over_time(rate(foo[5m])[1h:1m]@ 100.5 offset 1w)",
            "max_over_time(rate(foo[5m])[1h:1m] @ 100.500 offset 1w)",
        ),
        ("foo@start()", "foo @ start()"),
        ("a/on(x)group_left(y)b", "a / on (x) group_left (y) b"),
        ("a >bool ignoring(x) b", "a > bool ignoring (x) b"),
        ("sum", "sum"),
        ("1e21 + 0x10 + 1e-7 + Inf", "1000000000000000000000 + 16 + 0.0000001 + +Inf"),
        ("foo > 90m + -5m", "foo > 1h30m + -5m"),
        ("clamp(foo, 300, (1ms))", "clamp(foo, 300, (1ms))"),
        ("\"a\\\"b\"", "\"a\\\"b\""),
        ("foo # said\n", "foo"),
        ("foo[5m:]", "foo[5m:]"),
        ("start{a='b'}", "start{a=\"b\"}"),
    ];
    for (query, expected) in cases {
        let expr = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(expr.to_string(), expected, "{query}");
        assert_eq!(parse(expected).unwrap().to_string(), expected, "again: {expected}");
    }
}

#[test]
fn what_is_wrong_is_told_as_prometheus_tells_it() {
    let cases = [
        ("", "unknown position: parse error: no expression found in input"),
        ("foo +", "1:6: parse error: unexpected end of input"),
        ("*1", "1:1: parse error: unexpected <op:*>"),
        (" ", "1:1: parse error: no expression found in input"),
        ("(1))", "1:5: parse error: unexpected right parenthesis ')'"),
        ("((1)", "1:5: parse error: unclosed left parenthesis"),
        ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("1 and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
        ("a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"),
        ("foo{a=b}", "1:7: parse error: unexpected identifier \"b\" in label matching, expected string"),
        ("foo{a>1}", "1:6: parse error: unexpected character inside braces: '>'"),
        ("foo{}{}", "1:6: parse error: unexpected \"{\""),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("foo[5mm]", "1:5: parse error: bad number or duration syntax: \"5mm\""),
        ("foo[0m]", "1:5: parse error: duration must be greater than 0"),
        ("rate(foo)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"),
        ("nothing(foo)", "1:1: parse error: unknown function with name \"nothing\""),
        ("floor()", "1:1: parse error: expected 1 argument(s) in call to \"floor\", got 0"),
        ("sum(foo,)", "1:8: parse error: trailing commas not allowed in function call args"),
        ("foo offset 5m offset 5m", "1:1: parse error: offset may not be set multiple times"),
        ("a and on(b) group_left(c) d", "1:1: parse error: no grouping allowed for \"and\" operation"),
        ("a + on(b) group_left(b) d", "1:3: parse error: label \"b\" must not occur in ON and GROUP clause at once"),
        ("sum(foo bar)", "1:9: parse error: unexpected identifier \"bar\" in aggregation"),
        ("rate(foo bar)", "1:10: parse error: unexpected identifier \"bar\""),
        ("sum by (a (foo)", "1:11: parse error: unexpected \"(\" in grouping opts, expected \",\" or \")\""),
        ("(foo bar", "1:6: parse error: unexpected identifier \"bar\""),
        ("nothing(foo", "1:12: parse error: unclosed left parenthesis"),
        ("foo[5m", "1:7: parse error: unclosed left bracket"),
        ("foo[5m)", "1:8: parse error: unexpected right parenthesis ')'"),
        ("foo[a]", "1:5: parse error: unexpected character in duration expression: 'a'"),
        ("foo[]", "1:5: parse error: unexpected \"]\" in subquery selector, expected number or duration"),
        ("foo[5m, 1m]", "1:7: parse error: unexpected \",\" in subquery or range, expected \":\" or \"]\""),
        ("foo[1m1h]", "1:5: parse error: not a valid duration string: \"1m1h\""),
        ("foo[99999y]", "1:5: parse error: duration out of range"),
        ("sum(foo)[5m]", "1:9: parse error: ranges only allowed for vector selectors"),
        ("foo offset 5m [5m]", "1:15: parse error: no offset modifiers allowed before range"),
        ("foo[5m][5m:1m]", "1:1: parse error: subquery is only allowed on instant vector, got matrix instead"),
        ("foo{a=\"b\"}}", "1:11: parse error: unexpected character: '}'"),
        ("foo =~ bar", "1:5: parse error: unexpected character after '=': '~'"),
        ("foo{\"bar\"}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\""),
        ("foo{__name__=~\"b\"}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"b\""),
        ("foo{a=~\"b)(c\"}", "1:5: parse error: error parsing regexp: unexpected ): `b)(c`"),
        ("foo @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"),
        ("1e400", "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"1e400\": value out of range"),
        ("\"\\q\"", "1:1: parse error: unknown escape sequence U+0071 'q'"),
        ("and(foo)", "1:4: parse error: unexpected \"(\""),
        ("foo\n+\nbar{", "3:5: parse error: unexpected end of input inside braces"),
    ];
    for (query, expected) in cases {
        assert_eq!(refusal(query), expected, "{query}");
    }
}

#[test]
fn a_long_query_is_laid_out_over_lines() {
    let query = "sum by (job, instance) (rate(http_requests_total{job=\"api\",handler=\"/orders\"}[5m])) / \
                 sum by (job, instance) (rate(http_requests_total{job=\"api\"}[5m]))";
    let expected = "  sum by (job, instance) (rate(http_requests_total{job=\"api\",handler=\"/orders\"}[5m]))\n/\n  \
                    sum by (job, instance) (rate(http_requests_total{job=\"api\"}[5m]))";
    assert_eq!(format(&parse(query).unwrap()), expected);
}

#[test]
fn no_depth_of_nesting_ends_the_stack() {
    let nested = |open: &str, middle: &str, close: &str| open.repeat(100_000) + middle + &close.repeat(100_000);
    for query in [
        nested("(", "1", ")"),
        nested("-", "a", ""),
        nested("a + ", "a", ""),
        nested("a ^ ", "a", ""),
        nested("abs(", "a", ")"),
        nested("", "a[5m]", "[5m:1m]"),
        nested("sum(", "a", ")"),
        format!("a[{}]", nested("(", "5m", ")")),
        format!("a[{}]", nested("1m + ", "5m", "")),
        nested("{", "", "}"),
    ] {
        assert!(parse(&query).is_err(), "{}", &query[..20]);
    }
}

#[test]
fn what_prometheus_has_behind_flags_is_off_unless_it_is_asked_for() {
    for query in ["mad_over_time(a[5m])", "limitk(1, a)", "a[5m * 2]", "rate(a[5m] anchored)", "a + fill(0) b"] {
        assert!(parse_with(query, Features::default(), 100).is_err(), "{query}");
        assert!(parse(query).is_ok(), "{query}: {}", refusal(query));
    }
}
