//! A store of events, a projection of it, and what tests do with them.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract_tests::clock::Manual;
use delivery::events::{Event, codec};
use delivery::models::order_id::STREAM_PREFIX;
use delivery::models::{Money, OrderId, Payment, ShopItem};
use delivery::projections::OrderView;
use delivery::repository::{
    Generation, GenerationState, GenerationStatus, OrderReadModel, ParkedEvent, ProjectionStore,
};
use eventsourcing::{
    Clock, EventId, EventStore, ExpectedRevision, Metadata, NewEvent, Position, RecordedEvent, Revision, StreamId,
};
use projector::{Options, Ports, Projector};
use telemetry::{Metrics, Tracer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::watched::Watched;

/// Longer than anything here takes: whatever has not come until then does not come.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct World {
    pub(crate) store: Arc<dyn EventStore>,
    /// What the projection writes to, on top of `model`.
    pub(crate) target: Arc<Watched>,
    /// What readers see.
    pub(crate) model: Arc<dyn OrderReadModel>,
    pub(crate) clock: Arc<Manual>,
    pub(crate) options: Options,
    lengths: Mutex<HashMap<StreamId, u64>>,
    _folder: Option<tempfile::TempDir>,
}

/// A projection at work.
pub(crate) struct Running {
    pub(crate) projector: Projector,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl World {
    pub(crate) fn memory() -> Self {
        Self::with_faults(memory::Faults::default()).0
    }

    /// In memory, with the event store's faults; `target` are those of the projection.
    pub(crate) fn with_faults(target: memory::Faults) -> (Self, memory::Faults) {
        let clock = Arc::new(Manual::default());
        let store = memory::EventStore::new(Arc::<Manual>::clone(&clock));
        let faults = store.faults().clone();
        (Self::on(Arc::new(store), Arc::new(memory::OrderReadModel::new(target)), clock, None), faults)
    }

    pub(crate) fn sqlite() -> Self {
        let clock = Arc::new(Manual::default());
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let store = sqlite::EventStore::open(file("events.db"), Arc::<Manual>::clone(&clock)).unwrap();
        let model = sqlite::OrderReadModel::open(&file("orders.db")).unwrap();
        Self::on(Arc::new(store), Arc::new(model), clock, Some(folder))
    }

    fn on<M: OrderReadModel + ProjectionStore + 'static>(
        store: Arc<dyn EventStore>,
        model: Arc<M>,
        clock: Arc<Manual>,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        Self {
            store,
            target: Arc::new(Watched::new(Arc::<M>::clone(&model))),
            model,
            clock,
            options: Options::new("orders", STREAM_PREFIX, NonZeroUsize::new(4).unwrap()),
            lengths: Mutex::default(),
            _folder: folder,
        }
    }

    pub(crate) fn start(&self) -> Running {
        self.start_on(Arc::clone(&self.store))
    }

    /// Starts the projection with something between it and the store.
    pub(crate) fn start_on(&self, store: Arc<dyn EventStore>) -> Running {
        let ports = Ports {
            store,
            target: Arc::<Watched>::clone(&self.target),
            clock: Arc::<Manual>::clone(&self.clock),
            metrics: Arc::new(Metrics::new("test", "0")),
            tracer: Tracer::disabled(),
        };
        let (stop, stopped) = watch::channel(false);
        let (projector, task) = Projector::start(self.options.clone(), ports, stopped);
        Running { projector, stop, task }
    }

    /// Appends to an order; returns the position of the last event.
    pub(crate) async fn append(&self, order: u64, events: Vec<NewEvent>) -> Position {
        self.append_to(&id(order).stream(), events).await
    }

    pub(crate) async fn append_to(&self, stream: &StreamId, mut events: Vec<NewEvent>) -> Position {
        let length = self.lengths.lock().unwrap().get(stream).copied().unwrap_or_default();
        for (event, revision) in events.iter_mut().zip(length..) {
            event.id = EventId::derive(stream, Revision(revision), Uuid::nil());
        }
        self.lengths.lock().unwrap().insert(stream.clone(), length + events.len() as u64);
        let expected = ExpectedRevision::after(length.checked_sub(1).map(Revision));
        self.store.append(stream, expected, events).await.unwrap().position
    }

