//! Who may use whom: the list in `deny.toml`, enforced from cargo's own metadata, so that the check
//! works where cargo-deny is not installed. Development dependencies do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::{Findings, tree};

/// Crates that are pure, and what they may not even reach through others.
const PURE: [&str; 5] = ["eventsourcing", "delivery", "console-model", "console-wire", "console-otlp"];
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

/// Crates that nobody uses but in tests. Not in `deny.toml`, because cargo-deny takes an empty list of
/// wrappers for a ban of the crate itself.
const UNUSED: [&str; 3] = ["contract-tests", "highbeam", "kurrentdb-testserver"];

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
        let counts = |dependency: &&Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
        let used = list(&node["deps"])
            .iter()
            .filter(counts)
            .filter_map(|dependency| name(&dependency["pkg"]))
            .collect::<Vec<_>>();
        uses.entry(user).or_default().extend(used);
    }
    Ok(uses)
}

fn violations(rules: &[Rule], uses: &Uses) -> Findings {
    let mut findings = Vec::new();
    for name in UNUSED {
        let users = uses.iter().filter(|(_, used)| used.contains(name));
        findings.extend(users.map(|(user, _)| format!("{user} uses {name}, which nobody may but in tests")));
    }
    for rule in rules {
        if rule.wrappers.is_empty() {
            findings.push(format!("deny.toml: {} has no wrappers, which bans it for cargo-deny", rule.name));
        }
        // A slip of the pen would be a rule that holds for nothing.
        for name in rule.wrappers.iter().chain([&rule.name]).filter(|name| !uses.contains_key(*name)) {
            findings.push(format!("deny.toml: no crate is named {name}"));
        }
        for (user, used) in uses {
            if used.contains(&rule.name) && !rule.wrappers.contains(user) {
                findings.push(format!(
                    "{user} uses {}, which only {} may (deny.toml)",
                    rule.name,
                    rule.wrappers.join(", ")
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

    fn rule(name: &str, wrappers: &[&str]) -> Vec<Rule> {
        vec![Rule { name: name.into(), wrappers: wrappers.iter().map(|name| (*name).to_owned()).collect() }]
    }

    #[test]
    fn a_wrapper_may_and_another_may_not() {
        let rules = rule("rusqlite", &["sqlite"]);
        let mut graph = uses(&[("sqlite", &["rusqlite"]), ("rusqlite", &[])]);
        assert_eq!(violations(&rules, &graph), Findings::new());
        graph.extend(uses(&[("api", &["rusqlite"])]));
        assert_eq!(violations(&rules, &graph), ["api uses rusqlite, which only sqlite may (deny.toml)"]);
    }

    #[test]
    fn a_rule_that_holds_for_nothing_is_found() {
        let graph = uses(&[("sqlite", &["rusqlite"]), ("rusqlite", &[])]);
        assert_eq!(violations(&rule("rusqlit", &["sqlite"]), &graph), ["deny.toml: no crate is named rusqlit"]);
        assert_eq!(
            violations(&rule("sqlite", &[]), &graph),
            ["deny.toml: sqlite has no wrappers, which bans it for cargo-deny"]
        );
    }

    #[test]
    fn what_is_for_tests_stays_in_tests() {
        let graph = uses(&[("sqlite", &["contract-tests"]), ("contract-tests", &[])]);
        assert_eq!(violations(&[], &graph), ["sqlite uses contract-tests, which nobody may but in tests"]);
    }

    #[test]
    fn what_is_pure_is_pure_all_the_way() {
        let findings = violations(&[], &uses(&[("delivery", &["helper"]), ("helper", &["tokio"])]));
        assert_eq!(findings, ["delivery reaches tokio, and has to stay pure"]);
    }

    /// From `Cargo.toml` to finding, over two crates that a folder holds.
    #[test]
    fn a_workspace_is_read_and_development_dependencies_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\", \"c\"]\n");
        write("deny.toml", "[bans]\ndeny = [{ crate = \"b\", wrappers = [\"c\"] }]\n");
        for name in ["a", "b", "c"] {
            write(&format!("{name}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n"));
            write(&format!("{name}/src/lib.rs"), "");
        }
        let uses_b = |section: &str| {
            let package = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n";
            write("a/Cargo.toml", &format!("{package}[{section}]\nb = {{ path = \"../b\" }}\n"));
            let lock =
                Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(folder.path()).output();
            assert!(lock.unwrap().status.success());
            check(folder.path())
        };
        assert_eq!(uses_b("dev-dependencies"), Findings::new());
        assert_eq!(uses_b("dependencies"), ["a uses b, which only c may (deny.toml)"]);
        assert_eq!(uses_b("build-dependencies"), ["a uses b, which only c may (deny.toml)"]);
    }

    #[test]
    fn this_repository_keeps_its_layers() {
        assert_eq!(check(&tree::root()), Findings::new());
    }
}
