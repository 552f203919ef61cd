//! Runs commands: load, decide, append, and decide again when another writer came first.

use std::sync::Arc;

use eventsourcing::{
    Aggregate, EventId, EventStore, ExpectedRevision, Metadata, NewEvent, Position, RecordedEvent, Revision, StreamId,
    store,
};

use super::Error;
use crate::aggregate::{Order, Rejection};
use crate::commands::{Command, Context};
use crate::events::{Event, codec};
use crate::models::OrderId;

/// How often a command is decided before its writer gives up.
pub const MAX_ATTEMPTS: u32 = 10;

/// Events read at once while loading an order.
const PAGE: usize = 500;

/// A command that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The order.
    pub id: OrderId,
    /// Its revision now.
    pub revision: Revision,
    /// The position of its last event: reads from here on include the command.
    pub position: Position,
    /// An earlier attempt at the same command had done it already.
    pub replayed: bool,
}

/// Changes orders.
pub struct OrderCommands {
    store: Arc<dyn EventStore>,
}

impl OrderCommands {
    /// Commands over an event store.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store }
    }

    /// Carries a command out, exactly once for its command id.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::PreconditionFailed`]: decided on the order's newest state.
    /// [`Error::Conflict`] after [`MAX_ATTEMPTS`]. [`Error::Store`]: it is unknown whether the command
    /// was carried out; try again with the same command id and [`Context::may_be_retry`].
    pub async fn execute(&self, id: OrderId, command: &Command, context: &Context) -> Result<Receipt, Error> {
        let stream = id.stream();
        // A new order's stream is almost always empty: believe it, and look only when told otherwise.
        let mut history = match command {
            Command::Create { .. } if !context.may_be_retry && context.if_match.is_none() => History::default(),
            _ => self.load(&stream).await?,
        };
        for _ in 0..MAX_ATTEMPTS {
            if let Some(done) = history.find(&stream, context) {
                return Ok(Receipt { id, revision: done.revision, position: done.position, replayed: true });
            }
            if let Some(expected) = context.if_match.filter(|expected| Some(*expected) != history.revision) {
                return match history.revision {
                    None => Err(Rejection::NotFound.into()),
                    current => Err(Error::PreconditionFailed { expected, current }),
                };
            }
            let events = Order::decide(&history.order, command)?;
            let expected = ExpectedRevision::after(history.revision);
            match self.store.append(&stream, expected, record(&stream, expected, &events, context)).await {
                Ok(appended) => {
                    return Ok(Receipt {
                        id,
                        revision: appended.revision,
                        position: appended.position,
                        replayed: appended.duplicate,
                    });
                }
                Err(store::Error::Conflict { .. }) => history = self.load(&stream).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { attempts: MAX_ATTEMPTS })
    }

    async fn load(&self, stream: &StreamId) -> Result<History, Error> {
        let mut history = History::default();
        loop {
            let from = history.revision.map_or(Revision::FIRST, Revision::next);
            let page = self.store.read(stream, from, PAGE).await?;
            let is_last = page.len() < PAGE;
            for event in page {
                history.push(event)?;
            }
            if is_last {
                return Ok(history);
            }
        }
    }
}

/// An order's state together with the places of its events.
#[derive(Default)]
struct History {
    order: Order,
    revision: Option<Revision>,
    places: Vec<(EventId, Revision, Position)>,
}

struct Done {
    revision: Revision,
    position: Position,
}

impl History {
    fn push(&mut self, recorded: RecordedEvent) -> Result<(), Error> {
        let decoded = codec::decode(&recorded.event_type, &recorded.data, recorded.metadata().schema_version)?;
        self.order = Order::evolve(std::mem::take(&mut self.order), &decoded.event);
        self.revision = Some(recorded.revision);
        self.places.push((recorded.id, recorded.revision, recorded.position));
        Ok(())
    }

    /// The last event that this very command appended, if it did: ids are derived from the command's,
    /// so they can be looked for without knowing at which revision it ran.
    fn find(&self, stream: &StreamId, context: &Context) -> Option<Done> {
        if !context.may_be_retry {
            return None;
        }
        self.places.iter().rev().find_map(|(id, revision, position)| {
            let own = *id == EventId::derive(stream, *revision, context.command_id);
            own.then_some(Done { revision: *revision, position: *position })
        })
    }
}

fn record(stream: &StreamId, expected: ExpectedRevision, events: &[Event], context: &Context) -> Vec<NewEvent> {
    let metadata = Metadata {
        traceparent: context.traceparent.clone(),
        tracestate: context.tracestate.clone(),
        correlation_id: context.correlation_id.clone(),
        causation_id: Some(context.command_id),
        schema_version: Some(codec::SCHEMA_VERSION),
        idempotency_key: context.idempotency_key.clone(),
        uber_trace_id: None,
        recorded_at: None,
    }
    .to_json();
    let first = expected.first_appended().0;
    events
        .iter()
        .zip(first..)
        .map(|(event, revision)| NewEvent {
            id: EventId::derive(stream, Revision(revision), context.command_id),
            event_type: event.name().into(),
            data: codec::encode(event),
            metadata: metadata.clone(),
        })
        .collect()
}
