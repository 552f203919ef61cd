//! What objectives become.

use super::*;
use crate::Duration;
use crate::query::{Evaluated, Querier, QueryError};
use crate::rules::check::Checker;
use crate::rules::file::{self, Defaults};
use crate::rules::{GroupSpec, Kind};
use crate::template::Templates;

struct Anything;

impl Querier for Anything {
    fn check(&self, query: &str) -> Result<String, QueryError> {
        Ok(query.to_owned())
    }
    fn instant(&self, _: &str, _: i64) -> Result<Vec<Evaluated>, QueryError> {
        Ok(Vec::new())
    }
    fn last(
        &self,
        _: &[(&str, &str)],
        _: i64,
        _: i64,
    ) -> Result<Vec<(console_model::Labels, console_model::Sample)>, QueryError> {
        Ok(Vec::new())
    }
}

const SLO: &str = "\
apiVersion: openslo/v1
kind: Service
metadata: {name: api}
spec: {description: passed over}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: orders-availability
  displayName: Orders are answered
  annotations: {runbook_url: https://runbooks.test/availability}
spec:
  description: Everything but 5xx is good.
  service: delivery-api
  indicator:
    metadata: {name: answered}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'requests_total{code=~\"5..\"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(requests_total[{{.window}}]))'}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: three nines, target: 0.999}]
";

fn groups(text: &str) -> Vec<GroupSpec> {
    let written = rules(text).unwrap();
    let defaults = Defaults { interval: Duration::from_seconds(60), query_offset: Duration::ZERO };
    let templates = Templates::new(std::sync::Arc::new(Anything));
    file::parse("made", &written, defaults, &Checker::new(&Anything, &templates)).unwrap_or_else(|faults| {
        panic!("{faults:?}\n{written}");
    })
}

#[test]
fn an_objective_becomes_ratios_a_budget_and_four_alerts_with_the_workbooks_factors() {
    assert!(is_openslo(SLO) && !is_openslo("groups: []"));
    let groups = groups(SLO);
    let names: Vec<_> = groups.iter().map(|group| &*group.name).collect();
    assert_eq!(
        names,
        ["slo:orders-availability:ratios", "slo:orders-availability:budget", "slo:orders-availability:alerts"]
    );
    let query = |name: &str| {
        let rule = groups.iter().flat_map(|group| &group.rules).find(|rule| rule.name == name);
        rule.map_or_else(|| panic!("{name}"), |rule| rule.query.clone())
    };
    assert_eq!(
        query("slo:error_ratio:rate1h"),
        r#"(sum(rate(requests_total{code=~"5.."}[1h]))) / (sum(rate(requests_total[1h])))"#
    );
    let of = r#"{service="delivery-api", slo="orders-availability"}"#;
    assert_eq!(
        query("slo:period_error:ratio"),
        format!("sum_over_time(slo:errors:rate5m{of}[30d]) / sum_over_time(slo:total:rate5m{of}[30d])")
    );
    let alerts: Vec<_> = groups[2].rules.iter().collect();
    assert!(alerts.iter().all(|rule| rule.name == "OrdersAvailabilityBudgetBurn"));
    let expected = [
        ("14.4", "1h", "5m", "page"),
        ("6", "6h", "30m", "page"),
        ("3", "1d", "2h", "ticket"),
        ("1", "3d", "6h", "ticket"),
    ];
    for (rule, (factor, long, short, severity)) in alerts.iter().zip(expected) {
        let above = |window: &str| format!("slo:error_ratio:rate{window}{of} > ({factor} * (1 - 0.999))");
        assert_eq!(rule.query, format!("{} and {}", above(long), above(short)));
        assert_eq!((rule.labels["severity"].as_str(), rule.labels["slo"].as_str()), (severity, "orders-availability"));
        let Kind::Alerting { annotations, .. } = &rule.kind else { panic!("{rule:?}") };
        assert_eq!(annotations["runbook_url"], "https://runbooks.test/availability");
        assert!(annotations["description"].contains("allows 0.1% of 30d"), "{annotations:?}");
    }
}

#[test]
fn good_may_be_told_instead_of_bad_and_an_indicator_may_stand_apart() {
    let text = SLO
        .replace("bad: {metricSource", "good: {metricSource")
        .replace("target: 0.999}", "targetPercent: 99.5}")
        .replace("duration: 30d", "duration: 4w");
    let groups = groups(&text);
    assert!(groups[0].rules[0].query.starts_with("(sum(rate(requests_total[5m]))) - (sum(rate("));
    assert!(groups[2].rules[0].query.contains("13.44 * (1 - 0.995)"), "{}", groups[2].rules[0].query);
}

#[test]
fn what_is_wrong_with_an_objective_is_told_with_an_example_of_right() {
    let told = |from: &str, to: &str| rules(&SLO.replace(from, to)).unwrap_err();
    let fault = told("target: 0.999}", "target: 99.9}");
    assert!(fault.message.contains("between 0 and 1, as in target: 0.999") && fault.line == 6, "{fault}");
    assert!(told("Occurrences", "Timeslices").message.contains("only Occurrences"));
    assert!(told("openslo/v1\nkind: SLO", "openslo/v2\nkind: SLO").message.contains("right is openslo/v1"));
    assert!(told("name: orders-availability", "name: 'a b'").message.contains("as in orders-availability"));
    assert!(told("ratioMetric:", "thresholdMetric:").message.contains("ratioMetric"));
    assert!(told("duration: 30d", "duration: soon").line > 6);
    assert!(told("spec:\n  description: Everything", "spec: [").message.len() > 5);
}
