//! `status/…` and the probes: what the server says of itself. Clients decide by some of it what else to ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use console_model::Labels;
use console_storage::Store;

use super::answer::{self, Refusal};
use super::json::{Comma, Json};
use super::targets::go_duration;
use super::{Call, QUERIES_AT_ONCE, QUERY_TIME_MAX, SAMPLES_MAX};

/// The version whose API this is: clients choose by it what they ask for.
const SPOKEN: &str = "3.5.0";
/// Entries of each list of `tsdb`, unless said otherwise, and at most.
const TOP: usize = 10;
const TOP_MAX: usize = 10_000;

/// `-/ready`: ready is who can take something.
pub(super) async fn ready(store: Arc<Store>) -> Response {
    match store.trouble() {
        None => "Prometheus Server is Ready.\n".into_response(),
        Some(trouble) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the disk takes nothing: {trouble}\n")).into_response()
        }
    }
}

/// `notifications`: of a server's own troubles, which are told elsewhere here.
pub(super) fn notifications(_: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    Ok(written(|json| json.raw("[]")))
}

/// `status/buildinfo`.
pub(super) fn build(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let version = format!("{SPOKEN}+highbeam.{}", call.shared.parts.version);
    let told = [
        ("version", version.as_str()),
        ("revision", ""),
        ("branch", ""),
        ("buildUser", ""),
        ("buildDate", ""),
        ("goVersion", ""),
    ];
    Ok(written(|json| pairs(json, told)))
}

