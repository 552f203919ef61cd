//! The registry in `semconv/`: generates the names that the telemetry crate uses and the reference
//! page, and tells when they are out of date.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use crate::{Findings, log_events, tree};

const NAMES: &str = "crates/telemetry/src/names.rs";
const PAGE: &str = "docs/telemetry/README.md";

#[derive(Deserialize)]
struct File {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    brief: String,
    #[serde(default)]
    metric_name: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    stability: String,
    #[serde(default)]
    instrument: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    span_kind: String,
    #[serde(default)]
    extends: String,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Default, Deserialize)]
struct Annotations {
    /// Upper bounds of a histogram, in its unit.
    #[serde(default)]
    buckets: Vec<f64>,
    /// The name of a span; what varies in it is the value of the attribute in braces.
    #[serde(default)]
    name: String,
    /// The exposed name of a family of metrics, with `{placeholders}` for what the host decides.
    pattern: Option<String>,
    /// The exposed type where it is none of the registry's instruments: `unknown`.
    exposed_type: Option<String>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "ref")]
    reference: String,
    #[serde(default)]
    brief: String,
}

impl Attribute {
    fn name(&self) -> &str {
        if self.id.is_empty() { &self.reference } else { &self.id }
    }
}

/// What is generated is up to date, and what is logged is declared.
pub fn check(root: &Path) -> Findings {
    let groups = match read(root) {
        Ok(groups) => groups,
        Err(findings) => return findings,
    };
    let generated = generate(&groups);
    let stale = generated.iter().filter(|(file, text)| tree::text(root, file) != *text);
    let mut findings: Findings =
        stale.map(|(file, _)| format!("{file} is out of date: cargo xtask semconv --write")).collect();
    let declared: Vec<_> = events(&groups).map(|group| group.name.as_str()).collect();
    findings.extend(log_events::check(root, &declared));
    findings
}

pub fn write(root: &Path) -> Findings {
    let generated = match read(root) {
        Ok(groups) => generate(&groups),
        Err(findings) => return findings,
    };
    let failed = generated.iter().filter_map(|(file, text)| Some((file, std::fs::write(root.join(file), text).err()?)));
    failed.map(|(file, error)| format!("{file}: {error}")).collect()
}

