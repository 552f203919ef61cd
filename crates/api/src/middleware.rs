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
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::middleware::{Next, from_fn_with_state, map_request};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use telemetry::names::attribute;
use telemetry::tracer::Span;
use telemetry::{TraceContext, record, scope};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
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
    let caller = caller(request.headers());
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = request.uri().path().to_owned();
    let version = request.version();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let is_probe = matches!(route, "/livez" | "/readyz" | "/metrics");
    let mut span = match &caller {
        // Machines ask every few seconds; whoever wants to see such a request in a trace says so.
        None if is_probe => layer.state.tracer.unsampled(record::Kind::Server),
        caller => layer.state.tracer.entry(record::Kind::Server, caller.as_ref()),
    };
    let context = context(request.headers(), &mut span, caller.is_some());
    request.extensions_mut().insert(context.clone());
    let is_limited =
        layer.limiter.as_ref().zip(peer).is_some_and(|(limiter, peer)| !is_probe && !limiter.admit(peer, started));
    let serve = async {
        let response = if is_limited {
            Error::new(Kind::RateLimited, "this address sends more requests than it may").into_response()
        } else {
            guarded(&layer.state, request, next).await
        };
        let failure = response.extensions().get::<Error>().map(|error| error.kind);
        let response = problem::render(response, &context, &path, &layer.state);
        let seconds = started.elapsed().as_secs_f64();
        layer.log.request(method, route, response.status(), seconds);
        let exemplar = context.trace.is_sampled().then(|| context.trace.trace_id());
        layer.state.metrics.http.observe(method, route, response.status().as_u16(), seconds, exemplar);
        (response, failure)
    };
    let (mut response, failure) = scope::within(Some(span.scope()), serve).await;
    finish(span, method, route, &path, version, response.status(), failure);
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

/// Ends the server span, named as OpenTelemetry wants it.
fn finish(
    mut span: Span,
    method: &'static str,
    route: &str,
    path: &str,
    version: Version,
    status: StatusCode,
    failure: Option<Kind>,
) {
    let failure = status.is_server_error().then(|| failure.map_or_else(|| status.as_str().to_owned(), Kind::uri));
    if let Some(failure) = &failure {
        span.fail(failure.clone());
    }
    span.finish(|attributes| {
        attributes.push((attribute::HTTP_REQUEST_METHOD, method.into()));
        attributes.push((attribute::HTTP_ROUTE, route.to_owned().into()));
        attributes.push((attribute::HTTP_RESPONSE_STATUS_CODE, status.as_u16().into()));
        attributes.push((attribute::URL_PATH, path.to_owned().into()));
        attributes.push((attribute::URL_SCHEME, "http".into()));
        attributes
            .push((attribute::NETWORK_PROTOCOL_VERSION, if version == Version::HTTP_2 { "2" } else { "1.1" }.into()));
        attributes.extend(failure.map(|failure| (attribute::ERROR_TYPE, failure.into())));
        format!("{method} {route}")
    });
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
}

/// Who asks. More than one parent is none, says the standard.
fn caller(headers: &HeaderMap) -> Option<TraceContext> {
    let is_one = headers.get_all(TRACEPARENT).iter().nth(1).is_none();
    text(headers, TRACEPARENT).filter(|_| is_one).and_then(TraceContext::from_traceparent)
}

fn context(headers: &HeaderMap, span: &mut Span, has_caller: bool) -> RequestContext {
    let good = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    let tracestate = has_caller.then(|| tracestate(headers)).flatten();
    span.set_trace_state(tracestate.clone());
    RequestContext {
        trace: span.context(),
        tracestate,
        request_id: text(headers, REQUEST_ID).filter(good).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
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
