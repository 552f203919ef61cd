//! Who is told what and when, in hours that pass in milliseconds.

use serde_json::Value;

use super::*;
use crate::notify::{Form, Matcher};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn notice(name: &str, instance: &str, starts_at_ms: i64, ends_at_ms: i64) -> Notice {
    let labels = texts(&[("alertname", name), ("instance", instance)]);
    Notice { labels, annotations: Texts::new(), starts_at_ms, ends_at_ms, generator_url: String::new() }
}

/// A dispatcher whose time is the test's, and a receiver that writes down what it is told.
struct Scene {
    dispatcher: Dispatcher,
    now_ms: i64,
    told: Vec<(i64, String, String)>,
    outcome: Outcome,
}

impl Scene {
    fn new() -> Self {
        let receiver = Receiver { name: "hook".to_owned(), url: "http://hook".to_owned(), sends_resolved: true };
        let configuration = Configuration { receivers: vec![receiver], ..Configuration::default() };
        Self { dispatcher: Dispatcher::new(configuration), now_ms: 0, told: Vec::new(), outcome: Outcome::Arrived }
    }

    /// Lets time pass, second by second; what fires is told again every minute, as rules do.
    fn until(&mut self, second: i64, firing: &[(&str, &str, i64)]) {
        while self.now_ms < second * SECOND {
            self.now_ms += SECOND;
            if self.now_ms % (60 * SECOND) == 0 {
                let notices = firing
                    .iter()
                    .map(|(name, instance, since)| notice(name, instance, since * SECOND, self.now_ms + 240 * SECOND));
                self.dispatcher.notice(notices.collect(), self.now_ms);
            }
            self.flush();
        }
    }

    fn flush(&mut self) {
        for delivery in self.dispatcher.flush(self.now_ms) {
            let body: Value = serde_json::from_slice(&delivery.body).unwrap();
            let alerts = body["alerts"].as_array().unwrap().iter().map(|alert| {
                let status = &alert["status"].as_str().unwrap()[..1];
                format!("{}{status}", alert["labels"]["instance"].as_str().unwrap())
            });
            let alerts: Vec<String> = alerts.collect();
            let name = body["groupLabels"]["alertname"].as_str().unwrap().to_owned();
            self.told.push((self.now_ms / SECOND, name, alerts.join(" ")));
            self.dispatcher.done(delivery.id, self.outcome, self.now_ms);
        }
    }

    fn fire(&mut self, name: &str, instance: &str) {
        let ends = self.now_ms + 240 * SECOND;
        self.dispatcher.notice(vec![notice(name, instance, self.now_ms, ends)], self.now_ms);
    }

    fn resolve(&mut self, name: &str, instance: &str, since: i64) {
        self.dispatcher.notice(vec![notice(name, instance, since * SECOND, self.now_ms)], self.now_ms);
    }

    fn told(&mut self) -> Vec<(i64, String, String)> {
        std::mem::take(&mut self.told)
    }
}

fn expected(told: &[(i64, &str, &str)]) -> Vec<(i64, String, String)> {
    told.iter().map(|(at, name, alerts)| (*at, (*name).to_owned(), (*alerts).to_owned())).collect()
}

#[test]
fn alerts_of_a_group_are_told_of_together_after_a_wait_and_what_is_new_after_the_interval() {
    let mut scene = Scene::new();
    scene.fire("Down", "a");
    scene.until(5, &[]);
    scene.fire("Down", "b");
    scene.fire("Slow", "x");
    scene.until(30, &[]);
    scene.fire("Down", "c");
    scene.until(200, &[("Down", "a", 0), ("Down", "b", 5), ("Down", "c", 30), ("Slow", "x", 5)]);
    assert_eq!(scene.told(), expected(&[(10, "Down", "af bf"), (15, "Slow", "xf"), (70, "Down", "af bf cf")]));
}

#[test]
fn what_goes_on_is_told_again_after_the_repeat_interval_and_what_is_over_once() {
    let mut scene = Scene::new();
    scene.fire("Down", "a");
    scene.until(4 * 3_600 + 100, &[("Down", "a", 0)]);
    let told = scene.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].0 >= 4 * 3_600 && told[1].0 <= 4 * 3_600 + 70, "{told:?}");
    scene.resolve("Down", "a", 0);
    scene.until(5 * 3_600, &[]);
    let told = scene.told();
    assert_eq!((told.len(), told[0].2.as_str()), (1, "ar"));
    assert_eq!(scene.dispatcher.due_ms(), None, "nothing is left of the group");
    assert_eq!(scene.dispatcher.alerts(scene.now_ms).len(), 0);
}

#[test]
fn what_is_over_before_anybody_was_told_is_not_told_of() {
    let mut scene = Scene::new();
    scene.fire("Down", "a");
    scene.until(5, &[]);
    scene.resolve("Down", "a", 0);
    scene.until(400, &[]);
    assert_eq!(scene.told(), []);
}

#[test]
fn an_alert_of_which_nobody_says_more_is_over_by_itself() {
    let mut scene = Scene::new();
    scene.fire("Down", "a");
    scene.until(400, &[]);
    let told = scene.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((told[1].2.as_str(), told[1].0 >= 240), ("ar", true));
}