fn generate(groups: &[Group]) -> [(&'static str, String); 2] {
    [(NAMES, names(groups)), (PAGE, page(groups))]
}

fn read(root: &Path) -> Result<Vec<Group>, Findings> {
    let (mut groups, mut findings) = (Vec::new(), Findings::new());
    for file in tree::files(root, &[".yaml"]).iter().filter(|file| file.starts_with("semconv/")) {
        if file.ends_with("registry_manifest.yaml") {
            continue;
        }
        match serde_saphyr::from_str::<File>(&tree::text(root, file)) {
            Ok(parsed) => groups.extend(parsed.groups),
            Err(error) => findings.push(format!("{file}: {error}")),
        }
    }
    if groups.is_empty() && findings.is_empty() {
        findings.push("semconv/: nothing is declared".to_owned());
    }
    findings.extend(faults(&groups));
    if findings.is_empty() { Ok(groups) } else { Err(findings) }
}

/// What a registry may not have: unknown references and types, two of a name, a histogram without
/// buckets.
fn faults(groups: &[Group]) -> Findings {
    let declared: Vec<_> =
        groups.iter().flat_map(|group| &group.attributes).map(|attribute| attribute.id.as_str()).collect();
    let mut findings = Findings::new();
    let mut seen = BTreeMap::new();
    for group in groups {
        *seen.entry(&group.id).or_insert(0) += 1;
        for attribute in &group.attributes {
            if attribute.id.is_empty() && !declared.contains(&attribute.reference.as_str()) {
                findings.push(format!("{}: no attribute {} is declared", group.id, attribute.reference));
            }
        }
        if !group.extends.is_empty() && !groups.iter().any(|other| other.id == group.extends) {
            findings.push(format!("{}: no group {} is declared", group.id, group.extends));
        }
        if group.kind == "span" && (group.annotations.name.is_empty() || group.span_kind.is_empty()) {
            findings.push(format!("{}: a span needs annotations.name and span_kind", group.id));
        }
        if group.instrument == "histogram" && group.annotations.buckets.is_empty() {
            findings.push(format!("{}: a histogram needs annotations.buckets", group.id));
        }
        if group.annotations.exposed_type.as_ref().is_some_and(|exposed| exposed != "unknown") {
            findings.push(format!("{}: annotations.exposed_type can only be unknown", group.id));
        }
    }
    let mut exposed_names = BTreeMap::new();
    for group in metrics(groups) {
        if let Some(other) = exposed_names.insert(exposed(group), &group.id) {
            findings.push(format!("{} and {other} are both exposed as {}", group.id, exposed(group)));
        }
    }
    findings.extend(seen.iter().filter(|(_, count)| **count > 1).map(|(id, _)| format!("{id} is declared twice")));
    findings
}

/// Units that are part of the exposed name, and the words for them.
const UNITS: [(&str, &str); 3] = [("s", "seconds"), ("By", "bytes"), ("bit", "bits")];

/// The name under which the metric is registered: as exposed, but without a counter's `_total`, which
/// the library appends.
fn registered(group: &Group) -> String {
    if let Some(pattern) = &group.annotations.pattern {
        return pattern.clone();
    }
    let name = group.metric_name.replace('.', "_");
    match UNITS.iter().find(|(unit, _)| *unit == group.unit) {
        Some((_, word)) => format!("{name}_{word}"),
        None => name,
    }
}

fn exposed(group: &Group) -> String {
    let suffix = if exposed_type(group) == "counter" { "_total" } else { "" };
    format!("{}{suffix}", registered(group))
}

fn exposed_type(group: &Group) -> &str {
    group.annotations.exposed_type.as_deref().unwrap_or(&group.instrument)
}

fn metrics(groups: &[Group]) -> impl Iterator<Item = &Group> {
    groups.iter().filter(|group| group.kind == "metric")
}

fn events(groups: &[Group]) -> impl Iterator<Item = &Group> {
    groups.iter().filter(|group| group.kind == "event")
}

fn spans(groups: &[Group]) -> impl Iterator<Item = &Group> {
    groups.iter().filter(|group| group.kind == "span")
}

/// Every attribute with its meaning, by name.
fn attributes(groups: &[Group]) -> BTreeMap<&str, &str> {
    let mut attributes = BTreeMap::new();
    for attribute in groups.iter().flat_map(|group| &group.attributes).filter(|attribute| !attribute.id.is_empty()) {
        attributes.entry(attribute.id.as_str()).or_insert(attribute.brief.as_str());
    }
    attributes
}

/// The attributes of a group, those of the group that it extends first.
fn whole<'a>(group: &'a Group, groups: &'a [Group]) -> Vec<&'a str> {
    let base = groups.iter().find(|other| !group.extends.is_empty() && other.id == group.extends);
    base.into_iter().chain([group]).flat_map(|group| &group.attributes).map(Attribute::name).collect()
}

/// Names of spans, where nothing varies, and of attributes.
fn constants(groups: &[Group]) -> String {
    let mut text = String::from("\n/// Names of spans.\npub mod span {\n");
    for group in spans(groups).filter(|group| !group.annotations.name.contains('{')) {
        let name = &group.annotations.name;
        let constant = name.replace(' ', "_").to_uppercase();
        let _ = write!(text, "    /// {}.\n    pub const {constant}: &str = \"{name}\";\n", group.brief);
    }
    text.push_str("}\n\n/// Names of attributes.\npub mod attribute {\n");
    for (name, brief) in attributes(groups) {
        let constant = name.replace('.', "_").to_uppercase();
        let _ = write!(text, "    /// {brief}.\n    pub const {constant}: &str = \"{name}\";\n");
    }
    text.push_str("}\n");
    text
}

fn names(groups: &[Group]) -> String {
    let mut text = String::from(
        "//! Names of everything that is emitted, with the help texts and buckets of the metrics. Generated\n\
         //! from `semconv/` by `cargo xtask semconv --write`: change them there.\n",
    );
    for group in metrics(groups) {
        let constant = group.metric_name.replace('.', "_").to_uppercase();
        let _ = write!(
            text,
            "\n/// `{}`\npub(crate) const {constant}: (&str, &str) = (\n    \"{}\",\n    \"{}\",\n);\n",
            exposed(group),
            registered(group),
            group.brief
        );
        if !group.annotations.buckets.is_empty() {
            let buckets: Vec<_> = group.annotations.buckets.iter().map(|bucket| format!("{bucket:?}")).collect();
            let _ = write!(
                text,
                "/// Upper bounds of `{}`, in seconds.\npub(crate) const {constant}_BUCKETS: [f64; {}] = [{}];\n",
                exposed(group),
                buckets.len(),
                buckets.join(", ")
            );
        }
    }
    text + &constants(groups)
}

fn page(groups: &[Group]) -> String {
    let mut text = String::from(
        "# Telemetry reference\n\nGenerated from [`semconv/`](../../semconv/README.md) by `cargo xtask semconv --write`: change it there.\n\n\
         ## Metrics\n\n| name | type | unit | labels | stability | meaning |\n|---|---|---|---|---|---|\n",
    );
    for group in metrics(groups) {
        let labels: Vec<_> =
            group.attributes.iter().map(|attribute| format!("`{}`", attribute.name().replace('.', "_"))).collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            exposed(group),
            exposed_type(group),
            group.unit,
            labels.join(" "),
            group.stability,
            group.brief
        );
    }
    text.push_str("\n## Spans\n\n| name | kind | attributes | stability | meaning |\n|---|---|---|---|---|\n");
    for group in spans(groups) {
        let attributes: Vec<_> = whole(group, groups).iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            group.annotations.name,
            group.span_kind,
            attributes.join(" "),
            group.stability,
            group.brief
        );
    }
    text.push_str("\n## Log events\n\n| message | stability | meaning |\n|---|---|---|\n");
    for group in events(groups) {
        let _ = writeln!(text, "| `{}` | {} | {} |", group.name, group.stability, group.brief);
    }
    text.push_str("\n## Attributes\n\n| name | meaning |\n|---|---|\n");
    for (name, brief) in attributes(groups) {
        let _ = writeln!(text, "| `{name}` | {brief} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(text: &str) -> Vec<Group> {
        serde_saphyr::from_str::<File>(text).unwrap().groups
    }

    #[test]
    fn a_counter_is_registered_without_its_ending() {
        let groups = group("groups:\n  - {id: m, type: metric, metric_name: a.b, brief: B, instrument: counter}\n");
        assert_eq!((registered(&groups[0]), exposed(&groups[0])), ("a_b".into(), "a_b_total".into()));
    }

    #[test]
    fn units_are_part_of_the_name_and_a_pattern_is_the_name() {
        let names = |more: &str| {
            let text = format!("groups:\n  - {{id: m, type: metric, metric_name: a.b, brief: B, {more}}}\n");
            let groups = group(&text);
            (registered(&groups[0]), exposed(&groups[0]))
        };
        assert_eq!(names("instrument: gauge, unit: By"), ("a_b_bytes".into(), "a_b_bytes".into()));
        assert_eq!(names("instrument: counter, unit: s"), ("a_b_seconds".into(), "a_b_seconds_total".into()));
        assert_eq!(names("instrument: gauge, unit: bit"), ("a_b_bits".into(), "a_b_bits".into()));
        let pattern = "instrument: gauge, unit: By, annotations: {pattern: \"a_{field}\", exposed_type: unknown}";
        assert_eq!(names(pattern), ("a_{field}".into(), "a_{field}".into()));
    }

    #[test]
    fn two_metrics_cannot_have_one_exposed_name() {
        let text = "groups:\n  - {id: m, type: metric, metric_name: a.b, brief: B}\n  - {id: n, type: metric, metric_name: a_b, brief: B, annotations: {exposed_type: odd}}\n";
        assert_eq!(faults(&group(text)).len(), 2);
    }

    #[test]
    fn faults_are_found() {
        let text = "groups:\n  - {id: m, type: metric, metric_name: a, brief: B, instrument: histogram, attributes: [{ref: x}]}\n  - {id: m, type: metric, metric_name: b, brief: B}\n";
        assert_eq!(faults(&group(text)).len(), 3);
    }

    #[test]
    fn what_is_generated_is_up_to_date() {
        assert_eq!(check(&tree::root()), Findings::new());
    }
}
