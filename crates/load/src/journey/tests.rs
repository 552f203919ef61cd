//! Customers against a service that keeps to the contract, and against ones that break it.

use super::*;
use crate::{
    fake::{Fake, Trouble},
    planner::Planner,
    recorder::{Recorder, Recording},
    scenario::{Mix, Scenario},
};

/// Lets `customers` walk one after the other; tells what was recorded.
async fn walked(mix: Mix, customers: usize, trouble: Trouble) -> Recording {
    let fake = Fake::new(Duration::from_millis(1));
    fake.service.set(trouble);
    let service = Arc::clone(&fake.service);
    let world = fake.world();
    let recorder = Recorder::new().unwrap();
    let mut planner = Planner::new(11, mix, Duration::ZERO);
    for _ in 0..customers {
        walk(&world, &recorder, planner.next(), Instant::now()).await;
    }
    let recording = recorder.peek(Recording::clone);
    assert_eq!(recording.all.sent, service.requests());
    recording
}

fn kinds(recording: &Recording) -> Vec<String> {
    recording.errors.keys().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn no_customer_finds_fault_with_a_service_that_keeps_to_the_contract() {
    let recording = walked(Mix::default(), 1_000, Trouble::None).await;
    let details: Vec<_> = recording.errors.values().map(|errors| &errors.detail).collect();
    assert!(details.is_empty(), "{details:?}");
    assert_eq!(recording.all.failed, 0);
    assert_eq!(recording.all.answered, recording.all.sent);
    for scenario in Scenario::ALL {
        let fates = recording.scenarios[&scenario];
        assert!(fates.started > 0 && fates.completed == fates.started, "{scenario}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_breach_is_found_by_the_customer_who_minds() {
    for (scenario, trouble, kind) in [
        (Scenario::ReadBack, Trouble::Forgetful, "contract_read_after_write"),
        (Scenario::ReadBack, Trouble::WrongTotal, "contract_total_price"),
        (Scenario::ReadBack, Trouble::Stale, "contract_min_position"),
        (Scenario::Order, Trouble::WrongId, "contract_wrong_id"),
        (Scenario::Impatient, Trouble::NoReplay, "contract_idempotency"),
        (Scenario::Browse, Trouble::Status(500), "unexpected_status_500"),
        (Scenario::Order, Trouble::Status(503), "unexpected_status_503"),
    ] {
        let recording = walked(Mix::only(scenario), 30, trouble).await;
        assert!(kinds(&recording).contains(&kind.to_owned()), "{scenario}: {:?} instead of {kind}", kinds(&recording));
        assert!(recording.scenarios[&scenario].failed > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_journey_is_one_trace_and_a_broken_one_ends() {
    let fake = Fake::new(Duration::from_millis(1));
    let service = Arc::clone(&fake.service);
    let world = fake.world();
    let recorder = Recorder::new().unwrap();
    let mut planner = Planner::new(3, Mix::only(Scenario::History), Duration::ZERO);
    assert_eq!(walk(&world, &recorder, planner.next(), Instant::now()).await, End::Completed);
    let traces: Vec<_> = service.trace_parents().iter().map(|parent| parent[3..35].to_owned()).collect();
    assert_eq!(traces.len(), 5);
    assert!(traces.iter().all(|trace| *trace == traces[0]));

    service.set(Trouble::Status(500));
    let end = walk(&world, &recorder, planner.next(), Instant::now()).await;
    assert_eq!(end, End::BrokenOff(Kind::UnexpectedStatus(500)));
    assert_eq!(service.requests(), 6);
    let errors = recorder.peek(|recording| recording.errors[&Kind::UnexpectedStatus(500)].clone());
    assert_eq!(errors.trace_id, &service.trace_parents()[5][3..35]);
    assert_eq!(errors.operation, Operation::Create);
}
