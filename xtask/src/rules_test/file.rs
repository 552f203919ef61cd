//! The text of a test file: <https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/>.

use std::path::{Path, PathBuf};

use console_alerting::Duration;
use console_alerting::rules::Texts;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    #[serde(default)]
    pub rule_files: Vec<String>,
    #[serde(default = "minute")]
    pub evaluation_interval: Duration,
    #[serde(default)]
    pub group_eval_order: Vec<String>,
    #[serde(default)]
    pub fuzzy_compare: bool,
    #[serde(default)]
    pub tests: Vec<Test>,
}

const fn minute() -> Duration {
    Duration::from_seconds(60)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub interval: Option<Duration>,
    #[serde(default)]
    pub input_series: Vec<Input>,
    #[serde(default)]
    pub alert_rule_test: Vec<AlertTest>,
    #[serde(default)]
    pub promql_expr_test: Vec<QueryTest>,
    #[serde(default)]
    pub external_labels: Texts,
    #[serde(default)]
    pub external_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub series: String,
    pub values: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertTest {
    pub eval_time: Duration,
    pub alertname: String,
    #[serde(default)]
    pub exp_alerts: Vec<ExpectedAlert>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedAlert {
    #[serde(default)]
    pub exp_labels: Texts,
    #[serde(default)]
    pub exp_annotations: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryTest {
    pub expr: String,
    pub eval_time: Duration,
    #[serde(default)]
    pub exp_samples: Vec<ExpectedSample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSample {
    #[serde(default)]
    pub labels: String,
    #[serde(default)]
    pub value: f64,
    #[serde(default)]
    pub histogram: String,
}

/// The files that a pattern stands for, beside the test file. `*` stands for any part of a file's name.
pub fn expand(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let path = folder.join(pattern);
    let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains('*')) else {
        return vec![path];
    };
    let (begin, end) = name.split_once('*').unwrap_or((name, ""));
    let entries = std::fs::read_dir(path.parent().unwrap_or(folder)).into_iter().flatten().flatten();
    let is_like =
        |found: &str| found.len() >= begin.len() + end.len() && found.starts_with(begin) && found.ends_with(end);
    let files = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_like));
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}
