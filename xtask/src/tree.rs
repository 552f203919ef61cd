//! The repository as files: where it begins, and what belongs to it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that hold what is built or fetched, wherever they are.
const NOT_OURS: [&str; 4] = [".git", "data", "node_modules", "target"];

/// The folder that holds the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Tracked and new files with one of these endings, relative to the root, sorted. Ignored ones are
/// left out. Where there is no git, as in an unpacked archive, all files are ours but for what is built.
pub fn files(root: &Path, endings: &[&str]) -> Vec<String> {
    let mut files = tracked(root).unwrap_or_else(|| walked(root));
    files.retain(|file| endings.iter().any(|ending| file.ends_with(ending)) && root.join(file).is_file());
    files.sort();
    files.dedup();
    files
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    // Without this, a folder inside of another repository would be read as a part of that one.
    root.join(".git").exists().then_some(())?;
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root).output().ok()?;
    let listed = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| listed.split('\0').map(str::to_owned).collect())
}

fn walked(root: &Path) -> Vec<String> {
    let (mut files, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                    open.push(path);
                }
            } else if let Ok(relative) = path.strip_prefix(root) {
                files.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    files
}

/// The text of a file; nothing for one that cannot be read.
pub fn text(root: &Path, file: &str) -> String {
    std::fs::read_to_string(root.join(file)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpacked_archive_has_files_too() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["a.rs", "deep/b.rs", "deep/c.md", "target/d.rs"] {
            std::fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!(files(folder.path(), &[".rs"]), ["a.rs", "deep/b.rs"]);
    }

    #[test]
    fn this_repository_has_its_own_sources() {
        assert!(files(&root(), &[".rs"]).contains(&"xtask/src/tree.rs".to_owned()));
    }
}
