//! Blue and green: a rebuild beside the live generation, while appends and readers go on.

use std::sync::Arc;
use std::time::Duration;

use delivery::queries::ListOrders;
use delivery::repository::{Batch, Generation, ProjectionStore};
use eventsourcing::{Position, Revision, StreamId};
use projector::{Error, RunState};
use tokio::time::sleep;

use crate::stubborn::Stubborn;
use crate::watched::{Call, Trouble};
use crate::world::{Running, World, created, id, moved, paid, until};

const ORDERS: u64 = 20;

super::on_each_adapter![
    readers_never_see_a_half_built_model,
    a_rebuild_is_promoted_by_hand,
    a_rebuild_is_discarded,
    a_rebuild_mends_what_was_damaged,
    a_rebuild_of_nothing_is_promoted,
    only_one_rebuild_runs,
    what_needs_a_rebuild_is_refused_without_one,
    a_rebuild_goes_on_after_a_restart_and_waits_to_be_promoted,
    a_rebuild_that_a_restart_cut_short_can_be_discarded,
    events_of_other_streams_do_not_hold_up_a_promotion,
    a_promotion_that_fails_is_tried_again,
    a_promotion_whose_answer_was_lost_has_happened,
    a_rebuild_whose_begin_was_lost_can_be_dealt_with,
    a_discard_whose_answer_was_lost_has_happened,
    a_panic_during_a_rebuild_is_survived,
];

/// A world with some orders; the position of the last event.
async fn filled(world: &World) -> Position {
    let mut last = Position::START;
    for order in 0..ORDERS {
        last = world.append(order, vec![created("old street"), moved("street 1")]).await;
    }
    last
}

/// A projection that has projected all of it, on an event store that can hold a rebuild up.
async fn at_work(world: &World) -> (Running, Arc<Stubborn>, Position) {
    let last = filled(world).await;
    let store = Arc::new(Stubborn::new(Arc::clone(&world.store)));
    let running = world.start_on(Arc::<Stubborn>::clone(&store));
    world.reached(last).await;
    (running, store, last)
}

async fn promoted(world: &World, generation: Generation) {
    until("the rebuild is live", async || world.live().await.generation == generation).await;
    assert_eq!(world.building().await, None);
}

/// What readers see: each order's revision.
async fn seen(world: &World) -> Vec<Revision> {
    let all = ListOrders { status: None, before: None, limit: 1_000 };
    world.model.list(&all).await.unwrap().into_iter().map(|view| view.revision).collect()
}

async fn is_followed(world: &World) {
    let next = world.append(0, vec![moved("next street")]).await;
    world.reached(next).await;
    assert_eq!(world.address(0).await.as_deref(), Some("next street"));
}

async fn readers_never_see_a_half_built_model(mut world: World) {
    world.options.rebuild_batch = 3;
    let (running, store, last) = at_work(&world).await;
    let half = Position(last.0 / 2);
    store.hold_at(half);
    let building = running.projector.rebuild(true).await.unwrap();
    world.committed(building, half).await;

    let status = world.building().await.unwrap();
    assert_eq!((status.generation, status.checkpoint, status.orders), (building, half, ORDERS / 2));
    assert_eq!(seen(&world).await, [Revision(1); ORDERS as usize]);
    // Appends go on, and readers see them.
    let mut next = last;
    for order in 0..ORDERS {
        next = world.append(order, vec![paid()]).await;
        world.reached(next).await;
        assert!(world.get(order).await.unwrap().order.payment.is_some());
        assert_eq!(seen(&world).await.len() as u64, ORDERS);
    }
    let refused = running.projector.promote().await;
    assert!(matches!(refused, Err(Error::NotCaughtUp { checkpoint, live }) if (checkpoint, live) == (half, next)));

    store.let_go();
    let mut checkpoint = next;
    until("the rebuild is live", async || {
        assert_eq!(seen(&world).await, [Revision(2); ORDERS as usize]);
        let now = world.model.checkpoint().await.unwrap();
        assert!(now >= checkpoint, "readers went back in time");
        checkpoint = now;
        world.live().await.generation == building
    })
    .await;
    assert_eq!(world.building().await, None);
    assert_eq!(seen(&world).await, [Revision(2); ORDERS as usize]);
    is_followed(&world).await;
    assert_eq!(running.projector.health().restarts, 0);
}

