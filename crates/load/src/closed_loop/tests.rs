//! The closed loop in paused time.

use super::*;
use crate::{fake::Fake, options::Mode, scenario::Mix, scenario::Scenario, schedule::Window};

const MS: Duration = Duration::from_millis(1);

async fn ran(fake: Fake, concurrency: usize, cancel_after: Duration) -> (Tally, Arc<Traffic<Fake>>) {
    let window = Window { warm_up: 100 * MS, duration: 1_000 * MS };
    let mut options = Options::new(crate::fake::clock());
    options.mix = Mix::only(Scenario::History);
    options.mode = Mode::Closed { concurrency };
    let traffic = Traffic::begin(fake.world(), window).unwrap();
    let tally = run(&traffic, &options, concurrency, &mut |_: &_| {}, tokio::time::sleep(cancel_after)).await;
    (tally, traffic)
}

#[tokio::test(start_paused = true)]
async fn each_customer_follows_the_one_before() {
    let (tally, traffic) = ran(Fake::new(10 * MS), 4, 60_000 * MS).await;
    // Four at once, five requests of 10 ms each: 20 customers each in a second.
    assert!((76..=84).contains(&tally.started), "{}", tally.started);
    assert_eq!((tally.unfinished, tally.cancelled), (0, false));
    traffic.recorder.peek(|recording| {
        assert_eq!(recording.all.answered, 5 * tally.started);
        assert_eq!(recording.all.failed, 0);
    });
    assert!(tally.elapsed >= 1_000 * MS && tally.elapsed < 1_100 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_is_not_asked_in_a_busy_loop() {
    let mut fake = Fake::new(MS);
    fake.down = Some((Duration::ZERO, 60_000 * MS));
    let (tally, _) = ran(fake, 2, 60_000 * MS).await;
    assert!((90..=102).contains(&tally.started), "{}", tally.started);
}

#[tokio::test(start_paused = true)]
async fn cancelling_counts_who_was_under_way() {
    let mut fake = Fake::new(MS);
    fake.stall = Some((500 * MS, 60_000 * MS));
    let (tally, traffic) = ran(fake, 3, 700 * MS).await;
    assert!(tally.cancelled);
    assert_eq!(tally.unfinished, 3);
    assert!(traffic.began.elapsed() < 2_000 * MS);
}
