//! Orders are spread over partitions; the events of one order keep their order.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use delivery::models::OrderId;
use eventsourcing::{Position, Revision};

use crate::world::{World, created, id, moved, until};

const ORDERS: u64 = 40;
const EVENTS: u64 = 25;

super::on_each_adapter![each_order_is_applied_in_order];

/// Events of all orders in turn; the position of the last.
async fn append_in_turn(world: &World) -> Position {
    let mut last = Position::START;
    for count in 0..EVENTS {
        for order in 0..ORDERS {
            let event = if count == 0 { created("street 0") } else { moved(&format!("street {count}")) };
            last = world.append(order, vec![event]).await;
        }
    }
    last
}

async fn each_order_is_applied_in_order(mut world: World) {
    let last = append_in_turn(&world).await;
    for (partitions, batch) in [(1, 300), (2, 200), (7, 129), (64, 1_000), (7, 10)] {
        world.options.partitions = NonZeroUsize::new(partitions).unwrap();
        world.options.rebuild_batch = batch;
        let running = world.start();
        let generation = running.projector.rebuild(true).await.unwrap();
        world.committed(generation, last).await;
        until("the rebuild is live", async || world.live().await.generation == generation).await;
        drop(running.stop().await);

        let mut written: HashMap<OrderId, Vec<Revision>> = HashMap::new();
        for (_, order, revision) in world.target.written().into_iter().filter(|(of, ..)| *of == generation) {
            written.entry(order).or_default().push(revision);
        }
        assert_eq!(written.len() as u64, ORDERS, "{partitions} partitions");
        for revisions in written.values() {
            assert!(revisions.is_sorted_by(|earlier, later| earlier < later), "{partitions} partitions: {revisions:?}");
        }
        for order in 0..ORDERS {
            let view = world.get(order).await.unwrap();
            assert_eq!((view.id, view.revision), (id(order), Revision(EVENTS - 1)));
            assert_eq!(view.order.delivery_address, format!("street {}", EVENTS - 1));
            assert_eq!(view.created_position, Position(order + 1));
        }
        assert_eq!(world.live().await.parked, 0, "out of order, an event would have been parked as a gap");
    }
}
