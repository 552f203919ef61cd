//! The text of a rule file, as Prometheus reads it. Whether its queries and templates are right is asked of
//! others; where files are is `files`' business.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::check::{self, Checker};
use super::{GroupSpec, Kind, RuleSpec, Texts};
use crate::duration::Duration;

/// Something wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The line, from 1; 0 where none is to blame.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong, and an example of right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}:{}: {}", self.file, self.column, self.message),
        }
    }
}

/// What is taken where a group does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// How often rules are evaluated.
    pub interval: Duration,
    /// How far in the past.
    pub query_offset: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileYaml {
    #[serde(default)]
    groups: Vec<Spanned<GroupYaml>>,
    /// Read by others of the family of this format; Prometheus takes no notice of it either.
    #[serde(default, rename = "namespace")]
    _namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupYaml {
    #[serde(default)]
    name: String,
    #[serde(default)]
    interval: Option<Duration>,
    #[serde(default)]
    query_offset: Option<Duration>,
    #[serde(default)]
    limit: u64,
    #[serde(default)]
    labels: Texts,
    #[serde(default)]
    rules: Vec<Spanned<RuleYaml>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleYaml {
    #[serde(default)]
    record: Option<String>,
    #[serde(default)]
    alert: Option<String>,
    #[serde(default)]
    expr: Option<String>,
    #[serde(default, rename = "for")]
    hold: Option<Duration>,
    #[serde(default)]
    keep_firing_for: Option<Duration>,
    #[serde(default)]
    labels: Texts,
    #[serde(default)]
    annotations: Texts,
}

/// Rules of one file; a file with more is refused.
const RULES_MAX: usize = 5_000;

/// Reads the text of a file.
///
/// # Errors
/// All that is wrong with it, in the order of the file. A text that is no YAML, or has a field that is not
/// known, is one fault.
pub fn parse(file: &str, text: &str, defaults: Defaults, checker: &Checker<'_>) -> Result<Vec<GroupSpec>, Vec<Fault>> {
    let file: Arc<str> = file.into();
    let at = |location: Location, message: String| Fault {
        file: Arc::clone(&file),
        line: location.line(),
        column: location.column(),
        message,
    };
    let is_empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if is_empty {
        return Ok(Vec::new());
    }
    let parsed: FileYaml = serde_saphyr::from_str(text).map_err(|error| {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        vec![at(location, yaml_message(&error))]
    })?;
    let mut reading = Reading { faults: Vec::new(), checker, at: &at };
    let mut names = HashSet::new();
    let mut groups = Vec::new();
    if parsed.groups.iter().map(|group| group.value.rules.len()).sum::<usize>() > RULES_MAX {
        return Err(vec![at(
            Location::UNKNOWN,
            format!("has more than {RULES_MAX} rules; divide it into several files"),
        )]);
    }
    for group in parsed.groups {
        let location = group.referenced;
        if group.value.name.is_empty() {
            reading.fault(location, "groupname must not be empty, as in name: api".to_owned());
        } else if !names.insert(group.value.name.clone()) {
            let name = &group.value.name;
            reading.fault(location, format!("groupname: {name:?} is repeated in the same file"));
        }
        groups.push(reading.group(&file, group.value, location, defaults));
    }
    if reading.faults.is_empty() { Ok(groups) } else { Err(reading.faults) }
}

/// The parser's message in one line, without the drawing of the text around it and the place, which is told apart.
fn yaml_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line).trim_start_matches("error: ");
    format!("{line}; right is for example {EXAMPLE}")
}

const EXAMPLE: &str = "groups: [{name: api, rules: [{alert: ApiDown, expr: up == 0, for: 5m}]}]";

struct Reading<'a> {
    faults: Vec<Fault>,
    checker: &'a Checker<'a>,
    at: &'a dyn Fn(Location, String) -> Fault,
}

impl Reading<'_> {
    fn fault(&mut self, location: Location, message: String) {
        self.faults.push((self.at)(location, message));
    }

    fn group(&mut self, file: &Arc<str>, group: GroupYaml, location: Location, defaults: Defaults) -> GroupSpec {
        for fault in check::labels(&group.labels) {
            self.fault(location, format!("group {:?}: {fault}", group.name));
        }
        let name: Arc<str> = group.name.as_str().into();
        let labels = group.labels;
        let mut rules = Vec::new();
        for (position, rule) in group.rules.into_iter().enumerate() {
            let location = rule.referenced;
            match self.rule(rule.value, &labels) {
                Ok(rule) => rules.push(Arc::new(rule)),
                Err((named, faults)) => {
                    for fault in faults {
                        let message = format!("group {name:?}, rule {}, {named:?}: {fault}", position + 1);
                        self.fault(location, message);
                    }
                }
            }
        }
        let interval = group.interval.filter(|interval| !interval.is_zero()).unwrap_or(defaults.interval);
        let query_offset = group.query_offset.unwrap_or(defaults.query_offset);
        GroupSpec { file: Arc::clone(file), name, interval, query_offset, limit: group.limit, rules }
    }

    fn rule(&self, rule: RuleYaml, of_group: &Texts) -> Result<RuleSpec, (String, Vec<String>)> {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (record, alert) = (set(&rule.record), set(&rule.alert));
        let mut faults = Vec::new();
        match (&record, &alert) {
            (Some(_), Some(_)) => faults.push("only one of 'record' and 'alert' must be set".to_owned()),
            (None, None) => faults.push("one of 'record' or 'alert' must be set, as in alert: ApiDown".to_owned()),
            _ => {}
        }
        let query = match set(&rule.expr) {
            None => {
                faults.push("field 'expr' must be set in rule, as in expr: up == 0".to_owned());
                String::new()
            }
            Some(expr) => self.checker.query(&expr).unwrap_or_else(|error| {
                faults.push(format!("could not parse expression: {error}"));
                String::new()
            }),
        };
        if let Some(record) = &record {
            let unfit = [
                ("annotations", !rule.annotations.is_empty()),
                ("for", rule.hold.is_some_and(|hold| !hold.is_zero())),
                ("keep_firing_for", rule.keep_firing_for.is_some_and(|keep| !keep.is_zero())),
            ];
            let unfit = unfit.iter().filter(|(_, is_set)| *is_set);
            faults.extend(unfit.map(|(field, _)| format!("invalid field '{field}' in recording rule")));
            faults.extend(check::metric_name(record));
        }
        faults.extend(check::labels(&rule.labels));
        faults.extend(check::annotations(&rule.annotations));
        if alert.is_some() {
            faults.extend(self.checker.templates("label", &rule.labels));
            faults.extend(self.checker.templates("annotation", &rule.annotations));
        }
        let mut labels = of_group.clone();
        labels.extend(rule.labels);
        let name = alert.clone().or(record).unwrap_or_default();
        if !faults.is_empty() {
            return Err((name, faults));
        }
        let kind = match alert {
            None => Kind::Recording,
            Some(_) => Kind::Alerting {
                hold: rule.hold.unwrap_or_default(),
                keep_firing: rule.keep_firing_for.unwrap_or_default(),
                annotations: rule.annotations,
            },
        };
        Ok(RuleSpec { name, query, labels, kind })
    }
}

#[cfg(test)]
mod tests;
