//! Demo traffic in paused time: gentle, endless, patient.

use super::*;
use crate::fake::Fake;

const SECOND: Duration = Duration::from_secs(1);

fn options() -> DemoOptions {
    DemoOptions::new(Target::default(), crate::fake::clock())
}

#[tokio::test(start_paused = true)]
async fn a_few_customers_a_second_until_cancelled() {
    let summary = demo_over(Fake::new(Duration::from_millis(5)), &options(), tokio::time::sleep(300 * SECOND)).await;
    assert!((750..=1_050).contains(&summary.customers), "{summary:?}");
    assert!(summary.requests > 2 * summary.customers, "{summary:?}");
    assert_eq!(summary.failed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_up_yet_is_asked_less_and_less_often() {
    let mut fake = Fake::new(Duration::from_millis(5));
    fake.down = Some((Duration::ZERO, 60 * SECOND));
    let calls = Arc::clone(&fake.calls);
    let summary = demo_over(fake, &options(), tokio::time::sleep(90 * SECOND)).await;
    let calls = calls.lock().unwrap();
    let refused = calls.iter().filter(|(at, _)| *at < 60 * SECOND).count();
    assert!((10..=25).contains(&refused), "{refused}");
    let first_served = calls.iter().map(|(at, _)| *at).find(|at| *at >= 60 * SECOND).unwrap();
    assert!(first_served <= 66 * SECOND, "{first_served:?}");
    assert!(summary.customers > 60, "{summary:?}");
    assert_eq!(summary.failed, refused as u64);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stalls_gathers_no_crowd() {
    let mut fake = Fake::new(Duration::from_millis(5));
    fake.stall = Some((Duration::ZERO, 600 * SECOND));
    let calls = Arc::clone(&fake.calls);
    demo_over(fake, &options(), tokio::time::sleep(60 * SECOND)).await;
    let calls = calls.lock().unwrap().len();
    assert!((30..=60).contains(&calls), "{calls}");
}
