//! `make check`: every check, one line each with its time; goes on after a failure.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::{Findings, Outcome, deny, headers, layering, links, node_exporter, semconv, settings};

type Check = (&'static str, fn(&Path) -> Outcome);

/// In the order in which they run: what is quick comes first.
const CHECKS: [Check; 9] = [
    ("format", |root| cargo(root, &["fmt", "--all", "--check"], &[]).into()),
    ("layering", |root| layering::check(root).into()),
    ("headers", |root| Outcome { findings: headers::check(root), notes: headers::long(root) }),
    ("links", |root| links::check(root).into()),
    ("settings", |root| settings::check(root).into()),
    ("semconv", |root| [semconv::check(root), node_exporter::check(root)].concat().into()),
    ("clippy", |root| {
        cargo(root, &["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]).into()
    }),
    ("docs", |root| {
        let arguments = ["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"];
        cargo(root, &arguments, &[("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")]).into()
    }),
    ("deny", deny::check),
];

/// Runs everything, or the checks that `arguments` choose by `--only NAME`.
pub fn all(root: &Path, arguments: &[&str]) -> ExitCode {
    match chosen(arguments) {
        Ok(checks) if run(root, &checks) == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(usage) => {
            eprintln!("{usage}");
            ExitCode::from(2)
        }
    }
}

fn chosen(arguments: &[&str]) -> Result<Vec<Check>, String> {
    let known = || CHECKS.map(|(name, _)| name).join(", ");
    let mut names = Vec::new();
    for pair in arguments.chunks(2) {
        match pair {
            ["--only", name] if CHECKS.iter().any(|(known, _)| known == name) => names.push(*name),
            _ => return Err(format!("usage: cargo xtask check [--only NAME]…, where NAME is one of {}", known())),
        }
    }
    Ok(CHECKS.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect())
}

/// How many fail.
fn run(root: &Path, checks: &[Check]) -> usize {
    let mut failed = 0;
    for (name, check) in checks {
        let begun = Instant::now();
        let Outcome { findings, notes } = check(root);
        let verdict = if findings.is_empty() { "ok  " } else { "FAIL" };
        println!("{verdict} {name:<10} {:.1} s", begun.elapsed().as_secs_f64());
        findings.iter().for_each(|finding| println!("     {finding}"));
        notes.iter().for_each(|note| println!("     note: {note}"));
        failed += usize::from(!findings.is_empty());
    }
    println!("checks: {} passed, {failed} failed", checks.len() - failed);
    failed
}

/// The end of what cargo says, where it fails.
fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Findings {
    let output = Command::new("cargo").args(arguments).envs(environment.iter().copied()).current_dir(root).output();
    match output {
        Ok(output) if output.status.success() => Findings::new(),
        Ok(output) => {
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let lines: Vec<_> = said.lines().map(str::to_owned).collect();
            let findings = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().to_vec();
            // No findings is success: a failure without a word is one all the same.
            if findings.is_empty() { vec![format!("cargo ended with {}", output.status)] } else { findings }
        }
        Err(error) => vec![format!("cargo cannot be run: {error}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_can_be_chosen() {
        let names = |arguments: &[&str]| chosen(arguments).map(|checks| checks.iter().map(|check| check.0).collect());
        assert_eq!(names(&[]).map(|names: Vec<_>| names.len()), Ok(CHECKS.len()));
        assert_eq!(names(&["--only", "links", "--only", "headers"]), Ok(vec!["headers", "links"]));
        assert!(chosen(&["--only", "nothing"]).is_err() && chosen(&["--only"]).is_err() && chosen(&["x"]).is_err());
    }

    #[test]
    fn a_failure_is_counted_and_what_follows_runs() {
        let checks: [Check; 3] = [
            ("bad", |_| vec!["wrong".to_owned()].into()),
            ("told", |_| Outcome::note("left out")),
            ("bad too", |_| vec!["wrong".to_owned()].into()),
        ];
        assert_eq!(run(Path::new("."), &checks), 2);
    }

    #[test]
    fn what_cargo_says_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/lib.rs"), "fn  badly( ){}\n").unwrap();
        let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
        std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        let findings = cargo(folder.path(), &["fmt", "--check"], &[]);
        assert!(findings.iter().any(|line| line.contains("Diff in")), "{findings:?}");
    }
}
