//! HTTP around the routes, against the running program: compression, HEAD, limits of heads, keep-alive,
//! the description, the metrics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::Read;

use serde_json::Value;
use support::{Service, order, wire};

fn get(service: &Service, path: &str, headers: &str) -> wire::Raw {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    wire::exchange(&mut wire::connect(&service.url), request.as_bytes())
}

#[test]
fn large_answers_are_compressed_as_the_client_likes() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let mut large = order("1");
    large["shopItems"][0]["description"] = "green tea ".repeat(500).into();
    let id = service.create(&large);
    let path = format!("/api/orders/{id}");
    let plain = get(&service, &path, "");
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    let magic: [(&str, &[u8]); 3] = [("gzip", &[0x1f, 0x8b]), ("zstd", &[0x28, 0xb5, 0x2f, 0xfd]), ("br", &[])];
    for (encoding, magic) in magic {
        let answer = get(&service, &path, &format!("accept-encoding: {encoding}\r\n"));
        assert_eq!(answer.header("content-encoding"), Some(encoding), "{}", answer.head);
        assert!(answer.header("vary").unwrap().to_ascii_lowercase().contains("accept-encoding"), "{}", answer.head);
        assert!(answer.body.len() < plain.body.len() / 5 && answer.body.starts_with(magic), "{encoding}");
        assert_eq!(answer.header("etag"), Some("\"0\""), "the revision, for If-Match, whatever the encoding");
    }
    for (accepted, chosen) in [
        ("br;q=0.5, gzip;q=0.9", Some("gzip")),
        ("identity", None),
        ("gzip;q=0", None),
        ("deflate", None),
        ("*;q=0", None),
        ("", None),
    ] {
        let answer = get(&service, &path, &format!("accept-encoding: {accepted}\r\n"));
        assert_eq!((answer.status, answer.header("content-encoding")), (200, chosen), "{accepted}");
    }
    let small = get(&service, "/api/orders/search?search=absent", "accept-encoding: gzip\r\n");
    assert_eq!(small.header("content-encoding"), None, "not worth it");
}

#[test]
fn a_head_tells_what_a_get_would() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("1"));
    for path in [format!("/api/orders/{id}"), "/api/orders".to_owned(), "/livez".to_owned(), "/openapi.json".to_owned()]
    {
        let (got, head) = (service.get(&path), service.send("HEAD", &path, &[], None));
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for header in ["content-type", "etag"] {
            assert_eq!(head.header(header), got.header(header), "{path} {header}");
        }
    }
    let absent = service.send("HEAD", "/api/orders/0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f", &[], None);
    assert_eq!((absent.status, absent.body.as_str()), (404, ""));
}

#[test]
fn a_head_of_a_request_over_a_mebibyte_is_431() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let padded = |length: usize| get(&service, "/livez", &format!("x-padding: {}\r\n", "x".repeat(length)));
    assert_eq!(padded(500_000).status, 200, "half of it is fine");
    assert_eq!(padded(1_100_000).status, 431);
    let many: String = (0..5_000).map(|index| format!("x-{index}: y\r\n")).collect();
    assert_eq!(get(&service, "/livez", &many).status, 431, "neither may there be any number of them");
    assert_eq!(get(&service, "/livez", "").status, 200, "others are not disturbed");
}

#[test]
fn what_is_not_http_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    for bad in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-length: nine\r\n\r\n",
        b"POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n12",
        b"GET /livez HTTP/1.1\r\nhost : x\r\n\r\n",
    ] {
        let mut stream = wire::connect(&service.url);
        std::io::Write::write_all(&mut stream, bad).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    service.get("/livez").expect(200);
}

#[test]
fn one_connection_serves_many_requests_even_pipelined() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let mut stream = wire::connect(&service.url);
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for _ in 0..100 {
        assert_eq!(wire::exchange(&mut stream, request).body, b"live\n");
    }
    std::io::Write::write_all(&mut stream, &request.repeat(50)).unwrap();
    assert!((0..50).all(|_| wire::read(&mut stream).status == 200));
    let refused =
        b"POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n{";
    assert_eq!(wire::exchange(&mut stream, refused).status, 400);
    assert_eq!(wire::exchange(&mut stream, request).status, 200, "a problem does not cost the connection");
}

