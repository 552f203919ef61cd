//! Ports that do what a test wants: wait for it, fail, panic, tell it what they were asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use api::admin::{ControlError, ProjectionStatus};
use api::health::{Health, Level, Probe};
use async_trait::async_trait;
use delivery::repository::{
    self, Begun, Error, Generation, GenerationState, GenerationStatus, IdempotencyStore, ParkedEvent, StoredResponse,
};
use eventsourcing::{EventId, Position, RecordedEvent, Revision, StreamId, clock};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The port behind `/admin`: the way for a test to decide what happens inside of a request.
pub(crate) struct Projections {
    /// A permit for each listing that has begun.
    pub(crate) entered: Semaphore,
    /// What a listing waits for.
    pub(crate) gate: Semaphore,
    pub(crate) panics: AtomicBool,
    pub(crate) rebuilds: Mutex<Vec<bool>>,
}

impl Default for Projections {
    fn default() -> Self {
        Self {
            entered: Semaphore::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            panics: AtomicBool::new(false),
            rebuilds: Mutex::default(),
        }
    }
}

impl Projections {
    /// From now on listings wait.
    pub(crate) fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Waits until one more listing waits.
    pub(crate) async fn entered(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(1_000);
    }
}

fn find(name: &str) -> Result<Generation, ControlError> {
    match name {
        "orders" => Ok(Generation(2)),
        "busy" => Err(ControlError::State("a rebuild is running".to_owned())),
        "broken" => Err(ControlError::Unavailable("disk sda1 is full".into())),
        _ => Err(ControlError::NotFound("no projection of this name".to_owned())),
    }
}

#[async_trait]
impl api::admin::Projections for Projections {
    async fn status(&self) -> Result<Vec<ProjectionStatus>, ControlError> {
        assert!(!self.panics.load(Ordering::SeqCst), "as the test wants");
        self.entered.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        Ok(vec![ProjectionStatus {
            name: "orders",
            state: "backing_off",
            last_error: Some("the read model is unavailable".to_owned()),
            restarts: 3,
            head: Position(42),
            lag_events: 2,
            lag_seconds: 1.5,
            generations: vec![GenerationStatus {
                generation: Generation(1),
                state: GenerationState::Live,
                checkpoint: Position(40),
                orders: 9,
                parked: 1,
            }],
        }])
    }

    async fn rebuild(&self, name: &str, promote: bool) -> Result<Generation, ControlError> {
        self.rebuilds.lock().unwrap().push(promote);
        find(name)
    }

    async fn promote(&self, name: &str) -> Result<Generation, ControlError> {
        find(name)
    }

    async fn discard(&self, name: &str) -> Result<Generation, ControlError> {
        find(name)
    }

    async fn parked(&self, name: &str, max: usize) -> Result<Vec<ParkedEvent>, ControlError> {
        find(name)?;
        let parked = ParkedEvent {
            event: RecordedEvent {
                stream: StreamId::new("order-1"),
                revision: Revision(3),
                position: Position(17),
                id: EventId(Uuid::from_u128(5)),
                event_type: "ORDER_PAID".into(),
                data: r#"{"accountEmail":"jane@example.com"}"#.into(),
                raw_metadata: "{}".into(),
                recorded_at: eventsourcing::Clock::now(&clock::System),
            },
            error: "paymentID is missing".to_owned(),
            attempts: 1,
            parked_at: eventsourcing::Clock::now(&clock::System),
        };
        Ok(vec![parked; max.min(2)])
    }

    async fn replay(&self, name: &str, position: Position) -> Result<usize, ControlError> {
        find(name)?;
        if position == Position(17) { Ok(2) } else { Err(ControlError::NotFound("not parked".to_owned())) }
    }

    async fn skip(&self, name: &str, position: Position) -> Result<usize, ControlError> {
        self.replay(name, position).await
    }
}

/// The memory adapter, and what was asked of it.
pub(crate) struct Keys {
    store: memory::IdempotencyStore,
    pub(crate) forgets: AtomicBool,
    /// A permit for each key that was claimed.
    pub(crate) claimed: Semaphore,
    /// A permit for each key that was given back.
    pub(crate) released: Semaphore,
    pub(crate) begun: Mutex<Vec<Begun>>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            store: memory::IdempotencyStore::new(Arc::new(clock::System), memory::Faults::default()),
            forgets: AtomicBool::new(false),
            claimed: Semaphore::new(0),
            released: Semaphore::new(0),
            begun: Mutex::default(),
        }
    }
}

impl Keys {
    pub(crate) async fn released(&self) {
        self.released.acquire().await.unwrap().forget();
    }

    /// The ids under which commands ran, with whether they could be retries.
    pub(crate) fn runs(&self) -> Vec<(Uuid, bool)> {
        let begun = self.begun.lock().unwrap();
        let run = |begun: &Begun| match begun {
            Begun::Run { command_id, is_retry } => Some((*command_id, *is_retry)),
            _ => None,
        };
        begun.iter().filter_map(run).collect()
    }
}

#[async_trait]
impl IdempotencyStore for Keys {
    async fn begin(&self, key: &str, fingerprint: [u8; 16], command_id: Uuid) -> Result<Begun, Error> {
        let begun = self.store.begin(key, fingerprint, command_id).await?;
        self.begun.lock().unwrap().push(begun.clone());
        self.claimed.add_permits(1);
        Ok(begun)
    }

    async fn complete(&self, key: &str, response: StoredResponse) -> Result<(), Error> {
        if self.forgets.load(Ordering::SeqCst) {
            let reason = "as the test wants".to_owned();
            return Err(repository::Error::Unavailable { engine: "idempotency store", reason, source: None });
        }
        self.store.complete(key, response).await
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        let done = self.store.release(key).await;
        self.released.add_permits(1);
        done
    }

    async fn purge(&self) -> Result<u64, Error> {
        self.store.purge().await
    }
}

/// A part that is as the test says.
pub(crate) struct Part(pub(crate) &'static str, pub(crate) Mutex<Health>);

impl Part {
    pub(crate) fn new(name: &'static str, level: Level) -> Arc<Self> {
        Arc::new(Self(name, Mutex::new(Health::plain(level))))
    }
}

#[async_trait]
impl Probe for Part {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn check(&self) -> Health {
        self.1.lock().unwrap().clone()
    }
}
