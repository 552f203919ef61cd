//! How an alert goes from pending to firing to over.

use super::*;
use crate::rules::Kind;

const MINUTE_MS: i64 = 60_000;

/// A rule with its alerts, and a clock of minutes.
struct Scene {
    rule: RuleSpec,
    alerts: Alerts,
    times: Times,
    limit: u64,
}

impl Scene {
    fn new(hold_minutes: i64, keep_firing_minutes: i64) -> Self {
        let texts = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let kind = Kind::Alerting {
            hold: crate::Duration::from_ms(hold_minutes * MINUTE_MS),
            keep_firing: crate::Duration::from_ms(keep_firing_minutes * MINUTE_MS),
            annotations: texts(&[("summary", "of {}")]),
        };
        let labels = texts(&[("severity", "page"), ("gone", "")]);
        let rule = RuleSpec { name: "Down".to_owned(), query: "up == 0".to_owned(), labels, kind };
        let times = Times { hold_ms: hold_minutes * MINUTE_MS, keep_firing_ms: keep_firing_minutes * MINUTE_MS };
        Self { rule, alerts: Alerts { is_restored: true, ..Alerts::default() }, times, limit: 0 }
    }

    fn at(&mut self, minute: i64, instances: &[&str]) -> Result<Vec<SeriesSamples>, String> {
        let elements: Vec<Evaluated> = instances
            .iter()
            .map(|instance| Evaluated {
                labels: Labels::from_pairs([("__name__", "up"), ("instance", instance), ("gone", "x")]),
                value: minute as f64,
            })
            .collect();
        let occasion = Occasion { now_ms: minute * MINUTE_MS, query_offset_ms: 0, limit: self.limit };
        let expand = |text: &str, labels: &Labels, value: f64| {
            text.replace("{}", &format!("{} at {value}", labels.get("instance").unwrap_or_default()))
        };
        self.alerts.evaluate(&self.rule, &elements, self.times, occasion, &expand)
    }

    fn states(&self) -> Vec<(&str, State)> {
        self.alerts.iter().map(|alert| (alert.labels["instance"].as_str(), alert.state)).collect()
    }
}

#[test]
fn an_alert_is_pending_until_its_element_was_there_for_long_enough() {
    let mut scene = Scene::new(5, 0);
    scene.at(0, &["a"]).unwrap();
    assert_eq!(scene.states(), [("a", State::Pending)]);
    scene.at(4, &["a"]).unwrap();
    assert_eq!(scene.states(), [("a", State::Pending)]);
    scene.at(5, &["a"]).unwrap();
    assert_eq!(scene.states(), [("a", State::Firing)]);
    let alert = scene.alerts.iter().next().unwrap();
    assert_eq!((alert.active_at_ms, alert.fired_at_ms, alert.value), (0, Some(5 * MINUTE_MS), 5.0));
    assert_eq!(alert.annotations["summary"], "of a at 5");
    assert!(!alert.labels.contains_key("gone") && alert.labels["severity"] == "page");
}

#[test]
fn a_pending_alert_whose_element_is_gone_is_forgotten_and_a_firing_one_is_told_of_for_a_quarter_of_an_hour() {
    let mut scene = Scene::new(5, 0);
    scene.at(0, &["a", "b"]).unwrap();
    scene.at(4, &["b"]).unwrap();
    assert_eq!(scene.states(), [("b", State::Pending)]);
    scene.at(5, &["b"]).unwrap();
    scene.at(6, &[]).unwrap();
    assert_eq!(scene.states(), [("b", State::Inactive)]);
    scene.at(21, &[]).unwrap();
    assert_eq!(scene.states(), [("b", State::Inactive)]);
    scene.at(22, &[]).unwrap();
    assert_eq!(scene.states(), []);
}

#[test]
fn an_alert_that_comes_back_begins_anew() {
    let mut scene = Scene::new(2, 0);
    scene.at(0, &["a"]).unwrap();
    scene.at(2, &["a"]).unwrap();
    scene.at(3, &[]).unwrap();
    scene.at(4, &["a"]).unwrap();
    assert_eq!(scene.states(), [("a", State::Pending)]);
    let alert = scene.alerts.iter().next().unwrap();
    assert_eq!((alert.active_at_ms, alert.fired_at_ms, alert.resolved_at_ms), (4 * MINUTE_MS, None, None));
}

#[test]
fn an_alert_goes_on_to_fire_without_its_element_for_as_long_as_its_rule_says() {
    let mut scene = Scene::new(0, 3);
    scene.at(0, &["a"]).unwrap();
    assert_eq!(scene.states(), [("a", State::Firing)]);
    scene.at(1, &[]).unwrap();
    scene.at(3, &[]).unwrap();
    assert_eq!(scene.states(), [("a", State::Firing)]);
    // Its element comes back, so the time begins anew.
    scene.at(4, &["a"]).unwrap();
    scene.at(5, &[]).unwrap();
    scene.at(7, &[]).unwrap();
    assert_eq!(scene.states(), [("a", State::Firing)]);
    scene.at(8, &[]).unwrap();
    assert_eq!(scene.states(), [("a", State::Inactive)]);
}

#[test]
fn alerts_tell_of_themselves_in_two_series_once_the_past_is_known() {
    let mut scene = Scene::new(5, 0);
    scene.alerts.is_restored = false;
    assert_eq!(scene.at(0, &["a"]).unwrap(), []);
    scene.alerts.is_restored = true;
    let series = scene.at(5, &["a"]).unwrap();
    let found: Vec<_> = series.iter().map(|one| (one.labels.to_string(), one.samples[0].value)).collect();
    let labels = r#"alertname="Down", "#;
    assert_eq!(
        found,
        [
            (format!(r#"{{__name__="ALERTS", {labels}alertstate="firing", instance="a", severity="page"}}"#), 1.0),
            (format!(r#"{{__name__="ALERTS_FOR_STATE", {labels}instance="a", severity="page"}}"#), 0.0),
        ]
    );
}

#[test]
fn too_many_alerts_are_an_error_and_no_alerts() {
    let mut scene = Scene::new(0, 0);
    scene.limit = 1;
    scene.at(0, &["a"]).unwrap();
    assert_eq!(scene.at(1, &["a", "b"]).unwrap_err(), "exceeded limit of 1 with 2 alerts");
    assert_eq!(scene.states(), []);
}

#[test]
fn elements_that_become_one_alert_are_an_error() {
    let mut scene = Scene::new(0, 0);
    scene.rule.labels.insert("instance".to_owned(), "all".to_owned());
    assert!(scene.at(0, &["a", "b"]).unwrap_err().contains("same labelset after applying alert labels"));
}

#[test]
fn somebody_is_told_at_once_then_again_after_a_while_and_at_once_when_it_is_over() {
    let mut scene = Scene::new(0, 0);
    scene.at(0, &["a"]).unwrap();
    let mut alert = scene.alerts.iter().next().unwrap().clone();
    assert!(alert.needs_sending(0, MINUTE_MS));
    alert.last_sent_ms = Some(0);
    assert!(!alert.needs_sending(MINUTE_MS, MINUTE_MS) && alert.needs_sending(MINUTE_MS + 1, MINUTE_MS));
    alert.state = State::Inactive;
    alert.resolved_at_ms = Some(10);
    assert!(alert.needs_sending(10, MINUTE_MS));
    alert.last_sent_ms = Some(11);
    assert!(!alert.needs_sending(12, MINUTE_MS));
    alert.state = State::Pending;
    assert!(!alert.needs_sending(i64::MAX, MINUTE_MS));
}
