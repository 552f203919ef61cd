//! The report's JSON, held against its golden file: what scripts of users rely on.

use super::*;
use crate::{fake, fault::Kind, target};

const GOLDEN: &str = include_str!("../../tests/golden/report.json");

/// A report with every part filled.
pub(crate) fn example() -> Report {
    let mut options = Options::new(fake::clock());
    options.target = "http://orders.test/api".parse::<target::Target>().unwrap();
    options.mix = "order=3,browse=1".parse().unwrap();
    options.seed = u64::MAX;
    options.objectives =
        ["p99<300ms", "create.p50<=1ms", "errors<0.1%", "pay.p99<1s"].map(|text| text.parse().unwrap()).to_vec();
    let mut recording = Recording::new().unwrap();
    for ms in 1..=100 {
        for measurements in [&mut recording.all, &mut recording.operations[Operation::Create as usize]] {
            measurements.sent += 1;
            measurements.answered += 1;
            measurements.latency_us.record(2_000 * ms).unwrap();
            measurements.service_time_us.record(1_000 * ms).unwrap();
        }
    }
    recording.all.dropped = 1;
    recording.operations[Operation::Pay as usize].dropped = 1;
    recording.all.failed = 2;
    recording.operations[Operation::Create as usize].failed = 2;
    recording.scenarios.insert(Scenario::Order, Fates { started: 40, completed: 38, failed: 2 });
    for (kind, count) in [(Kind::Timeout, 1), (Kind::UnexpectedStatus(500), 2)] {
        recording.errors.insert(
            kind,
            Errors {
                count,
                operation: Operation::Create,
                detail: "expected 201, got 500".to_owned(),
                trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
                request_id: "0196f0a0-0000-4000-8000-000000000001".to_owned(),
            },
        );
    }
    let tally = Tally {
        intended: 42,
        requests_intended: 104,
        started: 40,
        late: 3,
        dropped: 2,
        unfinished: 0,
        cancelled: false,
        elapsed: Duration::from_secs(30),
    };
    Report::new(&options, (options.clock)(), &tally, &recording, &Counts::default())
}

#[test]
fn the_json_is_the_golden_file() {
    let json = example().to_json().unwrap();
    assert_eq!(json, GOLDEN, "the report's shape is a promise; if it grew on purpose, renew the file:\n{json}");
}

#[test]
fn one_violated_objective_is_enough() {
    let report = example();
    let met: Vec<_> = report.slo.iter().map(|verdict| verdict.met).collect();
    // One dropped request leaves the 99th percentile of 101 in place, but pay has nothing else.
    assert_eq!(met, [true, false, false, false]);
    assert!(!report.met);
    assert_eq!(report.slo[3].measured, None);
}
