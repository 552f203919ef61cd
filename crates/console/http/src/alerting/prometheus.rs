//! `/api/v1/rules`, `/alerts` and `/alertmanagers`, as Prometheus 3.5 words them.

mod wire;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use console_alerting::rules::{GroupStatus, RuleKind, RuleStatus};
use console_promql::{Matcher, Node};
use serde::Serialize;

use super::{Pairs, Shared, all, first, json};

fn success(data: &impl Serialize) -> Response {
    #[derive(Serialize)]
    struct Success<'a, T> {
        status: &'static str,
        data: &'a T,
    }
    json(StatusCode::OK, &Success { status: "success", data })
}

fn bad_data(text: String) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        status: &'static str,
        error_type: &'static str,
        error: String,
    }
    json(StatusCode::BAD_REQUEST, &Failure { status: "error", error_type: "bad_data", error: text })
}

/// Which rules are asked for.
struct Wanted<'a> {
    pairs: &'a [(String, String)],
    records: bool,
    alerts: bool,
    with_alerts: bool,
    matchers: Vec<Vec<Matcher>>,
}

impl<'a> Wanted<'a> {
    fn read(pairs: &'a [(String, String)]) -> Result<Self, String> {
        let (records, alerts) = match first(pairs, "type").map(str::to_lowercase).as_deref() {
            None => (true, true),
            Some("record") => (true, false),
            Some("alert") => (false, true),
            Some(other) => return Err(format!("invalid parameter \"type\": not supported value {other:?}")),
        };
        let with_alerts = match first(pairs, "exclude_alerts") {
            None => true,
            Some(text) => match text {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => false,
                "0" | "f" | "F" | "false" | "FALSE" | "False" => true,
                other => {
                    let told = format!("strconv.ParseBool: parsing {other:?}: invalid syntax");
                    return Err(format!(
                        "invalid parameter \"exclude_alerts\": error converting exclude_alerts: {told}"
                    ));
                }
            },
        };
        let mut matchers = Vec::new();
        for text in all(pairs, "match[]") {
            let parsed = console_promql::parse(text).map_err(|error| error.to_string())?;
            let Node::Selector(selector) = parsed.node else {
                return Err(format!("1:1: parse error: {text:?} is no selector, as in {{severity=\"page\"}}"));
            };
            matchers.push(selector.matchers);
        }
        Ok(Self { pairs, records, alerts, with_alerts, matchers })
    }

    fn is_named(&self, parameter: &str, name: &str) -> bool {
        let mut names = all(self.pairs, parameter).peekable();
        names.peek().is_none() || names.any(|wanted| wanted == name)
    }

    fn has_group(&self, group: &GroupStatus) -> bool {
        self.is_named("rule_group[]", &group.name) && self.is_named("file[]", &group.file)
    }

    fn has_rule(&self, rule: &RuleStatus) -> bool {
        let is_kind = match rule.kind {
            RuleKind::Recording => self.records,
            RuleKind::Alerting(_) => self.alerts,
        };
        let value = |name: &str| rule.spec.labels.get(name).map_or("", String::as_str);
        let is_match = |matchers: &Vec<Matcher>| matchers.iter().all(|matcher| matcher.matches(value(matcher.name())));
        is_kind
            && self.is_named("rule_name[]", &rule.spec.name)
            && (self.matchers.is_empty() || self.matchers.iter().any(is_match))
    }
}

/// Which part of the groups is asked for.
fn page(pairs: &[(String, String)]) -> Result<Option<(usize, Option<&str>)>, String> {
    let token = first(pairs, "group_next_token");
    let Some(text) = first(pairs, "group_limit") else {
        return match token {
            None => Ok(None),
            Some(_) => {
                let told = "group_limit needs to be present in order to paginate over the groups";
                Err(format!("invalid parameter \"group_next_token\": {told}"))
            }
        };
    };
    match text.parse::<i64>() {
        Ok(limit) if limit > 0 => Ok(Some((usize::try_from(limit).unwrap_or(usize::MAX), token))),
        Ok(_) => Err("invalid parameter \"group_limit\": group_limit needs to be greater than 0".to_owned()),
        Err(_) => Err(format!(
            "invalid parameter \"group_limit\": group_limit needs to be a valid number: strconv.ParseInt: parsing {text:?}: \
             invalid syntax"
        )),
    }
}

