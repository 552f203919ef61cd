//! Prometheus' functions in templates.

use super::*;
use crate::query::{Evaluated, QueryError};

struct Fixed;

impl Querier for Fixed {
    fn check(&self, query: &str) -> Result<String, QueryError> {
        Ok(query.to_owned())
    }

    fn instant(&self, query: &str, time_ms: i64) -> Result<Vec<Evaluated>, QueryError> {
        if query == "broken" {
            return Err(QueryError("it is broken".to_owned()));
        }
        let element = |instance: &str, value: f64| Evaluated {
            labels: Labels::from_pairs([("__name__", query), ("instance", instance)]),
            value,
        };
        Ok(vec![element("b", time_ms as f64), element("a", 2.0)])
    }

    fn last(&self, _: &[(&str, &str)], _: i64, _: i64) -> Result<Vec<(Labels, console_model::Sample)>, QueryError> {
        Ok(Vec::new())
    }
}

fn expand(text: &str) -> Result<String, String> {
    let context = Context {
        external_url: "http://console.test/prefix".to_owned(),
        external_labels: Texts::from([("cluster".to_owned(), "one".to_owned())]),
        ..Context::default()
    };
    let labels = Labels::from_pairs([("instance", "api-1.orders.test:9100"), ("job", "api")]);
    let subject = Subject { labels: &labels, value: 1_234_567.891, context: &context, time_ms: 5_000 };
    Templates::new(Arc::new(Fixed)).expand("__alert_Down", text, &subject)
}

#[test]
fn templates_see_labels_value_and_where_they_are() {
    for (text, expected) in [
        ("plain", "plain"),
        ("{{ $labels.job }} on {{ .Labels.instance }}", "api on api-1.orders.test:9100"),
        ("{{ $value }}", "1.234567891e+06"),
        ("[{{ $labels.nothing }}]", "[]"),
        (
            "{{ $externalLabels.cluster }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}",
            "one http://console.test/prefix http://console.test/prefix /prefix",
        ),
        (
            r#"{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }} {{ end }}"#,
            "a=2 b=5000 ",
        ),
        (r#"{{ query "up" | first | label "instance" }}{{ query "up" | first | value }}"#, "b5000"),
        (r#"{{ with args 1 "x" }}{{ .arg0 }}{{ .arg1 }}{{ end }}"#, "1x"),
    ] {
        assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn numbers_are_written_for_people() {
    for (text, expected) in [
        ("{{ humanize $value }}", "1.235M"),
        ("{{ humanize 0.0001234 }}", "123.4u"),
        ("{{ humanize 0.0 }}", "0"),
        ("{{ humanize1024 1048576.0 }}", "1Mi"),
        (r#"{{ humanizeDuration "899.99" }}"#, "14m 59s"),
        ("{{ humanizeDuration -90061 }}", "-1d 1h 1m 1s"),
        ("{{ humanizeDuration 12.3456 }}", "12.35s"),
        ("{{ humanizeDuration 0.0123456 }}", "12.35ms"),
        ("{{ humanizePercentage 0.1234567 }}", "12.35%"),
        ("{{ 1435065584.128 | humanizeTimestamp }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        ("{{ (1435065584.0 | toTime).Year }}", "2015"),
        (r#"{{ parseDuration "1h2m10ms" }}"#, "3720.01"),
        ("{{ now }}", "5"),
    ] {
        assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn texts_are_changed_as_prometheus_changes_them() {
    for (text, expected) in [
        (r#"{{ "aa bb CC" | title }}"#, "Aa Bb CC"),
        (r#"{{ "aB" | toUpper }}{{ "aB" | toLower }}"#, "ABab"),
        (r#"{{ match "a+" "xaay" }}"#, "true"),
        (r#"{{ reReplaceAll "(.*):.*" "${1}!" $labels.instance }}"#, "api-1.orders.test!"),
        ("{{ stripPort $labels.instance }}", "api-1.orders.test"),
        (r#"{{ stripPort "[::1]:80" }}"#, "::1"),
        ("{{ stripDomain $labels.instance }}", "api-1:9100"),
        (r#"{{ stripDomain "10.0.0.1:80" }}"#, "10.0.0.1:80"),
        (r#"{{ graphLink "up" }}{{ tableLink "a b" }}"#, "/graph?g0.expr=up&g0.tab=0/graph?g0.expr=a+b&g0.tab=1"),
    ] {
        assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_template_is_told_in_gos_words() {
    let told = expand("{{ nothing $value }}").unwrap_err();
    assert!(told.starts_with("error parsing template __alert_Down: template: __alert_Down:1:"), "{told}");
    assert!(told.contains("function \"nothing\" not defined"), "{told}");
    let told = expand(r#"{{ query "broken" }}"#).unwrap_err();
    assert!(told.starts_with("error executing template __alert_Down:") && told.contains("it is broken"), "{told}");
    assert!(expand(r#"{{ match "(" "x" }}"#).unwrap_err().contains("error parsing regexp"));
    assert!(expand(r#"{{ range $i, $x := query "up" }}{{ template "none" }}{{ end }}"#).is_err());
}

#[test]
fn a_template_whose_values_grow_without_end_is_an_error() {
    for text in [
        "{{ $x := args 1 }}{{ range 100000 }}{{ $x = args $x }}{{ end }}",
        "{{ $x := args 1 }}{{ range 100 }}{{ $x = args $x $x }}{{ end }}{{ $x }}",
        r#"{{ $x := "0123456789" }}{{ range 100 }}{{ $x = reReplaceAll "." $x $x }}{{ end }}"#,
        r#"{{ $x := "0123456789" }}{{ range 100 }}{{ $x = reReplaceAll ".*" "$0$0$0$0" $x }}{{ end }}"#,
    ] {
        assert!(expand(text).is_err_and(|told| told.contains("more than")), "{text}");
    }
    assert_eq!(expand(r#"{{ with args 1 (query "up") }}{{ len .arg1 }}{{ end }}"#).as_deref(), Ok("2"));
}
