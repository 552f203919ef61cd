//! Ties engines to ports: the one place where a connection string becomes an adapter. Each adapter is
//! wrapped in its decorator here, so nothing further in can forget to.

use std::path::PathBuf;
use std::sync::Arc;

use delivery::repository::{IdempotencyStore, OrderReadModel, OrderSearch, ProjectionStore};
use eventsourcing::{Clock, EventStore, with_causes};
use instrumented::Instruments;

use crate::observability::Observability;
use crate::roles::{Part, Role};
use crate::settings::{Engine, Settings};

/// The ports of a process, each with its engine behind it.
pub(crate) struct Ports {
    /// The event store.
    pub(crate) events: Arc<dyn EventStore>,
    /// The read model, for readers.
    pub(crate) orders: Arc<dyn OrderReadModel>,
    /// The read model, for its projection.
    pub(crate) orders_target: Arc<dyn ProjectionStore>,
    /// The search, for readers.
    pub(crate) search: Arc<dyn OrderSearch>,
    /// The search, for its projection.
    pub(crate) search_target: Arc<dyn ProjectionStore>,
    /// The idempotency keys.
    pub(crate) idempotency: Arc<dyn IdempotencyStore>,
}

/// Why an engine cannot be used, in a line that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("the {port} cannot be opened: {reason}")]
pub(crate) struct Error {
    port: &'static str,
    reason: String,
}

fn failed(port: &'static str) -> impl Fn(&dyn std::error::Error) -> Error {
    move |error| Error { port, reason: with_causes(error) }
}

/// The file that holds the read model.
#[must_use]
pub(crate) fn orders_file(settings: &Settings) -> Option<PathBuf> {
    settings.read_model.file(&settings.data_dir, &format!("{}.db", settings.subscriptions.orders_checkpoint))
}

/// The file that holds the search.
#[must_use]
pub(crate) fn search_file(settings: &Settings) -> Option<PathBuf> {
    settings.search.file(&settings.data_dir, &format!("{}.db", settings.subscriptions.search_checkpoint))
}

/// The file that holds the events.
#[must_use]
pub(crate) fn events_file(settings: &Settings) -> Option<PathBuf> {
    settings.event_store.file(&settings.data_dir, "events.db")
}

/// The file that holds the idempotency keys: beside the events, or, where those are on another machine, in
/// the data folder of the process that serves the commands.
#[must_use]
pub(crate) fn idempotency_file(settings: &Settings) -> Option<PathBuf> {
    Engine::Sqlite(None).file(&settings.data_dir, "idempotency.db")
}

/// Where the read model is in MongoDB, if it is there.
pub(crate) fn mongodb_config(settings: &Settings) -> Option<mongodb_adapter::Config> {
    let Engine::Mongodb(uri) = &settings.read_model else { return None };
    Some(mongodb_adapter::Config {
        uri: uri.as_ref().clone(),
        credential: settings.mongodb.credential.clone(),
        database: settings.mongodb.database.clone(),
        name: settings.read_model_name(),
        statements_max: settings.mongodb.batch_size.get(),
    })
}

/// Where the search is in Elasticsearch, if it is there.
pub(crate) fn elasticsearch_config(settings: &Settings) -> Result<Option<elasticsearch::Config>, Error> {
    let Engine::Elasticsearch(address) = &settings.search else { return Ok(None) };
    let name = elasticsearch::Name::new(settings.search_name()).map_err(|error| failed("search")(&error))?;
    Ok(Some(elasticsearch::Config { address: address.clone(), name }))
}

/// Opens every engine that the settings name. One on another machine is not asked yet: it may come later.
pub(crate) fn open(
    settings: &Settings,
    role: Role,
    clock: &Arc<dyn Clock>,
    observability: &Observability,
) -> Result<Ports, Error> {
    if role != Role::All {
        for (port, engine) in
            [("event store", &settings.event_store), ("read model", &settings.read_model), ("search", &settings.search)]
        {
            if *engine == Engine::Memory {
                let reason =
                    "memory: is not shared between processes; use it with `up` or `serve --role all`".to_owned();
                return Err(Error { port, reason });
            }
        }
    }
    let (orders, orders_target) = open_orders(settings, observability)?;
    let (search, search_target) = open_search(settings, observability)?;
    let ports = Ports {
        events: open_events(settings, clock, observability)?,
        orders,
        orders_target,
        search,
        search_target,
        idempotency: open_idempotency(settings, clock, observability)?,
    };
    Ok(ports)
}

