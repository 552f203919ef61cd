//! Engines that fail for a while, answer late, or panic: the projection waits, says so, comes back and
//! loses nothing. In paused time, so that the waits can be measured and cost none.

use std::num::NonZeroUsize;
use std::time::Duration;

use eventsourcing::{Position, StreamId};
use memory::Faults;
use projector::{Error, Health, Projector, RunState};
use tokio::time::{Instant, sleep, timeout};

use crate::watched::{Call, Trouble};
use crate::world::{Running, World, created, moved, paid, submitted, until};

const TARGET_FAILURE: &str =
    "order read model is unavailable: the memory adapter was told to fail: a fault was injected";
const STORE_FAILURE: &str = "the event store is unavailable: a fault was injected: a fault was injected";

/// A world at work, with the faults of its event store and of its projection's store.
async fn at_work() -> (World, Running, Faults, Faults) {
    let target = Faults::default();
    let (world, store) = World::with_faults(target.clone());
    let running = world.start();
    let position = world.append(1, vec![created("street 0")]).await;
    world.reached(position).await;
    (world, running, store, target)
}

async fn backs_off(projector: &Projector) -> Health {
    until("it backs off", async || projector.health().state == RunState::BackingOff).await;
    projector.health()
}

async fn recovers(projector: &Projector) {
    until("it recovers", async || projector.health().state == RunState::Running).await;
    assert_eq!(projector.health().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_fails_is_waited_for_and_nothing_is_lost() {
    let (world, running, _, target) = at_work().await;
    target.fail();
    let mut last = world.append(1, vec![paid()]).await;
    let health = backs_off(&running.projector).await;
    assert_eq!((health.last_error.as_deref(), health.restarts), (Some(TARGET_FAILURE), 1));
    last = last.max(world.append(1, vec![submitted()]).await);
    last = last.max(world.append(2, vec![created("elsewhere")]).await);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(running.projector.health().state, RunState::BackingOff);

    target.heal();
    world.reached(last).await;
    recovers(&running.projector).await;
    assert!(world.get(1).await.unwrap().order.submitted);
    assert_eq!((world.live().await.orders, world.live().await.parked), (2, 0), "an outage is no event's fault");
}

#[tokio::test(start_paused = true)]
async fn an_event_store_that_fails_is_waited_for_and_nothing_is_lost() {
    let (world, running, store, _) = at_work().await;
    let last = world.append(1, vec![paid(), submitted()]).await;
    store.fail();
    let health = backs_off(&running.projector).await;
    assert_eq!((health.last_error.as_deref(), health.restarts), (Some(STORE_FAILURE), 1));
    assert!(matches!(running.projector.status().await, Err(Error::Store(_))));

    store.heal();
    world.reached(last).await;
    recovers(&running.projector).await;
    assert!(world.get(1).await.unwrap().order.submitted);
}

#[tokio::test(start_paused = true)]
async fn waits_grow_to_fifteen_seconds_and_start_over_after_a_success() {
    let (world, running, _, target) = at_work().await;
    for _ in 0..2 {
        let before = running.projector.health().restarts;
        target.fail();
        let last = world.append(1, vec![moved("street 1")]).await;
        sleep(Duration::from_secs(60)).await;
        // Waits of 0.05 to 0.1 s that double up to 7.5 to 15 s.
        let attempts = running.projector.health().restarts - before;
        assert!((9..=16).contains(&attempts), "{attempts}");

        target.heal();
        let healed = Instant::now();
        world.reached(last).await;
        assert!(healed.elapsed() <= Duration::from_secs(15), "{:?}", healed.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn engines_that_are_down_at_the_start_are_waited_for() {
    let target = Faults::default();
    let (world, store) = World::with_faults(target.clone());
    let last = world.append(1, vec![created("street 0")]).await;
    target.fail();
    store.fail();
    let running = world.start();
    assert_eq!(backs_off(&running.projector).await.last_error.as_deref(), Some(TARGET_FAILURE));
    sleep(Duration::from_secs(60)).await;
    target.heal();
    until("it gets further", async || running.projector.health().last_error.as_deref() == Some(STORE_FAILURE)).await;
    store.heal();
    world.reached(last).await;
    recovers(&running.projector).await;
}

#[tokio::test(start_paused = true)]
async fn it_recovers_without_anything_to_project() {
    let target = Faults::default();
    let (world, store) = World::with_faults(target.clone());
    target.fail();
    let running = world.start();
    backs_off(&running.projector).await;
    target.heal();
    recovers(&running.projector).await;

    // Wakes the subscription, which then finds the store gone.
    world.append_to(&StreamId::new("basket-1"), vec![paid()]).await;
    store.fail();
    backs_off(&running.projector).await;
    store.heal();
    recovers(&running.projector).await;
}

#[tokio::test(start_paused = true)]
async fn engines_that_answer_slowly_are_waited_for() {
    for slow in ["store", "target"] {
        let (world, running, store, target) = at_work().await;
        drop(running.stop().await);
        let last = world.append(1, vec![moved("street 1")]).await;
        let generation = world.live().await.generation;
        let faults = if slow == "store" { &store } else { &target };
        faults.delay(Duration::from_secs(3));
        let running = world.start();
        let begun = Instant::now();
        world.committed(generation, last).await;
        assert!(begun.elapsed() < Duration::from_secs(60), "slow {slow}: {:?}", begun.elapsed());
        assert_eq!(running.projector.health().restarts, 0, "slow {slow}");
    }
}

/// To come back takes the live generation a few calls; a rebuild's pages must not cut in each time.
#[tokio::test(start_paused = true)]
async fn a_busy_rebuild_does_not_keep_the_live_generation_from_coming_back() {
    let (world, running, last) = long_rebuild().await;
    let live = world.live().await.generation;
    world.target.refuse(Some(live));
    let next = world.append(1, vec![moved("next street")]).await;
    backs_off(&running.projector).await;
    world.target.refuse(None);
    world.committed(live, next).await;
    assert!(world.building().await.is_some_and(|status| status.checkpoint < last), "the rebuild was faster");
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_that_goes_well_does_not_hide_that_the_live_generation_fails() {
    let (world, running, last) = long_rebuild().await;
    world.target.refuse(Some(world.live().await.generation));
    let next = world.append(1, vec![moved("next street")]).await;
    backs_off(&running.projector).await;
    let before = world.building().await.unwrap().checkpoint;
    while world.building().await.is_some_and(|status| status.checkpoint < last) {
        let health = running.projector.health();
        assert_eq!(health.state, RunState::BackingOff);
        assert!(health.last_error.is_some_and(|error| error.contains("this generation is refused")));
    }
    assert!(before < last, "the rebuild was not at work any more");
    // And it is the cure.
    until("the rebuild is live", async || world.building().await.is_none()).await;
    world.reached(next).await;
    recovers(&running.projector).await;
    assert_eq!(world.address(1).await.as_deref(), Some("next street"));
}

/// A rebuild under way, in so many steps that it takes seconds; the position of the last event.
async fn long_rebuild() -> (World, Running, Position) {
    let (mut world, running, _, target) = at_work().await;
    drop(running.stop().await);
    let mut last = Position::START;
    for count in 1..400 {
        last = world.append(1, vec![moved(&format!("street {count}"))]).await;
    }
    world.options.rebuild_batch = 1;
    let running = world.start();
    world.reached(last).await;
    target.delay(Duration::from_millis(10));
    let building = running.projector.rebuild(true).await.unwrap();
    world.committed(building, Position(5)).await;
    (world, running, last)
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_survived() {
    let (world, running, _, _) = at_work().await;
    for call in [Call::Load, Call::Commit] {
        let before = running.projector.health().restarts;
        world.target.trouble([Trouble::Panic(call)]);
        let last = world.append(1, vec![moved("street 1")]).await;
        let health = backs_off(&running.projector).await;
        assert_eq!(health.last_error.as_deref(), Some("the projection panicked"));
        assert_eq!(health.restarts, before + 1);
        world.reached(last).await;
        recovers(&running.projector).await;
    }
    assert!(world.target.is_through());
    assert_eq!(world.live().await.parked, 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_now_and_then_is_not_waited_for_longer_each_time() {
    let (world, running, _, _) = at_work().await;
    for count in 0..12 {
        sleep(Duration::from_secs(60)).await;
        world.target.trouble([Trouble::Panic(Call::Commit)]);
        let last = world.append(1, vec![moved(&format!("street {count}"))]).await;
        let begun = Instant::now();
        world.reached(last).await;
        assert!(begun.elapsed() <= Duration::from_secs(1), "{:?} after {count}", begun.elapsed());
    }
    assert_eq!(running.projector.health().restarts, 12);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_partition_is_survived() {
    let (mut world, running, _, _) = at_work().await;
    drop(running.stop().await);
    world.options.partitions = NonZeroUsize::new(3).unwrap();
    let mut last = Position::START;
    for count in 1..400 {
        last = world.append(1, vec![moved(&format!("street {count}"))]).await;
    }
    world.target.trouble([Trouble::Panic(Call::Load)]);
    let running = world.start();
    let health = backs_off(&running.projector).await;
    assert!(health.last_error.is_some_and(|error| error.contains("panicked")));
    world.reached(last).await;
    recovers(&running.projector).await;
    assert!(world.target.is_through());
    assert_eq!(world.address(1).await.as_deref(), Some("street 399"));
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_answer_was_lost_is_not_applied_twice() {
    let (world, running, _, _) = at_work().await;
    world.target.trouble([Trouble::LostAnswer(Call::Commit)]);
    let last = world.append(1, vec![moved("street 1"), paid()]).await;
    backs_off(&running.projector).await;
    let next = world.append(1, vec![submitted()]).await;
    world.reached(next.max(last)).await;
    recovers(&running.projector).await;
    let view = world.get(1).await.unwrap();
    assert_eq!((view.revision.0, view.order.submitted), (3, true));
    assert_eq!(world.live().await.parked, 0);
}

#[tokio::test(start_paused = true)]
async fn requests_are_answered_while_it_backs_off() {
    let (world, running, _, target) = at_work().await;
    target.fail();
    world.append(1, vec![moved("street 1")]).await;
    backs_off(&running.projector).await;
    assert!(matches!(running.projector.rebuild(true).await, Err(Error::Target(_))));
    assert!(matches!(running.projector.replay(Position(1)).await, Err(Error::Target(_))));
    target.heal();
    assert!(running.projector.rebuild(true).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_stops_when_told_to_also_while_it_waits() {
    let (world, running, _, target) = at_work().await;
    target.fail();
    world.append(1, vec![moved("street 1")]).await;
    backs_off(&running.projector).await;
    sleep(Duration::from_secs(60)).await;
    let begun = Instant::now();
    let projector = running.stop().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(projector.health().state, RunState::Stopped);
    assert!(matches!(projector.rebuild(true).await, Err(Error::Stopped)));

    // The first start fails too.
    let running = world.start();
    backs_off(&running.projector).await;
    assert_eq!(running.stop().await.health().state, RunState::Stopped);
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_when_nobody_holds_its_handle() {
    let (world, running, _, _) = at_work().await;
    let (stop, task) = running.into_task();
    sleep(Duration::from_secs(1)).await;
    let last = world.append(1, vec![moved("street 1")]).await;
    world.reached(last).await;
    drop(stop);
    timeout(Duration::from_secs(1), task).await.expect("it ends with the sender of its shutdown").unwrap();
}
