//! `query_exemplars`: the exemplars of the series that a query's selectors select. Nothing is evaluated.

use std::collections::BTreeMap;

use console_model::{Exemplar, Labels};

use super::Call;
use super::answer::{self, Refusal};
use super::json::{Comma, Json};
use super::selector::store_matchers;

/// `query_exemplars`, by series, oldest first.
pub(super) fn exemplars(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let from_ms = call.parameters.time_ms_or("start", i64::MIN)?;
    let to_ms = call.parameters.time_ms_or("end", i64::MAX)?;
    if to_ms < from_ms {
        return Err(Refusal::bad_data("end timestamp must not be before start timestamp".to_owned()));
    }
    let query = console_promql::parse(call.parameters.first("query"));
    let query = query.map_err(|error| Refusal::bad_data(error.to_string()))?;
    // A series that several selectors select is there once.
    let mut found: BTreeMap<Labels, Vec<Exemplar>> = BTreeMap::new();
    for matchers in query.selectors() {
        found.extend(call.store().exemplars(&store_matchers(matchers), from_ms, to_ms));
    }
    let mut json = answer::begin();
    json.raw("[");
    let mut comma = Comma::default();
    for (labels, exemplars) in &found {
        comma.between(&mut json);
        json.raw(r#"{"seriesLabels":"#);
        json.labels(labels);
        json.raw(r#","exemplars":["#);
        let mut inner = Comma::default();
        for exemplar in exemplars {
            inner.between(&mut json);
            write_exemplar(&mut json, exemplar);
            json.check()?;
        }
        json.raw("]}");
    }
    json.raw("]");
    Ok(answer::end(json, &[], &[]))
}

/// The ids are labels again, by the names that Prometheus' libraries give them.
fn write_exemplar(json: &mut Json, exemplar: &Exemplar) {
    json.raw(r#"{"labels":{"#);
    let mut comma = Comma::default();
    let mut pairs: BTreeMap<&str, String> =
        exemplar.labels.iter().map(|(name, value)| (name, value.to_owned())).collect();
    pairs.extend(exemplar.trace_id.map(|id| ("trace_id", id.to_string())));
    pairs.extend(exemplar.span_id.map(|id| ("span_id", id.to_string())));
    for (name, value) in pairs {
        comma.between(json);
        json.key(name);
        json.text(&value);
    }
    json.raw(r#"},"value":"#);
    json.value(exemplar.sample.value);
    json.raw(r#","timestamp":"#);
    json.time(exemplar.sample.time_ms);
    json.raw("}");
}
