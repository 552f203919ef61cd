//! The rules of `observability/`, in the form that Prometheus' operator reads: one PrometheusRule for each file. Kustomize
//! cannot put one YAML file into another, so they are made here, and a check holds them against what they are made from.

use std::fmt::Write as _;
use std::path::Path;

use crate::{Findings, tree};

const MADE: &str = "deployments/components/monitoring/rules.yaml";
const HEAD: &str =
    "# Made by `cargo xtask deployments --write` from observability/rules and observability/slo. Change those.\n";

/// Whether what was made is what would be.
pub fn check(root: &Path) -> Findings {
    match make(root) {
        Ok(text) if text == tree::text(root, MADE) => Findings::new(),
        Ok(_) => vec![format!("{MADE} is not what observability/ makes: cargo xtask deployments --write")],
        Err(reason) => vec![reason],
    }
}

/// Makes it.
pub fn write(root: &Path) -> Findings {
    let written = make(root).and_then(|text| {
        std::fs::write(root.join(MADE), text).map_err(|error| format!("{MADE} cannot be written: {error}"))
    });
    written.err().into_iter().collect()
}

fn make(root: &Path) -> Result<String, String> {
    let mut sources = Vec::new();
    for file in tree::files(root, &[".yaml"]) {
        let name = |folder: &str| file.strip_prefix(folder).filter(|rest| !rest.contains('/'));
        let text = tree::text(root, &file);
        if let Some(name) = name("observability/rules/") {
            sources.push((name.replace(".yaml", ""), text));
        } else if let Some(name) = name("observability/slo/") {
            let rules = console_alerting::slo::rules(&text).map_err(|fault| format!("{file}: {fault}"))?;
            sources.push((format!("slo-{}", name.replace(".yaml", "")), rules.to_string()));
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
        for folder in ["observability/rules", "deployments/components/monitoring"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let source = root.path().join("observability/rules/a.yaml");
        std::fs::write(&source, "groups: []\n").unwrap();
        assert_eq!(check(root.path()).len(), 1);
        assert_eq!((write(root.path()), check(root.path())), (Findings::new(), Findings::new()));
        std::fs::write(&source, "groups: [{name: a, rules: []}]\n").unwrap();
        assert_eq!(check(root.path()).len(), 1);
    }
}
