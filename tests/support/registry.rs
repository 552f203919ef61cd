//! The registry in `semconv/`, read for tests: what is promised, in a form that can be held against what
//! is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    metric_name: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    instrument: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    extends: String,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(default)]
    name: String,
    #[serde(default)]
    provoked_by: String,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    exposed_type: String,
}

#[derive(Clone, Deserialize)]
struct Attribute {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "ref")]
    reference: String,
    #[serde(default)]
    requirement_level: Option<serde_json::Value>,
}

/// The attributes of a signal.
#[derive(Debug, Default, Clone)]
pub(crate) struct Attributes {
    pub always: BTreeSet<String>,
    pub sometimes: BTreeSet<String>,
}

/// What is promised.
pub(crate) struct Registry {
    /// By the pattern of the name: `order {command}`.
    pub spans: BTreeMap<String, Attributes>,
    /// By message, with the test that provokes what a full run cannot.
    pub events: BTreeMap<String, (Attributes, String)>,
    /// By the name that is exposed, as far as that is fixed, with the names of the labels.
    pub metrics: BTreeMap<String, BTreeSet<String>>,
}

impl Registry {
    pub(crate) fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../semconv");
        let mut groups = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_group =
                path.extension().is_some_and(|ending| ending == "yaml") && !path.ends_with("registry_manifest.yaml");
            if is_group {
                let text = std::fs::read_to_string(&path).unwrap();
                let file: File = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
                groups.extend(file.groups);
            }
        }
        let of = |kind: &'static str| groups.iter().filter(move |group| group.kind == kind);
        Self {
            spans: of("span").map(|group| (group.annotations.name.clone(), attributes(group, &groups))).collect(),
            events: of("event")
                .map(|group| (group.name.clone(), (attributes(group, &groups), group.annotations.provoked_by.clone())))
                .collect(),
            metrics: of("metric").map(|group| (exposed(group), labels(group))).collect(),
        }
    }

    /// The pattern that a span's name fits.
    pub(crate) fn span(&self, name: &str) -> Option<&str> {
        find(&self.spans, name)
    }

    /// The pattern that a metric's name fits.
    pub(crate) fn metric(&self, name: &str) -> Option<&str> {
        find(&self.metrics, name)
    }
}

/// Whatever is declared by its very name goes before what is declared by a pattern.
fn find<'a, T>(declared: &'a BTreeMap<String, T>, name: &str) -> Option<&'a str> {
    let own = declared.get_key_value(name).map(|(name, _)| name);
    own.or_else(|| declared.keys().find(|pattern| fits(pattern, name))).map(String::as_str)
}

fn attributes(group: &Group, groups: &[Group]) -> Attributes {
    let base = groups.iter().find(|other| !group.extends.is_empty() && other.id == group.extends);
    let mut all = Attributes::default();
    for attribute in base.into_iter().chain([group]).flat_map(|group| &group.attributes) {
        let name = if attribute.id.is_empty() { &attribute.reference } else { &attribute.id };
        let is_sometimes = attribute.requirement_level.is_some();
        if is_sometimes { &mut all.sometimes } else { &mut all.always }.insert(name.clone());
    }
    all
}

fn labels(group: &Group) -> BTreeSet<String> {
    let names = group
        .attributes
        .iter()
        .map(|attribute| if attribute.id.is_empty() { &attribute.reference } else { &attribute.id });
    names.map(|name| name.replace('.', "_")).collect()
}

/// The name that Prometheus sees; in braces stands what the host decides.
fn exposed(group: &Group) -> String {
    let Annotations { pattern, exposed_type, .. } = &group.annotations;
    let is_counter = if exposed_type.is_empty() { group.instrument == "counter" } else { exposed_type == "counter" };
    let ending = if is_counter { "_total" } else { "" };
    let unit = match group.unit.as_str() {
        "s" => "_seconds",
        "By" => "_bytes",
        "bit" => "_bits",
        _ => "",
    };
    match pattern.as_str() {
        "" => format!("{}{unit}{ending}", group.metric_name.replace('.', "_")),
        pattern => format!("{pattern}{ending}"),
    }
}

/// What stands in braces may be anything, except nothing.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return pattern == name };
    let Some(name) = name.strip_prefix(before) else { return false };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let mut ends = name.char_indices().map(|(at, letter)| at + letter.len_utf8());
    ends.any(|end| fits(after, &name[end..]))
}
