//! Files that list targets. When they are read is not decided here.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::Endpoint;

/// Bytes of a file of targets.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The text of the file.
pub(super) fn text(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("the file of targets {} cannot be read: {error}", path.display());
    if path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml") {
        let path = path.display();
        return Err(format!("the file of targets {path} is YAML, which is not read here: write JSON, or a URL a line"));
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(wrong)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(wrong)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("the file of targets {} has more than {FILE_BYTES_MAX} bytes", path.display()));
    }
    Ok(text)
}

#[derive(Deserialize)]
struct Group {
    targets: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// The targets that the text of a file lists.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Endpoint>, String> {
    let path = path.display().to_string();
    if !text.trim_ascii_start().starts_with('[') {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let labels = BTreeMap::from([("__meta_filepath".to_owned(), path)]);
        return Ok(lines.map(|line| Endpoint { url: line.to_owned(), labels: labels.clone() }).collect());
    }
    let groups: Vec<Group> = serde_json::from_str(text).map_err(|error| {
        let example = r#"[{"targets":["localhost:9100"],"labels":{"env":"dev"}}]"#;
        format!("the file of targets {path} is not as in {example}: {error}")
    })?;
    let endpoints = groups.into_iter().flat_map(|group| {
        let mut labels = group.labels;
        labels.insert("__meta_filepath".to_owned(), path.clone());
        group.targets.into_iter().map(move |url| Endpoint { url, labels: labels.clone() })
    });
    Ok(endpoints.collect())
}
