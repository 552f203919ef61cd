//! What is made from `observability/`, for Kustomize cannot put one YAML file into another: its rules in the form that
//! Prometheus' operator reads, one PrometheusRule for each file, and Alertmanager's configuration, routes and receivers
//! put together. A check holds all of it against what it is made from.

use std::fmt::Write as _;
use std::path::Path;

use crate::{Findings, tree};

const HEAD: &str = "# Made by `cargo xtask deployments --write` from observability/rules, observability/slo and\n# deployments/compose/prometheus/watchdog.yaml. Change those.\n";
const RULES: &str = "deployments/components/monitoring/rules.yaml";
const WATCHDOG: &str = "deployments/compose/prometheus/watchdog.yaml";
/// Where Alertmanager's routes and receivers are.
const ALERTMANAGER: &str = "observability/alertmanager";
/// What is made of them, and with which receivers.
const NOTIFIED: [(&str, &str); 2] = [
    ("deployments/compose/alertmanager/alertmanager.yml", "here.yaml"),
    ("deployments/components/monitoring/receivers/alertmanager.yaml", "webhooks.yaml"),
];

/// Whether what was made is what would be.
pub fn check(root: &Path) -> Findings {
    let differs = |(file, text): &(&str, String)| *text != tree::text(root, file);
    match made(root) {
        Ok(files) => files
            .iter()
            .filter(|made| differs(made))
            .map(|(file, _)| format!("{file} is not what observability/ makes: cargo xtask deployments --write"))
            .collect(),
        Err(reason) => vec![reason],
    }
}

/// Makes it.
pub fn write(root: &Path) -> Findings {
    let write = |(file, text): &(&str, String)| {
        let written = std::fs::write(root.join(file), text);
        written.err().map(|error| format!("{file} cannot be written: {error}"))
    };
    match made(root) {
        Ok(files) => files.iter().filter_map(write).collect(),
        Err(reason) => vec![reason],
    }
}

/// Every file that is made, with what is to be in it.
fn made(root: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let mut files = vec![(RULES, rules(root)?)];
    let read = |name: &str| {
        let path = root.join(ALERTMANAGER).join(name);
        std::fs::read_to_string(path).map_err(|error| format!("{ALERTMANAGER}/{name} cannot be read: {error}"))
    };
    for (file, receivers) in NOTIFIED {
        let head = format!(
            "# Made by `cargo xtask deployments --write` from {ALERTMANAGER}/routes.yaml and {receivers}. Change those.\n"
        );
        files.push((file, format!("{head}{}\n{}", read("routes.yaml")?, read(receivers)?)));
    }
    Ok(files)
}

fn rules(root: &Path) -> Result<String, String> {
    let mut sources = Vec::new();
    for file in tree::files(root, &[".yaml"]) {
        let name = |folder: &str| file.strip_prefix(folder).filter(|rest| !rest.contains('/'));
        let text = tree::text(root, &file);
        if let Some(name) = name("observability/rules/") {
            sources.push((name.replace(".yaml", ""), text));
        } else if let Some(name) = name("observability/slo/") {
            let rules = console_alerting::slo::rules(&text).map_err(|fault| format!("{file}: {fault}"))?;
            sources.push((format!("slo-{}", name.replace(".yaml", "")), rules.to_string()));
        } else if file == WATCHDOG {
            sources.push(("watchdog".to_owned(), text));
        }
    }
    let mut made = HEAD.to_owned();
    for (index, (name, text)) in sources.iter().enumerate() {
        if index > 0 {
            made.push_str("---\n");
        }
        made.push_str(&wrapped(name, text));
    }
    Ok(made)
}

/// A file of rules as the `spec` of an object: its lines, moved to the right.
fn wrapped(name: &str, text: &str) -> String {
    let mut object = format!(
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: highbeam-{name}\n  namespace: monitoring\nspec:\n"
    );
    for line in text.lines() {
        let line = if line.is_empty() { String::new() } else { format!("  {line}") };
        // Writing to a text cannot fail.
        let _ = writeln!(object, "{line}");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_rules_becomes_a_spec() {
        let text = "# Why.\ngroups:\n  - name: a\n    rules:\n      - record: b\n        expr: |\n          c\n\n          d\n";
        let value: serde_json::Value = serde_saphyr::from_str(&wrapped("x", text)).unwrap();
        let rules: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(value["spec"], rules);
        assert_eq!(value["metadata"]["name"], "highbeam-x");
    }

    #[test]
    fn what_was_made_is_held_against_its_sources() {
        let root = tempfile::tempdir().unwrap();
        for folder in [
            "observability/rules",
            ALERTMANAGER,
            "deployments/components/monitoring/receivers",
            "deployments/compose/alertmanager",
        ] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for (name, text) in [("routes", "route: {}\n"), ("here", "receivers: []\n"), ("webhooks", "receivers: []\n")] {
            std::fs::write(root.path().join(ALERTMANAGER).join(format!("{name}.yaml")), text).unwrap();
        }
        let source = root.path().join("observability/rules/a.yaml");
        std::fs::write(&source, "groups: []\n").unwrap();
        assert_eq!(check(root.path()).len(), 3);
        assert_eq!((write(root.path()), check(root.path())), (Findings::new(), Findings::new()));
        std::fs::write(&source, "groups: [{name: a, rules: []}]\n").unwrap();
        assert_eq!(check(root.path()).len(), 1);
        std::fs::write(root.path().join(ALERTMANAGER).join("routes.yaml"), "route: {receiver: a}\n").unwrap();
        assert_eq!(check(root.path()).len(), 3);
    }
}
