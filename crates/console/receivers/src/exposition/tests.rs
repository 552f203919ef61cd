//! The formats, case by case and by chance.

use console_model::{MetricKind, SampleBatch, is_stale};
use proptest::prelude::*;

use super::*;

fn text(text: &str) -> SampleBatch {
    read(text, Format::Text, 7).unwrap()
}

fn lines(batch: &SampleBatch) -> Vec<String> {
    let line = |series: &console_model::SeriesSamples| {
        let sample = series.samples[0];
        format!("{} {} @{}", series.labels, sample.value, sample.time_ms)
    };
    batch.series.iter().map(line).collect()
}

fn fault(text: &str, format: Format) -> String {
    read(text, format, 0).unwrap_err().to_string()
}

/// The shapes of node_exporter, and what the format allows besides.
const NODE: &str = "\
# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.\\nAll of them.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 2.59893417e+06
node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\",} 1
# a comment
#TYPE node_load1 gauge

  node_load1\t0.21   1395066363000 \r
node_filesystem_avail_bytes{device=\"C:\\\\\",mountpoint=\"/a \\\"b\\\"\\nc\\x{},\"} +Inf
{\"my.metric\", \"a.b\"=\"ü\"} NaN
{\"only\"} -1
";

#[test]
fn text_as_node_exporter_writes_it() {
    let batch = text(NODE);
    assert_eq!(
        lines(&batch),
        [
            r#"{__name__="node_cpu_seconds_total", cpu="0", mode="idle"} 2598934.17 @7"#,
            r#"{__name__="node_cpu_seconds_total", cpu="0", mode="iowait"} 1 @7"#,
            r#"{__name__="node_load1"} 0.21 @1395066363000"#,
            r#"{__name__="node_filesystem_avail_bytes", device="C:\\", mountpoint="/a \"b\"\nc\\x{},"} inf @7"#,
            r#"{__name__="my.metric", a.b="ü"} NaN @7"#,
            r#"{__name__="only"} -1 @7"#,
        ]
    );
    assert_eq!(batch.series[4].samples[0].value.to_bits(), 0x7ff8_0000_0000_0001);
    let first = &batch.metadata[0];
    assert_eq!((first.name.as_str(), first.kind), ("node_cpu_seconds_total", MetricKind::Counter));
    assert_eq!(first.help, "Seconds the CPUs spent in each mode.\nAll of them.");
    assert_eq!(batch.metadata[1].kind, MetricKind::Gauge);
}

const OPEN: &str = "\
# TYPE http_request_seconds histogram
# UNIT http_request_seconds seconds
# HELP http_request_seconds How \\\"long\\\".
http_request_seconds_bucket{le=\"0.5\"} 17 1520879607.789 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\",span_id=\"00f067aa0ba902b7\",user=\"u\"} 0.25 1520879607.5
http_request_seconds_bucket{le=\"+Inf\"} 18 # {} 1
http_request_seconds_sum 3.5
http_request_seconds_count 18
http_request_seconds_created 1520430000.123
# TYPE jobs counter
jobs_total 3
# TYPE build info
build_info{version=\"1\"} 1
# TYPE mode stateset
mode{mode=\"on\"} 1
# EOF
";

#[test]
fn open_metrics_with_exemplars_units_and_infos() {
    let batch = read(OPEN, Format::OpenMetrics, 7).unwrap();
    let exemplar = &batch.series[0].exemplars[0];
    assert_eq!(batch.series[0].samples[0].time_ms, 1_520_879_607_789);
    assert_eq!((exemplar.sample.time_ms, exemplar.sample.value), (1_520_879_607_500, 0.25));
    assert_eq!(exemplar.trace_id.unwrap().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(exemplar.span_id.unwrap().to_string(), "00f067aa0ba902b7");
    assert_eq!(exemplar.labels.to_string(), r#"{user="u"}"#);
    let second = &batch.series[1].exemplars[0];
    assert_eq!((second.sample.time_ms, second.trace_id, second.labels.len()), (7, None, 0));
    let metadata: Vec<_> = batch.metadata.iter().map(|one| (one.name.as_str(), one.kind, one.unit.as_str())).collect();
    assert_eq!(
        metadata,
        [
            ("http_request_seconds", MetricKind::Histogram, "seconds"),
            ("jobs_total", MetricKind::Counter, ""),
            ("build_info", MetricKind::Info, ""),
            ("mode", MetricKind::StateSet, ""),
        ]
    );
    assert_eq!(batch.metadata[0].help, "How \"long\".");
    assert_eq!(batch.series.len(), 8);
}

#[test]
fn the_time_a_counter_began_is_told_from_a_series_of_that_name() {
    let created = |text: &str, format| {
        let mut parser = Parser::new(text, format);
        let mut created = Vec::new();
        while let Some(entry) = parser.next_entry().unwrap() {
            if let Entry::Sample(sample) = entry {
                created.push(sample.created);
            }
        }
        created
    };
    assert_eq!(created(OPEN, Format::OpenMetrics), [false, false, false, false, true, false, false, false]);
    let gauge = "# TYPE file gauge\nfile_created 5\nother_created 6\n# EOF\n";
    assert_eq!(created(gauge, Format::OpenMetrics), [false, false]);
    assert_eq!(created("# TYPE a counter\na_created 5\n", Format::Text), [false]);
}

#[test]
fn bounds_are_the_same_series_in_both_formats() {
    let series = |kind: &str, labels: &str| {
        let batch = text(&format!("# TYPE a {kind}\na_x{{{labels}}} 1\n"));
        batch.series[0].labels.to_string()
    };
    assert_eq!(series("histogram", "le=\"1\",quantile=\"1\""), r#"{__name__="a_x", le="1.0", quantile="1"}"#);
    assert_eq!(series("summary", "le=\"1\",quantile=\"1\""), r#"{__name__="a_x", le="1", quantile="1.0"}"#);
    assert_eq!(series("gauge", "le=\"1\""), r#"{__name__="a_x", le="1"}"#);
    assert_eq!(series("histogram", "le=\"+Inf\""), r#"{__name__="a_x", le="+Inf"}"#);
    assert_eq!(series("histogram", "le=\"one\""), r#"{__name__="a_x", le="one"}"#);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let wrong = |line: &str| fault(&format!("up 1\n{line}\n"), Format::Text);
    for (line, message) in [
        ("1up 1", "line 2: no name of a metric in \"1up 1\", as there is in http_requests_total{method=\"post\"} 1027"),
        ("a{b=\"c} 1", "line 2: no text in quotes at \"\\\"c} 1\", as in {method=\"post\"}"),
        ("a{b} 1", "line 2: the label \"b\" has no value, as in {method=\"post\"}"),
        ("a{\"b\"} 1", "line 2: the label \"b\" has no value, as in {method=\"post\"}"),
        ("{\"a\",\"b\"} 1", "line 2: the label \"b\" has no value, as in {method=\"post\"}"),
        (
            "{a=\"b\"} 1",
            "line 2: no name of a metric in \"{a=\\\"b\\\"} 1\", as there is in http_requests_total{method=\"post\"} 1027",
        ),
        (
            "a{b=\"c\";} 1",
            "line 2: neither a comma nor a closing brace at \";} 1\", as in {method=\"post\",code=\"200\"}",
        ),
        ("a{b=\"c\",b=\"d\"} 1", "line 2: the label \"b\" is there twice"),
        ("a{=\"c\"} 1", "line 2: no name of a label at \"=\\\"c\\\"} 1\", as there is in {method=\"post\"}"),
        ("a", "line 2: no value behind the series, as in up 1"),
        ("a one", "line 2: \"one\" is no number, as 1027, 1.5e-3, NaN and +Inf are"),
        ("a 1 1.5", "line 2: \"1.5\" is no time in milliseconds since 1970, as 1395066363000 is"),
        ("a 1 2 3", "line 2: \"3\" behind the sample"),
        ("a 1 # {} 1", "line 2: \"# {} 1\" behind the sample"),
        ("# TYPE a float", "line 2: \"float\" is no type of a metric, as counter, gauge, histogram and summary are"),
    ] {
        assert_eq!(wrong(line), message, "{line}");
    }
}

#[test]
fn open_metrics_is_strict_about_its_end() {
    assert_eq!(fault("up 1\n", Format::OpenMetrics), "line 1: the text does not end with # EOF: it was cut off");
    assert_eq!(fault("", Format::OpenMetrics), "line 1: the text does not end with # EOF: it was cut off");
    assert_eq!(fault("# EOF\nup 1\n", Format::OpenMetrics), "line 2: there is something behind # EOF");
    assert_eq!(fault("\n# EOF", Format::OpenMetrics), "line 1: an empty line, which OpenMetrics does not have");
    assert!(fault("# so\n# EOF", Format::OpenMetrics).contains("HELP, TYPE, UNIT and EOF only"));
    assert!(fault("# UNIT a_bytes seconds\n", Format::OpenMetrics).contains("is not the end of the name"));
    assert!(fault("a 1 1e300\n", Format::OpenMetrics).contains("no time in seconds"));
    assert!(fault("a 1 # 5\n", Format::OpenMetrics).contains("exemplar without labels"));
    assert!(read("# EOF", Format::OpenMetrics, 0).unwrap().is_empty());
}

#[test]
fn after_an_error_there_is_nothing_more() {
    let mut parser = Parser::new("a b\na 1\n", Format::Text);
    assert!(parser.next_entry().is_err());
    assert!(matches!(parser.next_entry(), Ok(None)));
}

#[test]
fn the_format_follows_the_content_type() {
    let format = |content_type| Format::from_content_type(Some(content_type));
    assert_eq!(format("text/plain; version=0.0.4; charset=utf-8"), Ok(Format::Text));
    assert_eq!(format("application/openmetrics-text; version=1.0.0"), Ok(Format::OpenMetrics));
    assert_eq!(Format::from_content_type(None), Ok(Format::Text));
    let message = format("text/html").unwrap_err().to_string();
    assert!(message.starts_with("the content type \"text/html\" is no text of metrics"));
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

proptest! {
    #[test]
    fn any_series_comes_back(
        name in "(?s).{1,20}",
        labels in proptest::collection::btree_map("(?s).{1,10}", "(?s).{1,20}", 0..6),
        bits: u64,
        time_ms in any::<i64>(),
    ) {
        let value = f64::from_bits(bits);
        let mut line = format!("{{\"{}\"", escaped(&name));
        for (name, value) in &labels {
            line.push_str(&format!(",\"{}\"=\"{}\"", escaped(name), escaped(value)));
        }
        line.push_str(&format!("}} {value} {time_ms}\n"));
        let batch = text(&line);
        let mut expected = labels.clone();
        expected.insert("__name__".to_owned(), name);
        let found = batch.series[0].labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        prop_assert_eq!(expected, found);
        let sample = batch.series[0].samples[0];
        prop_assert_eq!(sample.time_ms, time_ms);
        prop_assert!(sample.value == value || (sample.value.is_nan() && value.is_nan()));
        prop_assert!(!is_stale(sample.value));
    }

    #[test]
    fn no_text_makes_it_panic(text in "(?s)[a-c{}=\",\\\\# \n0-9.]{0,60}|# (TYPE|HELP|UNIT|EOF) .{0,30}|.{0,60}") {
        for format in [Format::Text, Format::OpenMetrics] {
            if let Err(error) = read(&text, format, 0) {
                prop_assert!(error.line >= 1 && error.line <= text.lines().count().max(1));
            }
        }
    }
}
