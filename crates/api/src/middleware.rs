//! What happens around every request: identity, trace, limits, deadline, panics, the writing of
//! problems, metrics and the request log. One layer, because each further one costs every request.

mod accept_encoding;
mod log_limit;
mod rate_limit;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state, map_request};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use telemetry::TraceContext;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tracing::Instrument;
use uuid::Uuid;

use crate::context::RequestContext;
use crate::error::{Error, Kind};
use crate::{State, problem};
use log_limit::LogLimit;
use rate_limit::Limiter;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
const NOSNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// Bytes below which compression costs more than it saves.
const COMPRESS_ABOVE: u64 = 1_024;
/// Characters of `tracestate` that are handed on at most.
const MAX_TRACESTATE: usize = 512;
/// What the client is told about failures of ours.
const LOGGED: &str = "the failure has been logged under the trace id";

struct Layer {
    state: Arc<State>,
    limiter: Option<Limiter>,
    log: LogLimit,
}

/// Puts the layer around all routes.
pub(crate) fn apply(router: Router, state: Arc<State>) -> Router {
    let limiter = state.config.rate_limit.map(Limiter::new);
    let layer = Arc::new(Layer { state, limiter, log: LogLimit::default() });
    let compress = SizeAbove::new(COMPRESS_ABOVE).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    router
        .fallback(async || Error::new(Kind::UnknownRoute, "see /openapi.json for the routes there are"))
        .method_not_allowed_fallback(async || {
            Error::new(Kind::MethodNotAllowed, "the header Allow names the methods that the route knows")
        })
        .layer(from_fn_with_state(layer, around))
        .layer(CompressionLayer::new().compress_when(compress))
        .layer(map_request(async |mut request: Request| {
            accept_encoding::permit_identity(request.headers_mut());
            request
        }))
}

/// Counts a request as active until it is answered, or dropped.
struct Active(Arc<State>);

impl Active {
    fn new(state: &Arc<State>) -> Self {
        state.metrics.http.active.inc();
        Self(Arc::clone(state))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.metrics.http.active.dec();
    }
}

async fn around(
    axum::extract::State(layer): axum::extract::State<Arc<Layer>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let _active = Active::new(&layer.state);
    let context = context(request.headers());
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = request.uri().path().to_owned();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    request.extensions_mut().insert(context.clone());
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    // At the level of errors, since a span that the log's level leaves out cannot lend them its ids.
    let span = tracing::error_span!(
        "request",
        trace_id = %context.trace.trace_id(),
        span_id = %context.trace.span_id(),
    );
    let is_limited = layer.limiter.as_ref().zip(peer).is_some_and(|(limiter, peer)| {
        !matches!(route, "/livez" | "/readyz" | "/metrics") && !limiter.admit(peer, started)
    });
    let serve = async {
        let response = if is_limited {
            Error::new(Kind::RateLimited, "this address sends more requests than it may").into_response()
        } else {
            guarded(&layer.state, request, next).await
        };
        let response = problem::render(response, &context, &path, &layer.state);
        let seconds = started.elapsed().as_secs_f64();
        layer.log.request(method, route, response.status(), seconds);
        let exemplar = context.trace.is_sampled().then(|| context.trace.trace_id());
        layer.state.metrics.http.observe(method, route, response.status().as_u16(), seconds, exemplar);
        response
    };
    let mut response = serve.instrument(span).await;
    let headers = response.headers_mut();
    let mut put = |name, value: &str| HeaderValue::from_str(value).map(|value| headers.insert(name, value));
    // Both are visible ASCII: ours by making, the client's by checking.
    let _ = put(REQUEST_ID, &context.request_id);
    let _ = put(TRACERESPONSE, &context.trace.to_traceparent());
    let _ = put(NOSNIFF, "nosniff");
    response
}

/// Runs the handler within its deadline; a panic is an answer too.
async fn guarded(state: &State, request: Request, next: Next) -> Response {
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(state.config.request_timeout, handler).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            let error = Error { cause: Some("the handler panicked".to_owned()), ..Error::new(Kind::Internal, LOGGED) };
            error.into_response()
        }
        Err(_) => Error::new(
            Kind::DeadlineExceeded,
            "the request was given up; a command may have been carried out all the same, and an idempotency key makes it safe to repeat",
        )
        .into_response(),
    }
}

fn context(headers: &HeaderMap) -> RequestContext {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // More than one parent is none, says the standard.
    let is_one = headers.get_all(TRACEPARENT).iter().nth(1).is_none();
    let caller = text(TRACEPARENT).filter(|_| is_one).and_then(TraceContext::from_traceparent);
    let good = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    RequestContext {
        trace: caller.as_ref().map_or_else(TraceContext::root, TraceContext::child),
        tracestate: caller.and_then(|_| tracestate(headers)),
        request_id: text(REQUEST_ID).filter(good).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
    }
}

/// The headers as one, as the standard wants them; none when they are longer than it asks us to hand on.
fn tracestate(headers: &HeaderMap) -> Option<String> {
    let parts: Option<Vec<_>> = headers.get_all(TRACESTATE).iter().map(|value| value.to_str().ok()).collect();
    let state = parts?.join(",");
    (1..=MAX_TRACESTATE).contains(&state.len()).then_some(state)
}

/// A method as a label: what is not of the standard is one word, so that nobody can make up series.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
