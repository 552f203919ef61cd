//! The JSON of rules and alerts.

use std::sync::Arc;

use console_alerting::rules::{ActiveAlert, FileState, GroupStatus, Kind, RuleKind, RuleStatus, Texts};
use console_alerting::time;
use serde::{Serialize, Serializer};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rules {
    pub(super) groups: Vec<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    name: Arc<str>,
    file: Arc<str>,
    rules: Vec<Rule>,
    interval: Seconds,
    limit: u64,
    evaluation_time: Seconds,
    last_evaluation: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rule {
    Alerting(Box<Alerting>),
    Recording(Box<Recording>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alerting {
    state: &'static str,
    name: String,
    query: String,
    duration: Seconds,
    keep_firing_for: Seconds,
    labels: Texts,
    annotations: Texts,
    alerts: Option<Vec<Alert>>,
    #[serde(flatten)]
    told: Told,
}

#[derive(Serialize)]
struct Recording {
    name: String,
    query: String,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    labels: Texts,
    #[serde(flatten)]
    told: Told,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    health: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_error: String,
    evaluation_time: Seconds,
    last_evaluation: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    labels: Texts,
    annotations: Texts,
    state: &'static str,
    active_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_since: Option<String>,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    name: Arc<str>,
    loaded_at: Option<String>,
    faults: Vec<String>,
}

/// A number as Go writes it: without a fraction where there is none.
struct Seconds(f64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_possible_truncation, reason = "only whole numbers of this range are cast")]
        if self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

/// Names a group to go on with; it stays the same while the group does.
pub(super) fn token(group: &GroupStatus) -> String {
    let name = format!("{};{}", group.file, group.name);
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

fn at(time_ms: Option<i64>) -> String {
    time_ms.map_or_else(|| time::ZERO.to_owned(), time::go)
}

/// As Go writes a number with an exponent: `1e+00`.
fn exponent(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

impl Group {
    pub(super) fn of(group: &GroupStatus, rules: Vec<&Arc<RuleStatus>>, with_alerts: bool) -> Self {
        Self {
            name: Arc::clone(&group.name),
            file: Arc::clone(&group.file),
            rules: rules.into_iter().map(|rule| Rule::of(rule, with_alerts)).collect(),
            interval: Seconds(group.interval.seconds()),
            limit: group.limit,
            evaluation_time: Seconds(group.evaluation_seconds),
            last_evaluation: at(group.last_evaluation_ms),
        }
    }
}

impl Rule {
    fn of(rule: &RuleStatus, with_alerts: bool) -> Self {
        let spec = &rule.spec;
        let told = |kind| Told {
            health: rule.health.name(),
            last_error: rule.last_error.clone(),
            evaluation_time: Seconds(rule.evaluation_seconds),
            last_evaluation: at(rule.last_evaluation_ms),
            kind,
        };
        let (name, query, labels) = (spec.name.clone(), spec.query.clone(), spec.labels.clone());
        match (&rule.kind, &spec.kind) {
            (RuleKind::Alerting(status), Kind::Alerting { hold, keep_firing, annotations }) => {
                let alerts = with_alerts.then(|| status.active().map(Alert::of).collect());
                Self::Alerting(Box::new(Alerting {
                    state: status.state().name(),
                    name,
                    query,
                    duration: Seconds(hold.seconds()),
                    keep_firing_for: Seconds(keep_firing.seconds()),
                    labels,
                    annotations: annotations.clone(),
                    alerts,
                    told: told("alerting"),
                }))
            }
            _ => Self::Recording(Box::new(Recording { name, query, labels, told: told("recording") })),
        }
    }
}

impl Alert {
    pub(super) fn of(alert: &ActiveAlert) -> Self {
        Self {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            state: alert.state.name(),
            active_at: time::go(alert.active_at_ms),
            keep_firing_since: alert.keep_firing_since_ms.map(time::go),
            value: exponent(alert.value),
        }
    }
}

impl File {
    pub(super) fn of(file: &FileState) -> Self {
        Self {
            name: Arc::clone(&file.name),
            loaded_at: file.loaded_at_ms.map(time::go),
            faults: file.faults.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_go_writes_them() {
        for (value, text) in [(1.0, "1e+00"), (0.00015, "1.5e-04"), (1.5e200, "1.5e+200"), (f64::NEG_INFINITY, "-Inf")]
        {
            assert_eq!(exponent(value), text);
        }
        let seconds = |seconds: f64| serde_json::to_string(&Seconds(seconds)).unwrap();
        assert_eq!((seconds(60.0), seconds(0.25)), ("60".to_owned(), "0.25".to_owned()));
    }
}
