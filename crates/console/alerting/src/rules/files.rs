//! Where rule files are, and what was last good in each. What is in them is `file`'s business, or `slo`'s.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use xxhash_rust::xxh3::xxh3_64;

use super::GroupSpec;
use super::check::Checker;
use super::file::{self, Defaults, Fault};
use crate::slo;

/// Files at most; those beyond are not read.
const FILES_MAX: usize = 256;
/// Bytes of a file at most.
const BYTES_MAX: u64 = 4 << 20;
/// Names looked at for one pattern.
const NAMES_MAX: usize = 20_000;

/// Where rules come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files whose paths are like this, where `*` is any part of a name and `?` one character.
    Paths(String),
    /// A text in the program itself.
    Text {
        /// The name under which it is shown.
        name: &'static str,
        /// The text.
        text: &'static str,
    },
}

/// A file, as it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Its name.
    pub name: Arc<str>,
    /// When what holds was read, milliseconds since the Unix epoch; `None` if never.
    pub loaded_at_ms: Option<i64>,
    /// What is wrong with it now; what was last good holds on. Empty if nothing is.
    pub faults: Vec<Fault>,
}

/// The files that are known.
#[derive(Debug, Default)]
pub(super) struct Files {
    known: BTreeMap<Arc<str>, Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Time of last change and size, to spare reading what is as it was.
    seen: Option<(SystemTime, u64)>,
    hash: Option<u64>,
    groups: Vec<GroupSpec>,
    loaded_at_ms: Option<i64>,
    faults: Vec<Fault>,
}

/// What looking at the files has shown.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Whether other groups hold than before.
    pub(super) is_changed: bool,
    /// What is wrong, and was not wrong in the same way the last time.
    pub(super) faults: Vec<Fault>,
}