    /// Waits until readers see everything up to a position.
    pub(crate) async fn reached(&self, position: Position) {
        timeout(PATIENCE, self.model.reached(position)).await.expect("the projection goes on").unwrap();
    }

    /// What readers see of an order.
    pub(crate) async fn get(&self, order: u64) -> Option<OrderView> {
        self.model.get(id(order)).await.unwrap()
    }

    /// Where readers see an order live, if at all.
    pub(crate) async fn address(&self, order: u64) -> Option<String> {
        self.get(order).await.map(|view| view.order.delivery_address)
    }

    pub(crate) async fn generation(&self, state: GenerationState) -> Option<GenerationStatus> {
        let generations = self.target.generations().await.unwrap();
        generations.into_iter().find(|status| status.state == state)
    }

    pub(crate) async fn live(&self) -> GenerationStatus {
        self.generation(GenerationState::Live).await.unwrap()
    }

    pub(crate) async fn building(&self) -> Option<GenerationStatus> {
        self.generation(GenerationState::Building).await
    }

    pub(crate) async fn parked(&self, generation: Generation) -> Vec<ParkedEvent> {
        self.target.parked(generation, usize::MAX >> 1).await.unwrap()
    }

    /// Waits until a generation has been brought to a position since the last rewinding.
    pub(crate) async fn committed(&self, generation: Generation, position: Position) {
        timeout(PATIENCE, self.target.committed(generation, position)).await.expect("the generation goes on");
    }

    /// Every event of the store.
    pub(crate) async fn history(&self) -> Vec<RecordedEvent> {
        let mut events = Vec::new();
        let mut after = Position::START;
        loop {
            let page = self.store.read_all(after, 10_000, "").await.unwrap();
            if page.next == after {
                return events;
            }
            after = page.next;
            events.extend(page.events);
        }
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
}

impl Running {
    /// Ends the projection as the end of the process does.
    pub(crate) async fn stop(self) -> Projector {
        self.stop.send_replace(true);
        timeout(PATIENCE, self.task).await.expect("the projection ends").unwrap();
        self.projector
    }

    /// The task of a projection that is to go on without its handle.
    pub(crate) fn into_task(self) -> (watch::Sender<bool>, JoinHandle<()>) {
        (self.stop, self.task)
    }
}

/// Waits for what nothing tells of. In paused time this takes none.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let look = async {
        while !is_so().await {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(timeout(PATIENCE, look).await.is_ok(), "never so: {what}");
}

/// The id of the order with this number.
pub(crate) fn id(order: u64) -> OrderId {
    OrderId(Uuid::new_v5(&Uuid::NAMESPACE_OID, &order.to_be_bytes()))
}

/// An event as the program writes it. Its id comes with the append.
pub(crate) fn new(event: &Event) -> NewEvent {
    let metadata = Metadata { schema_version: Some(codec::SCHEMA_VERSION), ..Metadata::default() };
    NewEvent {
        id: EventId(Uuid::nil()),
        event_type: event.name().into(),
        data: codec::encode(event),
        metadata: metadata.to_json(),
    }
}

pub(crate) fn created(address: &str) -> NewEvent {
    let item = ShopItem {
        id: "1".into(),
        title: "Tea".into(),
        description: "Green".into(),
        quantity: 1,
        price: Money::from_minor(250).unwrap(),
    };
    new(&Event::Created {
        shop_items: vec![item],
        account_email: "jane@example.com".into(),
        delivery_address: address.into(),
    })
}

pub(crate) fn moved(address: &str) -> NewEvent {
    new(&Event::AddressChanged { delivery_address: address.into() })
}

pub(crate) fn paid() -> NewEvent {
    new(&Event::Paid(Payment { payment_id: "p".into(), timestamp: None }))
}

pub(crate) fn submitted() -> NewEvent {
    new(&Event::Submitted)
}

/// An event that no program can read.
pub(crate) fn unreadable() -> NewEvent {
    NewEvent { data: "{".into(), ..paid() }
}
