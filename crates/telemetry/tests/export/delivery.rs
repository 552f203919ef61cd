//! The exporter against collectors of every temper, over real sockets and both forms of OTLP.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::collector::{Collector, Reply, eventually};
use crate::setup::{PROTOCOLS, Setup, dropped, log, span};
use telemetry::export::{Batching, Protocol, Retry};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_is_handed_over_arrives_once() {
    for protocol in PROTOCOLS {
        for gzip in [false, true] {
            let collector = Collector::start(protocol, &[]).await;
            let (exporter, exports) = Setup { gzip, ..Setup::default() }.start(protocol, &collector.url(""));
            let spans: Vec<_> = (0..25).map(|_| span()).collect();
            spans.iter().for_each(|span| exporter.span(span.clone()));
            (0..7).for_each(|number| exporter.log(log(format!("line {number}"))));
            exporter.shutdown(PATIENCE).await;
            let mut expected: Vec<_> = spans.iter().map(|span| span.context.span_id().to_string()).collect();
            expected.extend((0..7).map(|number| format!("line {number}")));
            let mut found = collector.records();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{protocol:?}");
            assert_eq!((exports.exported_total("traces"), exports.exported_total("logs")), (25, 7));
            assert_eq!((dropped(&exports, "traces"), exports.queued("traces")), (0, 0));
            for request in collector.received() {
                let header = |name| request.headers.get(name).map_or("", |value| value.to_str().unwrap());
                assert_eq!(header("x-api-key"), "s3cret");
                assert!(header("user-agent").starts_with("highbeam/"), "{}", header("user-agent"));
                let encoding = if protocol == Protocol::Grpc { "grpc-encoding" } else { "content-encoding" };
                assert_eq!(header(encoding) == "gzip", gzip, "{protocol:?}");
                assert!(request.records.len() <= 10);
            }
        }
    }
}

#[tokio::test]
async fn a_batch_goes_when_it_is_full_and_another_when_its_time_has_come() {
    let collector = Collector::start(Protocol::Grpc, &[]).await;
    let (exporter, exports) = Setup::in_full_batches().start(Protocol::Grpc, &collector.url(""));
    (0..19).for_each(|_| exporter.span(span()));
    eventually("the full batch", || exports.exported_total("traces") == 10).await;
    assert_eq!(exports.queued("traces"), 9);
    let collector = Collector::start(Protocol::Grpc, &[]).await;
    let (exporter, exports) = Setup::default().start(Protocol::Grpc, &collector.url(""));
    exporter.span(span());
    eventually("the lonely span", || exports.exported_total("traces") == 1).await;
}

#[tokio::test]
async fn a_collector_may_come_later() {
    for protocol in PROTOCOLS {
        // Free when it was asked for.
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (exporter, exports) = Setup::default().start(protocol, &format!("http://{address}"));
        (0..25).for_each(|_| exporter.span(span()));
        eventually("a failure", || exports.failures_total("traces", "unreachable") >= 3).await;
        assert_eq!((exports.queued("traces"), dropped(&exports, "traces")), (25, 0));
        let collector = Collector::start_at(address, protocol, &[]).await;
        eventually("delivery", || exports.exported_total("traces") == 25).await;
        assert_eq!(collector.records().len(), 25);
        assert_eq!(dropped(&exports, "traces"), 0);
    }
}

#[tokio::test]
async fn a_peer_that_accepts_and_never_answers_is_given_up() {
    for protocol in PROTOCOLS {
        // Connections wait in the backlog, or are accepted and ignored: both look alike from outside.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let retry = Retry { give_up: Duration::from_millis(150), ..Setup::default().retry };
        let setup = Setup { retry, timeout: Duration::from_millis(50), ..Setup::default() };
        let (exporter, exports) = setup.start(protocol, &format!("http://{address}"));
        (0..10).for_each(|_| exporter.span(span()));
        eventually("the end", || exports.dropped_total("traces", "undeliverable") == 10).await;
        assert!(exports.failures_total("traces", "timeout") >= 2, "{protocol:?}");
        assert_eq!(exports.queued("traces"), 0);
    }
}

