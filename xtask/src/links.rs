//! Links in Markdown lead somewhere, and no tracked text names a path of somebody's machine.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Findings, tree};

/// Folders that only exist on machines where highbeam is worked on. In two parts each, so that this
/// file is none of its own findings.
const MACHINE_PATHS: [[&str; 2]; 4] = [["/ro", "ot/"], ["/ho", "me/"], ["/wo", "rk/"], ["/tmp", "/bash"]];

/// What is text, as far as these checks go.
const TEXT: [&str; 13] =
    [".css", ".example", ".html", ".json", ".md", ".rs", ".sh", ".toml", ".ts", ".yaml", ".yml", "Makefile", ".ci/run"];

pub fn check(root: &Path) -> Findings {
    let mut findings = Vec::new();
    for file in tree::files(root, &[".md"]) {
        findings.extend(dead_links(root, &file, &tree::text(root, &file)));
    }
    for file in tree::files(root, &TEXT) {
        findings.extend(machine_paths(&file, &tree::text(root, &file)));
    }
    findings
}

fn machine_paths(file: &str, text: &str) -> Findings {
    let found = MACHINE_PATHS.iter().map(|parts| parts.concat()).filter(|path| begins_a_word(text, path));
    found.map(|path| format!("{file}: names the machine path {path}")).collect()
}

/// At the root of a file system, not within a URL or a relative path.
fn begins_a_word(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|character| character.is_alphanumeric() || "_-.~}".contains(character))
    })
}

fn dead_links(root: &Path, file: &str, text: &str) -> Findings {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    let text = without_code(text);
    for target in targets(&text) {
        let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let linked = if path.is_empty() { Path::new(file).to_owned() } else { folder.join(path) };
        if !root.join(&linked).exists() {
            findings.push(format!("{file}: {target} leads nowhere"));
            continue;
        }
        if let Some(anchor) = anchor.filter(|_| linked.extension().is_some_and(|ending| ending == "md")) {
            let linked = std::fs::read_to_string(root.join(&linked)).unwrap_or_default();
            if !headings(&without_code(&linked)).contains(&anchor.to_owned()) {
                findings.push(format!("{file}: {target} names no heading"));
            }
        }
    }
    findings
}

/// The text without fenced blocks, whose brackets and `#` are neither links nor headings.
fn without_code(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What links of this repository point at: `[…](target)` and `[…]: target`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let outside = |target: &&str| target.contains("://") || target.starts_with("mailto:");
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let defined = text.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once("]: "));
    inline.chain(defined.map(|(_, target)| target.trim())).filter(move |target| !outside(target))
}

/// Headings in the form of anchors; those that are there already are numbered, as web pages do.
fn headings(text: &str) -> Vec<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let mut anchors = Vec::new();
    for title in text.lines().filter_map(|line| line.strip_prefix('#')) {
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let before = seen.entry(anchor.clone()).or_default();
        anchors.push(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
        *before += 1;
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_and_anchors_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.md"), "# A title, with: marks\n# Twice\n# Twice\n").unwrap();
        let text = "[a](b.md) [b](b.md#a-title-with-marks) [c](c.md) [d](b.md#no) [e](https://example.com/x)\n\
                    [f](b.md#twice-1) [g](b.md#twice-2)\n[h]: d.md\n```\n[code](e.md)\n```\n";
        std::fs::write(folder.path().join("a.md"), text).unwrap();
        assert_eq!(
            check(folder.path()),
            [
                "a.md: c.md leads nowhere",
                "a.md: b.md#no names no heading",
                "a.md: b.md#twice-2 names no heading",
                "a.md: d.md leads nowhere"
            ]
        );
    }

    #[test]
    fn machine_paths_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = MACHINE_PATHS[0].concat();
        std::fs::write(folder.path().join("a.toml"), format!("a = \"{path}x\"\n")).unwrap();
        std::fs::write(folder.path().join("b.toml"), format!("a = \"https://example.com{path}x\"\n")).unwrap();
        assert_eq!(check(folder.path()), [format!("a.toml: names the machine path {path}")]);
    }
}
