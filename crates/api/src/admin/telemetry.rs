//! `/admin/telemetry`: what is logged and which traces are kept, changed while the process runs. It
//! lasts as long as the process; what holds at the next start is the settings' business.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Extract;
use axum::http::{Request, StatusCode};
use delivery::models::Violations;
use serde::{Deserialize, Serialize};
use telemetry::control;
use telemetry::sampling::{self, Sampler};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::error::Error;
use crate::{State, body};

/// Characters of a log filter at most.
const MAX_FILTER: usize = 1_000;

/// What is logged, and which traces are kept
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TelemetryAnswer {
    /// A level, or directives such as `info,sqlite=debug`; absent where something else logs
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    log_filter: Option<String>,
    /// One of OpenTelemetry's standard samplers
    sampler: &'static str,
    /// The share that a ratio sampler keeps
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sampler_argument: Option<f64>,
}

/// What is to change; what is left out stays
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TelemetryBody {
    /// A level, or directives such as `info,sqlite=debug`
    #[schema(nullable = false, max_length = 1_000)]
    log_filter: Option<String>,
    /// always_on, always_off, traceidratio, or one of these with parentbased_ before it
    #[schema(nullable = false)]
    sampler: Option<String>,
    /// The share that a ratio sampler keeps, 0 to 1
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    sampler_argument: Option<f64>,
}

/// What is logged, and which traces are kept
#[utoipa::path(get, path = "/admin/telemetry", tag = "operations", operation_id = "getTelemetry",
    responses((status = 200, description = "What is in force", body = TelemetryAnswer)))]
pub(super) async fn get(Extract(state): Extract<Arc<State>>) -> Result<Answer, Error> {
    answer(&state)
}

/// Change what is logged, and which traces are kept
#[utoipa::path(patch, path = "/admin/telemetry", tag = "operations", operation_id = "changeTelemetry",
    request_body(content = TelemetryBody, content_type = "application/json"),
    responses((status = 200, description = "What is in force now", body = TelemetryAnswer)))]
pub(super) async fn change(Extract(state): Extract<Arc<State>>, request: Request<Body>) -> Result<Answer, Error> {
    let bytes = body::read(request, state.config.body_limit).await?;
    let body: TelemetryBody = body::parse(&bytes)?;
    let mut violations = Violations::default();
    let sampler = violations.collect(sampler(&body, state.telemetry.sampler()));
    // The filter last: with it, everything is changed, or nothing.
    if violations.0.is_empty()
        && let Some(filter) = &body.log_filter
    {
        violations.collect(set_filter(&state.telemetry, filter));
    }
    let sampler = violations.or(sampler.flatten())?;
    if let Some(sampler) = sampler {
        state.telemetry.set_sampler(sampler);
    }
    let now = state.telemetry.log_filter().unwrap_or_default();
    tracing::warn!(log.filter = now, traces.sampler = %state.telemetry.sampler(), "telemetry changed while running");
    answer(&state)
}

fn answer(state: &State) -> Result<Answer, Error> {
    let sampler = state.telemetry.sampler();
    let answer = TelemetryAnswer {
        log_filter: state.telemetry.log_filter(),
        sampler: sampler.name(),
        sampler_argument: sampler.argument(),
    };
    Answer::json(StatusCode::OK, &answer)
}

/// The sampler that is asked for: another kind, or another share of the same.
fn sampler(body: &TelemetryBody, current: Sampler) -> Result<Option<Sampler>, Violations> {
    if body.sampler.is_none() && body.sampler_argument.is_none() {
        return Ok(None);
    }
    let name = body.sampler.as_deref().unwrap_or_else(|| current.name());
    if body.sampler_argument.is_some() && !name.ends_with("traceidratio") {
        return Err(Violations::one("/samplerArgument", "only the ratio samplers take a share"));
    }
    let argument = body.sampler_argument.map(|share| share.to_string());
    Sampler::parse(name, argument.as_deref()).map(Some).map_err(|error| {
        let pointer = match error {
            sampling::Error::Name => "/sampler",
            sampling::Error::Argument => "/samplerArgument",
        };
        Violations::one(pointer, error.to_string())
    })
}

fn set_filter(telemetry: &telemetry::Control, filter: &str) -> Result<(), Violations> {
    let fault = |detail: &str| Violations::one("/logFilter", detail);
    if filter.trim().is_empty() || filter.chars().count() > MAX_FILTER {
        return Err(fault("must have 1 to 1000 characters; an example of right: info,sqlite=debug"));
    }
    telemetry.set_log_filter(filter).map_err(|error| match error {
        control::Error::Filter(_) => fault("must be a level or directives; an example of right: info,sqlite=debug"),
        control::Error::NoFilter => fault("this process does not log by a filter of its own"),
    })
}