async fn a_rebuild_is_promoted_by_hand(world: World) {
    let (running, _, last) = at_work(&world).await;
    let live = world.live().await.generation;
    let building = running.projector.rebuild(false).await.unwrap();
    world.committed(building, last).await;
    is_followed(&world).await;
    assert_eq!(world.live().await.generation, live, "nobody promoted it");
    let checkpoint = world.live().await.checkpoint;
    world.committed(building, checkpoint).await;
    assert_eq!(running.projector.promote().await.unwrap(), building);
    promoted(&world, building).await;
    is_followed(&world).await;
    assert_eq!(seen(&world).await.len() as u64, ORDERS);
}

async fn a_rebuild_is_discarded(world: World) {
    let (running, _, last) = at_work(&world).await;
    let live = world.live().await;
    let building = running.projector.rebuild(false).await.unwrap();
    world.committed(building, last).await;
    assert_eq!(running.projector.discard().await.unwrap(), building);
    assert_eq!((world.building().await, world.live().await), (None, live));
    is_followed(&world).await;
    let again = running.projector.rebuild(true).await.unwrap();
    assert!(again > building);
    promoted(&world, again).await;
    assert_eq!(running.projector.health().restarts, 0);
}

async fn a_rebuild_mends_what_was_damaged(world: World) {
    let (running, _, _) = at_work(&world).await;
    let mut damaged = world.get(3).await.unwrap();
    damaged.revision = damaged.revision.next();
    damaged.order.delivery_address = "nowhere".to_owned();
    let live = world.live().await.generation;
    let batch = Batch { upserts: vec![damaged], ..Batch::default() };
    world.target.commit(live, batch).await.unwrap();
    assert_eq!(world.address(3).await.as_deref(), Some("nowhere"));
    let building = running.projector.rebuild(true).await.unwrap();
    promoted(&world, building).await;
    assert_eq!(world.address(3).await.as_deref(), Some("street 1"));
    assert_eq!(seen(&world).await, [Revision(1); ORDERS as usize]);
}

async fn a_rebuild_of_nothing_is_promoted(world: World) {
    let running = world.start();
    let building = running.projector.rebuild(true).await.unwrap();
    promoted(&world, building).await;
    is_born(&world).await;
    let building = running.projector.rebuild(false).await.unwrap();
    world.committed(building, world.live().await.checkpoint).await;
    assert_eq!(running.projector.promote().await.unwrap(), building);
}

async fn is_born(world: &World) {
    let next = world.append(0, vec![created("street 0")]).await;
    world.reached(next).await;
    assert_eq!(world.get(0).await.unwrap().id, id(0));
}

async fn only_one_rebuild_runs(world: World) {
    let (running, store, last) = at_work(&world).await;
    store.hold_at(Position(last.0 / 2));
    let building = running.projector.rebuild(true).await.unwrap();
    assert!(matches!(running.projector.rebuild(true).await, Err(Error::RebuildRunning)));
    assert_eq!(world.building().await.unwrap().generation, building);
    store.let_go();
    promoted(&world, building).await;
    assert!(running.projector.rebuild(true).await.is_ok());
}

async fn what_needs_a_rebuild_is_refused_without_one(world: World) {
    let (running, _, _) = at_work(&world).await;
    assert!(matches!(running.projector.promote().await, Err(Error::NoRebuild)));
    assert!(matches!(running.projector.discard().await, Err(Error::NoRebuild)));
    is_followed(&world).await;
}

/// Cut short in the middle of a rebuild that was to be promoted by itself.
async fn cut_short(world: &mut World) -> (Generation, Position) {
    world.options.rebuild_batch = 3;
    let (running, store, last) = at_work(world).await;
    let half = Position(last.0 / 2);
    store.hold_at(half);
    let building = running.projector.rebuild(true).await.unwrap();
    world.committed(building, half).await;
    drop(running.stop().await);
    (building, last)
}

async fn a_rebuild_goes_on_after_a_restart_and_waits_to_be_promoted(mut world: World) {
    let (building, last) = cut_short(&mut world).await;
    let live = world.live().await.generation;
    let next = world.append(0, vec![paid()]).await;
    let written = world.target.written().len();

    let running = world.start();
    world.committed(building, next).await;
    world.reached(next).await;
    assert!(matches!(running.projector.rebuild(true).await, Err(Error::RebuildRunning)));
    assert_eq!((world.live().await.generation, seen(&world).await.len() as u64), (live, ORDERS));
    let rewritten = world.target.written().split_off(written).into_iter().filter(|(of, ..)| *of == building).count();
    assert!(rewritten as u64 <= (last.0 / 2) + 1, "it went on from its checkpoint: {rewritten}");

    assert_eq!(running.projector.promote().await.unwrap(), building);
    promoted(&world, building).await;
    assert_eq!(seen(&world).await.len() as u64, ORDERS);
    assert!(world.get(0).await.unwrap().order.payment.is_some());
    is_followed(&world).await;
}

