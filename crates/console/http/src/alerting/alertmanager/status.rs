//! What it is, and who is told.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use console_alerting::time;
use serde_json::json;

use super::super::{Shared, json as answer};

/// The one receiver of all that is told: every webhook of it is told the same.
pub(super) const RECEIVER: &str = "webhooks";

/// `GET /status`
pub(in crate::alerting) async fn status(State(shared): State<Arc<Shared>>) -> Response {
    let original = shared.service.with_dispatcher(|dispatcher, _| {
        let told = dispatcher.configuration();
        // URLs of webhooks have secrets in them at times, and are not told.
        format!(
            "route:\n  receiver: {RECEIVER}\n  group_by: {}\n  group_wait: {}s\n  group_interval: {}s\n  \
             repeat_interval: {}s\nreceivers:\n- name: {RECEIVER}\n",
            serde_json::to_string(&told.group_by).unwrap_or_default(),
            told.group_wait_ms / 1_000,
            told.group_interval_ms / 1_000,
            told.repeat_interval_ms / 1_000,
        )
    });
    let version = json!({
        "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "", "version": shared.version,
    });
    answer(
        StatusCode::OK,
        &json!({
            "cluster": { "name": "", "peers": [], "status": "disabled" },
            "config": { "original": original },
            "uptime": time::exact(shared.service.started_at_ms()),
            "versionInfo": version,
        }),
    )
}

/// `GET /receivers`
pub(in crate::alerting) async fn receivers() -> Response {
    answer(StatusCode::OK, &json!([{ "name": RECEIVER }]))
}
