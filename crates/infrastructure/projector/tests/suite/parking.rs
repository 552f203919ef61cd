//! Events that cannot be applied: set aside with their error, the rest of their order behind them, and
//! what a person does with them.

use delivery::repository::{Batch, ParkedEvent, ProjectionStore};
use eventsourcing::{Position, RecordedEvent, StreamId};
use projector::Error;

use crate::world::{Running, World, created, moved, paid, submitted, unreadable, until};

const UNREADABLE: &str = "the event cannot be read: malformed payload of ORDER_PAID: eof error at line 1 column 1";
const BEHIND: &str = "an earlier event of this order is parked";

super::on_each_adapter![
    a_poison_event_is_parked_with_its_error,
    later_events_of_the_order_are_parked_behind_it,
    other_orders_go_on,
    a_replay_takes_the_events_behind_along,
    a_replay_stops_at_the_next_poison_event,
    a_replay_in_vain_counts_the_attempt,
    a_skip_takes_the_events_behind_along,
    an_orders_first_event_can_be_skipped,
    an_event_of_no_order_can_only_be_skipped,
    only_the_first_parked_event_of_an_order_can_be_dealt_with,
    redelivery_leaves_parked_events_as_they_are,
    redelivery_does_not_bring_a_skipped_event_back,
    a_rebuild_parks_for_itself,
];

/// Order 1 with a poison event in its middle; then the position of that event, and of the last.
async fn poisoned(world: &World) -> (Position, Position) {
    world.append(1, vec![created("first street")]).await;
    let poison = world.append(1, vec![unreadable()]).await;
    let last = world.append(1, vec![moved("second street"), submitted()]).await;
    (poison, last)
}

async fn parked(running: &Running) -> Vec<(Position, String, u32)> {
    let parked = running.projector.parked(100).await.unwrap();
    parked.into_iter().map(|parked| (parked.event.position, parked.error, parked.attempts)).collect()
}

/// Has a parked event be one that can be read: what a newer program, or a mended one, does to it.
async fn mend(world: &World, position: Position) {
    let generation = world.live().await.generation;
    let parked = world.parked(generation).await;
    let broken = parked.into_iter().find(|parked| parked.event.position == position).unwrap();
    let event = RecordedEvent { data: paid().data, ..broken.event };
    let park = vec![ParkedEvent { event, ..broken }];
    world.target.commit(generation, Batch { park, ..Batch::default() }).await.unwrap();
}

async fn a_poison_event_is_parked_with_its_error(world: World) {
    let running = world.start();
    world.append(1, vec![created("first street")]).await;
    let poison = world.append(1, vec![unreadable()]).await;
    world.reached(poison).await;

    let [shown] = running.projector.parked(100).await.unwrap().try_into().unwrap();
    assert_eq!(Some(&shown.event), world.history().await.last());
    assert_eq!((&*shown.error, shown.attempts, shown.parked_at), (UNREADABLE, 1, world.now()));
    let status = running.projector.status().await.unwrap();
    assert_eq!((status.generations[0].parked, status.generations[0].orders, status.lag.events), (1, 1, 0));
    assert_eq!(status.health, projector::Health::default(), "a poison event is no failure of the projection");
    assert_eq!(world.address(1).await.as_deref(), Some("first street"));
}

async fn later_events_of_the_order_are_parked_behind_it(world: World) {
    let (poison, last) = poisoned(&world).await;
    let running = world.start();
    world.reached(last).await;
    let next = world.append(1, vec![moved("third street")]).await;
    world.reached(next).await;
    drop(running.stop().await);
    let running = world.start();
    let after_restart = world.append(1, vec![moved("fourth street")]).await;
    world.reached(after_restart).await;

    let behind =
        [last.0 - 1, last.0, next.0, after_restart.0].map(|position| (Position(position), BEHIND.to_owned(), 1));
    let mut expected = vec![(poison, UNREADABLE.to_owned(), 1)];
    expected.extend(behind);
    assert_eq!(parked(&running).await, expected);
    assert_eq!(running.projector.parked(2).await.unwrap().len(), 2);
    assert_eq!(world.address(1).await.as_deref(), Some("first street"));
}

