//! What a person can do with parked events: try them again, or go on without them.
//!
//! Only the first parked event of an order can be dealt with: the others stand behind it.

use delivery::aggregate::Order;
use delivery::models::OrderId;
use delivery::projections::{Applied, OrderView};
use delivery::repository::{Batch, Generation, ParkedEvent};
use eventsourcing::Position;
use telemetry::scope::{self, Scope};

use crate::Ports;
use crate::fold::apply_caught;
use crate::handle::Error;
use crate::lane::MAX_PARKED;
use crate::spans::{Mending, Place};

/// Applies a parked event again and, when that goes well, those that stood behind it. Returns how many
/// were applied.
pub(crate) async fn replay(
    ports: &Ports,
    place: Place,
    asked_by: Option<&Scope>,
    position: Position,
) -> Result<usize, Error> {
    let generation = place.generation;
    let queue = scope::within(asked_by.cloned().or_else(scope::current), queue_at(ports, generation, position)).await?;
    let work = Mending::replay(&ports.tracer, asked_by, &queue);
    work.run(place, position.0, async {
        let view = load(ports, generation, &queue).await?;
        apply_queue(ports, generation, view, queue, None).await
    })
    .await
}

/// Leaves a parked event out, as if it had changed nothing, and applies those that stood behind it.
/// Returns how many events are no longer parked.
pub(crate) async fn skip(
    ports: &Ports,
    place: Place,
    asked_by: Option<&Scope>,
    position: Position,
) -> Result<usize, Error> {
    let queue =
        scope::within(asked_by.cloned().or_else(scope::current), queue_at(ports, place.generation, position)).await?;
    let work = Mending::skip(&ports.tracer, asked_by, &queue);
    work.run(place, position.0, skip_first(ports, place.generation, queue, position)).await
}

async fn skip_first(
    ports: &Ports,
    generation: Generation,
    mut queue: Vec<ParkedEvent>,
    position: Position,
) -> Result<usize, Error> {
    let view = load(ports, generation, &queue).await?;
    let skipped = queue.remove(0).event;
    let Some(id) = OrderId::from_stream(&skipped.stream) else {
        ports.target.commit(generation, Batch { release: vec![position], ..Batch::default() }).await?;
        return Ok(1);
    };
    let view = match view {
        Some(view) => OrderView { revision: skipped.revision.max(view.revision), ..view },
        // The order's very first event: without it the order has a place in the history, but no state.
        None => OrderView {
            id,
            revision: skipped.revision,
            created_position: skipped.position,
            created_at: skipped.happened_at(),
            updated_at: skipped.happened_at(),
            order: Order::default(),
        },
    };
    tracing::warn!(
        event.position = skipped.position.0,
        event.type = &*skipped.event_type,
        stream = skipped.stream.as_str(),
        "parked event skipped"
    );
    apply_queue(ports, generation, Some(view), queue, Some(position)).await
}

/// The parked events of one order, the one at `position` first; an error when it is not first.
async fn queue_at(ports: &Ports, generation: Generation, position: Position) -> Result<Vec<ParkedEvent>, Error> {
    let parked = ports.target.parked(generation, MAX_PARKED).await?;
    let stream = parked
        .iter()
        .find(|parked| parked.event.position == position)
        .map(|parked| parked.event.stream.clone())
        .ok_or(Error::NotParked(position))?;
    let queue: Vec<_> = parked.into_iter().filter(|parked| parked.event.stream == stream).collect();
    match queue.first() {
        Some(first) if first.event.position == position => Ok(queue),
        Some(first) => Err(Error::Blocked(format!(
            "the event at position {} of the same order is parked before it: deal with that one first",
            first.event.position
        ))),
        None => Err(Error::NotParked(position)),
    }
}

async fn load(ports: &Ports, generation: Generation, queue: &[ParkedEvent]) -> Result<Option<OrderView>, Error> {
    let id = queue.first().and_then(|parked| OrderId::from_stream(&parked.event.stream));
    let ids: Vec<_> = id.into_iter().collect();
    Ok(ports.target.load(generation, &ids).await?.pop())
}

/// Applies as much of the queue as goes; what cannot be applied stays, with its error and one more
/// attempt. `skipped` is released with it, and its view written, in the same commit.
async fn apply_queue(
    ports: &Ports,
    generation: Generation,
    mut view: Option<OrderView>,
    queue: Vec<ParkedEvent>,
    skipped: Option<Position>,
) -> Result<usize, Error> {
    let mut release: Vec<_> = skipped.into_iter().collect();
    let mut park = Vec::new();
    let mut stopped = None;
    for parked in queue {
        match apply_caught(view.clone(), &parked.event) {
            Ok(Applied::Changed(next, _) | Applied::AlreadySeen(next)) => {
                view = Some(next);
                release.push(parked.event.position);
            }
            Err(error) => {
                stopped = Some(error.clone());
                park.push(ParkedEvent { error, attempts: parked.attempts.saturating_add(1), ..parked });
                break;
            }
        }
    }
    let released = release.len();
    let upserts = if released > 0 { view.into_iter().collect() } else { Vec::new() };
    ports.target.commit(generation, Batch { upserts, park, release, checkpoint: None }).await?;
    match stopped {
        Some(error) if released == 0 => Err(Error::Blocked(error)),
        _ => Ok(released),
    }
}
