//! What is read in rule files, and what is wrong with others.

use super::*;
use crate::template::Templates;
use crate::testing::Memory;

fn read(text: &str) -> Result<Vec<GroupSpec>, Vec<String>> {
    let memory = Arc::new(Memory::default());
    let templates = Templates::new(Arc::clone(&memory) as _);
    let defaults = Defaults { interval: Duration::from_seconds(60), query_offset: Duration::ZERO };
    let checker = Checker::new(memory.as_ref(), &templates);
    parse("rules.yaml", text, defaults, &checker).map_err(|faults| faults.iter().map(Fault::to_string).collect())
}

#[test]
fn a_file_is_read_with_everything_that_prometheus_knows() {
    let groups = read(
        r#"
groups:
  - name: api
    interval: 30s
    query_offset: 1m
    limit: 10
    labels: {team: orders, severity: ticket}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {number: 7, yes: true}
      - alert: ApiDown
        expr: |
          up == 0
        for: 1h30m
        keep_firing_for: 5m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} is down"}
  - name: empty
"#,
    )
    .unwrap();
    let group = &groups[0];
    assert_eq!((group.interval.ms(), group.query_offset.ms(), group.limit), (30_000, 60_000, 10));
    let [record, alert] = group.rules.as_slice() else { panic!("{group:?}") };
    assert_eq!((record.name.as_str(), &record.kind), ("job:up:sum", &Kind::Recording));
    assert_eq!((record.labels["number"].as_str(), record.labels["yes"].as_str()), ("7", "true"));
    assert_eq!((alert.labels["team"].as_str(), alert.labels["severity"].as_str()), ("orders", "page"));
    assert_eq!(alert.query, "up == 0");
    let Kind::Alerting { hold, keep_firing, annotations } = &alert.kind else { panic!("{alert:?}") };
    assert_eq!((hold.ms(), keep_firing.ms()), (5_400_000, 300_000));
    assert_eq!(annotations["summary"], "{{ $labels.instance }} is down");
    assert_eq!((groups[1].interval.ms(), groups[1].rules.len()), (60_000, 0));
    assert_eq!(read("").unwrap(), []);
    assert_eq!(read("# nothing\n").unwrap(), []);
    assert_eq!(read("groups: []").unwrap(), []);
}

#[test]
fn a_field_that_is_not_known_is_told_with_its_place_and_an_example_of_right() {
    let faults = read("groups:\n  - name: a\n    rules:\n      - alert: A\n        exprr: up\n").unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("rules.yaml:5:"), "{faults:?}");
    assert!(faults[0].contains("exprr") && faults[0].contains("right is for example groups:"), "{faults:?}");
    for (text, line) in [("groups: [\n", 1), ("groups: 5", 1), ("groups:\n  - name: a\n    interval: soon\n", 3)] {
        let faults = read(text).unwrap_err();
        assert!(
            faults[0].starts_with(&format!("rules.yaml:{line}")) || faults[0].starts_with("rules.yaml:2"),
            "{faults:?}"
        );
    }
}

#[test]
fn all_that_promtool_finds_wrong_with_rules_is_found() {
    let one = |rule: &str| {
        let faults = read(&format!("groups:\n  - name: g\n    rules:\n      - {rule}\n")).unwrap_err();
        assert!(faults.iter().all(|fault| fault.starts_with("rules.yaml:4:9: group \"g\", rule 1")), "{faults:?}");
        faults.join("; ")
    };
    for (rule, told) in [
        ("{expr: up}", "one of 'record' or 'alert' must be set"),
        ("{alert: A, record: b, expr: up}", "only one of 'record' and 'alert' must be set"),
        ("{alert: A}", "field 'expr' must be set in rule"),
        ("{alert: A, expr: '(('}", "could not parse expression: 1:1: parse error"),
        ("{record: a, expr: up, for: 5m}", "invalid field 'for' in recording rule"),
        ("{record: a, expr: up, keep_firing_for: 5m}", "invalid field 'keep_firing_for' in recording rule"),
        ("{record: a, expr: up, annotations: {b: c}}", "invalid field 'annotations' in recording rule"),
        ("{record: 'a{b=\"c\"}', expr: up}", "braces present in the recording rule name"),
        ("{alert: A, expr: up, labels: {__name__: x}}", "invalid label name: \"__name__\""),
        ("{alert: A, expr: up, labels: {a: '{{ nothing }}'}}", "function \"nothing\" not defined"),
        ("{alert: A, expr: up, annotations: {a: '{{ if }}'}}", "annotation \"a\": error parsing template"),
    ] {
        let found = one(rule);
        assert!(found.contains(told), "{rule}: {found}");
    }
}

#[test]
fn groups_have_names_each_another() {
    let faults = read("groups:\n  - name: a\n  - name: a\n  - rules: []\n").unwrap_err();
    assert!(faults[0].contains("groupname: \"a\" is repeated in the same file"), "{faults:?}");
    assert!(faults[1].contains("groupname must not be empty"), "{faults:?}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(groups|rules|- |name|alert|: |\n| |[a-z{}\\[\\]\"'#&*!|>%@]){0,60}") {
        let _ = read(&text);
    }
}