async fn other_orders_go_on(world: World) {
    let running = world.start();
    let (poison, _) = poisoned(&world).await;
    let last = world.append(2, vec![created("elsewhere"), paid(), submitted()]).await;
    world.reached(last).await;
    assert!(world.get(2).await.unwrap().order.submitted);
    assert!(parked(&running).await.iter().all(|(position, ..)| (poison..last).contains(position)));
}

async fn a_replay_takes_the_events_behind_along(world: World) {
    let running = world.start();
    let (poison, last) = poisoned(&world).await;
    world.reached(last).await;
    mend(&world, poison).await;
    assert_eq!(running.projector.replay(poison).await.unwrap(), 3);

    assert_eq!(parked(&running).await, []);
    let order = world.get(1).await.unwrap().order;
    assert!(order.payment.is_some() && order.submitted);
    assert_eq!(order.delivery_address, "second street");
    let next = world.append(1, vec![moved("third street")]).await;
    world.reached(next).await;
    assert_eq!(world.address(1).await.as_deref(), Some("third street"), "the order is no longer held up");
}

async fn a_replay_stops_at_the_next_poison_event(world: World) {
    let running = world.start();
    let (poison, _) = poisoned(&world).await;
    let second = world.append(1, vec![unreadable()]).await;
    let last = world.append(1, vec![moved("third street")]).await;
    world.reached(last).await;
    mend(&world, poison).await;
    assert_eq!(running.projector.replay(poison).await.unwrap(), 3);

    assert_eq!(parked(&running).await, [(second, UNREADABLE.to_owned(), 2), (last, BEHIND.to_owned(), 1)]);
    assert_eq!(world.address(1).await.as_deref(), Some("second street"));
    let next = world.append(1, vec![moved("fourth street")]).await;
    world.reached(next).await;
    assert_eq!(parked(&running).await.last(), Some(&(next, BEHIND.to_owned(), 1)), "the order is still held up");
}

async fn a_replay_in_vain_counts_the_attempt(world: World) {
    let running = world.start();
    let (poison, last) = poisoned(&world).await;
    world.reached(last).await;
    for attempts in 2..4 {
        let refused = running.projector.replay(poison).await;
        assert!(matches!(&refused, Err(Error::Blocked(reason)) if reason == UNREADABLE), "{refused:?}");
        assert_eq!(parked(&running).await[0], (poison, UNREADABLE.to_owned(), attempts));
    }
    assert_eq!(parked(&running).await.len(), 3);
    assert_eq!(world.address(1).await.as_deref(), Some("first street"));
}

async fn a_skip_takes_the_events_behind_along(world: World) {
    let running = world.start();
    let (poison, last) = poisoned(&world).await;
    world.reached(last).await;
    assert_eq!(running.projector.skip(poison).await.unwrap(), 3);

    assert_eq!(parked(&running).await, []);
    let order = world.get(1).await.unwrap().order;
    assert!(order.payment.is_none() && order.submitted, "as if the event had changed nothing");
    assert_eq!(order.delivery_address, "second street");
    let next = world.append(1, vec![moved("third street")]).await;
    world.reached(next).await;
    assert_eq!(world.address(1).await.as_deref(), Some("third street"));
}

async fn an_orders_first_event_can_be_skipped(world: World) {
    let running = world.start();
    let poison = world.append(1, vec![unreadable()]).await;
    let last = world.append(1, vec![moved("second street")]).await;
    world.reached(last).await;
    assert_eq!(world.get(1).await, None);
    assert_eq!(running.projector.skip(poison).await.unwrap(), 2);

    let view = world.get(1).await.unwrap();
    assert_eq!((view.created_position, view.order.status()), (poison, None), "it was never created");
    assert_eq!(view.order.delivery_address, "second street");
    let next = world.append(1, vec![created("third street")]).await;
    world.reached(next).await;
    assert!(world.get(1).await.unwrap().order.created);
}