/// `status/runtimeinfo`.
pub(super) fn runtime(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).map(|time| time.to_string()).unwrap_or_default();
    let started = time(call.shared.started_ms);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(written(|json| {
        json.raw("{");
        for (key, value) in [
            (r#""startTime":"#, started.as_str()),
            (r#","CWD":"#, ""),
            (r#","hostname":"#, ""),
            (r#","serverTime":"#, &time(call.now_ms())),
        ] {
            json.raw(key);
            json.text(value);
        }
        json.raw(r#","reloadConfigSuccess":true,"lastConfigTime":"#);
        json.text(&started);
        json.raw(r#","corruptionCount":0,"goroutineCount":0,"GOMAXPROCS":"#);
        json.count(threads);
        json.raw(r#","GOMEMLIMIT":0,"GOGC":"","GODEBUG":"","storageRetention":"#);
        json.text(&retention(call.store()));
        json.raw("}");
    }))
}

/// By time and by size, as Prometheus puts them together.
fn retention(store: &Store) -> String {
    let options = store.options();
    let size = format!("{}B", options.limit_bytes);
    if options.retention_age.is_zero() { size } else { format!("{} or {size}", go_duration(options.retention_age)) }
}

/// `status/flags`: what Prometheus has an option for and is a bound here.
pub(super) fn flags(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let options = call.store().options();
    let numbers = [QUERIES_AT_ONCE.to_string(), SAMPLES_MAX.to_string()];
    let [queries, samples] = &numbers;
    let (age, size) = (go_duration(options.retention_age), format!("{}B", options.limit_bytes));
    let time = go_duration(QUERY_TIME_MAX);
    let told = [
        ("query.lookback-delta", "5m"),
        ("query.max-concurrency", queries.as_str()),
        ("query.max-samples", samples),
        ("query.timeout", &time),
        ("storage.tsdb.retention.size", &size),
        ("storage.tsdb.retention.time", &age),
        ("web.enable-admin-api", "false"),
        ("web.enable-remote-write-receiver", "true"),
        ("web.route-prefix", "/prometheus"),
    ];
    Ok(written(|json| pairs(json, told)))
}

/// `status/config`: what is scraped, in the form of Prometheus' configuration.
pub(super) fn config(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let mut jobs: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for target in call.shared.parts.targets.all() {
        let address = target.discovered_labels.get("__address__").unwrap_or_default().to_owned();
        let job = jobs.entry(target.job.to_string()).or_insert_with(|| (go_duration(target.interval), Vec::new()));
        job.1.push(address);
    }
    let mut yaml = String::new();
    if !jobs.is_empty() {
        yaml.push_str("scrape_configs:\n");
    }
    for (job, (interval, addresses)) in jobs {
        yaml.push_str(&format!(
            "- job_name: {job:?}\n  scrape_interval: {interval}\n  static_configs:\n  - targets:\n"
        ));
        addresses.iter().for_each(|address| yaml.push_str(&format!("    - {address:?}\n")));
    }
    Ok(written(|json| pairs(json, [("yaml", yaml.as_str())])))
}

/// `status/walreplay`: it is over before anybody can ask.
pub(super) fn replay(_: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    Ok(written(|json| json.raw(r#"{"min":0,"max":0,"current":0}"#)))
}

/// `status/tsdb`: which metrics and labels have the most series.
pub(super) fn head(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let wrong = || Refusal::bad_data("limit must be a positive number".to_owned());
    let limit = match call.parameters.first("limit") {
        "" => TOP,
        text => text.parse().ok().filter(|limit| (1..=TOP_MAX).contains(limit)).ok_or_else(wrong)?,
    };
    let store = call.store();
    let series = store.series_labels(&[], i64::MIN, i64::MAX);
    let tally = Tally::of(&series);
    let oldest_ms = store.oldest().samples_ns.map_or(0, |ns| ns / 1_000_000);
    Ok(written(|json| {
        json.raw(r#"{"headStats":{"numSeries":"#);
        json.count(series.len());
        json.raw(r#","numLabelPairs":"#);
        json.count(tally.pairs.len());
        // A series has one chunk that it fills.
        json.raw(r#","chunkCount":"#);
        json.count(series.len());
        json.raw(r#","minTime":"#);
        json.integer(oldest_ms);
        json.raw(r#","maxTime":"#);
        json.integer(call.now_ms());
        json.raw(r#"},"seriesCountByMetricName":"#);
        top(json, tally.metrics.into_iter().map(|(name, count)| (name.to_owned(), count)), limit);
        json.raw(r#","labelValueCountByLabelName":"#);
        top(json, tally.values.iter().map(|(name, (count, _))| ((*name).to_owned(), *count)), limit);
        json.raw(r#","memoryInBytesByLabelName":"#);
        top(json, tally.values.iter().map(|(name, (_, bytes))| ((*name).to_owned(), *bytes)), limit);
        json.raw(r#","seriesCountByLabelValuePair":"#);
        let pairs = tally.pairs.iter().map(|((name, value), count)| (format!("{name}={value}"), *count));
        top(json, pairs, limit);
        json.raw("}");
    }))
}

/// How often what is there.
#[derive(Default)]
struct Tally<'a> {
    metrics: hashbrown::HashMap<&'a str, u64>,
    pairs: hashbrown::HashMap<(&'a str, &'a str), u64>,
    /// Of each label: different values, and the bytes of those of all series.
    values: hashbrown::HashMap<&'a str, (u64, u64)>,
}

impl<'a> Tally<'a> {
    fn of(series: &'a [Labels]) -> Self {
        let mut tally = Self::default();
        for (name, value) in series.iter().flat_map(Labels::iter) {
            if name == "__name__" {
                *tally.metrics.entry(value).or_default() += 1;
            }
            let pair = tally.pairs.entry((name, value)).or_default();
            *pair += 1;
            let of_name = tally.values.entry(name).or_default();
            of_name.0 += u64::from(*pair == 1);
            of_name.1 += value.len() as u64;
        }
        tally
    }
}

/// Writes the largest.
fn top(json: &mut Json, counts: impl Iterator<Item = (String, u64)>, limit: usize) {
    let mut all: Vec<(String, u64)> = counts.collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    json.raw("[");
    let mut comma = Comma::default();
    for (name, count) in all.iter().take(limit) {
        comma.between(json);
        json.raw(r#"{"name":"#);
        json.text(name);
        json.raw(r#","value":"#);
        json.integer(i64::try_from(*count).unwrap_or(i64::MAX));
        json.raw("}");
    }
    json.raw("]");
}

fn pairs<const N: usize>(json: &mut Json, pairs: [(&str, &str); N]) {
    json.raw("{");
    let mut comma = Comma::default();
    for (key, value) in pairs {
        comma.between(json);
        json.key(key);
        json.text(value);
    }
    json.raw("}");
}

fn written(write: impl FnOnce(&mut Json)) -> Vec<u8> {
    let mut json = answer::begin();
    write(&mut json);
    answer::end(json, &[], &[])
}
