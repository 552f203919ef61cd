//! Holds the host's metrics against node_exporter's, both scraped in turn by `tests/node_exporter.sh`:
//! name by name, label set by label set, value by value. What may differ stands with its reason in
//! `tests/node_exporter.toml`, and from there in `docs/telemetry/host-metrics.md`.

mod exposition;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use crate::{Findings, tree};
use exposition::{Exposition, Labels};

const LIST: &str = "tests/node_exporter.toml";
const PAGE: &str = "docs/telemetry/host-metrics.md";
const BEGIN: &str = "<!-- begin: generated from tests/node_exporter.toml by `cargo xtask semconv --write` -->\n";
const END: &str = "<!-- end -->";
/// Decimal fractions are computed in more than one way.
const ROUNDING: f64 = 1e-9;

/// Differences that are meant.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// What they have and we do not.
    #[serde(default)]
    left_out: Vec<Entry>,
    /// What we have and they do not, or not in every version.
    #[serde(default)]
    added: Vec<Entry>,
    /// What has another value or label.
    #[serde(default)]
    differs: Vec<Entry>,
    /// What changes from one moment to the next without a direction.
    #[serde(default)]
    moves: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// With `*` for anything.
    names: Vec<String>,
    /// Only series with one of these values, which may have a `*`.
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
    /// Labels that are not compared; without any, the value is not.
    #[serde(default)]
    without: Vec<String>,
    /// By how much a value may be away, in its unit.
    #[serde(default)]
    by: f64,
    /// Even if neither of both moves: each program sees itself.
    #[serde(default)]
    always: bool,
    reason: String,
}

impl Entry {
    fn is_of(&self, name: &str, labels: &Labels) -> bool {
        let has = |(label, values): (&String, &Vec<String>)| {
            labels.get(label).is_some_and(|value| values.iter().any(|pattern| fits(pattern, value)))
        };
        self.names.iter().any(|pattern| fits(pattern, name)) && self.labels.iter().all(has)
    }
}

/// Whether a text is of a form such as `node_hwmon_*`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    (0..=text.len()).filter_map(|at| text.get(at..)).any(|text| fits(rest, text))
}

fn list(text: &str) -> Result<List, String> {
    toml::from_str(text).map_err(|error| format!("{LIST}: {error}"))
}

/// Compares what a folder holds: `ours-0.txt`, `theirs-0.txt`, `ours-1.txt` and so on, in the order in
/// which they were scraped, ours first and last.
pub fn compare(root: &Path, folder: &Path) -> Findings {
    let list = match list(&tree::text(root, LIST)) {
        Ok(list) => list,
        Err(error) => return vec![error],
    };
    match (scrapes(folder, "ours"), scrapes(folder, "theirs")) {
        (Ok(ours), Ok(theirs)) if theirs.len() + 1 == ours.len() && !theirs.is_empty() => {
            let comparison = Comparison { list: &list, ours: &ours, theirs: &theirs };
            let (compared, findings) = comparison.findings();
            println!("{compared} series compared in {} rounds, {} differ", theirs.len(), findings.len());
            findings
        }
        (Err(error), _) | (_, Err(error)) => vec![error],
        (Ok(ours), Ok(theirs)) => {
            vec![format!(
                "{}: {} of ours and {} of theirs, where one more is needed",
                folder.display(),
                ours.len(),
                theirs.len()
            )]
        }
    }
}

fn scrapes(folder: &Path, whose: &str) -> Result<Vec<Exposition>, String> {
    let files = (0..).map(|number| folder.join(format!("{whose}-{number}.txt"))).take_while(|file| file.exists());
    files
        .map(|file| {
            let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            Exposition::read(&text).map_err(|error| format!("{}: {error}", file.display()))
        })
        .collect()
}

struct Comparison<'a> {
    list: &'a List,
    /// One more than theirs, so that each of theirs lies between two.
    ours: &'a [Exposition],
    theirs: &'a [Exposition],
}

type Series = (String, Labels);

