//! Inhibition: an alert is not told of while another one, which is its cause, fires.

use super::{Alert, Fingerprint, Matcher};
use crate::rules::Texts;

/// Alerts like the target are not told of while one like the source fires that has the same values of some
/// labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Inhibition {
    /// What the cause is like.
    pub source: Vec<Matcher>,
    /// What the consequence is like.
    pub target: Vec<Matcher>,
    /// Labels whose values both have alike; two that lack one are alike in it.
    pub equal: Vec<String>,
}

fn is_like(matchers: &[Matcher], labels: &Texts) -> bool {
    matchers.iter().all(|matcher| matcher.is_match(labels))
}

impl Inhibition {
    /// Whether `cause` keeps `labels` from being told of. What is like both source and target does not inhibit its
    /// own kind.
    fn is_caused(&self, labels: &Texts, cause: &Texts) -> bool {
        let is_alike = |name: &String| labels.get(name) == cause.get(name);
        let is_source_too = is_like(&self.source, labels);
        is_like(&self.source, cause)
            && !(is_source_too && is_like(&self.target, cause))
            && self.equal.iter().all(is_alike)
    }
}

/// The alerts that keep these labels from being told of. `firing` are those to look among.
pub(super) fn causes<'a>(
    rules: &[Inhibition],
    labels: &Texts,
    firing: impl Iterator<Item = (&'a Fingerprint, &'a Alert)> + Clone,
) -> Vec<Fingerprint> {
    let own = Fingerprint::of(labels);
    let mut causes = Vec::new();
    for rule in rules.iter().filter(|rule| is_like(&rule.target, labels)) {
        let found = firing.clone().filter(|(id, alert)| **id != own && rule.is_caused(labels, &alert.labels));
        causes.extend(found.map(|(id, _)| *id).take(1));
    }
    causes.sort_unstable();
    causes.dedup();
    causes
}