impl Files {
    /// Looks whether something has changed.
    pub(super) fn look(&mut self, sources: &[Source], defaults: Defaults, checker: &Checker<'_>, now_ms: i64) -> Look {
        let mut look = Look::default();
        let mut found: Vec<(Arc<str>, Place)> = Vec::new();
        for source in sources {
            match source {
                Source::Text { name, text } => found.push(((*name).into(), Place::Text(text))),
                Source::Paths(pattern) => found.extend(expand(pattern).into_iter().map(|path| {
                    let name: Arc<str> = path.to_string_lossy().into();
                    (name, Place::Path(path))
                })),
            }
        }
        if found.len() > FILES_MAX {
            let message = format!("{} rule files were found, {FILES_MAX} are read; name fewer", found.len());
            found.truncate(FILES_MAX);
            look.faults.push(Fault { file: "RULE_FILES".into(), line: 0, column: 0, message });
        }
        let before = self.known.len();
        self.known.retain(|name, _| found.iter().any(|(found, _)| found == name));
        look.is_changed = self.known.len() != before;
        for (name, place) in found {
            let known = self.known.entry(Arc::clone(&name)).or_default();
            let Some(text) = known.text(&name, &place) else { continue };
            let read = text.and_then(|text| {
                let hash = xxh3_64(text.as_bytes());
                if known.hash == Some(hash) {
                    return Ok(None);
                }
                known.hash = Some(hash);
                groups(&name, &text, defaults, checker).map(Some)
            });
            match read {
                Ok(None) => {}
                Ok(Some(groups)) => {
                    look.is_changed |= known.groups != groups;
                    (known.groups, known.loaded_at_ms) = (groups, Some(now_ms));
                    known.faults.clear();
                }
                Err(faults) if known.faults == faults => {}
                Err(faults) => {
                    look.faults.extend(faults.iter().cloned());
                    known.faults = faults;
                }
            }
        }
        look
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &GroupSpec> {
        self.known.values().flat_map(|known| &known.groups)
    }

    pub(super) fn states(&self) -> Vec<FileState> {
        let state = |(name, known): (&Arc<str>, &Known)| FileState {
            name: Arc::clone(name),
            loaded_at_ms: known.loaded_at_ms,
            faults: known.faults.clone(),
        };
        self.known.iter().map(state).collect()
    }
}

enum Place {
    Text(&'static str),
    Path(PathBuf),
}

impl Known {
    /// The text, if it may be another than before.
    fn text(&mut self, name: &Arc<str>, place: &Place) -> Option<Result<String, Vec<Fault>>> {
        let path = match place {
            Place::Text(text) if self.hash.is_none() => return Some(Ok((*text).to_owned())),
            Place::Text(_) => return None,
            Place::Path(path) => path,
        };
        let fault = |message: String| vec![Fault { file: Arc::clone(name), line: 0, column: 0, message }];
        let seen = match std::fs::metadata(path).and_then(|found| Ok((found.modified()?, found.len()))) {
            Ok(seen) => seen,
            Err(error) => {
                (self.seen, self.hash) = (None, None);
                return Some(Err(fault(format!("cannot be read: {error}"))));
            }
        };
        if self.seen == Some(seen) {
            return None;
        }
        self.seen = Some(seen);
        let mut text = String::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(BYTES_MAX + 1).read_to_string(&mut text));
        Some(match read {
            Err(error) => {
                (self.seen, self.hash) = (None, None);
                Err(fault(format!("cannot be read: {error}")))
            }
            Ok(length) if length as u64 > BYTES_MAX => {
                Err(fault(format!("is longer than {} MiB; divide it into several files", BYTES_MAX >> 20)))
            }
            Ok(_) => Ok(text),
        })
    }
}

/// The groups of a text, which is a rule file or a file of service level objectives.
///
/// # Errors
/// All that is wrong with it.
pub fn groups(name: &str, text: &str, defaults: Defaults, checker: &Checker<'_>) -> Result<Vec<GroupSpec>, Vec<Fault>> {
    if !slo::is_openslo(text) {
        return file::parse(name, text, defaults, checker);
    }
    let rules = slo::rules(text).map_err(|fault| vec![Fault { file: name.into(), ..fault }])?;
    file::parse(name, &rules, defaults, checker)
}

/// The files that a pattern stands for, sorted. A path without `*` and `?` stands for itself, be it there or not.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let is_pattern = |name: &str| name.contains(['*', '?']);
    if !is_pattern(pattern) {
        return vec![PathBuf::from(pattern)];
    }
    let mut found = vec![PathBuf::new()];
    let mut names = 0;
    for component in Path::new(pattern).components() {
        match component.as_os_str().to_str().filter(|name| is_pattern(name)) {
            None => found.iter_mut().for_each(|path| path.push(component)),
            Some(pattern) => found = found.iter().flat_map(|folder| within(folder, pattern, &mut names)).collect(),
        }
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn within(folder: &Path, pattern: &str, names: &mut usize) -> Vec<PathBuf> {
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
        let is_hidden = name.starts_with('.') && !pattern.starts_with('.');
        if !is_hidden && is_like(pattern.as_bytes(), name.as_bytes()) {
            found.push(folder.join(name));
        }
    }
    found
}

/// Whether a name is as a pattern says. `*` first stands for nothing, and for one byte more each time the rest
/// does not fit, so that the time is bounded by the product of both lengths.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_pattern, mut star) = (0, 0, None);
    while let Some(byte) = name.get(at) {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                star = Some((in_pattern, at));
                in_pattern += 1;
                continue;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                in_pattern += 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        let Some((of_star, from)) = star else { return false };
        star = Some((of_star, from + 1));
        (in_pattern, at) = (of_star + 1, from + 1);
    }
    pattern.get(in_pattern..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_part_of_a_name_and_a_question_mark_one_character() {
        for (pattern, name, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a?.y*l", "ab.yml", true),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbX", false),
            ("?", "", false),
            ("**", "", true),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
        let slow = "*a".repeat(500) + "b";
        assert!(!is_like(slow.as_bytes(), "a".repeat(2_000).as_bytes()));
    }

    #[test]
    fn a_path_without_pattern_is_told_when_it_is_not_there_and_a_pattern_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.yaml"), "").unwrap();
        std::fs::write(folder.path().join("a.yaml"), "").unwrap();
        std::fs::write(folder.path().join(".hidden.yaml"), "").unwrap();
        let pattern = folder.path().join("*.yaml");
        let names: Vec<_> =
            expand(pattern.to_str().unwrap()).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["a.yaml", "b.yaml"]);
        assert_eq!(expand(folder.path().join("no*/x.yaml").to_str().unwrap()), Vec::<PathBuf>::new());
        assert_eq!(expand("nowhere.yaml"), [PathBuf::from("nowhere.yaml")]);
    }
}
