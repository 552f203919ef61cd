//! Runs scripts in the language of Prometheus' own test suite: our own under `tests/scripts`, and those in a
//! folder that the variable `PROMQL_SCRIPTS` names, against the divergences listed in `ledger.txt`. All are run with
//! each set of features: everything, which is what Prometheus' scripts are written for, and what the console has on.
#![expect(clippy::panic, clippy::unwrap_used, reason = "what reads scripts is part of the tests")]

mod compare;
mod memory;
mod notation;
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use console_promql::{Engine, Features, Limits};
use script::{Command, Script};

/// What came of one `eval`.
struct Verdict {
    /// `operators.test:12`
    place: String,
    tag: &'static str,
    query: String,
    /// What is wrong, if anything is.
    fault: Option<String>,
}

/// Features that a server may have on, by the names that the ledger has for them.
const SETS: [(&str, Features); 2] = [("all", Features::ALL), ("additions", Features::ADDITIONS)];

fn run(path: &Path, features: Features) -> Vec<Verdict> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let script = Script::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let engine = Engine::new(Limits::default()).with_features(features);
    let mut storage = memory::Memory::default();
    let mut verdicts = Vec::new();
    for (line, command) in &script.commands {
        match command {
            Command::Clear => storage = memory::Memory::default(),
            Command::Load(load) => storage.load(load),
            Command::Eval(eval) => verdicts.push(Verdict {
                place: format!("{name}:{line}"),
                tag: eval.tag(&name, &storage.histogram_names()),
                query: eval.query.clone(),
                fault: compare::check(&engine, &storage, eval).err(),
            }),
        }
    }
    verdicts
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    paths.sort();
    paths
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

#[test]
fn our_own_scripts_pass() {
    let paths = scripts(&own().join("scripts"));
    assert!(!paths.is_empty());
    let mut faults = Vec::new();
    for (set, features) in SETS {
        for verdict in paths.iter().flat_map(|path| run(path, features)) {
            let told = |fault| format!("{set} {}: {}\n    {fault}", verdict.place, verdict.query);
            faults.extend(verdict.fault.as_ref().map(told));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Lines of the ledger: `set file:line reason`. One folder's scripts are held against it exactly.
fn ledger() -> BTreeMap<(String, String), String> {
    let path = own().join("ledger.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let entries = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut known = BTreeMap::new();
    for line in entries {
        let mut words = line.splitn(3, ' ');
        let (Some(set), Some(place), Some(reason)) = (words.next(), words.next(), words.next()) else {
            panic!("the ledger's lines are `set file:line reason`, this one is: {line}");
        };
        assert!(SETS.iter().any(|(name, _)| *name == set), "no such set of features: {line}");
        known.insert((set.to_owned(), place.to_owned()), reason.to_owned());
    }
    known
}

#[test]
fn the_scripts_that_are_named_pass_but_for_the_ledger() {
    let Ok(folder) = std::env::var("PROMQL_SCRIPTS") else {
        return;
    };
    let known = ledger();
    let paths = scripts(Path::new(&folder));
    let files: BTreeSet<_> =
        paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let mut unexpected = Vec::new();
    for (set, features) in SETS {
        let (mut passed, mut failed) = (BTreeMap::new(), BTreeMap::new());
        let mut diverging = BTreeSet::new();
        for verdict in paths.iter().flat_map(|path| run(path, features)) {
            let count = if verdict.fault.is_some() { &mut failed } else { &mut passed };
            *count.entry(verdict.tag).or_insert(0_usize) += 1;
            let Some(fault) = verdict.fault else { continue };
            let entry = (set.to_owned(), verdict.place);
            if !known.contains_key(&entry) {
                unexpected.push(format!("{set} {} [{}] {}\n    {fault}", entry.1, verdict.tag, verdict.query));
            }
            diverging.insert(entry);
        }
        for tag in ["core", "native-histogram", "experimental"] {
            let (passed, failed) = (passed.get(tag).unwrap_or(&0), failed.get(tag).unwrap_or(&0));
            println!("{set:<10} {tag:<17} {passed:>5} passed {failed:>5} failed");
        }
        let here = known
            .keys()
            .filter(|(of, place)| of == set && place.split(':').next().is_some_and(|file| files.contains(file)));
        let stale = here.filter(|entry| !diverging.contains(*entry));
        unexpected.extend(stale.map(|(_, place)| format!("{set} {place} is in the ledger but passes")));
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}
