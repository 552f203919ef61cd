//! Writes a problem (RFC 9457) into the answer of a request. The body is also what clients of the
//! service's older program expect: `error` and `timestamp` are theirs.

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};

use crate::State;
use crate::answer::Answer;
use crate::context::RequestContext;
use crate::dto::{FieldProblem, Problem};
use crate::error::{Error, Kind};

/// Turns the problem that a handler left in its answer into a body.
pub(crate) fn render(mut response: Response<Body>, context: &RequestContext, path: &str, state: &State) -> Response {
    match response.extensions_mut().remove::<Error>() {
        // What the router itself put there stays: `Allow`, above all.
        Some(error) => {
            let mut rendered = answer(error, context, path, state).into_response();
            for (name, value) in response.headers() {
                if !rendered.headers().contains_key(name) {
                    rendered.headers_mut().insert(name, value.clone());
                }
            }
            rendered
        }
        None => response,
    }
}

/// The answer that a problem is; its causes are logged here, once.
pub(crate) fn answer(error: Error, context: &RequestContext, path: &str, state: &State) -> Answer {
    if let Some(cause) = &error.cause {
        tracing::error!(error.type = error.kind.uri(), error.cause = cause, "request could not be served");
    }
    let errors = error
        .violations
        .iter()
        .map(|violation| FieldProblem { pointer: violation.pointer.clone(), detail: violation.detail.clone() })
        .collect();
    let problem = Problem {
        r#type: error.kind.uri(),
        title: error.kind.title().to_owned(),
        status: error.kind.status().as_u16(),
        detail: error.detail.clone(),
        instance: path.to_owned(),
        error: error.detail,
        timestamp: state.clock.now().to_string(),
        trace_id: context.trace.trace_id().to_string(),
        errors,
    };
    let mut headers: Vec<(HeaderName, String)> = vec![(CONTENT_TYPE, "application/problem+json".to_owned())];
    headers.extend(error.kind.retry_after().map(|seconds| (RETRY_AFTER, seconds.to_string())));
    if error.kind == Kind::Unauthorized {
        headers.push((WWW_AUTHENTICATE, "Bearer".to_owned()));
    }
    // Text and numbers always have a JSON form.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    Answer { status: error.kind.status(), headers, body: body.into() }
}
