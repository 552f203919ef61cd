//! cargo-deny, where it is installed: licences, sources, and once more who may use whom. Advisories need
//! a database from the network: where that cannot be had it is told, and is no failure.

use std::path::Path;
use std::process::{Command, Output};

use crate::Outcome;

pub fn check(root: &Path) -> Outcome {
    let local = root.join("target/tools/bin/cargo-deny");
    let program = if local.is_file() { local.display().to_string() } else { "cargo-deny".to_owned() };
    let run = |arguments: &[&str]| Command::new(&program).args(arguments).current_dir(root).output();
    let Ok(checked) = run(&["--color", "never", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
    else {
        return Outcome::note("cargo-deny is not installed: licences, sources and advisories are not checked");
    };
    let mut outcome = Outcome::default();
    if !checked.status.success() {
        outcome.findings = errors(&text(&checked));
    }
    match run(&["--color", "never", "check", "--hide-inclusion-graph", "advisories"]) {
        Ok(advisories) if !advisories.status.success() => judge(&text(&advisories), &mut outcome),
        _ => {}
    }
    outcome
}

fn judge(said: &str, outcome: &mut Outcome) {
    if said.contains("failed to fetch advisory database") || said.contains("failed to load advisory database") {
        outcome.notes.push("the advisory database cannot be had: advisories are not checked".to_owned());
    } else {
        outcome.findings.extend(errors(said));
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The lines that say what is wrong; all lines where none does.
fn errors(said: &str) -> Vec<String> {
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error")).map(str::to_owned).collect();
    if errors.is_empty() { said.lines().map(str::to_owned).collect() } else { errors }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_cannot_be_had_is_no_failure_and_an_advisory_is_one() {
        let mut outcome = Outcome::default();
        judge("2026-11-24 14:22:10 [ERROR] failed to fetch advisory database https://example.com\n", &mut outcome);
        assert_eq!((outcome.findings.len(), outcome.notes.len()), (0, 1));
        judge("error[vulnerability]: a hole\n  ┌─ Cargo.lock:1:1\nadvisories FAILED\n", &mut outcome);
        assert_eq!(outcome.findings, ["error[vulnerability]: a hole"]);
    }
}
