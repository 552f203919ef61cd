//! The console as a whole: its ports, what each serves, and its end. Which settings lead to what is the
//! caller's to say.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use console_alerting::service::Service;
use console_storage::Store;
use eventsourcing::Clock;
use server::{Drain, Options};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_http::compression::CompressionLayer;

use crate::arrivals::Arrivals;
use crate::guard::{self, Guard};
use crate::held::{self, Held};
use crate::intake::{Intake, grpc, otlp, push};
use crate::prometheus::Targets;
use crate::queries::Queries;
use crate::view::wire::Ports;
use crate::{alerting, export, graph, jaeger, loki, pages, prometheus, view};

/// How long requests may finish once the console is to stop.
const GRACE: Duration = Duration::from_secs(5);
/// A telemetry sender is quiet for a minute at times; its connection may stay.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Connections at once, on each port.
const MAX_CONNECTIONS: usize = 1_024;

/// What the console says about the process it is in, in the text format of Prometheus.
pub type OwnMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Where the console listens.
pub struct Listeners {
    /// The pages and all APIs.
    pub console: TcpListener,
    /// OTLP over gRPC.
    pub otlp_grpc: TcpListener,
    /// OTLP over HTTP.
    pub otlp_http: TcpListener,
}

/// What the console is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<Store>,
    /// The way in to it.
    pub intake: Arc<Intake>,
    /// What has arrived, counted by the intake.
    pub arrivals: Arc<Arrivals>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The program's version, for the pages.
    pub version: &'static str,
    /// What `/metrics` answers.
    pub metrics: OwnMetrics,
    /// Rules, alerts and who is told of them.
    pub alerting: Arc<Service>,
    /// What is scraped.
    pub targets: Targets,
    /// Counts what is asked.
    pub queries: Arc<Queries>,
}

/// A console that runs.
pub struct Console {
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<server::Drained>>,
}

impl Console {
    /// Starts serving.
    ///
    /// # Errors
    /// When a listener does not know its own address.
    pub fn start(listeners: Listeners, parts: Parts) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let is_loopback = listeners.console.local_addr()?.ip().is_loopback();
        let guarded =
            |has_answers| axum::middleware::from_fn_with_state(Guard { is_loopback, has_answers }, guard::guard);
        let receivers = receivers(&parts.intake).fallback(not_received).layer(guarded(false));
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let ports = Ports { otlp_grpc: port(&listeners.otlp_grpc)?, otlp_http: port(&listeners.otlp_http)? };
        let console = console(&parts, ports).layer(guarded(true));
        let all =
            [(listeners.console, console), (listeners.otlp_grpc, receivers.clone()), (listeners.otlp_http, receivers)];
        let servers = all.into_iter().map(|(listener, router)| spawn(listener, router, stopped.clone())).collect();
        Ok(Self { stop, servers })
    }

    /// Takes nothing more, and ends when the requests at hand are done.
    pub async fn finish(self) {
        self.stop.send_replace(true);
        for server in self.servers {
            // A server that panicked is at its end as well.
            let _ = server.await;
        }
    }
}

/// What senders reach: both forms of OTLP, so that a port that was mistaken for the other works.
fn receivers(intake: &Arc<Intake>) -> Router {
    otlp::router(Arc::clone(intake)).merge(grpc::router(intake))
}

/// What else is asked of a port for senders, in the form of whoever asks.
async fn not_received(request: Request) -> Response {
    let shown: String = request.uri().path().chars().take(200).collect();
    let told = format!(
        "{shown} is not known here; this port takes OTLP, at /v1/traces, /v1/logs, /v1/metrics and by gRPC; pages and \
         APIs are at the console's own port"
    );
    if grpc::is_call(request.headers()) {
        return grpc::unimplemented(told);
    }
    (StatusCode::NOT_FOUND, axum::Json(serde_json::json!({ "error": { "message": told } }))).into_response()
}

fn console(parts: &Parts, ports: Ports) -> Router {
    let state = view::State {
        store: Arc::clone(&parts.store),
        arrivals: Arc::clone(&parts.arrivals),
        clock: Arc::clone(&parts.clock),
        version: parts.version.to_owned(),
        ports,
    };
    let store = Arc::clone(&parts.store);
    let (intake, metrics) = (&parts.intake, Arc::clone(&parts.metrics));
    let prometheus = prometheus::Parts {
        store: Arc::clone(&store),
        clock: Arc::clone(&parts.clock),
        targets: parts.targets.clone(),
        queries: Arc::clone(&parts.queries),
        version: parts.version,
    };
    let text = move || async move {
        ([(axum::http::header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics())
    };
    receivers(intake)
        .merge(push::router(Arc::clone(intake)))
        .merge(prometheus::router(prometheus))
        .merge(alerting::router(Arc::clone(&parts.alerting), parts.version))
        .merge(view::router(state))
        .merge(graph::router(Arc::clone(&parts.store), Arc::clone(&parts.clock)))
        .merge(export::router(Arc::clone(&parts.store), Arc::clone(intake)))
        .merge(loki::router(
            Arc::clone(&parts.store),
            Arc::clone(&parts.clock),
            Arc::clone(intake.tails()),
            parts.version,
        ))
        .nest("/jaeger", jaeger::router(Arc::clone(&parts.store), Arc::clone(&parts.clock)))
        .route("/metrics", get(text))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(move || ready(Arc::clone(&store))))
        .fallback_service(pages::router())
        .layer(axum::middleware::from_fn_with_state(Held::new(refused), held::hold))
        .layer(CompressionLayer::new())
}

/// That there is no answer now, in the form of the API that was asked.
fn refused(path: &str, told: String) -> Response {
    match path.split('/').nth(1) {
        Some("prometheus") => prometheus::unavailable(told),
        Some("loki") => loki::unavailable(told),
        Some("jaeger") => jaeger::unavailable(path, told),
        _ => axum::Json(serde_json::json!({ "error": { "message": told } })).into_response(),
    }
}

/// Ready is who can take something.
async fn ready(store: Arc<Store>) -> Response {
    match store.trouble() {
        None => "ok".into_response(),
        Some(trouble) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the disk takes nothing: {trouble}")).into_response()
        }
    }
}

fn spawn(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) -> JoinHandle<server::Drained> {
    let options = Options { grace: GRACE, idle_timeout: IDLE_TIMEOUT, max_connections: MAX_CONNECTIONS };
    let until = async move {
        // Without anybody left to ask, the process is ending as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    tokio::spawn(server::serve(listener, router, Drain::default(), until, options))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn who_has_to_ask_again_is_told_so_in_the_form_of_the_api_that_was_asked() {
        let cases = [
            ("/prometheus/api/v1/query", r#"{"status":"error","errorType":"unavailable","error":"full"}"#),
            ("/loki/api/v1/query", "full\n"),
            (
                "/jaeger/api/traces",
                "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{\"code\":503,\"msg\":\"full\"}]}\n",
            ),
            ("/jaeger/api/v3/traces", "{\"error\":{\"httpCode\":503,\"message\":\"full\"}}\n"),
            ("/api/traces", r#"{"error":{"message":"full"}}"#),
        ];
        for (path, expected) in cases {
            let body = refused(path, "full".to_owned()).into_body().collect().await.unwrap().to_bytes();
            assert_eq!(String::from_utf8_lossy(&body), expected, "{path}");
        }
    }
}