impl Comparison<'_> {
    /// How many series were compared, and what is wrong.
    fn findings(&self) -> (usize, Findings) {
        let ours = self.series(self.ours);
        let theirs = self.series(self.theirs);
        let (mut findings, mut compared) = (Findings::new(), 0);
        for (series, values) in &theirs {
            let (name, labels) = series;
            let left_out = self.list.left_out.iter().any(|entry| entry.is_of(name, labels));
            match (ours.get(series), left_out) {
                (Some(_), true) => findings.push(format!("{}: is there, and listed as left out", told(series))),
                (None, true) => {}
                (None, false) => findings.push(format!("{}: is missing", told(series))),
                (Some(own), false) => {
                    compared += 1;
                    findings.extend(self.difference(series, own, values));
                }
            }
        }
        let surplus = ours.keys().filter(|series| !theirs.contains_key(*series));
        let unknown = surplus.filter(|(name, labels)| !self.list.added.iter().any(|entry| entry.is_of(name, labels)));
        findings.extend(unknown.map(|series| format!("{}: is not node_exporter's", told(series))));
        (compared, findings)
    }

    /// The values of each of the host's series, one for each scrape that has it. The rest is about the
    /// programs themselves.
    fn series(&self, scrapes: &[Exposition]) -> BTreeMap<Series, Vec<f64>> {
        let mut series: BTreeMap<Series, Vec<f64>> = BTreeMap::new();
        for sample in
            scrapes.iter().flat_map(|scrape| &scrape.samples).filter(|sample| sample.name.starts_with("node_"))
        {
            let mut labels = sample.labels.clone();
            let entries = self.list.differs.iter().filter(|entry| entry.is_of(&sample.name, &sample.labels));
            let without: BTreeSet<_> = entries.flat_map(|entry| &entry.without).collect();
            labels.retain(|label, _| !without.contains(label));
            series.entry((sample.name.clone(), labels)).or_default().push(sample.value);
        }
        series
    }

    fn difference(&self, series: &Series, own: &[f64], values: &[f64]) -> Option<String> {
        let (name, labels) = series;
        let kind = |scrapes: &[Exposition]| scrapes.first().and_then(|scrape| scrape.kinds.get(name).cloned());
        let (our_kind, their_kind) = (kind(self.ours), kind(self.theirs));
        if our_kind != their_kind {
            return Some(format!("{}: is {our_kind:?}, and theirs is {their_kind:?}", told(series)));
        }
        if own.len() != self.ours.len() || values.len() != self.theirs.len() {
            return Some(format!("{}: comes and goes", told(series)));
        }
        if self.list.differs.iter().any(|entry| entry.without.is_empty() && entry.is_of(name, labels)) {
            return None;
        }
        let moves = spread(own) > 0.0 || spread(values) > 0.0;
        let entries = self.list.moves.iter().filter(|entry| (moves || entry.always) && entry.is_of(name, labels));
        let by = entries.map(|entry| entry.by).fold(0.0, f64::max);
        let fitting = own.windows(2).zip(values).filter(|(around, value)| between(around, **value, by)).count();
        // What changes without a direction need not be between its neighbours each time.
        let anyhow = moves && our_kind.as_deref() == Some("gauge");
        let needed = if anyhow { values.len().div_ceil(2) } else { values.len() };
        (fitting < needed).then(|| format!("{}: is {own:?}, and theirs in between {values:?}", told(series)))
    }
}

fn between(around: &[f64], value: f64, by: f64) -> bool {
    let (least, most) = (
        around.iter().copied().fold(f64::INFINITY, f64::min),
        around.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    let by = by + ROUNDING * value.abs();
    (least - by..=most + by).contains(&value)
}

fn spread(values: &[f64]) -> f64 {
    let (least, most) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(*value), most.max(*value)));
    most - least
}

fn told((name, labels): &Series) -> String {
    let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
    format!("{name}{{{}}}", labels.join(","))
}

/// The page tells what the list says.
pub fn check(root: &Path) -> Findings {
    match page(root) {
        Ok(page) if page == tree::text(root, PAGE) => Findings::new(),
        Ok(_) => vec![format!("{PAGE} is out of date: cargo xtask semconv --write")],
        Err(error) => vec![error],
    }
}

/// Brings the page up to date.
pub fn write(root: &Path) -> Findings {
    let written =
        page(root).and_then(|page| std::fs::write(root.join(PAGE), page).map_err(|error| format!("{PAGE}: {error}")));
    written.err().into_iter().collect()
}

/// The page with its tables as they should be.
fn page(root: &Path) -> Result<String, String> {
    let (text, list) = (tree::text(root, PAGE), list(&tree::text(root, LIST))?);
    let marks = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marks.ok_or_else(|| format!("{PAGE}: has not the lines {BEGIN:?} and {END:?}"))?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", tables(&list)))
}

fn tables(list: &List) -> String {
    let mut text = String::new();
    let sections = [
        ("Left out", &list.left_out),
        ("Added", &list.added),
        ("Different", &list.differs),
        ("Compared loosely, since they change in between", &list.moves),
    ];
    for (title, entries) in sections {
        let _ = write!(text, "\n### {title}\n\n| metrics | why |\n|---|---|\n");
        for entry in entries {
            let names: Vec<_> = entry.names.iter().map(|name| format!("`{name}`")).collect();
            let labels =
                entry.labels.iter().map(|(label, values)| format!(" with `{label}` of `{}`", values.join("` `")));
            let without = (!entry.without.is_empty()).then(|| format!(", labels `{}`", entry.without.join("` `")));
            let by = (entry.by > 0.0).then(|| format!(", by {}", entry.by));
            let more: String = labels.chain(without).chain(by).collect();
            let _ = writeln!(text, "| {}{more} | {} |", names.join(" "), entry.reason);
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
