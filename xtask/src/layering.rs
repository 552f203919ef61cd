//! Who may use whom: the list in `deny.toml`, enforced from cargo's own metadata, so that the check
//! works where cargo-deny is not installed. Development dependencies do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::{Findings, tree};

/// Crates that are pure, and what they may not even reach through others.
const PURE: [&str; 2] = ["eventsourcing", "delivery"];
const IMPURE: [&str; 8] = ["axum", "hyper", "prometheus-client", "rusqlite", "telemetry", "tokio", "tower", "tracing"];

#[derive(Deserialize)]
struct Deny {
    bans: Bans,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
}

/// Which crate uses which, without development dependencies.
type Uses = BTreeMap<String, BTreeSet<String>>;

pub fn check(root: &Path) -> Findings {
    let rules = match toml::from_str::<Deny>(&tree::text(root, "deny.toml")) {
        Ok(deny) => deny.bans.deny,
        Err(error) => return vec![format!("deny.toml: {error}")],
    };
    match uses(root) {
        Ok(uses) => violations(&rules, &uses),
        Err(error) => vec![error],
    }
}

fn uses(root: &Path) -> Result<Uses, String> {
    let output = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata cannot be run: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)))?;
    let empty = Vec::new();
    let list = |value: &Value| value.as_array().unwrap_or(&empty).clone();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?.to_owned(), package["name"].as_str()?.to_owned())))
        .collect();
    let name = |id: &Value| id.as_str().and_then(|id| names.get(id)).cloned();
    let mut uses = Uses::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let Some(user) = name(&node["id"]) else { continue };
        let normal = |dependency: &&Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let used = list(&node["deps"])
            .iter()
            .filter(normal)
            .filter_map(|dependency| name(&dependency["pkg"]))
            .collect::<Vec<_>>();
        uses.entry(user).or_default().extend(used);
    }
    Ok(uses)
}

fn violations(rules: &[Rule], uses: &Uses) -> Findings {
    let mut findings = Vec::new();
    for rule in rules {
        for (user, used) in uses {
            if used.contains(&rule.name) && !rule.wrappers.contains(user) {
                findings.push(format!(
                    "{user} uses {}, which only {} may (deny.toml)",
                    rule.name,
                    join(&rule.wrappers)
                ));
            }
        }
    }
    for pure in PURE {
        let reached = reach(pure, uses);
        for impure in IMPURE.iter().filter(|impure| reached.contains(**impure)) {
            findings.push(format!("{pure} reaches {impure}, and has to stay pure"));
        }
    }
    findings
}

fn join(names: &[String]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

fn reach(from: &str, uses: &Uses) -> BTreeSet<String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(next) = open.pop() {
        for used in uses.get(&next).into_iter().flatten() {
            if reached.insert(used.clone()) {
                open.push(used.clone());
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(pairs: &[(&str, &[&str])]) -> Uses {
        pairs.iter().map(|(user, used)| ((*user).to_owned(), used.iter().map(|u| (*u).to_owned()).collect())).collect()
    }

    fn rule() -> Vec<Rule> {
        vec![Rule { name: "rusqlite".into(), wrappers: vec!["sqlite".into()] }]
    }

    #[test]
    fn a_wrapper_may_and_another_may_not() {
        assert!(violations(&rule(), &uses(&[("sqlite", &["rusqlite"])])).is_empty());
        let findings = violations(&rule(), &uses(&[("api", &["rusqlite"])]));
        assert_eq!(findings, ["api uses rusqlite, which only sqlite may (deny.toml)"]);
    }

    #[test]
    fn what_is_pure_is_pure_all_the_way() {
        let findings = violations(&[], &uses(&[("delivery", &["helper"]), ("helper", &["tokio"])]));
        assert_eq!(findings, ["delivery reaches tokio, and has to stay pure"]);
    }

    #[test]
    fn this_repository_keeps_its_layers() {
        assert_eq!(check(&tree::root()), Findings::new());
    }
}