async fn a_rebuild_that_a_restart_cut_short_can_be_discarded(mut world: World) {
    let (building, _) = cut_short(&mut world).await;
    let running = world.start();
    assert_eq!(running.projector.discard().await.unwrap(), building);
    assert_eq!(world.building().await, None);
    is_followed(&world).await;
}

/// The live generation's checkpoint may stand behind events that are not followed, where the rebuild
/// does not get before the next event that is.
async fn events_of_other_streams_do_not_hold_up_a_promotion(mut world: World) {
    world.options.live_batch = 1_000;
    world.options.rebuild_batch = 1;
    filled(&world).await;
    let last = world.append_to(&StreamId::new("basket-1"), vec![paid(), paid()]).await;
    let running = world.start();
    world.reached(last).await;
    let building = running.projector.rebuild(true).await.unwrap();
    promoted(&world, building).await;
    assert_eq!(world.live().await.checkpoint, last, "readers never go back in time");
    assert_eq!(seen(&world).await.len() as u64, ORDERS);
    is_followed(&world).await;
}

async fn a_promotion_that_fails_is_tried_again(world: World) {
    let (running, _, _) = at_work(&world).await;
    world.target.trouble([Trouble::Failure(Call::Promote), Trouble::Failure(Call::Promote)]);
    let building = running.projector.rebuild(true).await.unwrap();
    promoted(&world, building).await;
    assert!(world.target.is_through());
    is_followed(&world).await;
}

async fn a_promotion_whose_answer_was_lost_has_happened(world: World) {
    let (running, _, last) = at_work(&world).await;
    let building = running.projector.rebuild(false).await.unwrap();
    world.committed(building, last).await;
    world.target.trouble([Trouble::LostAnswer(Call::Promote)]);
    assert!(matches!(running.projector.promote().await, Err(Error::Target(_))));
    promoted(&world, building).await;
    works_as_ever(&world, &running).await;
}

async fn a_rebuild_whose_begin_was_lost_can_be_dealt_with(world: World) {
    let (running, _, last) = at_work(&world).await;
    world.target.trouble([Trouble::LostAnswer(Call::Begin)]);
    assert!(matches!(running.projector.rebuild(true).await, Err(Error::Target(_))));
    assert!(matches!(running.projector.rebuild(true).await, Err(Error::RebuildRunning)));
    let building = world.building().await.unwrap().generation;
    world.committed(building, last).await;
    assert_eq!(running.projector.promote().await.unwrap(), building);
    works_as_ever(&world, &running).await;
}

async fn a_discard_whose_answer_was_lost_has_happened(world: World) {
    let (running, _, last) = at_work(&world).await;
    let building = running.projector.rebuild(false).await.unwrap();
    world.committed(building, last).await;
    world.target.trouble([Trouble::LostAnswer(Call::Discard)]);
    assert!(matches!(running.projector.discard().await, Err(Error::Target(_))));
    assert_eq!(world.building().await, None);
    works_as_ever(&world, &running).await;
}

async fn works_as_ever(world: &World, running: &Running) {
    is_followed(world).await;
    let building = running.projector.rebuild(true).await.unwrap();
    promoted(world, building).await;
    is_followed(world).await;
    assert!(matches!(running.projector.discard().await, Err(Error::NoRebuild)));
    // Long enough for what still fails to fail again.
    sleep(Duration::from_millis(300)).await;
    assert_eq!(running.projector.health().state, RunState::Running);
    assert_eq!(running.projector.health().last_error, None);
}

async fn a_panic_during_a_rebuild_is_survived(mut world: World) {
    world.options.rebuild_batch = 3;
    let (running, store, last) = at_work(&world).await;
    store.hold_at(Position(last.0 / 2));
    let building = running.projector.rebuild(true).await.unwrap();
    world.committed(building, Position(last.0 / 2)).await;
    world.target.trouble([Trouble::Panic(Call::Commit)]);
    store.let_go();
    until("it panicked", async || world.target.is_through()).await;
    world.committed(building, last).await;
    assert_eq!(seen(&world).await.len() as u64, ORDERS);
    assert_eq!(running.projector.promote().await.unwrap(), building, "by hand, as after any restart");
    is_followed(&world).await;
}
