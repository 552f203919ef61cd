//! OpenSLO's documents, as far as they say what rules are made from:
//! <https://github.com/OpenSLO/OpenSLO/blob/main/README.md>. Documents of other kinds than `SLO` and `SLI` are
//! passed over.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use crate::duration::Duration;
use crate::rules::Texts;

/// Documents of one file at most.
const DOCUMENTS_MAX: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Option<Spec>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    annotations: Texts,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    description: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    indicator: Option<Indicator>,
    #[serde(default)]
    indicator_ref: Option<String>,
    #[serde(default)]
    time_window: Vec<TimeWindow>,
    #[serde(default)]
    budgeting_method: String,
    #[serde(default)]
    objectives: Vec<Target>,
    /// Of an `SLI`.
    #[serde(default)]
    ratio_metric: Option<RatioMetric>,
}

#[derive(Deserialize)]
struct Indicator {
    spec: IndicatorSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndicatorSpec {
    #[serde(default)]
    ratio_metric: Option<RatioMetric>,
}

#[derive(Deserialize, Clone)]
struct RatioMetric {
    #[serde(default)]
    good: Option<Metric>,
    #[serde(default)]
    bad: Option<Metric>,
    #[serde(default)]
    total: Option<Metric>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
struct Metric {
    metric_source: MetricSource,
}

#[derive(Deserialize, Clone)]
struct MetricSource {
    #[serde(default)]
    spec: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct TimeWindow {
    duration: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    #[serde(default)]
    target: Option<f64>,
    #[serde(default)]
    target_percent: Option<f64>,
}

/// An objective.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective {
    /// Its name, such as `orders-availability`.
    pub(super) name: String,
    /// The same for people.
    pub(super) title: String,
    /// What it is about.
    pub(super) description: String,
    /// Whose it is.
    pub(super) service: String,
    /// How much of all has to be good, between 0 and 1.
    pub(super) target: f64,
    /// In which time.
    pub(super) period: Duration,
    /// Queries for what is bad and for all, with [`WINDOW`] where a range is.
    pub(super) errors: String,
    pub(super) total: String,
    /// What is told with its alerts besides.
    pub(super) annotations: Texts,
}

/// Stands for the length of a window in a query.
pub(super) const WINDOW: &str = "{{.window}}";

type Wrong = (Location, String);

/// The objectives of a file.
pub(super) fn read(text: &str) -> Result<Vec<Objective>, Wrong> {
    let documents: Vec<Spanned<Document>> = serde_saphyr::from_multiple(text).map_err(|error| {
        let told = error.without_snippet().to_string();
        let line = told.lines().next().unwrap_or_default().to_owned();
        (error.location().unwrap_or(Location::UNKNOWN), line)
    })?;
    if documents.len() > DOCUMENTS_MAX {
        return Err((
            Location::UNKNOWN,
            format!("has more than {DOCUMENTS_MAX} documents; divide it into several files"),
        ));
    }
    let mut indicators = HashMap::new();
    for document in documents.iter().map(|document| &document.value).filter(|document| document.kind == "SLI") {
        if let Some(ratio) = document.spec.as_ref().and_then(|spec| spec.ratio_metric.clone()) {
            indicators.insert(document.metadata.name.clone(), ratio);
        }
    }
    let mut objectives = Vec::new();
    for document in documents {
        let location = document.referenced;
        let wrong = |message: String| (location, message);
        if document.value.kind != "SLO" {
            continue;
        }
        objectives.push(objective(document.value, &indicators).map_err(wrong)?);
    }
    Ok(objectives)
}

fn objective(document: Document, indicators: &HashMap<String, RatioMetric>) -> Result<Objective, String> {
    let Metadata { name, display_name, annotations } = document.metadata;
    let about = |message: &str| format!("SLO {name:?}: {message}");
    if document.api_version != "openslo/v1" {
        let found = document.api_version;
        return Err(about(&format!("apiVersion is {found:?}; right is openslo/v1")));
    }
    let is_name = !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-' || one == '.');
    if !is_name {
        return Err(about("metadata.name has to be letters, digits and hyphens, as in orders-availability"));
    }
    let spec = document.spec.ok_or_else(|| about("it has no spec"))?;
    if !matches!(spec.budgeting_method.as_str(), "" | "Occurrences") {
        let found = spec.budgeting_method;
        return Err(about(&format!("budgetingMethod is {found:?}; only Occurrences is known here")));
    }
    let [Target { target, target_percent }] = spec.objectives.as_slice() else {
        return Err(about("it has to have one objective, as in objectives: [{target: 0.999}]"));
    };
    let target = target.or_else(|| target_percent.map(|percent| percent / 100.0));
    let target = target.filter(|target| *target > 0.0 && *target < 1.0);
    let target = target.ok_or_else(|| about("target has to be between 0 and 1, as in target: 0.999"))?;
    let period = match spec.time_window.as_slice() {
        [window] => window.duration,
        _ => return Err(about("it has to have one time window, as in timeWindow: [{duration: 30d, isRolling: true}]")),
    };
    if period < Duration::from_seconds(86_400) {
        return Err(about("its time window has to be a day or more, as in duration: 30d"));
    }
    let of_reference = spec.indicator_ref.as_ref().and_then(|name| indicators.get(name)).cloned();
    let ratio = spec.indicator.and_then(|indicator| indicator.spec.ratio_metric).or(of_reference);
    let ratio = ratio
        .ok_or_else(|| about("it has to have an indicator with a ratioMetric, in it or in an SLI of the same file"))?;
    let total =
        query(ratio.total.as_ref()).ok_or_else(|| about("ratioMetric.total has no query in metricSource.spec"))?;
    let errors = match (query(ratio.bad.as_ref()), query(ratio.good.as_ref())) {
        (Some(bad), _) => bad,
        (None, Some(good)) => format!("({total}) - ({good})"),
        (None, None) => return Err(about("ratioMetric has to have good or bad, with a query in metricSource.spec")),
    };
    let title = if display_name.is_empty() { name.clone() } else { display_name };
    let (description, service) = (spec.description, spec.service);
    Ok(Objective { name, title, description, service, target, period, errors, total, annotations })
}

/// The query of a metric. One without a window is a counter, whose rate is meant.
fn query(metric: Option<&Metric>) -> Option<String> {
    let query = metric?.metric_source.spec.get("query")?.trim();
    if query.is_empty() {
        return None;
    }
    let query = query.replace("{{ .window }}", WINDOW);
    Some(if query.contains(WINDOW) { query } else { format!("sum(rate({query}[{WINDOW}]))") })
}
