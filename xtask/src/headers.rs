//! How files begin and how the tree is laid out: each Rust file opens by saying what it is for, and
//! there is no `mod.rs`.

use std::path::Path;

use crate::{Findings, tree};

pub fn check(root: &Path) -> Findings {
    tree::files(root, &[".rs"]).iter().filter_map(|file| finding(file, &tree::text(root, file))).collect()
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
}