#[test]
fn what_does_not_arrive_is_tried_again_with_longer_and_longer_waits() {
    let mut scene = Scene::new();
    scene.outcome = Outcome::Failed;
    scene.fire("Down", "a");
    scene.until(60, &[]);
    let times: Vec<i64> = scene.told().iter().map(|(at, _, _)| *at).collect();
    assert_eq!(times, [10, 11, 13, 17, 25, 41]);
    scene.outcome = Outcome::Refused;
    scene.until(200, &[("Down", "a", 0)]);
    let times: Vec<i64> = scene.told().iter().map(|(at, _, _)| *at).collect();
    assert_eq!(times, [73, 133, 193], "what was refused comes with the next turn");
    scene.outcome = Outcome::Arrived;
    scene.until(300, &[("Down", "a", 0)]);
    assert_eq!(scene.told().len(), 1);
    assert_eq!(scene.dispatcher.counts(), Counts { received: 5, dropped: 0, delivered: 1, failed: 9 });
}

#[test]
fn a_silenced_alert_is_not_told_of_until_the_silence_is_over() {
    let mut scene = Scene::new();
    let matchers = vec![Form { name: "instance".into(), value: "a".into(), is_regex: false, is_equal: true }];
    let (created_by, comment) = ("me".to_owned(), "known".to_owned());
    let wanted = Wanted { id: None, matchers, starts_at_ms: 0, ends_at_ms: 100 * SECOND, created_by, comment };
    let id = scene.dispatcher.set_silence(wanted, 0).unwrap();
    scene.fire("Down", "a");
    scene.fire("Down", "b");
    scene.until(20, &[]);
    assert_eq!(scene.told(), expected(&[(10, "Down", "bf")]));
    let views = scene.dispatcher.alerts(scene.now_ms);
    let standing: Vec<_> =
        views.iter().map(|view| (view.alert.labels["instance"].as_str(), view.standing.name())).collect();
    assert!(standing.contains(&("a", "suppressed")) && standing.contains(&("b", "active")), "{standing:?}");
    assert!(views.iter().any(|view| view.standing.silenced_by == [id.clone()]));
    scene.until(200, &[("Down", "a", 0), ("Down", "b", 0)]);
    assert_eq!(scene.told(), expected(&[(130, "Down", "af bf")]));
}

#[test]
fn a_consequence_is_not_told_of_while_its_cause_fires() {
    let mut scene = Scene::new();
    let like = |text: &str| vec![Matcher::parse(text).unwrap()];
    let inhibition = Inhibition {
        source: like("alertname=Cause"),
        target: like("alertname=Consequence"),
        equal: vec!["instance".to_owned()],
    };
    scene.dispatcher.configuration.inhibitions.push(inhibition);
    scene.fire("Cause", "a");
    scene.fire("Consequence", "a");
    scene.fire("Consequence", "b");
    scene.until(50, &[]);
    assert_eq!(scene.told(), expected(&[(10, "Cause", "af"), (10, "Consequence", "bf")]));
    let view = scene.dispatcher.alerts(scene.now_ms).into_iter().find(|view| !view.standing.inhibited_by.is_empty());
    assert_eq!(view.unwrap().alert.labels["alertname"], "Consequence");
    scene.resolve("Cause", "a", 0);
    scene.until(80, &[("Consequence", "a", 0), ("Consequence", "b", 0)]);
    assert_eq!(scene.told(), expected(&[(70, "Cause", "ar"), (70, "Consequence", "af bf")]));
}

#[test]
fn after_a_restart_nobody_is_told_again_what_they_know_and_silences_hold() {
    let mut scene = Scene::new();
    scene.fire("Down", "a");
    scene.until(20, &[]);
    assert_eq!(scene.told().len(), 1);
    let kept = scene.dispatcher.unsaved().unwrap();
    assert_eq!(scene.dispatcher.unsaved(), None);
    let mut again = Scene::new();
    again.dispatcher.restore(&kept).unwrap();
    again.now_ms = scene.now_ms;
    again.until(300, &[("Down", "a", 0)]);
    assert_eq!(again.told(), []);
    again.resolve("Down", "a", 0);
    again.until(400, &[]);
    let told = again.told();
    assert_eq!((told.len(), told[0].2.as_str()), (1, "ar"));
    assert!(Dispatcher::new(Configuration::default()).restore(b"{").is_err());
}

#[test]
fn there_is_an_end_to_how_many_alerts_are_known() {
    let mut dispatcher =
        Dispatcher::new(Configuration { group_by: vec!["...".to_owned()], ..Configuration::default() });
    let notices = (0..ALERTS_MAX + 5).map(|number| notice("A", &number.to_string(), 0, HOUR)).collect();
    dispatcher.notice(notices, 0);
    assert_eq!(dispatcher.counts(), Counts { received: ALERTS_MAX as u64, dropped: 5, ..Counts::default() });
    assert_eq!(dispatcher.groups(0).len(), ALERTS_MAX);
    dispatcher.flush(HOUR);
    dispatcher.flush(2 * HOUR);
    assert_eq!((dispatcher.alerts.len(), dispatcher.groups.len()), (0, 0));
}
