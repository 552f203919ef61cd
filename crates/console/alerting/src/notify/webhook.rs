//! The body of a webhook, in the form that Alertmanager documents as version 4.

use serde::Serialize;

use super::{Alert, Fingerprint};
use crate::rules::Texts;
use crate::time;

/// Alerts in one body at most; how many more there are is told.
const ALERTS_MAX: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    receiver: &'a str,
    status: &'static str,
    alerts: Vec<Told<'a>>,
    group_labels: &'a Texts,
    common_labels: Texts,
    common_annotations: Texts,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    group_key: &'a str,
    truncated_alerts: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    status: &'static str,
    labels: &'a Texts,
    annotations: &'a Texts,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: String,
}

/// What a webhook is told.
pub(super) struct Message<'a> {
    pub(super) receiver: &'a str,
    pub(super) group_key: &'a str,
    pub(super) group_labels: &'a Texts,
    pub(super) external_url: &'a str,
    /// In the order in which they are told.
    pub(super) alerts: Vec<&'a Alert>,
    pub(super) now_ms: i64,
}

impl Message<'_> {
    pub(super) fn body(&self) -> Vec<u8> {
        let body = Body {
            receiver: self.receiver,
            status: status(self.alerts.iter().all(|alert| alert.is_resolved(self.now_ms))),
            alerts: self.alerts.iter().take(ALERTS_MAX).map(|alert| told(alert, self.now_ms)).collect(),
            group_labels: self.group_labels,
            common_labels: common(self.alerts.iter().map(|alert| &alert.labels)),
            common_annotations: common(self.alerts.iter().map(|alert| &alert.annotations)),
            external_url: self.external_url,
            version: "4",
            group_key: self.group_key,
            truncated_alerts: self.alerts.len().saturating_sub(ALERTS_MAX),
        };
        // Maps of text by text, and numbers: there is nothing that JSON could not have.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

const fn status(is_resolved: bool) -> &'static str {
    if is_resolved { "resolved" } else { "firing" }
}

fn told(alert: &Alert, now_ms: i64) -> Told<'_> {
    let is_resolved = alert.is_resolved(now_ms);
    Told {
        status: status(is_resolved),
        labels: &alert.labels,
        annotations: &alert.annotations,
        starts_at: time::go(alert.starts_at_ms),
        ends_at: if is_resolved { time::go(alert.ends_at_ms) } else { time::ZERO.to_owned() },
        generator_url: &alert.generator_url,
        fingerprint: Fingerprint::of(&alert.labels).to_string(),
    }
}

/// What all of them have alike.
fn common<'a>(mut all: impl Iterator<Item = &'a Texts>) -> Texts {
    let mut common = all.next().cloned().unwrap_or_default();
    for texts in all {
        common.retain(|name, value| texts.get(name) == Some(value));
    }
    common
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_webhook_is_told_in_alertmanagers_form() {
        let texts = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let alert = |instance: &str, ends_at_ms: i64| Alert {
            labels: texts(&[("alertname", "Down"), ("instance", instance)]),
            annotations: texts(&[("summary", "down"), ("of", instance)]),
            starts_at_ms: 1_000,
            ends_at_ms,
            updated_at_ms: 0,
            generator_url: "http://here/graph".to_owned(),
            is_end_guessed: false,
        };
        let (firing, resolved) = (alert("a", 9_000), alert("b", 4_500));
        let message = Message {
            receiver: "hook",
            group_key: "{}:{alertname=\"Down\"}",
            group_labels: &texts(&[("alertname", "Down")]),
            external_url: "http://here",
            alerts: vec![&firing, &resolved],
            now_ms: 5_000,
        };
        let body: Value = serde_json::from_slice(&message.body()).unwrap();
        let told = |alert: &Alert, status: &str, ends_at: &str| {
            json!({
                "status": status, "labels": alert.labels, "annotations": alert.annotations,
                "startsAt": "1970-01-01T00:00:01Z", "endsAt": ends_at, "generatorURL": "http://here/graph",
                "fingerprint": Fingerprint::of(&alert.labels).to_string(),
            })
        };
        let expected = json!({
            "receiver": "hook", "status": "firing",
            "alerts": [told(&firing, "firing", time::ZERO), told(&resolved, "resolved", "1970-01-01T00:00:04.5Z")],
            "groupLabels": { "alertname": "Down" }, "commonLabels": { "alertname": "Down" },
            "commonAnnotations": { "summary": "down" }, "externalURL": "http://here", "version": "4",
            "groupKey": "{}:{alertname=\"Down\"}", "truncatedAlerts": 0,
        });
        assert_eq!(body, expected);
    }
}
