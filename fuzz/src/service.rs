//! The service as a request sees it, without a network: the routes over an event store that shows what a
//! command appended and forgets it again, so that a long run does not fill the memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::admin::{ControlError, ProjectionStatus};
use api::{Config, Orders, State};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use delivery::repository::{Generation, ParkedEvent};
use delivery::services::{OrderCommands, OrderQueries};
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, Clock, EventId, EventStore, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId,
    Subscription,
};
use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use uuid::Uuid;

/// Bytes of a body at most.
pub const BODY_LIMIT: usize = 64 * 1024;
/// An order that every store holds, as a draft: its id in a path.
pub const DRAFT: &str = "00000000-0000-0000-0000-000000000007";

const DRAFT_CREATED: &[u8] = br#"{"shopItems":[{"id":"","title":"Tea","description":"","quantity":1,"price":1.5}],"accountEmail":"a@b.co","deliveryAddress":"1 Main Street"}"#;

/// The routes of a service.
pub struct Service {
    runtime: Runtime,
    router: Router,
    store: Arc<Store>,
}

/// An answer, and what the request appended.
#[derive(Debug)]
pub struct Answer {
    /// Of HTTP.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The events that the request led to.
    pub appended: Vec<NewEvent>,
}

impl Default for Service {
    fn default() -> Self {
        let store = Arc::<Store>::default();
        let events: Arc<dyn EventStore> = Arc::clone(&store) as _;
        let (orders, search) = (Arc::<memory::OrderReadModel>::default(), Arc::<memory::OrderSearch>::default());
        let clock: Arc<dyn Clock> = Arc::new(Stopped);
        let state = State {
            config: Config {
                base_path: "/api".to_owned(),
                request_timeout: Duration::from_secs(60),
                body_limit: BODY_LIMIT,
                rate_limit: None,
                admin_token: None,
                cursor_key: [7; 32],
            },
            orders: Some(Orders {
                commands: OrderCommands::new(Arc::clone(&events)),
                queries: OrderQueries::new(events, orders, search),
                idempotency: Arc::new(memory::IdempotencyStore::new(Arc::clone(&clock), memory::Faults::default())),
                recent: api::Recent::default(),
                hub: api::watch::Hub::default(),
            }),
            clock,
            readiness: api::health::Readiness::default(),
            projections: Arc::new(NoProjections),
            metrics: Arc::new(telemetry::Metrics::new("fuzz", "0.0.0")),
            tracer: telemetry::Tracer::disabled(),
            telemetry: telemetry::Control::default(),
            drain: server::Drain::default(),
        };
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { runtime, router: api::router(Arc::new(state)), store }
    }
}

impl Service {
    /// Sends a request with a JSON body.
    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body.to_vec())).expect("a request");
        self.store.take();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("routes do not fail");
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a whole answer");
            Answer { status: parts.status, headers: parts.headers, body, appended: self.store.take() }
        })
    }
}

#[derive(Default)]
struct Store(Mutex<Vec<NewEvent>>);

impl Store {
    fn take(&self) -> Vec<NewEvent> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl EventStore for Store {
    async fn append(&self, _: &StreamId, from: ExpectedRevision, events: Vec<NewEvent>) -> Result<Appended, Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
        Ok(Appended { revision: from.first_appended(), position: Position(2), duplicate: false })
    }

    async fn read(&self, stream: &StreamId, from: Revision, _: usize) -> Result<Vec<RecordedEvent>, Error> {
        if from > Revision::FIRST || stream.as_str().strip_prefix("order-") != Some(DRAFT) {
            return Ok(Vec::new());
        }
        Ok(vec![RecordedEvent {
            stream: stream.clone(),
            revision: Revision::FIRST,
            position: Position(1),
            id: EventId(Uuid::nil()),
            event_type: "ORDER_CREATED".into(),
            data: Bytes::from_static(DRAFT_CREATED),
            raw_metadata: Bytes::from_static(br#"{"schemaVersion":2}"#),
            recorded_at: Timestamp::UNIX_EPOCH,
        }])
    }

    async fn read_all(&self, after: Position, _: usize, _: &str) -> Result<Page, Error> {
        Ok(Page { events: Vec::new(), next: after })
    }

    async fn head(&self) -> Result<Position, Error> {
        Ok(Position(1))
    }

    async fn subscribe(&self, _: Position, _: &str) -> Result<Box<dyn Subscription>, Error> {
        Err(Error::unavailable("nobody follows this store"))
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

struct NoProjections;

fn none<T>() -> Result<T, ControlError> {
    Err(ControlError::NotFound("no projection of this name".to_owned()))
}

#[async_trait]
impl api::admin::Projections for NoProjections {
    async fn status(&self) -> Result<Vec<ProjectionStatus>, ControlError> {
        Ok(Vec::new())
    }

    async fn rebuild(&self, _: &str, _: bool) -> Result<Generation, ControlError> {
        none()
    }

    async fn promote(&self, _: &str) -> Result<Generation, ControlError> {
        none()
    }

    async fn discard(&self, _: &str) -> Result<Generation, ControlError> {
        none()
    }

    async fn parked(&self, _: &str, _: usize) -> Result<Vec<ParkedEvent>, ControlError> {
        none()
    }

    async fn replay(&self, _: &str, _: Position) -> Result<usize, ControlError> {
        none()
    }

    async fn skip(&self, _: &str, _: Position) -> Result<usize, ControlError> {
        none()
    }
}
