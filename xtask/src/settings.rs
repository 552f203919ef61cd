//! The settings are told in three places: the program's own table, `.env.example`, and the README. Each
//! has to have all of them.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{Findings, tree};

const TABLE: &str = "crates/highbeam/src/settings/table.rs";

pub fn check(root: &Path) -> Findings {
    let program = in_table(&tree::text(root, TABLE));
    let example = in_example(&tree::text(root, ".env.example"));
    let readme = in_readme(&tree::text(root, "README.md"));
    let mut findings = compare(".env.example", &program, &example);
    findings.extend(compare("README.md, Settings", &program, &readme));
    findings
}

/// The variables that the program reads.
pub fn known(root: &Path) -> Vec<String> {
    in_table(&tree::text(root, TABLE)).into_iter().collect()
}

fn compare(place: &str, program: &BTreeSet<String>, told: &BTreeSet<String>) -> Findings {
    let missing = program.difference(told).map(|name| format!("{place} does not tell {name}"));
    let unknown = told.difference(program).map(|name| format!("{place} tells {name}, which the program does not know"));
    missing.chain(unknown).collect()
}

fn is_name(text: &str) -> bool {
    text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The first text of each `setting(…)`.
fn in_table(text: &str) -> BTreeSet<String> {
    let calls = text.split("setting(").skip(1);
    calls.filter_map(|call| call.split('"').nth(1)).filter(|name| is_name(name)).map(str::to_owned).collect()
}

/// `NAME=value`, commented out or not.
fn in_example(text: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='));
    names.map(|(name, _)| name.trim()).filter(|name| is_name(name)).map(str::to_owned).collect()
}

/// The first cells of the table under `## Settings`.
fn in_readme(text: &str) -> BTreeSet<String> {
    let section = text.split("\n## Settings").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells.filter(|name| is_name(name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        let expected = BTreeSet::from(["PORT".to_owned()]);
        assert_eq!(in_table(r#"setting("PORT", "5007", "5007", "The port"),"#), expected);
        assert_eq!(in_example("# The port\n#PORT=5007\n"), expected);
        assert_eq!(in_readme("# x\n\n## Settings\n\n| `PORT` | 5007 |\n\n## Next\n| `NO_SETTING` |\n"), expected);
    }

    #[test]
    fn what_is_missing_and_what_is_unknown_is_told() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(
            compare("x", &set(&["ABC", "DEF"]), &set(&["DEF", "GHI"])),
            ["x does not tell ABC", "x tells GHI, which the program does not know"]
        );
    }
}
