//! Rules over time: what they record, whom they notify, what they know after a restart.

use std::sync::Mutex;

use console_model::is_stale;

use super::*;
use crate::query::QueryError;
use crate::rules::RuleSpec;
use crate::testing::{Memory, element};
use crate::{Duration, rules};

const MINUTE_MS: i64 = 60_000;

fn rule(name: &str, query: &str, kind: Kind) -> Arc<RuleSpec> {
    Arc::new(RuleSpec { name: name.to_owned(), query: query.to_owned(), labels: rules::Texts::new(), kind })
}

fn alerting(hold_minutes: i64) -> Kind {
    let hold = Duration::from_ms(hold_minutes * MINUTE_MS);
    Kind::Alerting { hold, keep_firing: Duration::ZERO, annotations: rules::Texts::new() }
}

fn spec(rules: Vec<Arc<RuleSpec>>) -> GroupSpec {
    let interval = Duration::from_ms(MINUTE_MS);
    GroupSpec { file: "f".into(), name: "g".into(), interval, query_offset: Duration::ZERO, limit: 0, rules }
}

/// A group on a memory, and what it had to say.
struct Scene {
    memory: Arc<Memory>,
    group: Group,
    counts: Counts,
    told: Mutex<Vec<(i64, Notice)>>,
}

impl Scene {
    fn new(memory: Arc<Memory>, spec: GroupSpec, is_first: bool) -> Self {
        Self { memory, group: Group::new(spec, is_first), counts: Counts::default(), told: Mutex::default() }
    }

    fn at(&self, minute: i64) {
        let ports = self.memory.ports();
        let templates = Templates::new(Arc::clone(&ports.querier));
        let context = Context { external_url: "http://here".to_owned(), ..Context::default() };
        let means = Means { ports: &ports, context: &context, counts: &self.counts, templates: &templates };
        let notify = |notices: Vec<Notice>| {
            self.told.lock().unwrap().extend(notices.into_iter().map(|notice| (minute, notice)));
        };
        self.group.evaluate(minute * MINUTE_MS, means, &notify);
    }

    fn told(&self) -> Vec<(i64, i64, i64)> {
        let told = self.told.lock().unwrap();
        told.iter().map(|(at, one)| (*at, one.starts_at_ms / MINUTE_MS, one.ends_at_ms / MINUTE_MS)).collect()
    }
}

#[test]
fn a_recorded_series_that_vanishes_is_marked_as_ended_once() {
    let memory = Arc::new(Memory::default());
    memory
        .answer("q", |time_ms| Ok(if time_ms < 2 * MINUTE_MS { vec![element(&[("job", "a")], 1.0)] } else { vec![] }));
    let scene = Scene::new(memory, spec(vec![rule("r", "q", Kind::Recording)]), false);
    (0..5).for_each(|minute| scene.at(minute));
    let samples = scene.memory.samples(&[("__name__", "r"), ("job", "a")]);
    assert_eq!(samples.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 60, 120]);
    assert!(is_stale(samples[2].1) && !is_stale(samples[1].1));
    assert_eq!(scene.counts.evaluations.into_inner(), 5);
}

#[test]
fn rules_of_a_group_see_what_those_before_them_recorded_and_one_that_fails_does_not_stop_the_others() {
    let memory = Arc::new(Memory::default());
    let seen = Arc::downgrade(&memory);
    memory.answer("broken", |_| Err(QueryError("no such thing".to_owned())));
    memory.answer("first", |_| Ok(vec![element(&[], 1.0)]));
    let scene = Scene::new(
        Arc::clone(&memory),
        spec(vec![
            rule("a", "broken", Kind::Recording),
            rule("b", "first", Kind::Recording),
            rule("c", "second", Kind::Recording),
        ]),
        false,
    );
    memory.answer("second", move |_| {
        let count = seen.upgrade().map_or(0, |memory| memory.samples(&[("__name__", "b")]).len());
        Ok(vec![element(&[], count as f64)])
    });
    scene.at(1);
    assert_eq!(scene.memory.samples(&[("__name__", "c")]), [(60, 1.0)]);
    let status = scene.group.status();
    let told: Vec<_> = status.rules.iter().map(|rule| (rule.health.name(), rule.last_error.as_str())).collect();
    assert_eq!(told, [("err", "no such thing"), ("ok", ""), ("ok", "")]);
    assert_eq!(status.last_evaluation_ms, Some(MINUTE_MS));
    assert_eq!(scene.counts.failures.into_inner(), 1);
}

