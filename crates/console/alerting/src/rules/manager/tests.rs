//! Files that come, change, break and go.

use std::fs;
use std::path::Path;

use console_model::is_stale;

use super::*;
use crate::Duration;
use crate::testing::{Memory, element};

const MINUTE_MS: i64 = 60_000;

fn rules(folder: &Path, memory: &Arc<Memory>) -> Rules {
    let pattern = folder.join("*.yaml").to_string_lossy().into_owned();
    let defaults = Defaults { interval: Duration::from_ms(MINUTE_MS), query_offset: Duration::ZERO };
    let configuration = Configuration { sources: vec![Source::Paths(pattern)], defaults, context: Context::default() };
    Rules::new(configuration, memory.ports())
}

fn evaluate(rules: &Rules, minute: i64) {
    rules.groups().iter().for_each(|group| rules.evaluate(group, minute * MINUTE_MS, &|_| {}));
}

/// Files of the same size in the same moment look the same: each is longer than the one before.
fn write(folder: &Path, name: &str, text: &str, version: usize) {
    fs::write(folder.join(name), format!("{text}{}", "\n".repeat(version))).unwrap();
}

#[test]
fn a_file_that_becomes_unreadable_keeps_what_was_last_good_and_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    let rules = rules(folder.path(), &memory);
    let good = "groups: [{name: g, rules: [{record: r, expr: q}]}]";
    write(folder.path(), "a.yaml", good, 0);
    let first = rules.reload(1_000);
    assert!(first.is_changed && first.faults.is_empty());
    assert!(!rules.reload(2_000).is_changed);
    write(folder.path(), "a.yaml", "groups: [{name: g, rulez: []}]", 1);
    let broken = rules.reload(3_000);
    assert!(!broken.is_changed);
    assert!(broken.faults[0].to_string().contains("a.yaml:1:") && broken.faults[0].message.contains("rulez"));
    assert_eq!(rules.reload(4_000).faults, []);
    assert_eq!(rules.groups().len(), 1);
    let file = rules.files().remove(0);
    assert_eq!((file.loaded_at_ms, file.faults.len()), (Some(1_000), 1));
    write(folder.path(), "a.yaml", good, 2);
    let mended = rules.reload(5_000);
    assert!(!mended.is_changed && mended.faults.is_empty());
    assert_eq!((rules.files()[0].loaded_at_ms, rules.files()[0].faults.len()), (Some(5_000), 0));
}

#[test]
fn a_group_that_stays_as_it_is_goes_on_and_one_that_changes_remembers_its_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    memory.answer("q", |_| Ok(vec![element(&[("job", "a")], 1.0)]));
    let rules = rules(folder.path(), &memory);
    write(folder.path(), "same.yaml", "groups: [{name: same, rules: [{record: s, expr: q}]}]", 0);
    let alert = "{alert: A, expr: q, for: 3m}";
    write(
        folder.path(),
        "other.yaml",
        &format!("groups: [{{name: other, rules: [{alert}, {{record: gone, expr: q}}]}}]"),
        0,
    );
    rules.reload(0);
    let same = rules.groups().into_iter().find(|group| &*group.spec().name == "same").unwrap();
    (0..3).for_each(|minute| evaluate(&rules, minute));
    write(
        folder.path(),
        "other.yaml",
        &format!("groups: [{{name: other, rules: [{{record: new, expr: q}}, {alert}]}}]"),
        9,
    );
    assert!(rules.reload(3 * MINUTE_MS).is_changed);
    assert!(rules.groups().iter().any(|group| Arc::ptr_eq(group, &same)));
    evaluate(&rules, 3);
    // It is there since minute 0, so it fires now.
    let firing = [("__name__", "ALERTS"), ("alertname", "A"), ("alertstate", "firing"), ("job", "a")];
    assert_eq!(memory.samples(&firing).last(), Some(&(180, 1.0)), "{:?}", memory.names());
    let gone = memory.samples(&[("__name__", "gone"), ("job", "a")]);
    assert!(gone.last().is_some_and(|(at, value)| *at == 180 && is_stale(*value)), "{gone:?}");
}

#[test]
fn a_file_that_is_gone_takes_its_groups_and_ends_their_series() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    memory.answer("q", |_| Ok(vec![element(&[], 1.0)]));
    let rules = rules(folder.path(), &memory);
    write(folder.path(), "a.yaml", "groups: [{name: g, rules: [{record: r, expr: q}]}]", 0);
    rules.reload(0);
    evaluate(&rules, 0);
    let group = rules.groups().remove(0);
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    assert!(rules.reload(MINUTE_MS).is_changed);
    assert_eq!((rules.groups().len(), rules.files().len()), (0, 0));
    assert!(rules.next(0).is_none());
    // An evaluation that was due does nothing any more.
    rules.evaluate(&group, 2 * MINUTE_MS, &|_| {});
    let samples = memory.samples(&[("__name__", "r")]);
    assert_eq!(samples.iter().map(|(at, value)| (*at, is_stale(*value))).collect::<Vec<_>>(), [(0, false), (60, true)]);
}

#[test]
fn a_service_level_objective_among_the_files_becomes_groups() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    let rules = rules(folder.path(), &memory);
    let slo = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: fast}\nspec:\n  service: api\n  indicator: {spec: {ratioMetric: \
               {good: {metricSource: {spec: {query: good}}}, total: {metricSource: {spec: {query: all}}}}}}\n  \
               timeWindow: [{duration: 30d}]\n  objectives: [{target: 0.99}]\n";
    write(folder.path(), "slo.yaml", slo, 0);
    assert_eq!(rules.reload(0).faults, []);
    assert_eq!(rules.groups().len(), 3);
    write(folder.path(), "slo.yaml", &slo.replace("0.99", "1.99"), 1);
    let faults = rules.reload(1).faults;
    assert!(faults[0].to_string().contains("slo.yaml:1:"), "{faults:?}");
}
