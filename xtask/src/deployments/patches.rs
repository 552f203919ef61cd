//! Patches, replicas and images of overlays and components change something: each is left out once, and something
//! has to come out differently. A patch whose target matches nothing is silent otherwise.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::render::Kustomize;
use crate::Findings;

/// The lists whose every entry has to make a difference.
const LISTS: [&str; 3] = ["patches", "replicas", "images"];

/// Leaves out one after another. How many there are, and which make no difference.
pub fn check(kustomize: &Kustomize, folder: &Path, folders: &[&str]) -> Result<(usize, Findings), String> {
    let copy = tempfile::tempdir().map_err(|error| format!("no folder for a copy: {error}"))?;
    let failed = |error: std::io::Error| format!("the copy of the manifests: {error}");
    let (mut files, mut beside) = (Vec::new(), Vec::new());
    let manifests = copy.path().join("deployments");
    copy_tree(folder, &manifests, &mut files).map_err(failed)?;
    // What overlays include of it.
    copy_tree(&folder.with_file_name("observability"), &copy.path().join("observability"), &mut beside)
        .map_err(failed)?;
    let build = || -> Result<Vec<String>, String> {
        folders.iter().map(|built| kustomize.build(&manifests.join(built))).collect()
    };
    let whole = build()?;
    let (mut tried, mut findings) = (0, Findings::new());
    for file in files.iter().filter(|file| file.ends_with("kustomization.yaml")) {
        let path = manifests.join(file);
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let parsed: Value = serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        for (list, index, without) in LISTS.iter().flat_map(|list| each_left_out(&parsed, list)) {
            tried += 1;
            // JSON is YAML.
            std::fs::write(&path, without.to_string()).map_err(failed)?;
            if build().is_ok_and(|built| built == whole) {
                findings.push(format!("{}: {list}, entry {} changes nothing", file.display(), index + 1));
            }
        }
        std::fs::write(&path, text).map_err(failed)?;
    }
    Ok((tried, findings))
}

/// The file without an entry of a list, for each of them.
fn each_left_out<'a>(file: &Value, list: &'a str) -> Vec<(&'a str, usize, Value)> {
    let length = file.get(list).and_then(Value::as_array).map_or(0, Vec::len);
    let without = |index: usize| {
        let mut file = file.clone();
        if let Some(entries) = file.get_mut(list).and_then(Value::as_array_mut) {
            entries.remove(index);
        }
        (list, index, file)
    };
    (0..length).map(without).collect()
}

/// Copies files, and tells their names.
fn copy_tree(from: &Path, to: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        std::fs::create_dir_all(to.join(&folder))?;
        for entry in std::fs::read_dir(from.join(&folder))? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(name);
            } else {
                std::fs::copy(entry.path(), to.join(&name))?;
                files.push(name);
            }
        }
    }
    files.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_left_out_one_at_a_time() {
        let file = serde_json::json!({"patches": [1, 2], "images": [3]});
        let left: Vec<_> = LISTS.iter().flat_map(|list| each_left_out(&file, list)).collect();
        assert_eq!(left.len(), 3);
        assert_eq!(left[1].2, serde_json::json!({"patches": [1], "images": [3]}));
    }
}
