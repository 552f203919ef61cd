//! From scrape to scrape: labels, limits and marks, without time or network.

use console_model::{Labels, SampleBatch, is_stale};

use crate::exposition::Format;
use crate::scrape::Limits;
use crate::scrape::series::{Cache, Report};

fn cache() -> Cache {
    Cache::new(&Labels::from_pairs([("job", "node"), ("instance", "h:1")]))
}

/// Series without what the target adds, with value or mark, sorted.
fn lines(batch: &SampleBatch) -> Vec<String> {
    let line = |series: &console_model::SeriesSamples| {
        assert_eq!((series.labels.get("job"), series.labels.get("instance")), (Some("node"), Some("h:1")));
        let own = series.labels.iter().filter(|(name, _)| *name != "job" && *name != "instance");
        let own: Vec<_> = own.map(|(name, value)| format!("{name}={value}")).collect();
        let sample = series.samples[0];
        let value = if is_stale(sample.value) { "stale".to_owned() } else { sample.value.to_string() };
        format!("{} {value} @{}", own.join(" "), sample.time_ms)
    };
    let mut lines: Vec<_> = batch.series.iter().map(line).collect();
    lines.sort();
    lines
}

fn take(cache: &mut Cache, text: &str, time_ms: i64) -> Vec<String> {
    lines(&cache.take(text, Format::Text, time_ms, &Limits::default()).unwrap().batch)
}

#[test]
fn a_series_that_is_gone_is_marked_once() {
    let mut cache = cache();
    assert_eq!(take(&mut cache, "a 1\nb 2\n", 10), ["__name__=a 1 @10", "__name__=b 2 @10"]);
    assert_eq!(take(&mut cache, "b 3\n", 20), ["__name__=a stale @20", "__name__=b 3 @20"]);
    assert_eq!(take(&mut cache, "b 3\n", 30), ["__name__=b 3 @30"]);
    assert_eq!(take(&mut cache, "a 1\n", 40), ["__name__=a 1 @40", "__name__=b stale @40"]);
}

#[test]
fn a_series_with_times_of_its_own_is_never_marked() {
    let mut cache = cache();
    assert_eq!(take(&mut cache, "a 1 5\nb 2\n", 10), ["__name__=a 1 @5", "__name__=b 2 @10"]);
    assert_eq!(take(&mut cache, "", 20), ["__name__=b stale @20"]);
    assert_eq!(take(&mut cache, "a 1\n", 30), ["__name__=a 1 @30"]);
    assert!(take(&mut cache, "a 1 35\n", 40).contains(&"__name__=a 1 @35".to_owned()));
    assert_eq!(lines(&cache.fail(50)), [""; 0]);
}

#[test]
fn a_failed_scrape_marks_what_was_there_and_only_once() {
    let mut cache = cache();
    take(&mut cache, "a 1\nb 2\n", 10);
    assert!(cache.take("a 1\nc 4\nb", Format::Text, 20, &Limits::default()).is_err());
    assert_eq!(lines(&cache.fail(20)), ["__name__=a stale @20", "__name__=b stale @20"]);
    assert_eq!(lines(&cache.fail(30)), [""; 0]);
    let taken = cache.take("a 1\nc 4\n", Format::Text, 40, &Limits::default()).unwrap();
    assert_eq!(lines(&taken.batch), ["__name__=a 1 @40", "__name__=c 4 @40"]);
    assert_eq!((taken.samples, taken.series_added), (2, 1));
}

#[test]
fn the_same_labels_in_another_order_are_the_same_series() {
    let mut cache = cache();
    take(&mut cache, "a{x=\"1\",y=\"2\"} 1\n", 10);
    assert_eq!(take(&mut cache, "a{y=\"2\",x=\"1\"} 1\n", 20), ["__name__=a x=1 y=2 1 @20"]);
    assert_eq!(take(&mut cache, "", 30), ["__name__=a x=1 y=2 stale @30"]);
}

#[test]
fn labels_that_the_target_has_as_well_are_renamed() {
    let mut cache = cache();
    let text = "a{job=\"own\",instance=\"\",x=\"1\"} 1\nb{job=\"own\",exported_job=\"other\"} 1\n";
    assert_eq!(
        take(&mut cache, text, 10),
        ["__name__=a exported_job=own x=1 1 @10", "__name__=b exported_exported_job=own exported_job=other 1 @10"]
    );
}

#[test]
fn beyond_a_limit_the_scrape_fails_as_a_whole() {
    let limits = Limits {
        samples_max: 2,
        labels_max: 4,
        label_name_bytes_max: 8,
        label_value_bytes_max: 5,
        ..Limits::default()
    };
    let fault = |text: &str| cache().take(text, Format::Text, 0, &limits).unwrap_err().to_string();
    assert_eq!(fault("a 1\nb 1\nc 1\n"), "sample limit exceeded: more than 2 samples");
    assert_eq!(fault("a{x=\"1\",y=\"2\"} 1\n"), "label_limit exceeded (metric: \"a\", number of labels: 5, limit: 4)");
    assert!(fault("a{long_name=\"1\"} 1\n").starts_with("label_name_length_limit exceeded (metric: \"a\""));
    assert!(fault("a{x=\"123456\"} 1\n").starts_with("label_value_length_limit exceeded (metric: \"a\""));
}

#[test]
fn a_target_that_always_fails_does_not_fill_the_memory() {
    let mut cache = cache();
    for round in 0..100 {
        let text: String = (0..100).map(|number| format!("a{{r=\"{round}\",n=\"{number}\"}} 1\n")).collect();
        assert!(cache.take(&format!("{text}!"), Format::Text, round, &Limits::default()).is_err());
        assert!(cache.fail(round).series.is_empty());
    }
    assert_eq!(cache.known_series(), 0);
}

#[test]
fn the_report_is_there_and_ends_with_the_rest() {
    let mut cache = cache();
    let mut batch = SampleBatch::default();
    let report = Report { is_up: true, duration_seconds: 0.5, samples: 7, series_added: 3 };
    cache.report(report, 10, &mut batch);
    assert_eq!(
        lines(&batch),
        [
            "__name__=scrape_duration_seconds 0.5 @10",
            "__name__=scrape_samples_post_metric_relabeling 7 @10",
            "__name__=scrape_samples_scraped 7 @10",
            "__name__=scrape_series_added 3 @10",
            "__name__=up 1 @10",
        ]
    );
    take(&mut cache, "a 1\n", 10);
    let end = lines(&cache.end(20));
    assert_eq!(end.len(), 6);
    assert!(end.iter().all(|line| line.ends_with(" stale @20")));
}