/// `GET /api/v1/rules`
pub(super) async fn rules(State(shared): State<Arc<Shared>>, pairs: Pairs) -> Response {
    let pairs = pairs.0;
    match found(&shared, &pairs) {
        Ok(found) => success(&found),
        Err(told) => bad_data(told),
    }
}

fn found(shared: &Shared, pairs: &[(String, String)]) -> Result<wire::Rules, String> {
    let wanted = Wanted::read(pairs)?;
    let page = page(pairs)?;
    let mut groups = Vec::new();
    let mut next = None;
    let mut is_reached = page.is_none_or(|(_, token)| token.is_none());
    for group in shared.service.rules().status().into_iter().filter(|group| wanted.has_group(group)) {
        let rules: Vec<_> = group.rules.iter().filter(|rule| wanted.has_rule(rule)).collect();
        if rules.is_empty() {
            continue;
        }
        if let Some((limit, token)) = page {
            let own = wire::token(&group);
            is_reached |= token == Some(own.as_str());
            if is_reached && groups.len() == limit {
                next = Some(own);
                break;
            }
        }
        if is_reached {
            groups.push(wire::Group::of(&group, rules, wanted.with_alerts));
        }
    }
    match page {
        Some((_, Some(token))) if !is_reached => Err(format!(
            "invalid parameter \"group_next_token\": invalid group_next_token '{token}'. were rule groups changed?"
        )),
        _ => Ok(wire::Rules { groups, group_next_token: next }),
    }
}

/// `GET /api/v1/alerts`
pub(super) async fn alerts(State(shared): State<Arc<Shared>>) -> Response {
    #[derive(Serialize)]
    struct Alerts {
        alerts: Vec<wire::Alert>,
    }
    let mut alerts = Vec::new();
    for group in shared.service.rules().status() {
        for rule in &group.rules {
            if let RuleKind::Alerting(status) = &rule.kind {
                alerts.extend(status.active().map(wire::Alert::of));
            }
        }
    }
    success(&Alerts { alerts })
}

/// `GET /api/v1/alertmanagers`
pub(super) async fn alertmanagers(State(shared): State<Arc<Shared>>) -> Response {
    #[derive(Serialize)]
    struct At {
        url: String,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Alertmanagers {
        active_alertmanagers: Vec<At>,
        dropped_alertmanagers: Vec<At>,
    }
    let at = |url: &str| At { url: url.to_owned() };
    let active_alertmanagers = shared.service.forwarders().iter().map(|forwarder| at(forwarder.url())).collect();
    success(&Alertmanagers { active_alertmanagers, dropped_alertmanagers: Vec::new() })
}

/// `POST /-/reload`
pub(super) async fn reload(State(shared): State<Arc<Shared>>) -> Response {
    let service = Arc::clone(&shared.service);
    let looked = tokio::task::spawn_blocking(move || {
        service.reload();
        service.rules().files()
    });
    let faults: Vec<String> = match looked.await {
        Ok(files) => files.iter().flat_map(|file| &file.faults).map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    };
    if faults.is_empty() {
        return StatusCode::OK.into_response();
    }
    let told = format!("failed to reload config: {}\n", faults.join("\n"));
    (StatusCode::INTERNAL_SERVER_ERROR, told).into_response()
}

/// `GET /api/rule-files`: which files were read, and what is wrong with them.
pub(super) async fn files(State(shared): State<Arc<Shared>>) -> Response {
    let files: Vec<wire::File> = shared.service.rules().files().iter().map(wire::File::of).collect();
    json(StatusCode::OK, &serde_json::json!({ "files": files }))
}

/// `GET /graph`: where notifications say that a query can be seen.
pub(super) async fn graph(pairs: Pairs) -> Response {
    let pairs = pairs.0;
    let query = console_template::go::query_escape(first(&pairs, "g0.expr").unwrap_or_default());
    axum::response::Redirect::to(&format!("/metrics-explorer?query={query}")).into_response()
}
