//! `targets` and what belongs to them: what is scraped and how that goes. Who scrapes is not known here.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use console_receivers::scrape::TargetStatus;
use console_storage::select;

use super::Call;
use super::answer::{self, Refusal};
use super::json::{Comma, Json};
use super::metadata::write_of_target;
use super::selector;

/// Gives the state of every target.
type Read = Box<dyn Fn() -> Vec<TargetStatus> + Send + Sync>;

/// What is scraped; nothing until somebody who scrapes has said how to ask for it.
#[derive(Clone, Default)]
pub struct Targets(Arc<OnceLock<Read>>);

impl Targets {
    /// Says how to ask for the state of every target. Only the first time counts.
    pub fn read_from(&self, read: impl Fn() -> Vec<TargetStatus> + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(read));
    }

    pub(super) fn all(&self) -> Vec<TargetStatus> {
        self.0.get().map(|read| read()).unwrap_or_default()
    }
}

/// `targets`: those of a state, and of a job if one is asked for. None is ever dropped here.
pub(super) fn targets(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let state = call.parameters.first("state").to_ascii_lowercase();
    let pool = call.parameters.first("scrapePool");
    let all = call.shared.parts.targets.all();
    let is_active = matches!(state.as_str(), "" | "any" | "active");
    let counts_dropped = matches!(state.as_str(), "" | "any" | "dropped");
    let mut json = answer::begin();
    json.raw(r#"{"activeTargets":["#);
    let mut comma = Comma::default();
    for target in all.iter().filter(|target| is_active && (pool.is_empty() || target.job == pool)) {
        comma.between(&mut json);
        write_target(&mut json, target);
        json.check()?;
    }
    json.raw(r#"],"droppedTargets":[],"droppedTargetCounts":"#);
    if counts_dropped {
        json.raw("{");
        let mut comma = Comma::default();
        for job in jobs(&all) {
            comma.between(&mut json);
            json.key(job);
            json.raw("0");
        }
        json.raw("}");
    } else {
        json.raw("null");
    }
    json.raw("}");
    Ok(answer::end(json, &[], &[]))
}

fn jobs(all: &[TargetStatus]) -> BTreeSet<&str> {
    all.iter().map(|target| target.job.as_str()).collect()
}

fn write_target(json: &mut Json, target: &TargetStatus) {
    json.raw(r#"{"discoveredLabels":"#);
    json.labels(&target.discovered_labels);
    json.raw(r#","labels":"#);
    json.labels(&target.labels);
    let last_scrape = target.last_scrape_ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    // Go's zero time stands for a scrape that was not made yet.
    let last_scrape = last_scrape.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string());
    for (key, value) in [
        (r#","scrapePool":"#, target.job.as_str()),
        (r#","scrapeUrl":"#, &target.url),
        (r#","globalUrl":"#, &target.url),
        (r#","lastError":"#, &target.last_error),
        (r#","lastScrape":"#, &last_scrape),
    ] {
        json.raw(key);
        json.text(value);
    }
    json.raw(r#","lastScrapeDuration":"#);
    json.float(target.last_duration.as_secs_f64());
    for (key, value) in [
        (r#","health":"#, target.health.name()),
        (r#","scrapeInterval":"#, &go_duration(target.interval)),
        (r#","scrapeTimeout":"#, &go_duration(target.timeout)),
    ] {
        json.raw(key);
        json.text(value);
    }
    json.raw("}");
}

/// A duration as Prometheus' configuration has it: `1m30s`.
pub(super) fn go_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, ms) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= ms {
            text.push_str(&format!("{}{unit}", rest / ms));
            rest %= ms;
        }
    }
    text
}

/// `scrape_pools`: the jobs.
pub(super) fn scrape_pools(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let all = call.shared.parts.targets.all();
    let mut json = answer::begin();
    json.raw(r#"{"scrapePools":"#);
    json.texts(jobs(&all));
    json.raw("}");
    Ok(answer::end(json, &[], &[]))
}

/// `targets/metadata`: what the metrics are that targets have. The store knows a metric's metadata and not who
/// told it, so it is looked up which of the targets has series of that metric.
pub(super) fn metadata(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let limit = call.parameters.number("limit")?.and_then(|limit| usize::try_from(limit).ok());
    let metric = call.parameters.first("metric");
    let matching = call.parameters.first("match_target");
    let matchers = if matching.is_empty() { Vec::new() } else { of_targets(matching)? };
    let known = call.store().metric_metadata();
    let mut json = answer::begin();
    json.raw("[");
    let mut comma = Comma::default();
    let mut left = limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    for target in call.shared.parts.targets.all().iter().filter(|target| select(&matchers, &target.labels)) {
        let names = names_of(call, target);
        for it in known.iter().filter(|it| (metric.is_empty() || it.name == metric) && has(&names, &it.name)) {
            if left == 0 || call.stop.is_set() {
                break;
            }
            left -= 1;
            comma.between(&mut json);
            json.raw(r#"{"target":"#);
            json.labels(&target.labels);
            if metric.is_empty() {
                json.raw(r#","metric":"#);
                json.text(&it.name);
            }
            write_of_target(&mut json, it);
            json.raw("}");
            json.check()?;
        }
    }
    json.raw("]");
    Ok(answer::end(json, &[], &[]))
}

fn of_targets(text: &str) -> Result<Vec<console_storage::Matcher>, Refusal> {
    let matchers = selector::matchers(text).map_err(|wrong| Refusal::parameter("match_target", wrong.0))?;
    Ok(selector::store_matchers(&matchers))
}

/// The names of a target's series.
fn names_of(call: &Call<'_>, target: &TargetStatus) -> BTreeSet<String> {
    let matchers: Vec<console_storage::Matcher> =
        target.labels.iter().map(|(name, value)| console_storage::Matcher::equal(name, value)).collect();
    let series = call.store().series_labels(&matchers, i64::MIN, i64::MAX);
    series.iter().filter_map(|labels| labels.get("__name__").map(str::to_owned)).collect()
}

/// Whether there are series of a metric, whose names may end in something.
fn has(names: &BTreeSet<String>, metric: &str) -> bool {
    const ENDINGS: [&str; 6] = ["", "_total", "_bucket", "_count", "_sum", "_info"];
    ENDINGS.iter().any(|ending| names.contains(&format!("{metric}{ending}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_a_configuration() {
        for (ms, expected) in [(0, "0s"), (1_500, "1s500ms"), (90_000, "1m30s"), (5_000, "5s"), (86_400_000, "1d")] {
            assert_eq!(go_duration(Duration::from_millis(ms)), expected);
        }
    }
}
