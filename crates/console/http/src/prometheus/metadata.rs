//! `metadata`: what is known of metrics. Where it is known from is the store's business.

use console_model::MetricMetadata;

use super::Call;
use super::answer::{self, Refusal};
use super::json::{Comma, Json};

/// `metadata`: by metric. There is one entry for each, so `limit_per_metric` leaves nothing out.
pub(super) fn metadata(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    // Here, unlike elsewhere, zero is a limit, and less than zero is none.
    let limit = call.parameters.number("limit")?.and_then(|limit| usize::try_from(limit).ok());
    call.parameters.number("limit_per_metric")?;
    let metric = call.parameters.first("metric");
    let known = call.store().metric_metadata();
    let wanted = known.iter().filter(|it| metric.is_empty() || it.name == metric);
    let mut json = answer::begin();
    json.raw("{");
    let mut comma = Comma::default();
    for it in wanted.take(limit.unwrap_or(usize::MAX)) {
        comma.between(&mut json);
        json.key(&it.name);
        json.raw(r#"[{"type":"#);
        json.text(it.kind.name());
        json.raw(r#","unit":"#);
        json.text(&it.unit);
        json.raw(r#","help":"#);
        json.text(&it.help);
        json.raw("}]");
        json.check()?;
    }
    json.raw("}");
    Ok(answer::end(json, &[], &[]))
}

/// Writes type, help and unit as the API of targets has them.
pub(super) fn write_of_target(json: &mut Json, it: &MetricMetadata) {
    for (key, value) in [(r#","type":"#, it.kind.name()), (r#","help":"#, &it.help), (r#","unit":"#, &it.unit)] {
        json.raw(key);
        json.text(value);
    }
}
