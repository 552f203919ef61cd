//! Each record that is handed to the exporter ends up in exactly one counter, whatever happens to
//! collectors and however many threads hand records over.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::collector::{Collector, Reply, eventually};
use crate::setup::{PROTOCOLS, Setup, dropped, log, span};
use proptest::prelude::*;
use telemetry::export::{Batching, Exporter, Protocol, Retry};

const THREADS: usize = 3;

/// Hands over from several threads until told to stop; tells how many.
fn under_load(exporter: &Exporter, stop: &AtomicBool, count: &AtomicU64) {
    while !stop.load(Ordering::Relaxed) {
        exporter.span(span());
        if count.fetch_add(1, Ordering::Relaxed).is_multiple_of(64) {
            std::thread::yield_now();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_may_be_killed_and_come_back_under_load() {
    for protocol in PROTOCOLS {
        let batching = Batching { queue: 2_000, batch: 100, delay: Duration::from_millis(5) };
        let mut collector = Collector::start(protocol, &[]).await;
        let (exporter, exports) = Setup { batching, ..Setup::default() }.start(protocol, &collector.url(""));
        let (stop, handed) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut killed = Vec::new();
        let largest = std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| under_load(&exporter, &stop, &handed));
            }
            let watched = scope.spawn(|| {
                let mut largest = 0;
                while !stop.load(Ordering::Relaxed) {
                    largest = largest.max(exports.queued("traces"));
                    std::thread::yield_now();
                }
                largest
            });
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    for _ in 0..4 {
                        let before = exports.exported_total("traces");
                        eventually("delivery", || exports.exported_total("traces") >= before + 1_000).await;
                        collector.kill().await;
                        let failures = exports.failures_total("traces", "unreachable");
                        eventually("failure", || exports.failures_total("traces", "unreachable") > failures + 1).await;
                        let next = Collector::start_at(collector.address, protocol, &[]).await;
                        killed.push(std::mem::replace(&mut collector, next));
                    }
                });
            });
            stop.store(true, Ordering::Relaxed);
            watched.join().unwrap()
        });
        exporter.shutdown(Duration::from_secs(20)).await;
        let handed = handed.load(Ordering::Relaxed);
        let exported = exports.exported_total("traces");
        assert_eq!(exported + dropped(&exports, "traces"), handed, "{protocol:?}");
        assert_eq!(exported + exports.dropped_total("traces", "queue_full"), handed, "only a full queue costs");
        assert_eq!(exports.queued("traces"), 0);
        assert!(largest <= 2_000, "{largest} were held");
        // What was under way when a collector was killed, it may have taken a moment later.
        killed.push(collector);
        let distinct: HashSet<_> = killed.iter().flat_map(Collector::records).collect();
        assert_eq!(distinct.len() as u64, exported, "what counts as exported is what arrived");
    }
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => Just(Reply::Take),
        1 => (-1_i64..20).prop_map(Reply::TakePart),
        1 => Just(Reply::Busy(None)),
        1 => Just(Reply::Refuse),
        1 => Just(Reply::BreakOff),
        1 => Just(Reply::Hang),
    ]
}

#[derive(Debug, Clone)]
struct Case {
    protocol: Protocol,
    script: Vec<Reply>,
    batching: Batching,
    spans: u64,
    lines: u64,
    patience_ms: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let batching = (1_usize..400, 1_usize..60);
    let load = (0_u64..300, 0_u64..100, 0_u64..300);
    (prop::sample::select(&PROTOCOLS[..]), prop::collection::vec(reply(), 0..20), batching, load).prop_map(
        |(protocol, script, (queue, batch), (spans, lines, patience_ms))| {
            let batching = Batching { queue, batch, delay: Duration::from_millis(1) };
            Case { protocol, script, batching, spans, lines, patience_ms }
        },
    )
}

async fn run(case: Case) {
    let collector = Collector::start(case.protocol, &case.script).await;
    let millis = Duration::from_millis;
    let retry = Retry { first: millis(1), max: millis(4), give_up: millis(30) };
    let setup = Setup { batching: case.batching, retry, timeout: millis(20), ..Setup::default() };
    let (exporter, exports) = setup.start(case.protocol, &collector.url(""));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..case.spans).for_each(|_| exporter.span(span())));
            scope.spawn(|| (0..case.lines).for_each(|number| exporter.log(log(number.to_string()))));
        }
    });
    for signal in ["traces", "logs"] {
        assert!(exports.queued(signal) <= case.batching.queue as u64);
    }
    exporter.shutdown(millis(case.patience_ms)).await;
    for (signal, handed) in [("traces", case.spans), ("logs", case.lines)] {
        let settled = exports.exported_total(signal) + dropped(&exports, signal);
        assert_eq!(settled, handed * THREADS as u64, "{signal}");
        assert_eq!(exports.queued(signal), 0, "{signal}");
    }
    let taken: HashSet<_> = collector
        .received()
        .into_iter()
        .filter(|request| request.path.contains("race"))
        .flat_map(|request| request.records)
        .collect();
    assert!(taken.len() as u64 >= exports.exported_total("traces"), "exported, but never received");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_each_record_is_counted_once(case in case()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(run(case));
        runtime.shutdown_background();
    }
}
