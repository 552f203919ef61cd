//! The open loop in paused time: exact starts, and a stall that cannot hide.

use std::sync::Mutex;

use super::*;
use crate::{
    fake::Fake,
    operation::Operation,
    pacer::Timer,
    planner::Planner,
    scenario::{Mix, Scenario},
    schedule::Window,
};

const MS: Duration = Duration::from_millis(1);

/// History readers: five requests each, the first a create.
const READERS: Scenario = Scenario::History;

struct Ran {
    tally: Tally,
    traffic: Arc<Traffic<Fake>>,
}

impl Ran {
    /// Creates that took longer than `bound`: by latency and by service time.
    fn slower_than(&self, bound: Duration) -> (u64, u64) {
        let us = u64::try_from(bound.as_micros()).unwrap();
        self.traffic.recorder.peek(|recording| {
            let create = recording.operation(Operation::Create);
            (create.latency_us.count_between(us, u64::MAX), create.service_time_us.count_between(us, u64::MAX))
        })
    }
}

async fn ran(fake: Fake, rate: f64, warm_up: Duration, duration: Duration, bounds: Bounds) -> Ran {
    let window = Window { warm_up, duration };
    let planner = Planner::new(1, Mix::only(READERS), Duration::ZERO);
    let traffic = Traffic::begin(fake.world(), window).unwrap();
    let schedule = Schedule::new(planner, rate, window);
    let tally = run(&traffic, schedule, bounds, Timer, &mut |_: &_| {}, std::future::pending()).await;
    Ran { tally, traffic }
}

fn bounds(in_flight_max: usize, lateness_max: Duration) -> Bounds {
    Bounds { in_flight_max, lateness_max }
}

