//! Paths with `*` in them. Only that: no `**`, no sets, no question marks.

use std::path::{Component, Path, PathBuf};

/// Names looked at for one pattern and round.
const NAMES_MAX: usize = 20_000;
/// Endings of what is packed, which has been read before it was.
const PACKED: [&str; 5] = ["gz", "zst", "bz2", "xz", "zip"];

/// The files that the pattern stands for, sorted, at most `files_max`.
pub(super) fn expand(pattern: &str, files_max: usize) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    let mut names = 0;
    for component in Path::new(pattern).components() {
        let Component::Normal(name) = component else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        match name.to_str().filter(|name| name.contains('*')) {
            None => found.iter_mut().for_each(|path| path.push(name)),
            Some(pattern) => found = found.iter().flat_map(|folder| matching(folder, pattern, &mut names)).collect(),
        }
    }
    let is_packed = |path: &PathBuf| path.extension().is_some_and(|ending| PACKED.iter().any(|one| ending == *one));
    found.retain(|path| path.is_file() && (!is_packed(path) || !pattern.contains('*')));
    found.sort();
    found.truncate(files_max);
    found
}

fn matching(folder: &Path, pattern: &str, names: &mut usize) -> Vec<PathBuf> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(here) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        *names += 1;
        if *names > NAMES_MAX {
            break;
        }
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        // As in a shell: hidden files are meant only where this is said.
        if matches(pattern, name) && (pattern.starts_with('.') || !name.starts_with('.')) {
            found.push(folder.join(name));
        }
    }
    found
}

/// Whether a name is as the pattern says.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_within_a_name() {
        for (pattern, name, is_match) in [
            ("a.log", "a.log", true),
            ("a.log", "a.log.1", false),
            ("*.log", "a.log", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "a", false),
            ("a*a", "a", false),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxa", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn files_are_found_in_folders_too_and_packed_ones_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["one/a.log", "two/b.log", "two/b.log.gz", "two/.hidden.log", "two/c.txt"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::create_dir(folder.path().join("two/folder.log")).unwrap();
        let found = |pattern: &str| {
            let pattern = folder.path().join(pattern);
            let found = expand(pattern.to_str().unwrap(), 10);
            let names = found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(found("*/*.log"), ["one/a.log", "two/b.log"]);
        assert_eq!(found("two/b*"), ["two/b.log"]);
        assert_eq!(found("two/b.log.gz"), ["two/b.log.gz"]);
        assert_eq!(found("three/*"), [""; 0]);
        assert_eq!(expand(folder.path().join("*/*").to_str().unwrap(), 1).len(), 1);
    }
}
