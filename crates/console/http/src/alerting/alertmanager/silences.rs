//! Silences.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use console_alerting::notify::{Form, Matcher, Silence, SilenceError, Wanted};
use console_alerting::rules::Texts;
use console_alerting::time;
use serde::{Deserialize, Serialize};

use super::super::{Pairs, Shared, json};
use super::{body, failure, filters};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    status: Status,
    updated_at: String,
    comment: String,
    created_by: String,
    ends_at: String,
    matchers: Vec<Form>,
    starts_at: String,
}

#[derive(Serialize)]
struct Status {
    state: &'static str,
}

impl Shown {
    fn of(silence: &Silence, now_ms: i64) -> Self {
        Self {
            id: silence.id.clone(),
            status: Status { state: silence.state(now_ms).name() },
            updated_at: time::exact(silence.updated_at_ms),
            comment: silence.comment.clone(),
            created_by: silence.created_by.clone(),
            ends_at: time::exact(silence.ends_at_ms),
            matchers: silence.matchers.iter().map(|matcher| matcher.form().clone()).collect(),
            starts_at: time::exact(silence.starts_at_ms),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    #[serde(default)]
    id: String,
    matchers: Vec<Form>,
    starts_at: String,
    ends_at: String,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
}

impl Posted {
    fn wanted(self) -> Result<Wanted, String> {
        let time = |name: &str, text: &str| {
            let shown: String = text.chars().take(60).collect();
            time::parse(text)
                .ok_or_else(|| format!("{name} is {shown:?}; it has to be a time, as in 2026-11-29T20:00:00Z"))
        };
        let (starts_at_ms, ends_at_ms) = (time("startsAt", &self.starts_at)?, time("endsAt", &self.ends_at)?);
        let Self { id, matchers, created_by, comment, .. } = self;
        let id = Some(id).filter(|id| !id.is_empty());
        Ok(Wanted { id, matchers, starts_at_ms, ends_at_ms, created_by, comment })
    }
}

/// Whether a filter fits a silence: it fits what the silence's matchers name.
fn fits(filter: &Matcher, silence: &Silence) -> bool {
    let named = silence.matchers.iter().map(|matcher| (matcher.form().name.clone(), matcher.form().value.clone()));
    filter.is_match(&named.collect::<Texts>())
}

/// `GET /silences`
pub(in crate::alerting) async fn silences(State(shared): State<Arc<Shared>>, pairs: Pairs) -> Response {
    let filters = match filters(&pairs.0) {
        Ok(filters) => filters,
        Err(refusal) => return *refusal,
    };
    let mut found: Vec<(i64, Shown)> = shared.service.with_dispatcher(|dispatcher, now_ms| {
        let silences = dispatcher.silences().filter(|silence| filters.iter().all(|filter| fits(filter, silence)));
        silences.map(|silence| (silence.ends_at_ms, Shown::of(silence, now_ms))).collect()
    });
    // Those that hold first, those that were over last at the end.
    let rank = |state: &str| ["active", "pending", "expired"].iter().position(|known| *known == state);
    found.sort_by_key(|(ends_at, shown)| {
        let is_over = shown.status.state == "expired";
        (rank(shown.status.state), if is_over { ends_at.saturating_neg() } else { *ends_at })
    });
    json(StatusCode::OK, &found.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>())
}

/// `POST /silences`
pub(in crate::alerting) async fn post(State(shared): State<Arc<Shared>>, sent: Bytes) -> Response {
    #[derive(Serialize)]
    struct Made {
        #[serde(rename = "silenceID")]
        id: String,
    }
    let posted: Posted = match body(&sent) {
        Ok(posted) => posted,
        Err(refusal) => return *refusal,
    };
    let wanted = match posted.wanted() {
        Ok(wanted) => wanted,
        Err(told) => return failure(StatusCode::BAD_REQUEST, &told),
    };
    match shared.service.with_dispatcher(|dispatcher, now_ms| dispatcher.set_silence(wanted, now_ms)) {
        Ok(id) => json(StatusCode::OK, &Made { id }),
        Err(error) => refused(&error),
    }
}

/// `GET /silence/{id}`
pub(in crate::alerting) async fn silence(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let found = shared
        .service
        .with_dispatcher(|dispatcher, now_ms| dispatcher.silence(&id).map(|silence| Shown::of(silence, now_ms)));
    match found {
        Some(shown) => json(StatusCode::OK, &shown),
        None => refused(&SilenceError::NotFound(id)),
    }
}

/// `DELETE /silence/{id}`
pub(in crate::alerting) async fn delete(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match shared.service.with_dispatcher(|dispatcher, now_ms| dispatcher.expire_silence(&id, now_ms)) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &SilenceError) -> Response {
    let status = match error {
        SilenceError::Invalid(_) | SilenceError::TooMany => StatusCode::BAD_REQUEST,
        SilenceError::NotFound(_) => StatusCode::NOT_FOUND,
    };
    failure(status, &error.to_string())
}
