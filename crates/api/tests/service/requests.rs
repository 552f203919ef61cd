//! What surrounds every request: identity and trace, limits of size, time and number, and an answer
//! whatever goes wrong.

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::RateLimit;

use crate::support::{Answer, PATIENCE, Service, Setup, order};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The parts of `traceresponse`: version, trace, span, flags.
fn trace(answer: &Answer) -> Vec<&str> {
    answer.header("traceresponse").unwrap().split('-').collect()
}

fn post(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /api/orders HTTP/1.1\r\nhost: localhost\r\n{content_type}content-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_problem_says_all_that_a_client_needs() {
    let service = Service::start(Setup::default()).await;
    let answer = service.get("/api/orders/not-an-id?waitMs=1").await;
    let (trace, problem) = (trace(&answer)[1].to_owned(), answer.json());
    answer.expect_problem(400, "invalid-parameter");
    assert_eq!(problem["title"], "A parameter cannot be read");
    assert_eq!(problem["instance"], "/api/orders/not-an-id");
    assert_eq!(problem["traceId"], trace);
    assert_eq!(problem["error"], problem["detail"], "what the older program's clients read");
    assert!(problem["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "id");
}

#[tokio::test]
async fn every_answer_has_its_identity() {
    let service = Service::start(Setup::default()).await;
    for path in ["/livez", "/nowhere", "/api/orders", "/openapi.json"] {
        let (one, other) = (service.get(path).await, service.get(path).await);
        assert_eq!(one.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_ne!(one.header("x-request-id").unwrap(), other.header("x-request-id").unwrap(), "{path}");
        assert_ne!(trace(&one)[1], trace(&other)[1], "{path}");
    }
}

#[tokio::test]
async fn the_client_may_name_its_request() {
    let service = Service::start(Setup::default()).await;
    let named = async |id| service.send("GET", "/livez", &[("x-request-id", id)], "").await.expect(200);
    let (longest, long) = ("x".repeat(128), "x".repeat(129));
    for id in ["checkout-7", &longest] {
        assert_eq!(named(id).await.header("x-request-id"), Some(id));
    }
    for id in ["", "two words", &long] {
        let answer = named(id).await;
        assert_eq!(answer.header("x-request-id").map(str::len), Some(36), "{id:?} is replaced");
    }
}

#[tokio::test]
async fn a_request_is_a_child_in_its_callers_trace() {
    let service = Service::start(Setup::default()).await;
    for (flags, parent) in [("01", PARENT.to_owned()), ("00", PARENT.replace("-01", "-00"))] {
        let answer = service.send("GET", "/nowhere", &[("traceparent", &parent)], "").await.expect(404);
        let [version, id, span, given] = trace(&answer)[..] else { panic!("{answer:?}") };
        assert_eq!((version, id, given), ("00", TRACE, flags));
        assert_ne!(span, "b7ad6b7169203331");
    }
    let twice = [("traceparent", PARENT), ("traceparent", PARENT)];
    for headers in [&[("traceparent", "00-zz-zz-01")][..], &twice] {
        let answer = service.send("GET", "/livez", headers, "").await.expect(200);
        assert_ne!(trace(&answer)[1], TRACE, "more than one is none");
    }
}

#[tokio::test]
async fn an_event_belongs_to_the_trace_of_its_command() {
    let service = Service::start(Setup::default()).await;
    let created = service.send("POST", "/api/orders", &[("traceparent", PARENT)], &order()).await.expect(201);
    let history = service.get(&format!("{}/events", created.header("location").unwrap())).await.expect(200);
    assert_eq!(history.json()["events"][0]["traceId"], TRACE);
}

#[tokio::test]
async fn a_route_or_a_method_that_is_unknown_is_a_problem() {
    let service = Service::start(Setup::default()).await;
    for path in ["/", "/orders", "/api", "/livez/", "/API/orders"] {
        let problem = service.get(path).await.expect_problem(404, "unknown-route");
        assert_eq!(problem["instance"], path);
    }
    for (method, path, allowed) in [
        ("POST", "/livez", "GET,HEAD"),
        ("DELETE", "/api/orders", "POST,GET,HEAD"),
        ("GET", "/admin/projections/orders/rebuild", "POST"),
    ] {
        let answer = service.send(method, path, &[], "").await;
        let mut allow: Vec<_> = answer.header("allow").unwrap().split(',').collect();
        let mut allowed: Vec<_> = allowed.split(',').collect();
        allow.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(allow, allowed, "{path}");
        answer.expect_problem(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn a_body_has_a_size_and_a_type() {
    let mut setup = Setup::default();
    setup.config.body_limit = order().len();
    let service = Service::start(setup).await;
    let send = async |content_type: &str, body: &str| {
        let mut connection = service.connect().await;
        connection.write(post(content_type, body)).await;
        connection.read().await
    };
    for good in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.shop+json"] {
        send(&format!("content-type: {good}\r\n"), &order()).await.expect(201);
    }
    for bad in ["", "content-type: text/plain\r\n", "content-type: application/jsonp\r\n", "content-type: \u{fc}\r\n"] {
        send(bad, &order()).await.expect_problem(415, "unsupported-media-type");
    }
    let large = format!("{} ", order());
    send("content-type: application/json\r\n", &large).await.expect_problem(413, "body-too-large");
}

#[tokio::test]
async fn a_body_that_hides_its_size_is_cut_off() {
    let mut setup = Setup::default();
    setup.config.body_limit = 16;
    let service = Service::start(setup).await;
    let mut connection = service.connect().await;
    let head = "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    // It never says that it is complete: what came is enough to refuse it.
    connection.write(format!("{head}transfer-encoding: chunked\r\n\r\n11\r\n01234567890123456\r\n")).await;
    connection.read().await.expect_problem(413, "body-too-large");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let mut setup = Setup::default();
    setup.config.request_timeout = Duration::from_millis(50);
    let service = Service::start(setup).await;
    service.projections.close();
    let mut connection = service.connect().await;
    let answer = connection.send("GET", "/admin/projections", &[], "").await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.expect_problem(503, "deadline-exceeded");
    connection.send("GET", "/livez", &[], "").await.expect(200);
    // A body that does not come is part of its request's time.
    let stalled = post("content-type: application/json\r\n", &order());
    connection.write(&stalled[..stalled.len() - 1]).await;
    connection.read().await.expect_problem(503, "deadline-exceeded");
}

#[tokio::test]
async fn a_panic_costs_one_request_and_nothing_else() {
    let service = Service::start(Setup::default()).await;
    service.projections.panics.store(true, Ordering::SeqCst);
    let mut connection = service.connect().await;
    let answer = connection.send("GET", "/admin/projections", &[], "").await;
    assert!(!answer.text().contains("as the test wants"), "what went wrong is for the log");
    answer.expect_problem(500, "internal");
    service.projections.panics.store(false, Ordering::SeqCst);
    connection.send("GET", "/admin/projections", &[], "").await.expect(200);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let mut setup = Setup::default();
    setup.config.rate_limit = Some(RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN });
    let service = Service::start(setup).await;
    let mut connection = service.connect().await;
    connection.send("GET", "/api/orders", &[], "").await.expect(200);
    // A machine may be so slow that a second has passed; not time after time.
    let refused = async {
        loop {
            let answer = connection.send("GET", "/nowhere", &[], "").await;
            if answer.status != 404 {
                break answer;
            }
        }
    };
    let refused = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.expect_problem(429, "rate-limited");
    for path in ["/livez", "/readyz", "/metrics"] {
        for _ in 0..5 {
            service.get(path).await.expect(200);
        }
    }
}

#[tokio::test]
async fn requests_are_counted_by_what_they_were_and_how_they_ended() {
    let service = Service::start(Setup::default()).await;
    service.get("/made/up/by/a/client").await.expect(404);
    service.get("/api/orders/not-an-id").await.expect(400);
    service.projections.panics.store(true, Ordering::SeqCst);
    service.get("/admin/projections").await.expect(500);
    let metrics = service.get("/metrics").await.expect(200).text();
    for (route, status) in [("unmatched", 404), ("/api/orders/{id}", 400), ("/admin/projections", 500)] {
        let counted = metrics.lines().filter(|line| line.starts_with("http_server_request_duration_seconds_count"));
        let found = counted.filter(|line| line.contains(&format!("\"{route}\"")) && line.contains(&status.to_string()));
        assert_eq!(found.map(|line| line.split(' ').nth(1)).collect::<Vec<_>>(), [Some("1")], "{route}\n{metrics}");
    }
    assert!(!metrics.contains("made/up"));
    assert!(metrics.contains("\nhttp_server_active_requests 1\n"), "this one: {metrics}");
}

#[tokio::test]
async fn a_request_whose_client_has_left_is_active_no_more() {
    let service = Service::start(Setup::default()).await;
    service.projections.close();
    let mut connection = service.connect().await;
    connection.begin("GET", "/admin/projections", &[], "").await;
    service.projections.entered().await;
    let is_active = async |count| {
        let metrics = service.get("/metrics").await.expect(200).text();
        metrics.contains(&format!("\nhttp_server_active_requests {count}\n"))
    };
    assert!(is_active(2).await, "it and the asking one");
    drop(connection);
    let alone = async { while !is_active(1).await {} };
    tokio::time::timeout(PATIENCE, alone).await.unwrap();
}