#[tokio::test(start_paused = true)]
async fn customers_come_on_time_however_long_the_answers_take() {
    let fake = Fake::new(130 * MS);
    let calls = Arc::clone(&fake.calls);
    // 100 requests a second from customers with five each: one every 50 ms.
    let ran = ran(fake, 100.0, Duration::ZERO, 1_000 * MS, bounds(100, 1_000 * MS)).await;
    let creates: Vec<u128> = calls
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, line)| line == "POST /api/orders")
        .map(|(at, _)| at.as_millis())
        .collect();
    assert_eq!(creates.len(), 20);
    for (index, at) in creates.iter().enumerate() {
        let wanted = index as u128 * 50;
        assert!((wanted..=wanted + 1).contains(at), "{at} instead of {wanted}");
    }
    assert_eq!((ran.tally.intended, ran.tally.started, ran.tally.late, ran.tally.dropped), (20, 20, 0, 0));
    assert_eq!(ran.tally.requests_intended, 100);
    assert_eq!(ran.tally.elapsed, 1_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn the_warm_up_is_not_measured() {
    let fake = Fake::new(MS);
    let ran = ran(fake, 100.0, 500 * MS, 500 * MS, bounds(100, 1_000 * MS)).await;
    assert_eq!(ran.tally.intended, 10);
    assert_eq!(ran.traffic.warm_up.sent(), 50);
    assert_eq!(ran.traffic.recorder.peek(|recording| recording.all.answered), 50);
}

/// One at a time, and a stall of two seconds: forty customers were meant to come meanwhile. By
/// service time a single request was slow; those who waited know better.
#[tokio::test(start_paused = true)]
async fn a_stall_is_felt_by_all_who_were_meant_to_come_meanwhile() {
    let mut fake = Fake::new(MS);
    fake.stall = Some((1_000 * MS, 3_000 * MS));
    let ran = ran(fake, 100.0, Duration::ZERO, 10_000 * MS, bounds(1, 60_000 * MS)).await;
    assert_eq!((ran.tally.intended, ran.tally.dropped), (200, 0));
    let (by_latency, by_service_time) = ran.slower_than(1_000 * MS);
    assert_eq!(by_service_time, 1);
    // Those who were meant to come in the first second of the stall: twenty, and few behind them.
    assert!((20..=25).contains(&by_latency), "{by_latency}");
    assert!((40..=60).contains(&ran.tally.late), "{}", ran.tally.late);
}

#[tokio::test(start_paused = true)]
async fn with_room_enough_a_stall_delays_nobodys_start() {
    let mut fake = Fake::new(MS);
    fake.stall = Some((1_000 * MS, 3_000 * MS));
    let ran = ran(fake, 100.0, Duration::ZERO, 10_000 * MS, bounds(1_000, 60_000 * MS)).await;
    assert_eq!(ran.tally.late, 0);
    let (by_latency, by_service_time) = ran.slower_than(1_000 * MS);
    assert_eq!(by_latency, by_service_time);
    assert!((20..=22).contains(&by_latency), "{by_latency}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_dropped_and_counted() {
    let mut fake = Fake::new(MS);
    fake.stall = Some((1_000 * MS, 3_000 * MS));
    let ran = ran(fake, 100.0, Duration::ZERO, 5_000 * MS, bounds(2, 100 * MS)).await;
    let tally = ran.tally;
    assert_eq!(tally.intended, 100);
    assert_eq!(tally.intended, tally.started + tally.dropped);
    assert!((30..=40).contains(&tally.dropped), "{}", tally.dropped);
    ran.traffic.recorder.peek(|recording| {
        assert_eq!(recording.all.dropped, 5 * tally.dropped);
        assert_eq!(recording.operation(Operation::Create).dropped, tally.dropped);
        assert_eq!(recording.operation(Operation::Create).honest_quantile_us(0.99), None);
    });
}

#[tokio::test(start_paused = true)]
async fn without_patience_for_lateness_a_punctual_start_is_still_possible() {
    let ran = ran(Fake::new(MS), 100.0, Duration::ZERO, 1_000 * MS, bounds(10, Duration::ZERO)).await;
    assert_eq!(ran.tally.dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_ends_in_timeouts() {
    let mut fake = Fake::new(MS);
    fake.stall = Some((Duration::ZERO, Duration::from_secs(3_600)));
    let ran = ran(fake, 100.0, Duration::ZERO, 1_000 * MS, bounds(1_000, 1_000 * MS)).await;
    assert_eq!((ran.tally.started, ran.tally.unfinished), (20, 0));
    ran.traffic.recorder.peek(|recording| {
        assert_eq!((recording.all.sent, recording.all.answered), (20, 0));
        let kinds: Vec<_> = recording.errors.iter().map(|(kind, errors)| (kind.to_string(), errors.count)).collect();
        assert_eq!(kinds, [("timeout".to_owned(), 20)]);
        // The wait counts as what it was.
        assert!(recording.all.latency_us.value_at_quantile(0.5) >= 9_900_000);
    });
    // Nothing came back within the second, nor long after: the tail counts against the rate.
    assert!(ran.tally.elapsed > 5_000 * MS, "{:?}", ran.tally.elapsed);
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_it_soon_and_says_so() {
    let mut fake = Fake::new(MS);
    fake.stall = Some((1_000 * MS, Duration::from_secs(3_600)));
    let window = Window { warm_up: Duration::ZERO, duration: Duration::from_secs(600) };
    let traffic = Traffic::begin(fake.world(), window).unwrap();
    let planner = Planner::new(1, Mix::only(READERS), Duration::ZERO);
    let seen = Mutex::new(Vec::new());
    let tally = run(
        &traffic,
        Schedule::new(planner, 100.0, window),
        bounds(1_000, 1_000 * MS),
        Timer,
        &mut |snapshot: &crate::Snapshot| seen.lock().unwrap().push(*snapshot),
        tokio::time::sleep(2_000 * MS),
    )
    .await;
    assert!(tally.cancelled);
    assert_eq!(tally.elapsed, 2_000 * MS);
    assert!(traffic.began.elapsed() < Duration::from_secs(4));
    assert!((19..=21).contains(&tally.unfinished), "{}", tally.unfinished);
    let seen = seen.into_inner().unwrap();
    assert!((8..=12).contains(&seen.len()), "{}", seen.len());
    assert!(seen.is_sorted_by_key(|snapshot| snapshot.elapsed));
}