#[test]
fn an_alert_is_told_of_when_it_fires_now_and_then_while_it_does_and_when_it_is_over() {
    let memory = Arc::new(Memory::default());
    memory.answer("down", |time_ms| {
        Ok(if time_ms < 6 * MINUTE_MS { vec![element(&[("job", "a")], 1.0)] } else { vec![] })
    });
    let scene = Scene::new(memory, spec(vec![rule("Down", "down", alerting(2))]), false);
    (0..10).for_each(|minute| scene.at(minute));
    // Every other minute, for it is told again when more than a minute has passed; held for firing for four.
    assert_eq!(scene.told(), [(2, 2, 6), (4, 2, 8), (6, 2, 6), (8, 2, 6)]);
    let told = scene.told.lock().unwrap();
    assert_eq!(told[0].1.generator_url, "http://here/graph?g0.expr=down&g0.tab=1");
    assert_eq!(told[0].1.labels["alertname"], "Down");
    drop(told);
    let state = |state: &str| {
        let labels = [("__name__", "ALERTS"), ("alertname", "Down"), ("alertstate", state), ("job", "a")];
        let samples = scene.memory.samples(&labels);
        samples.iter().map(|(at, value)| (at / 60, !is_stale(*value))).collect::<Vec<_>>()
    };
    assert_eq!(state("pending"), [(0, true), (1, true), (2, false)]);
    assert_eq!(state("firing"), [(2, true), (3, true), (4, true), (5, true), (6, false)]);
}

#[test]
fn an_alert_that_fired_before_a_restart_fires_again_without_waiting() {
    let memory = Arc::new(Memory::default());
    memory.answer("down", |_| Ok(vec![element(&[], 1.0)]));
    let rules = || spec(vec![rule("Down", "down", alerting(20))]);
    let before = Scene::new(Arc::clone(&memory), rules(), true);
    (0..=25).for_each(|minute| before.at(minute));
    assert_eq!(before.told().first().map(|told| told.0), Some(20));
    // Ten minutes later another process begins.
    let after = Scene::new(Arc::clone(&memory), rules(), true);
    (35..=38).for_each(|minute| after.at(minute));
    assert_eq!(after.told().first().map(|told| told.0), Some(37), "the third evaluation knows the past");
    // Two hours later nothing is known.
    let later = Scene::new(Arc::clone(&memory), rules(), true);
    (200..=230).for_each(|minute| later.at(minute));
    assert_eq!(later.told().first().map(|told| told.0), Some(220));
}

#[test]
fn an_alert_that_was_pending_before_a_restart_waits_for_the_rest_of_its_time() {
    let memory = Arc::new(Memory::default());
    memory.answer("down", |_| Ok(vec![element(&[], 1.0)]));
    let rules = || spec(vec![rule("Down", "down", alerting(30))]);
    let before = Scene::new(Arc::clone(&memory), rules(), true);
    (0..=10).for_each(|minute| before.at(minute));
    let after = Scene::new(Arc::clone(&memory), rules(), true);
    (20..=60).for_each(|minute| after.at(minute));
    // It was there for ten minutes, and the eleven until the past was looked up do not count.
    assert_eq!(after.told().first().map(|told| told.0), Some(41));
}

#[test]
fn groups_of_one_interval_are_evaluated_in_phases_of_their_own_that_stay_the_same() {
    let of = |name: &str| Group::new(GroupSpec { name: name.into(), ..spec(vec![]) }, false);
    let (a, b) = (of("a"), of("b"));
    let first = a.next_ms(1_000_000);
    assert!(first > 1_000_000 && first <= 1_000_000 + MINUTE_MS);
    assert_eq!((a.next_ms(first), a.next_ms(first - 1)), (first + MINUTE_MS, first));
    assert_ne!(first, b.next_ms(1_000_000));
}
