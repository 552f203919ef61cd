//! Repository chores: `cargo xtask check` runs all of them, `cargo xtask NAME` one, and
//! `cargo xtask semconv --write` brings generated files up to date.

mod check;
mod headers;
mod layering;
mod links;
mod semconv;
mod settings;
mod tree;

use std::process::ExitCode;

/// What a chore finds wrong, one line each; empty when all is well.
type Findings = Vec<String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = tree::root();
    let findings = match words.as_slice() {
        ["check"] => return check::all(&root),
        ["layering"] => layering::check(&root),
        ["headers"] => headers::check(&root),
        ["links"] => links::check(&root),
        ["settings"] => settings::check(&root),
        ["semconv"] => semconv::check(&root),
        ["semconv", "--write"] => semconv::write(&root),
        _ => {
            eprintln!("usage: cargo xtask check | layering | headers | links | settings | semconv [--write]");
            return ExitCode::from(2);
        }
    };
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