#[tokio::test]
async fn one_request_without_an_answer_is_sent_again() {
    for protocol in PROTOCOLS {
        for reply in [Reply::Hang, Reply::BreakOff] {
            let collector = Collector::start(protocol, &[Reply::Take, reply, reply]).await;
            let setup = Setup { timeout: Duration::from_millis(200), ..Setup::in_full_batches() };
            let (exporter, exports) = setup.start(protocol, &collector.url(""));
            (0..20).for_each(|_| exporter.span(span()));
            eventually("delivery", || exports.exported_total("traces") == 20).await;
            let reason = if reply == Reply::Hang { "timeout" } else { "unreachable" };
            assert_eq!(exports.failures_total("traces", reason), 2, "{protocol:?} {reply:?}");
            // Whether the collector had taken it cannot be known, so it got the batch three times.
            assert_eq!(collector.records().len(), 40, "{protocol:?} {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_busy_collector_is_left_alone_for_as_long_as_it_says() {
    for protocol in PROTOCOLS {
        let collector = Collector::start(protocol, &[Reply::Busy(None), Reply::Busy(Some(1))]).await;
        let (exporter, exports) = Setup::default().start(protocol, &collector.url(""));
        exporter.span(span());
        eventually("delivery", || exports.exported_total("traces") == 1).await;
        let times: Vec<_> = collector.received().iter().map(|request| request.at).collect();
        assert_eq!(times.len(), 3);
        assert!(times[1] - times[0] < Duration::from_millis(900), "{:?}", times[1] - times[0]);
        assert!(times[2] - times[1] >= Duration::from_secs(1), "{:?}", times[2] - times[1]);
    }
}

#[tokio::test]
async fn what_is_refused_is_not_sent_again() {
    for protocol in PROTOCOLS {
        let collector = Collector::start(protocol, &[Reply::Refuse, Reply::TakePart(3)]).await;
        let (exporter, exports) = Setup::in_full_batches().start(protocol, &collector.url(""));
        (0..30).for_each(|_| exporter.span(span()));
        exporter.shutdown(PATIENCE).await;
        assert_eq!(collector.received().len(), 3, "{protocol:?}");
        assert_eq!(exports.dropped_total("traces", "rejected"), 13);
        assert_eq!(exports.exported_total("traces"), 17);
        assert_eq!(exports.failures_total("traces", "rejected"), 1);
    }
}

#[tokio::test]
async fn a_full_queue_drops_what_is_new_and_says_so() {
    for protocol in PROTOCOLS {
        let collector = Collector::start(protocol, &[Reply::Hang]).await;
        let batching = Batching { queue: 50, batch: 10, delay: Duration::from_millis(5) };
        let setup = Setup { batching, timeout: Duration::from_secs(2), ..Setup::default() };
        let (exporter, exports) = setup.start(protocol, &collector.url(""));
        let first: Vec<_> = (0..50).map(|_| span()).collect();
        first.iter().for_each(|span| exporter.span(span.clone()));
        eventually("the request that hangs", || collector.received().len() == 1).await;
        for _ in 0..200 {
            exporter.span(span());
            assert!(exports.queued("traces") <= 50);
        }
        assert_eq!(exports.dropped_total("traces", "queue_full"), 200);
        // A log line has a queue of its own.
        exporter.log(log("another matter"));
        eventually("the log line", || exports.exported_total("logs") == 1).await;
        exporter.shutdown(PATIENCE).await;
        assert_eq!(exports.exported_total("traces"), 50);
        let found: HashSet<_> = collector.records().into_iter().collect();
        assert!(first.iter().all(|span| found.contains(&span.context.span_id().to_string())));
    }
}

#[tokio::test]
async fn large_records_go_in_several_requests_and_one_that_is_too_large_in_none() {
    for protocol in PROTOCOLS {
        let collector = Collector::start(protocol, &[]).await;
        let batching = Batching { queue: 100, batch: 100, delay: Duration::from_millis(5) };
        let (exporter, exports) = Setup { batching, ..Setup::default() }.start(protocol, &collector.url(""));
        for number in 0..20 {
            exporter.log(log(format!("{number} {}", "x".repeat(500_000))));
        }
        exporter.log(log("x".repeat(5_000_000)));
        exporter.log(log("small"));
        exporter.shutdown(PATIENCE).await;
        assert_eq!(exports.exported_total("logs"), 21, "{protocol:?}");
        assert_eq!(exports.dropped_total("logs", "oversized"), 1);
        let sizes: Vec<_> = collector.received().iter().map(|request| request.size).collect();
        assert!(sizes.iter().all(|size| *size < 3_000_000) && sizes.len() > 1, "{sizes:?}");
    }
}

#[tokio::test]
async fn the_end_comes_in_time_whatever_the_collector_does() {
    for protocol in PROTOCOLS {
        let collector = Collector::start(protocol, &[Reply::Hang; 100]).await;
        let (exporter, exports) = Setup::default().start(protocol, &collector.url(""));
        (0..25).for_each(|_| exporter.span(span()));
        eventually("the first request", || !collector.received().is_empty()).await;
        let begun = Instant::now();
        exporter.shutdown(Duration::from_millis(100)).await;
        // The timeout of a request is 10 seconds.
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        exporter.span(span());
        assert_eq!(exports.dropped_total("traces", "shutdown"), 26);
        assert_eq!(exports.queued("traces"), 0);
        exporter.shutdown(PATIENCE).await;
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_pause_between_attempts() {
    let collector = Collector::start(Protocol::Grpc, &[Reply::Busy(None)]).await;
    let hour = Duration::from_secs(3_600);
    let retry = Retry { first: hour, max: hour, give_up: 3 * hour };
    let (exporter, exports) = Setup { retry, ..Setup::default() }.start(Protocol::Grpc, &collector.url(""));
    exporter.span(span());
    eventually("the failure", || exports.failures_total("traces", "unavailable") == 1).await;
    exporter.shutdown(PATIENCE).await;
    assert_eq!(exports.exported_total("traces"), 1);
}

#[tokio::test]
async fn an_exporter_that_is_dropped_ends_its_thread() {
    let collector = Collector::start(Protocol::Grpc, &[Reply::Hang; 100]).await;
    let (exporter, exports) = Setup::default().start(Protocol::Grpc, &collector.url(""));
    exporter.span(span());
    eventually("the request", || !collector.received().is_empty()).await;
    drop(exporter);
    eventually("the end", || exports.dropped_total("traces", "shutdown") == 1).await;
}

#[tokio::test]
async fn only_a_certificate_that_is_trusted_is_talked_to() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for protocol in PROTOCOLS {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let private = rustls::pki_types::PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private)
            .unwrap();
        let protocols = if protocol == Protocol::Grpc { vec![b"h2".to_vec()] } else { Vec::new() };
        config.alpn_protocols = protocols;
        let collector = Collector::start_tls(protocol, std::sync::Arc::new(config).into()).await;
        let setup = || Setup { certificate: Some(key.cert.pem().into_bytes()), ..Setup::default() };
        let (exporter, exports) = setup().start(protocol, &collector.url(""));
        exporter.span(span());
        eventually("delivery", || exports.exported_total("traces") == 1).await;
        let setup = Setup { certificate: Some(other.cert.pem().into_bytes()), ..Setup::default() };
        let (exporter, exports) = setup.start(protocol, &collector.url(""));
        exporter.span(span());
        eventually("a failure", || exports.failures_total("traces", "unreachable") >= 2).await;
        assert_eq!(collector.records().len(), 1);
    }
}