/// Calls are told on behalf of whoever makes them, so it does not matter whose tracer this is.
fn instruments(observability: &Observability, backend: &'static str) -> Instruments {
    Instruments { backend, metrics: Arc::clone(&observability.metrics), tracer: observability.tracer(Part::Api) }
}

fn open_events(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    observability: &Observability,
) -> Result<Arc<dyn EventStore>, Error> {
    let store: Arc<dyn EventStore> = match (events_file(settings), &settings.event_store) {
        (Some(path), _) => {
            Arc::new(sqlite::EventStore::open(&path, Arc::clone(clock)).map_err(|error| failed("event store")(&error))?)
        }
        (None, Engine::KurrentDb(server)) => {
            let store = kurrentdb::EventStore::open((**server).clone());
            Arc::new(store.map_err(|error| failed("event store")(&error))?)
        }
        (None, _) => Arc::new(memory::EventStore::new(Arc::clone(clock))),
    };
    Ok(Arc::new(instrumented::EventStore::new(store, instruments(observability, settings.event_store.backend()))))
}

type OrdersPorts = (Arc<dyn OrderReadModel>, Arc<dyn ProjectionStore>);

fn open_orders(settings: &Settings, observability: &Observability) -> Result<OrdersPorts, Error> {
    let (reader, target): OrdersPorts = match (orders_file(settings), mongodb_config(settings)) {
        (Some(path), _) => {
            let model = sqlite::OrderReadModel::open(&path).map_err(|error| failed("read model")(&error))?;
            let model = Arc::new(model);
            (Arc::clone(&model) as _, model)
        }
        (None, Some(config)) => {
            let model = Arc::new(mongodb_adapter::OrderReadModel::open(config));
            (Arc::clone(&model) as _, model)
        }
        (None, None) => {
            let model = Arc::new(memory::OrderReadModel::default());
            (Arc::clone(&model) as _, model)
        }
    };
    let instruments = instruments(observability, settings.read_model.backend());
    Ok((
        Arc::new(instrumented::OrderReadModel::new(reader, instruments.clone())),
        Arc::new(instrumented::ProjectionStore::of_orders(target, instruments)),
    ))
}

type SearchPorts = (Arc<dyn OrderSearch>, Arc<dyn ProjectionStore>);

fn open_search(settings: &Settings, observability: &Observability) -> Result<SearchPorts, Error> {
    let (reader, target): SearchPorts = match (search_file(settings), elasticsearch_config(settings)?) {
        (Some(path), _) => {
            let index = sqlite::OrderSearch::open(&path).map_err(|error| failed("search")(&error))?;
            let index = Arc::new(index);
            (Arc::clone(&index) as _, index)
        }
        (None, Some(config)) => {
            let index = elasticsearch::OrderSearch::open(&config).map_err(|error| failed("search")(&error))?;
            let index = Arc::new(index);
            (Arc::clone(&index) as _, index)
        }
        (None, None) => {
            let index = Arc::new(memory::OrderSearch::default());
            (Arc::clone(&index) as _, index)
        }
    };
    let instruments = instruments(observability, settings.search.backend());
    Ok((
        Arc::new(instrumented::OrderSearch::new(reader, instruments.clone())),
        Arc::new(instrumented::ProjectionStore::of_search(target, instruments)),
    ))
}

fn open_idempotency(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    observability: &Observability,
) -> Result<Arc<dyn IdempotencyStore>, Error> {
    // Keys live and die with the events that they guard: only those in memory are gone with the process.
    let (store, backend): (Arc<dyn IdempotencyStore>, _) = match (&settings.event_store, idempotency_file(settings)) {
        (Engine::Sqlite(_) | Engine::KurrentDb(_), Some(path)) => {
            let store = sqlite::IdempotencyStore::open(&path, Arc::clone(clock));
            (Arc::new(store.map_err(|error| failed("idempotency keys")(&error))?), "sqlite")
        }
        _ => (Arc::new(memory::IdempotencyStore::new(Arc::clone(clock), memory::Faults::default())), "memory"),
    };
    Ok(Arc::new(instrumented::IdempotencyStore::new(store, instruments(observability, backend))))
}