#[test]
fn the_description_and_its_page_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let description = service.get("/openapi.json").expect(200).json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"), "{}", description["openapi"]);
    assert!(description["paths"]["/api/orders/pay/{id}"]["put"].is_object());
    let page = service.get("/swagger/index.html").expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html") && page.body.contains("swagger"));
}

#[test]
fn another_base_path_moves_the_orders_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &["up", "--no-traffic", "--base-path", "/shop/v2"]);
    let created = service.command("POST", "/shop/v2/orders", Some(&order("1"))).expect(201);
    let location = created.header("location").unwrap();
    assert!(location.starts_with("/shop/v2/orders/"), "{location}");
    service.get(location).expect(200);
    service.get("/api/orders").expect(404);
    service.get("/readyz").expect(200);
    assert!(service.get("/openapi.json").json()["paths"]["/shop/v2/orders"].is_object());
}

#[test]
fn the_metrics_are_open_metrics_with_exemplars() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let id = service.send("POST", "/api/orders", &headers, Some(&order("1"))).expect(201).json();
    service.get(&format!("/api/orders/{}", id.as_str().unwrap())).expect(200);
    service.get("/nowhere/at/all").expect(404);
    let answer = service.get("/metrics").expect(200);
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(answer.body.ends_with("# EOF\n"));
    let mut families = Vec::new();
    for line in answer.body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(
                ["counter", "gauge", "histogram", "info", "unknown", "summary", "stateset"].contains(&kind),
                "{line}"
            );
            assert!(!families.contains(&name), "a family has one place: {line}");
            families.push(name);
        } else if !line.starts_with('#') {
            sample(line, &families);
        }
    }
    let body = &answer.body;
    let exemplar = body.lines().find(|line| line.starts_with("http_server_request_duration") && line.contains(trace));
    assert!(exemplar.unwrap().contains("route=\"/api/orders\""), "{exemplar:?}");
    assert!(body.contains("unmatched") && !body.contains("nowhere"), "a path is no label");
    assert!(!body.contains(id.as_str().unwrap()), "neither is an id");
    for promised in [
        "http_server_active_requests",
        "delivery_commands_total",
        "delivery_orders_total",
        "eventstore_operation_duration_seconds",
        "projection_lag_events",
        "projection_checkpoint_position",
        "readmodel_operation_duration_seconds",
        "build_info",
    ] {
        assert!(body.contains(promised), "{promised} is promised");
    }
}

/// A line of OpenMetrics: `name{labels} value [# {labels} value [timestamp]]`, of the family at hand.
fn sample(line: &str, families: &[&str]) {
    let (sample, exemplar) = line.split_once(" # ").map_or((line, None), |(sample, rest)| (sample, Some(rest)));
    let (name, value) = sample.rsplit_once(' ').unwrap();
    let name = name.split('{').next().unwrap();
    let family = families.last().unwrap();
    assert!(name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')), "{family}: {line}");
    value.parse::<f64>().unwrap_or_else(|error| panic!("{error}: {line}"));
    if let Some(exemplar) = exemplar {
        let (labels, value) = exemplar.rsplit_once('}').unwrap();
        assert!(labels.contains("trace_id=\""), "{line}");
        assert!(value.split_whitespace().all(|number| number.parse::<f64>().is_ok()), "{line}");
    }
}

#[test]
fn readiness_tells_of_each_part() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    assert_eq!(service.get("/livez").expect(200).body, "live\n");
    let ready = service.get("/readyz").expect(200).json();
    assert_eq!(ready["status"], "up", "{ready}");
    let names: Vec<&str> =
        ready["checks"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["event store", "read model", "search", "orders projection", "search projection"]);
    let projection: &Value = &ready["checks"][3];
    assert!(projection["lagEvents"].is_u64() && projection["parkedEvents"] == 0, "{projection}");
}
