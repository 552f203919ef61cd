//! A rule that keeps what its query gives.

use std::collections::HashSet;

use console_model::{Labels, SeriesSamples};

use super::{RuleSpec, Texts};
use crate::query::{self, Evaluated};

/// The series that a rule records of these elements, at the time of its query.
pub(super) fn record(
    rule: &RuleSpec,
    elements: Vec<Evaluated>,
    time_ms: i64,
    limit: u64,
) -> Result<Vec<SeriesSamples>, String> {
    let mut seen = HashSet::with_capacity(elements.len());
    let mut series = Vec::with_capacity(elements.len());
    for Evaluated { labels, value } in elements {
        let labels = renamed(&labels, &rule.name, &rule.labels);
        if !seen.insert(labels.clone()) {
            return Err("vector contains metrics with the same labelset after applying rule labels".to_owned());
        }
        series.push(query::series(labels, time_ms, value));
    }
    let count = series.len();
    if limit > 0 && count as u64 > limit {
        return Err(format!("exceeded limit of {limit} with {count} series"));
    }
    Ok(series)
}

/// Labels under another name, with those that the rule sets. A label set to nothing is taken away.
fn renamed(labels: &Labels, name: &str, set: &Texts) -> Labels {
    let kept = labels.iter().filter(|(label, _)| *label != "__name__" && !set.contains_key(*label));
    let own = set.iter().map(|(label, value)| (label.as_str(), value.as_str()));
    Labels::from_pairs(kept.chain(own).chain([("__name__", name)]))
}

#[cfg(test)]
mod tests {
    use console_model::Sample;

    use super::*;
    use crate::rules::Kind;

    fn rule(labels: &[(&str, &str)]) -> RuleSpec {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        RuleSpec { name: "job:up:sum".to_owned(), query: "up".to_owned(), labels, kind: Kind::Recording }
    }

    fn element(labels: &[(&str, &str)]) -> Evaluated {
        Evaluated { labels: Labels::from_pairs(labels.iter().copied()), value: 1.0 }
    }

    #[test]
    fn a_series_gets_the_rules_name_and_labels_and_loses_what_is_set_to_nothing() {
        let elements = vec![element(&[("__name__", "up"), ("job", "api"), ("zone", "a")])];
        let series = record(&rule(&[("zone", ""), ("team", "orders")]), elements, 7, 0).unwrap();
        assert_eq!(series[0].labels.to_string(), r#"{__name__="job:up:sum", job="api", team="orders"}"#);
        assert_eq!(series[0].samples, [Sample { time_ms: 7, value: 1.0 }]);
    }

    #[test]
    fn elements_that_become_the_same_series_are_an_error_and_so_are_too_many() {
        let two = || vec![element(&[("job", "a")]), element(&[("job", "b")])];
        let same = record(&rule(&[("job", "all")]), two(), 0, 0).unwrap_err();
        assert_eq!(same, "vector contains metrics with the same labelset after applying rule labels");
        let many = record(&rule(&[]), two(), 0, 1).unwrap_err();
        assert_eq!(many, "exceeded limit of 1 with 2 series");
    }
}
