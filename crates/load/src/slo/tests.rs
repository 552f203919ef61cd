//! Objectives as people write them, right and wrong, and how they are held.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Objective {
    text.parse().unwrap()
}

fn measured() -> Measurements {
    let mut measurements = Measurements::new().unwrap();
    for ms in 1..=100_u64 {
        measurements.sent += 1;
        measurements.answered += 1;
        measurements.latency_us.record(ms * 1_000).unwrap();
    }
    measurements.failed = 1;
    measurements
}

fn met(text: &str, measurements: &Measurements) -> bool {
    parsed(text).judge(measurements, Duration::from_secs(10)).met
}

#[test]
fn objectives_as_in_the_help() {
    let objective = parsed("create.p99 < 50ms");
    assert_eq!(objective.operation, Some(Operation::Create));
    assert_eq!(objective.metric, Metric::Quantile(0.99));
    assert_eq!((objective.comparator, objective.bound), (Comparator::Less, 50.0));
    assert_eq!(parsed("p99.9<=1s").metric, Metric::Quantile(99.9 / 100.0));
    assert_eq!(parsed("get_fresh.p99.9<=1s").operation, Some(Operation::GetFresh));
    assert_eq!(parsed("errors<0.1%").bound, 0.1);
    assert_eq!(parsed("errors<=0").bound, 0.0);
    assert_eq!(parsed("rate>=100").bound, 100.0);
    assert_eq!(parsed("pay.rate>1.5/s").bound, 1.5);
}

#[test]
fn a_wrong_objective_is_explained_with_a_right_one() {
    for (text, fault) in [
        ("", "it has none of"),
        ("p99=300ms", "it has none of"),
        ("p99<300", "'300' is not a duration"),
        ("p0<300ms", "'p0' is neither a metric"),
        ("p101<1s", "'p101' is neither"),
        ("latency<1s", "'latency' is neither"),
        ("buy.p99<1s", "'buy.p99' is neither"),
        ("create.<1s", "'create.' is neither"),
        ("errors<0.1", "'0.1' is not a percentage"),
        ("errors<101%", "'101%' is not a percentage"),
        ("errors<-1%", "'-1%' is not a percentage"),
        ("rate>=fast", "'fast' is not a number"),
        ("rate>=inf", "'inf' is not a number"),
        ("rate>>1", "'>1' is not a number"),
    ] {
        let message = text.parse::<Objective>().unwrap_err().to_string();
        assert!(message.contains(fault) && message.contains("right would be: "), "{message}");
    }
}

#[test]
fn objectives_are_held_against_what_was_measured() {
    let measurements = measured();
    assert!(met("p50<=51ms", &measurements));
    assert!(!met("p99<50ms", &measurements));
    assert!(met("max<=101ms", &measurements));
    assert!(met("mean<60ms", &measurements));
    assert!(met("errors<=1%", &measurements));
    assert!(!met("errors<1%", &measurements));
    assert!(met("dropped<=0%", &measurements));
    assert!(met("rate>=10", &measurements));
    assert!(!met("rate>10", &measurements));
}

#[test]
fn dropped_requests_violate_what_they_would_otherwise_flatter() {
    let mut measurements = measured();
    measurements.dropped = 50;
    let verdict = parsed("p99<1h").judge(&measurements, Duration::from_secs(10));
    assert!(!verdict.met);
    assert_eq!(verdict.measured, None);
    assert!(verdict.note.unwrap().contains("50 of 150 requests"));
    assert!(met("p50<1h", &measurements));
    assert!(!met("max<1h", &measurements));
    assert!(!met("dropped<33%", &measurements));
}

#[test]
fn nothing_measured_is_not_met() {
    let nothing = Measurements::new().unwrap();
    for text in ["p99<1h", "errors<=0", "dropped<=0%", "mean<1h", "max<1h"] {
        let verdict = parsed(text).judge(&nothing, Duration::from_secs(10));
        assert!(!verdict.met, "{text}");
        assert_eq!(verdict.note.as_deref(), Some("nothing was measured"), "{text}");
    }
}

fn any_objective() -> impl Strategy<Value = String> {
    let operation = proptest::option::of(proptest::sample::select(Operation::ALL.to_vec()));
    let sign = proptest::sample::select(vec!["<", "<=", ">", ">="]);
    let blank = proptest::sample::select(vec!["", " "]);
    let subject_and_bound = prop_oneof![
        (1..1_000_u32, 0..100_000_u32)
            .prop_map(|(tenths, ms)| (format!("p{}.{}", tenths / 10, tenths % 10), format!("{ms}ms"))),
        (0..10_000_u32)
            .prop_map(|hundredths| ("errors".to_owned(), format!("{}.{:02}%", hundredths / 100, hundredths % 100))),
        any::<u32>().prop_map(|rate| ("rate".to_owned(), rate.to_string())),
    ];
    (operation, subject_and_bound, sign, blank).prop_map(|(operation, (metric, bound), sign, blank)| {
        let prefix = operation.map_or(String::new(), |operation| format!("{operation}."));
        format!("{prefix}{metric}{blank}{sign}{blank}{bound}")
    })
}

proptest! {
    #[test]
    fn every_well_formed_objective_is_read_and_shown_as_written(text in any_objective()) {
        let objective: Objective = text.parse().unwrap();
        prop_assert_eq!(objective.to_string(), text);
        prop_assert!(objective.bound.is_finite());
    }

    #[test]
    fn no_text_makes_it_panic_and_every_error_helps(text in ".{0,40}") {
        if let Err(error) = text.parse::<Objective>() {
            prop_assert!(error.to_string().contains("right would be: "));
        }
    }

    #[test]
    fn a_looser_bound_is_never_harder(ms in 1..200_u32, more in 0..200_u32) {
        let measurements = measured();
        if met(&format!("p90<{ms}ms"), &measurements) {
            let looser = format!("p90<{}ms", ms + more);
            prop_assert!(met(&looser, &measurements));
        }
    }
}