async fn an_event_of_no_order_can_only_be_skipped(world: World) {
    let running = world.start();
    let nobody = StreamId::new("order-of-nobody");
    let first = world.append_to(&nobody, vec![paid()]).await;
    let second = world.append_to(&nobody, vec![paid()]).await;
    world.reached(second).await;
    let error = "stream order-of-nobody does not belong to an order".to_owned();
    assert_eq!(parked(&running).await, [(first, error.clone(), 1), (second, BEHIND.to_owned(), 1)]);
    assert!(matches!(running.projector.replay(first).await, Err(Error::Blocked(reason)) if reason == error));
    for position in [first, second] {
        assert_eq!(running.projector.skip(position).await.unwrap(), 1);
    }
    assert_eq!(parked(&running).await, []);
    assert_eq!(world.live().await.orders, 0);
}

async fn only_the_first_parked_event_of_an_order_can_be_dealt_with(world: World) {
    let running = world.start();
    let (poison, last) = poisoned(&world).await;
    let other = world.append(2, vec![created("elsewhere")]).await;
    world.reached(other).await;
    let projector = &running.projector;
    for refused in [projector.replay(last).await, projector.skip(last).await] {
        let Err(Error::Blocked(reason)) = refused else { panic!("{refused:?}") };
        assert!(reason.contains(&format!("the event at position {poison} of the same order")), "{reason}");
    }
    for refused in [projector.replay(other).await, projector.skip(Position(99)).await] {
        assert!(matches!(refused, Err(Error::NotParked(_))), "{refused:?}");
    }
    assert_eq!(parked(&running).await.len(), 3);
}

async fn redelivery_leaves_parked_events_as_they_are(world: World) {
    let running = world.start();
    let (poison, last) = poisoned(&world).await;
    world.reached(last).await;
    let _ = running.projector.replay(poison).await;
    drop(running.stop().await);
    world.clock.advance_seconds(60);
    let generation = world.live().await.generation;
    let before = world.parked(generation).await;

    for from in [0, 1, poison.0, last.0 - 1] {
        world.target.rewind(Position(from));
        let running = world.start();
        world.committed(generation, last).await;
        drop(running.stop().await);
        assert_eq!(world.parked(generation).await, before, "from {from}");
    }
    assert_eq!(world.address(1).await.as_deref(), Some("first street"));
}

async fn redelivery_does_not_bring_a_skipped_event_back(world: World) {
    let running = world.start();
    let (poison, last) = poisoned(&world).await;
    world.reached(last).await;
    running.projector.skip(poison).await.unwrap();
    drop(running.stop().await);
    let generation = world.live().await.generation;
    let before = world.get(1).await;

    for from in [0, 1, poison.0] {
        world.target.rewind(Position(from));
        let running = world.start();
        world.committed(generation, last).await;
        assert_eq!(parked(&running).await, [], "from {from}");
        assert_eq!(world.get(1).await, before);
        drop(running.stop().await);
    }
}

async fn a_rebuild_parks_for_itself(world: World) {
    let running = world.start();
    let (poison, last) = poisoned(&world).await;
    world.reached(last).await;
    running.projector.skip(poison).await.unwrap();
    let generation = running.projector.rebuild(true).await.unwrap();
    until("the rebuild is live", async || world.live().await.generation == generation).await;

    assert_eq!(parked(&running).await[0], (poison, UNREADABLE.to_owned(), 1));
    assert_eq!(parked(&running).await.len(), 3, "a skip belongs to the generation it was made in");
    assert_eq!(running.projector.skip(poison).await.unwrap(), 3);
    let next = world.append(1, vec![moved("third street")]).await;
    world.reached(next).await;
    assert_eq!(world.address(1).await.as_deref(), Some("third street"));
}
