//! Links in Markdown lead somewhere, and no tracked text names a path of somebody's machine.

use std::path::Path;

use crate::{Findings, tree};

/// Folders that only exist on machines where highbeam is worked on.
const MACHINE_PATHS: [&str; 3] = ["/root/", "/home/", "/tmp/bash"];

pub fn check(root: &Path) -> Findings {
    let mut findings = Vec::new();
    for file in tree::files(root, &[".md"]) {
        findings.extend(dead_links(root, &file, &tree::text(root, &file)));
    }
    for file in tree::files(root, &[".md", ".toml", ".yaml", ".yml", ".sh", "Makefile", ".rs"]) {
        if file.starts_with("xtask/") {
            continue;
        }
        let text = tree::text(root, &file);
        let found = MACHINE_PATHS.iter().filter(|path| text.contains(**path));
        findings.extend(found.map(|path| format!("{file}: names the machine path {path}")));
    }
    findings
}

fn dead_links(root: &Path, file: &str, text: &str) -> Findings {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    for target in targets(text) {
        let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let linked = if path.is_empty() { Path::new(file).to_owned() } else { folder.join(path) };
        if !root.join(&linked).exists() {
            findings.push(format!("{file}: {target} leads nowhere"));
            continue;
        }
        if let Some(anchor) = anchor {
            let linked = std::fs::read_to_string(root.join(&linked)).unwrap_or_default();
            if !headings(&linked).any(|heading| heading == anchor) {
                findings.push(format!("{file}: {target} names no heading"));
            }
        }
    }
    findings
}

/// What links of this repository point at.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let outside = |target: &&str| target.contains("://") || target.starts_with("mailto:");
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()).filter(move |target| !outside(target))
}

/// Headings in the form of anchors.
fn headings(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_and_anchors_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.md"), "# A title, with: marks\n").unwrap();
        let text = "[a](b.md) [b](b.md#a-title-with-marks) [c](c.md) [d](b.md#no) [e](https://example.com/x)";
        std::fs::write(folder.path().join("a.md"), text).unwrap();
        assert_eq!(
            dead_links(folder.path(), "a.md", text),
            ["a.md: c.md leads nowhere", "a.md: b.md#no names no heading"]
        );
    }
}
