//! `make check`: every check, one line each with its time; goes on after a failure.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::{Findings, headers, layering, links, semconv, settings};

/// Runs everything.
pub fn all(root: &Path) -> ExitCode {
    let checks: [(&str, &dyn Fn() -> Findings); 9] = [
        ("format", &|| run(root, "cargo", &["fmt", "--all", "--check"], &[])),
        ("layering", &|| layering::check(root)),
        ("headers", &|| headers::check(root)),
        ("links", &|| links::check(root)),
        ("settings", &|| settings::check(root)),
        ("semconv", &|| semconv::check(root)),
        ("clippy", &|| {
            run(root, "cargo", &["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])
        }),
        ("docs", &|| {
            let arguments = ["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"];
            run(root, "cargo", &arguments, &[("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")])
        }),
        ("licences", &|| deny(root)),
    ];
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in checks {
        let begun = Instant::now();
        let findings = check();
        let seconds = begun.elapsed().as_secs_f64();
        if findings.is_empty() {
            passed += 1;
            println!("ok   {name:<10} {seconds:.1} s");
        } else {
            failed += 1;
            println!("FAIL {name:<10} {seconds:.1} s");
            findings.iter().for_each(|finding| println!("     {finding}"));
        }
    }
    println!("checks: {passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(root: &Path, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Findings {
    let output = Command::new(program).args(arguments).envs(environment.iter().copied()).current_dir(root).output();
    match output {
        Ok(output) if output.status.success() => Vec::new(),
        Ok(output) => {
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            said.lines().rev().take(40).map(str::to_owned).collect::<Vec<_>>().into_iter().rev().collect()
        }
        Err(error) => vec![format!("{program} cannot be run: {error}")],
    }
}

/// cargo-deny, where it is installed. Its advisories need a database from the network, so they are asked
/// for apart, and their absence is told and is no failure.
fn deny(root: &Path) -> Findings {
    let local = root.join("target/tools/bin/cargo-deny");
    let program = if local.is_file() { local.display().to_string() } else { "cargo-deny".to_owned() };
    if Command::new(&program).arg("--version").output().is_err() {
        println!("     cargo-deny is not installed: licences and sources are not checked (cargo install cargo-deny)");
        return Vec::new();
    }
    let findings = run(root, &program, &["--offline", "check", "bans", "licenses", "sources"], &[]);
    if !run(root, &program, &["check", "advisories"], &[]).is_empty() {
        println!(
            "     advisories: the database cannot be had, or has something to say; run cargo deny check advisories"
        );
    }
    findings
}
