//! Alerts: what is known of them, and from others.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use console_alerting::notify::{Fingerprint, Matcher, Posted, View};
use console_alerting::rules::Texts;
use console_alerting::time;
use serde::Serialize;

use super::super::{Pairs, Shared, first, json};
use super::status::RECEIVER;
use super::{body, failure, filters, is_on};

/// Alerts in one request at most.
const ALERTS_MAX: usize = 10_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    annotations: Texts,
    ends_at: String,
    fingerprint: String,
    receivers: [Receiver; 1],
    starts_at: String,
    status: Status,
    updated_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    labels: Texts,
}

#[derive(Serialize)]
struct Receiver {
    name: &'static str,
}

const TOLD: Receiver = Receiver { name: RECEIVER };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    inhibited_by: Vec<String>,
    muted_by: [String; 0],
    silenced_by: Vec<String>,
    state: &'static str,
}

#[derive(Serialize)]
struct Group {
    alerts: Vec<Alert>,
    labels: Texts,
    receiver: Receiver,
}

impl Alert {
    fn of(view: View) -> Self {
        let View { alert, standing } = view;
        let state = standing.name();
        Self {
            fingerprint: Fingerprint::of(&alert.labels).to_string(),
            annotations: alert.annotations,
            ends_at: time::exact(alert.ends_at_ms),
            receivers: [TOLD],
            starts_at: time::exact(alert.starts_at_ms),
            status: Status {
                inhibited_by: standing.inhibited_by.iter().map(ToString::to_string).collect(),
                muted_by: [],
                silenced_by: standing.silenced_by,
                state,
            },
            updated_at: time::exact(alert.updated_at_ms),
            generator_url: alert.generator_url,
            labels: alert.labels,
        }
    }
}

/// Which alerts are asked for.
struct Wanted {
    matchers: Vec<Matcher>,
    active: bool,
    silenced: bool,
    inhibited: bool,
    is_receiver: bool,
}

impl Wanted {
    fn read(pairs: &[(String, String)]) -> Result<Self, Box<Response>> {
        let is_receiver = match first(pairs, "receiver") {
            None => true,
            // Its expression has to match the whole name.
            Some(pattern) => {
                let form = format!("name=~{pattern:?}");
                let matcher = Matcher::parse(&form);
                let matcher = matcher.map_err(|error| {
                    Box::new(failure(StatusCode::BAD_REQUEST, &format!("failed to parse receiver param: {error}")))
                })?;
                matcher.is_match(&Texts::from([("name".to_owned(), RECEIVER.to_owned())]))
            }
        };
        Ok(Self {
            matchers: filters(pairs)?,
            active: is_on(pairs, "active"),
            silenced: is_on(pairs, "silenced"),
            inhibited: is_on(pairs, "inhibited"),
            is_receiver,
        })
    }

    fn has(&self, view: &View) -> bool {
        let standing = &view.standing;
        let is_of_state = (self.silenced || standing.silenced_by.is_empty())
            && (self.inhibited || standing.inhibited_by.is_empty())
            && (self.active || standing.name() != "active");
        self.is_receiver && is_of_state && self.matchers.iter().all(|matcher| matcher.is_match(&view.alert.labels))
    }
}

/// `GET /alerts`
pub(in crate::alerting) async fn alerts(State(shared): State<Arc<Shared>>, pairs: Pairs) -> Response {
    let wanted = match Wanted::read(&pairs.0) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    let views = shared.service.with_dispatcher(|dispatcher, now_ms| dispatcher.alerts(now_ms));
    let found: Vec<Alert> = views.into_iter().filter(|view| wanted.has(view)).map(Alert::of).collect();
    json(StatusCode::OK, &found)
}

/// `GET /alerts/groups`
pub(in crate::alerting) async fn groups(State(shared): State<Arc<Shared>>, pairs: Pairs) -> Response {
    let wanted = match Wanted::read(&pairs.0) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    let groups = shared.service.with_dispatcher(|dispatcher, now_ms| dispatcher.groups(now_ms));
    let group = |group: console_alerting::notify::GroupView| {
        let alerts = group.alerts.into_iter().filter(|view| wanted.has(view)).map(Alert::of);
        Group { alerts: alerts.collect(), labels: group.labels, receiver: TOLD }
    };
    let found: Vec<Group> = groups.into_iter().map(group).filter(|group| !group.alerts.is_empty()).collect();
    json(StatusCode::OK, &found)
}

/// `POST /alerts`: those that are right are taken, also where others are not.
pub(in crate::alerting) async fn post(State(shared): State<Arc<Shared>>, sent: Bytes) -> Response {
    let posted: Vec<Posted> = match body(&sent) {
        Ok(posted) => posted,
        Err(refusal) => return *refusal,
    };
    if posted.len() > ALERTS_MAX {
        let told = format!("{} alerts at once, {ALERTS_MAX} are the most; send them in parts", posted.len());
        return failure(StatusCode::BAD_REQUEST, &told);
    }
    let mut faults = shared.service.with_dispatcher(|dispatcher, now_ms| {
        let timeout = dispatcher.configuration().resolve_timeout_ms;
        let (mut taken, mut faults) = (Vec::new(), Vec::new());
        for alert in posted {
            match alert.read(now_ms, timeout) {
                Ok(alert) => taken.push(alert),
                Err(invalid) => faults.push(invalid.to_string()),
            }
        }
        dispatcher.receive(taken, now_ms);
        faults
    });
    if faults.is_empty() {
        return StatusCode::OK.into_response();
    }
    // The first few say what is wrong with the sender.
    faults.truncate(20);
    failure(StatusCode::BAD_REQUEST, &faults.join("; "))
}
