//! Resources and scopes with text that is not UTF-8, in protobuf.

use console_otlp::{Rejected, logs, metrics, traces};
use console_wire::Writer;

/// Three senders with two scopes of two items each. `resource` or `scope` is the text of the second sender's
/// resource and that of its first scope.
fn request(resource: &[u8], scope: &[u8], item: fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut request = Writer::new(&mut out);
    for sender in 0..3 {
        request.message(1, |group| {
            let (resource, scope) = if sender == 1 { (resource, scope) } else { (&b"a"[..], &b"a"[..]) };
            group.message(1, |inner| {
                inner.message(1, |pair| {
                    pair.text(1, "service.name");
                    pair.message(2, |value| value.bytes(1, resource));
                });
            });
            for scope in [scope, b"another"] {
                group.message(2, |group| {
                    group.message(1, |inner| inner.bytes(1, scope));
                    group.message(2, item);
                    group.message(2, item);
                });
            }
        });
    }
    out
}

fn span(span: &mut Writer<'_>) {
    span.bytes(1, &[1; 16]);
    span.bytes(2, &[2; 8]);
}

fn record(record: &mut Writer<'_>) {
    record.fixed64(1, 5);
}

/// A metric with two data points.
fn metric(metric: &mut Writer<'_>) {
    metric.text(1, "x");
    metric.message(5, |gauge| {
        gauge.message(1, |point| point.double(4, 0.5));
        gauge.message(1, |point| point.double(4, 0.5));
    });
}

/// How many items were taken and how many not, and why.
fn read(name: &str, resource: &[u8], scope: &[u8]) -> (usize, u64, String) {
    let told = |taken: usize, rejected: Rejected| (taken, rejected.count, rejected.message);
    match name {
        "Spans" => {
            let read = traces::from_protobuf(&request(resource, scope, span), 0).unwrap();
            told(read.batch.len(), read.rejected)
        }
        "Logs" => {
            let read = logs::from_protobuf(&request(resource, scope, record), 0).unwrap();
            told(read.batch.len(), read.rejected)
        }
        _ => {
            let bytes = request(resource, scope, metric);
            let read = metrics::from_protobuf(&bytes, 0).unwrap();
            told(read.batch.len(), read.rejected)
        }
    }
}

#[test]
fn what_is_not_utf_8_takes_its_own_items_with_it() {
    for (name, each) in [("Spans", 1), ("Logs", 1), ("Metrics", 2)] {
        assert_eq!(read(name, b"a", b"a"), (12 * each, 0, String::new()));
        let (taken, rejected, message) = read(name, b"\xff", b"a");
        assert_eq!((taken, rejected), (8 * each, 4 * each as u64), "{name}");
        let place = format!("resource{name}[1].resource.attributes[0]: ");
        assert!(message.starts_with(&place) && message.contains("not UTF-8"), "{message}");
        let (taken, rejected, message) = read(name, b"a", b"\xff");
        assert_eq!((taken, rejected), (10 * each, 2 * each as u64), "{name}");
        let place = format!("resource{name}[1].scope{name}[0].scope: ");
        assert!(message.starts_with(&place) && message.contains("not UTF-8"), "{message}");
    }
}

#[test]
fn what_is_malformed_below_it_fails_the_request_all_the_same() {
    let malformed = request(b"\xff", b"a", |item| item.bytes(1, &[1; 16]));
    let cut = malformed.get(..malformed.len() - 1).unwrap();
    assert!(traces::from_protobuf(cut, 0).is_err());
    let points = request(b"\xff", b"a", |metric| metric.varint(5, 1));
    let error = metrics::from_protobuf(&points, 0).unwrap_err();
    assert!(error.to_string().starts_with("resourceMetrics["), "{error}");
}
