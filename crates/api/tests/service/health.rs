//! `/livez` and `/readyz`. What the parts themselves find out is tested with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::health::{Health, Level, Probe, Readiness};
use async_trait::async_trait;
use serde_json::json;

use crate::fakes::Part;
use crate::support::{Service, Setup};

async fn service(levels: &[Level]) -> Service {
    let probes = levels.iter().map(|level| Part::new("part", *level) as Arc<dyn Probe>).collect();
    Service::start(Setup { probes, ..Setup::default() }).await
}

#[tokio::test]
async fn the_worst_part_decides() {
    use Level::{Degraded, Down, Up};
    for (levels, code, status) in [
        (&[][..], 200, "up"),
        (&[Up, Up], 200, "up"),
        (&[Up, Degraded], 200, "degraded"),
        (&[Degraded, Down, Up], 503, "down"),
    ] {
        let service = service(levels).await;
        let ready = service.get("/readyz").await.expect(code).json();
        assert_eq!(ready["status"], status, "{levels:?}");
        assert_eq!(ready["checks"].as_array().map(Vec::len), Some(levels.len()));
    }
}

#[tokio::test]
async fn each_part_says_what_it_knows_and_nothing_else() {
    let store = Part::new("store", Level::Up);
    let search = Part::new("search", Level::Down);
    *search.1.lock().unwrap() = Health {
        lag_events: Some(7),
        lag_seconds: Some(1.5),
        parked_events: Some(0),
        ..Health::because(Level::Down, "stopped")
    };
    let service = Service::start(Setup { probes: vec![store, search], ..Setup::default() }).await;
    let expected = json!({ "status": "down", "checks": [
        { "name": "store", "status": "up" },
        {
            "name": "search", "status": "down", "detail": "stopped",
            "lagEvents": 7, "lagSeconds": 1.5, "parkedEvents": 0
        }
    ] });
    let answer = service.get("/readyz").await.expect(503);
    assert_eq!(answer.header("content-type"), Some("application/json"), "it is no problem of the request");
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_process_with_a_part_down_lives() {
    let service = service(&[Level::Down]).await;
    assert_eq!(service.get("/livez").await.expect(200).text(), "live\n");
}

#[tokio::test]
async fn a_draining_process_is_not_ready_though_it_lives() {
    let service = service(&[Level::Up]).await;
    service.get("/readyz").await.expect(200);
    service.drain.begin();
    let ready = service.get("/readyz").await.expect(503).json();
    assert_eq!((&ready["status"], &ready["checks"][0]["status"]), (&json!("down"), &json!("up")));
    service.get("/livez").await.expect(200);
}

/// Counts how often it is asked.
#[derive(Default)]
struct Counted(AtomicUsize);

#[async_trait]
impl Probe for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    async fn check(&self) -> Health {
        self.0.fetch_add(1, Ordering::SeqCst);
        Health::plain(Level::Up)
    }
}

#[tokio::test(start_paused = true)]
async fn many_askers_cost_as_much_as_one() {
    let part = Arc::<Counted>::default();
    let readiness = Readiness::new(vec![Arc::clone(&part) as _]);
    for _ in 0..10 {
        assert!(readiness.is_ready().await);
    }
    assert_eq!(part.0.load(Ordering::SeqCst), 1);
    tokio::time::advance(Duration::from_millis(250)).await;
    assert!(readiness.is_ready().await);
    assert_eq!(part.0.load(Ordering::SeqCst), 2, "an answer does not hold for long");
}

/// Never answers.
struct Hung;

#[async_trait]
impl Probe for Hung {
    fn name(&self) -> &'static str {
        "hung"
    }

    async fn check(&self) -> Health {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_does_not_answer_is_down_and_hides_no_other() {
    let readiness = Readiness::new(vec![Arc::new(Hung), Part::new("store", Level::Up), Arc::new(Hung)]);
    let begun = tokio::time::Instant::now();
    let parts = readiness.check().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "they are asked all at once");
    let levels: Vec<_> = parts.iter().map(|(name, health)| (*name, health.status)).collect();
    assert_eq!(levels, [("hung", Level::Down), ("store", Level::Up), ("hung", Level::Down)]);
    assert!(!readiness.is_ready().await);
}
