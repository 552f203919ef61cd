//! Repository chores: `cargo xtask check` runs every check, `cargo xtask NAME` one; `semconv --write`
//! brings generated files up to date.

mod check;
mod deny;
mod deployments;
mod headers;
mod layering;
mod links;
mod log_events;
mod node_exporter;
mod rules_test;
mod semconv;
mod settings;
mod tree;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask check [--only NAME]… | layering | headers | links | settings | semconv [--check | --write] | node-exporter FOLDER | rules-test FILES | rules-check FILES | slo FILES | deployments [--write]";

/// What a chore finds wrong, one line each; empty when all is well.
type Findings = Vec<String>;

/// What a check has to say.
#[derive(Default)]
struct Outcome {
    /// What is wrong.
    findings: Findings,
    /// What is worth knowing, and no failure.
    notes: Vec<String>,
}

impl Outcome {
    fn note(text: &str) -> Self {
        Self { notes: vec![text.to_owned()], ..Self::default() }
    }
}

impl From<Findings> for Outcome {
    fn from(findings: Findings) -> Self {
        Self { findings, ..Self::default() }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = tree::root();
    let findings = match words.as_slice() {
        ["check", rest @ ..] => return check::all(&root, rest),
        ["layering"] => layering::check(&root),
        ["headers"] => headers::check(&root),
        ["links"] => links::check(&root),
        ["settings"] => settings::check(&root),
        ["semconv"] | ["semconv", "--check"] => [semconv::check(&root), node_exporter::check(&root)].concat(),
        ["semconv", "--write"] => [semconv::write(&root), node_exporter::write(&root)].concat(),
        ["node-exporter", folder] => node_exporter::compare(&root, Path::new(folder)),
        ["rules-test", files @ ..] if !files.is_empty() => rules_test::run(files),
        ["rules-check", files @ ..] if !files.is_empty() => rules_test::check(files),
        ["slo", files @ ..] if !files.is_empty() => rules_test::print(files),
        ["deployments"] => deployments::check(&root),
        ["deployments", "--write"] => deployments::write(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
