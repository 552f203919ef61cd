//! Verdicts on small test files. That they are `promtool`'s is held by `tests/alerts.sh`.

use std::fs;

const RULES: &str = "\
groups:
  - name: one
    rules:
      - {record: 'job:up:sum', expr: sum by (job) (up)}
  - name: two
    rules:
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page, cluster: '{{ $externalLabels.cluster }}'}
        annotations: {summary: '{{ $labels.instance }} at {{ $externalURL }}'}
";

fn verdict(tests: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    let path = folder.path().join("tests.yaml");
    fs::write(&path, format!("rule_files: ['*ules.yaml']\nevaluation_interval: 1m\n{tests}")).unwrap();
    super::run_file(&path)
}

#[test]
fn what_is_as_expected_passes_and_what_is_not_is_told() {
    let test = |at: &str, summary: &str| {
        verdict(&format!(
            "tests:\n  - interval: 1m\n    external_labels: {{cluster: one}}\n    external_url: http://here\n    input_series:\n      \
             - {{series: 'up{{instance=\"a\"}}', values: '1 0x10'}}\n    alert_rule_test:\n      - eval_time: {at}\n        \
             alertname: Down\n        exp_alerts: [{{exp_labels: {{instance: a, severity: page, cluster: one}}, \
             exp_annotations: {{summary: {summary}}}}}]\n"
        ))
    };
    assert_eq!(test("3m", "a at http://here"), Vec::<String>::new());
    assert_eq!(test("3m30s", "a at http://here"), Vec::<String>::new());
    assert!(test("2m", "a at http://here")[0].contains("got:\n    nothing"));
    assert!(test("3m", "other")[0].contains("alertname: Down, time: 3m"));
}

#[test]
fn queries_see_what_rules_recorded_and_histograms_too() {
    let test = |expected: &str| {
        verdict(&format!(
            "fuzzy_compare: true\ngroup_eval_order: [two, one]\ntests:\n  - interval: 30s\n    input_series:\n      \
             - {{series: 'up{{job=\"a\"}}', values: '1x10'}}\n      - {{series: 'up{{job=\"b\"}}', values: '_ 0+1x3 stale'}}\n      \
             - {{series: h, values: '{{{{schema:0 count:2 sum:3 buckets:[1 1]}}}}x5'}}\n    promql_expr_test:\n      {expected}\n"
        ))
    };
    let good = "- {expr: 'job:up:sum', eval_time: 2m, exp_samples: [{labels: 'job:up:sum{job=\"a\"}', value: 1}, {labels: 'job:up:sum{job=\"b\"}', value: 3}]}
      - {expr: 'job:up:sum', eval_time: 3m, exp_samples: [{labels: 'job:up:sum{job=\"a\"}', value: 1}]}
      - {expr: 'count(up)', eval_time: 1m, exp_samples: [{value: 2}]}
      - {expr: '0.1 + 0.2', eval_time: 1m, exp_samples: [{value: 0.3}]}
      - {expr: 'h', eval_time: 1m, exp_samples: [{labels: h, histogram: '{{schema:0 count:2 sum:3 buckets:[1 1]}}'}]}";
    assert_eq!(test(good), Vec::<String>::new());
    let wrong = test("- {expr: up, eval_time: 1m, exp_samples: []}");
    assert!(wrong[0].contains("exp: nothing"), "{wrong:?}");
    assert!(test("- {expr: 'up(', eval_time: 1m}")[0].contains("parse error"));
}

#[test]
fn the_starter_rules_pass_their_tests() {
    let root = crate::tree::root();
    let tests = crate::tree::files(&root, &[".yaml"]).into_iter();
    let tests: Vec<String> =
        tests.filter(|file| file.starts_with("observability/") && file.contains("/tests/")).collect();
    assert!(tests.len() >= 5, "{tests:?}");
    for test in tests {
        assert_eq!(super::run_file(&root.join(&test)), Vec::<String>::new(), "{test}");
    }
}
