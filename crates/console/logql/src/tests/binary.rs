//! <https://grafana.com/docs/loki/latest/query/query_reference/>: operators.

use super::*;

fn apps() -> Memory {
    let mut memory = Memory::default();
    for (app, machine, level, count) in
        [("foo", "m1", "warn", 2), ("foo", "m2", "warn", 4), ("foo", "m1", "error", 8), ("bar", "m1", "warn", 3)]
    {
        for at in 0..count {
            memory.push(&[("app", app), ("machine", machine), ("level", level)], f64::from(at), "status=200");
        }
    }
    memory
}

#[test]
fn numbers_are_calculated_when_they_are_read() {
    let memory = apps();
    let cases = [
        ("1 + 1", "2"),
        ("1 + 2 / 3", "1.6666666666666665"),
        ("2 * 3 % 2", "0"),
        ("1 >= 1", "1"),
        ("1 > 1", "0"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "4"),
        ("(1 + 2) * 3", "9"),
        ("10 - 2 - 3", "5"),
        ("1 == bool 1", "1"),
        ("5 / 0", "+Inf"),
        ("-1.5", "-1.5"),
    ];
    for (query, expected) in cases {
        assert_eq!(vector(&memory, query, 10.0), [expected], "{query}");
    }
}

#[test]
fn series_are_calculated_with_numbers_and_with_each_other() {
    let memory = apps();
    let cases: [(&str, &[&str]); 14] = [
        (r#"sum(rate({app="foo"}[1m])) * 2"#, &["{} 0.4666666666666667"]),
        (r#"sum(rate({app="foo", level="warn"}[1m])) / sum(rate({app="foo", level="error"}[1m]))"#, &["{} 0.75"]),
        (
            r#"rate({app=~"foo|bar"}[1m]) and rate({app="bar"}[1m])"#,
            &[r#"{app="bar", level="warn", machine="m1"} 0.05"#],
        ),
        (
            r#"count_over_time({app=~"foo|bar"}[1m]) unless count_over_time({app="foo"}[1m])"#,
            &[r#"{app="bar", level="warn", machine="m1"} 3"#],
        ),
        (
            r#"count_over_time({app="bar"}[1m]) or count_over_time({app=~"foo|bar", machine="m1", level="warn"}[1m]) * 100"#,
            &[r#"{app="bar", level="warn", machine="m1"} 3"#, r#"{app="foo", level="warn", machine="m1"} 200"#],
        ),
        (r#"count_over_time({app="foo"}[1m]) > 4"#, &[r#"{app="foo", level="error", machine="m1"} 8"#]),
        (
            r#"sum by (machine) (count_over_time({app="foo"}[1m])) > bool 4"#,
            &[r#"{machine="m1"} 1"#, r#"{machine="m2"} 0"#],
        ),
        (r#"4 < sum by (machine) (count_over_time({app="foo"}[1m]))"#, &[r#"{machine="m1"} 10"#]),
        (
            r#"sum without(app) (count_over_time({app="foo"}[1m])) > sum without(app) (count_over_time({app="bar"}[1m]))"#,
            &[],
        ),
        (
            r#"sum without(app) (count_over_time({app="foo"}[1m])) > bool sum without(app) (count_over_time({app="bar"}[1m]))"#,
            &[r#"{level="warn", machine="m1"} 0"#],
        ),
        (
            r#"max by(machine) (count_over_time({app="foo"}[1m])) > bool ignoring(machine) avg(count_over_time({app="foo", machine="m1"}[1m]))"#,
            &[],
        ),
        (
            r#"sum by(machine) (count_over_time({app="foo", machine="m2"}[1m])) / on() sum(count_over_time({app="foo"}[1m]))"#,
            &["{} 0.2857142857142857"],
        ),
        (
            r#"sum by (app, level) (rate({app="foo"} | logfmt [1m])) / on (app) group_left sum by (app) (rate({app="foo"} | logfmt [1m]))"#,
            &[r#"{app="foo", level="error"} 0.5714285714285714"#, r#"{app="foo", level="warn"} 0.4285714285714286"#],
        ),
        (
            r#"sum by (app) (count_over_time({app="foo"}[1m])) - on (app) group_right sum by (app, machine) (count_over_time({app="foo"}[1m]))"#,
            &[r#"{app="foo", machine="m1"} 4"#, r#"{app="foo", machine="m2"} 10"#],
        ),
    ];
    for (query, expected) in cases {
        match at(&memory, query, 30.0) {
            Ok(_) => assert_eq!(vector(&memory, query, 30.0), expected, "{query}"),
            // Two machines on the left have but one average on the right: that has to be asked for.
            Err(error) => {
                assert!(query.contains("ignoring(machine)"), "{query}: {error}");
                assert!(error.to_string().contains("many-to-one matching must be explicit"), "{error}");
            }
        }
    }
}

#[test]
fn labels_are_taken_over_from_the_side_that_has_one() {
    let mut memory = Memory::default();
    for (user, namespace, count) in [("foo", "dev", 1), ("foo", "prod", 5)] {
        for at in 0..count {
            let line = format!("user={user} namespace={namespace} discarded=true");
            memory.push(&[("job", "events")], f64::from(at), &line);
        }
    }
    memory.push(&[("job", "cost-calculator")], 1.0, "user=foo organization=little-org cost=600");
    let query = r#"sum by (user, namespace) (rate({job="events"} | logfmt | discarded="true" [1m]))
        * on (user) group_left(organization)
        max_over_time({job="cost-calculator"} | logfmt | unwrap cost [1m]) by (user, organization)"#;
    let expected = [
        r#"{namespace="dev", organization="little-org", user="foo"} 10"#,
        r#"{namespace="prod", organization="little-org", user="foo"} 50"#,
    ];
    assert_eq!(vector(&memory, query, 30.0), expected);
}

#[test]
fn sides_that_match_more_than_once_are_an_error() {
    let memory = apps();
    let error =
        at(&memory, r#"sum(rate({app="foo"}[1m])) / on() rate({app="foo"}[1m])"#, 30.0).unwrap_err().to_string();
    assert!(error.contains("many-to-many matching not allowed"), "{error}");
    let error =
        at(&memory, r#"rate({app="foo"}[1m]) / on() sum(rate({app="foo"}[1m]))"#, 30.0).unwrap_err().to_string();
    assert!(error.contains("many-to-one matching must be explicit"), "{error}");
}

#[test]
fn sets_are_taken_step_by_step() {
    let mut memory = Memory::default();
    memory.push(&[("a", "1")], 0.0, "x").push(&[("a", "1")], 20.0, "x").push(&[("a", "2")], 0.0, "y");
    let series =
        matrix(&memory, r#"sum(count_over_time({a="1"}[5s])) or sum(count_over_time({a="2"}[1m]))"#, 0.0, 20.0, 10.0);
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].points, [(0, 1.0), (1, 1.0), (2, 1.0)]);
    let series = matrix(
        &memory,
        r#"sum(count_over_time({a="2"}[1m])) unless sum(count_over_time({a="1"}[5s]))"#,
        0.0,
        20.0,
        10.0,
    );
    assert_eq!(series[0].points, [(1, 1.0)]);
}
