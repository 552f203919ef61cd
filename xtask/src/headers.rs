//! How files begin and how the tree is laid out: each Rust file opens by saying what it is for, there
//! is no `mod.rs`, and files that have grown long are told of.

use std::path::Path;

use crate::{Findings, tree};

/// Where a file should be looked at for a seam. No failure: some files are long for a reason.
const LONG: usize = 500;

pub fn check(root: &Path) -> Findings {
    tree::files(root, &[".rs"]).iter().filter_map(|file| finding(file, &tree::text(root, file))).collect()
}

/// Files with more than [`LONG`] lines.
pub fn long(root: &Path) -> Vec<String> {
    let lines = |file: &String| tree::text(root, file).lines().count();
    let files = tree::files(root, &[".rs"]).into_iter().map(|file| (lines(&file), file));
    files.filter(|(lines, _)| *lines > LONG).map(|(lines, file)| format!("{file} has {lines} lines")).collect()
}

fn finding(file: &str, text: &str) -> Option<String> {
    if file.ends_with("/mod.rs") {
        return Some(format!("{file}: name it after its module, beside the folder"));
    }
    let first = text.lines().next().unwrap_or_default();
    (!first.starts_with("//!") && !first.starts_with("#!["))
        .then(|| format!("{file}: open it with //! and what it is for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_is_for() {
        assert_eq!(finding("a.rs", "//! A.\n"), None);
        assert_eq!(finding("a.rs", "#![no_main]\n"), None);
        assert!(finding("a.rs", "use b;\n").is_some());
        assert!(finding("a.rs", "").is_some());
        assert!(finding("a/mod.rs", "//! A.\n").is_some());
    }

    #[test]
    fn a_tree_is_searched_whole() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("good.rs"), "//! Good.\n").unwrap();
        std::fs::write(folder.path().join("deep/bad.rs"), "use b;\n").unwrap();
        std::fs::write(folder.path().join("deep/long.rs"), "//! Long.\n".repeat(LONG + 1)).unwrap();
        assert_eq!(check(folder.path()), ["deep/bad.rs: open it with //! and what it is for"]);
        assert_eq!(long(folder.path()), ["deep/long.rs has 501 lines"]);
    }
}
