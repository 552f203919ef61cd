//! `/admin` over a socket: what the port says becomes an answer, and who gets one. The whole matrix of
//! access is tested where it is decided.

use std::slice;

use serde_json::json;

use crate::support::{Service, Setup};

const TOKEN: &str = "0123456789abcdef";

#[tokio::test]
async fn the_status_is_everything_that_the_port_tells() {
    let service = Service::start(Setup::default()).await;
    let answer = service.get("/admin/projections").await.expect(200);
    let expected = json!({ "projections": [{
        "name": "orders",
        "state": "backing_off",
        "lastError": "the read model is unavailable",
        "restarts": 3,
        "head": 42,
        "lagEvents": 2,
        "lagSeconds": 1.5,
        "generations": [{ "generation": 1, "state": "live", "checkpoint": 40, "orders": 9, "parked": 1 }]
    }] });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_rebuild_promotes_itself_unless_told_not_to() {
    let service = Service::start(Setup::default()).await;
    for query in ["", "?promote=auto", "?promote=manual"] {
        let answer = service.send("POST", &format!("/admin/projections/orders/rebuild{query}"), &[], "").await;
        assert_eq!(answer.expect(202).json(), json!({ "generation": 2 }), "{query}");
    }
    assert_eq!(*service.projections.rebuilds.lock().unwrap(), [true, true, false]);
    for query in ["?promote=later", "?promote=auto&promote=manual"] {
        let answer = service.send("POST", &format!("/admin/projections/orders/rebuild{query}"), &[], "").await;
        assert_eq!(answer.expect_problem(400, "invalid-parameter")["errors"][0]["pointer"], "promote", "{query}");
    }
    assert_eq!(service.projections.rebuilds.lock().unwrap().len(), 3, "what cannot be read starts nothing");
}

#[tokio::test]
async fn what_the_port_refuses_is_a_problem_on_every_route() {
    let service = Service::start(Setup::default()).await;
    for (method, action) in [
        ("POST", "rebuild"),
        ("POST", "promote"),
        ("POST", "discard"),
        ("GET", "parked"),
        ("POST", "parked/17/replay"),
        ("POST", "parked/17/skip"),
    ] {
        let ask = async |name| service.send(method, &format!("/admin/projections/{name}/{action}"), &[], "").await;
        let absent = ask("absent").await.expect_problem(404, "not-found");
        assert_eq!(absent["detail"], "no projection of this name", "{action}");
        let busy = ask("busy").await.expect_problem(409, "projection-state");
        assert_eq!(busy["detail"], "a rebuild is running", "{action}");
        let broken = ask("broken").await;
        assert_eq!(broken.header("retry-after"), Some("1"), "{action}");
        assert!(!broken.text().contains("sda1"), "{action}: a cause is for the log");
        broken.expect_problem(503, "unavailable");
    }
}

#[tokio::test]
async fn a_rebuild_is_promoted_or_discarded_by_its_generation() {
    let service = Service::start(Setup::default()).await;
    for action in ["promote", "discard"] {
        let answer = service.send("POST", &format!("/admin/projections/orders/{action}"), &[], "").await;
        assert_eq!(answer.expect(200).json(), json!({ "generation": 2 }), "{action}");
    }
}

#[tokio::test]
async fn a_parked_event_is_shown_without_its_payload() {
    let service = Service::start(Setup::default()).await;
    let answer = service.get("/admin/projections/orders/parked").await.expect(200);
    assert!(!answer.text().contains("jane@example.com"), "it is personal data");
    let mut list = answer.json();
    let mut parked = list["parked"][0].take();
    let parked_at = parked.as_object_mut().unwrap().remove("parkedAt").unwrap();
    assert!(parked_at.as_str().is_some_and(|text| text.ends_with('Z')), "{parked_at}");
    let expected = json!({
        "position": 17,
        "stream": "order-1",
        "revision": 3,
        "type": "ORDER_PAID",
        "id": "00000000-0000-0000-0000-000000000005",
        "error": "paymentID is missing",
        "attempts": 1
    });
    assert_eq!(parked, expected);
}

#[tokio::test]
async fn the_parked_listing_is_bounded() {
    let service = Service::start(Setup::default()).await;
    let one = service.get("/admin/projections/orders/parked?limit=1").await.expect(200).json();
    assert_eq!(one["parked"].as_array().map(Vec::len), Some(1));
    for limit in ["0", "1001", "-1", "+5", "ten", ""] {
        let answer = service.get(&format!("/admin/projections/orders/parked?limit={limit}")).await;
        assert_eq!(answer.expect_problem(400, "invalid-parameter")["errors"][0]["pointer"], "limit", "{limit}");
    }
}

#[tokio::test]
async fn a_parked_event_is_replayed_or_skipped_by_its_position() {
    let service = Service::start(Setup::default()).await;
    for action in ["replay", "skip"] {
        let at = async |position: &str| {
            service.send("POST", &format!("/admin/projections/orders/parked/{position}/{action}"), &[], "").await
        };
        assert_eq!(at("17").await.expect(200).json(), json!({ "events": 2 }), "{action}");
        at("18").await.expect_problem(404, "not-found");
        for position in ["seventeen", "-1", "9223372036854775808"] {
            at(position).await.expect_problem(400, "invalid-parameter");
        }
        at("%ff").await.expect_problem(400, "invalid-parameter");
    }
}

#[tokio::test]
async fn a_page_from_elsewhere_or_a_proxy_gets_nothing() {
    let service = Service::start(Setup::default()).await;
    for header in [
        ("host", "evil.example"),
        ("host", "localhost.evil.example:5007"),
        ("origin", "https://evil.example"),
        ("x-forwarded-for", "127.0.0.1"),
        ("via", "1.1 proxy"),
    ] {
        let rebuild = service.send("POST", "/admin/projections/orders/rebuild", slice::from_ref(&header), "").await;
        rebuild.expect_problem(403, "forbidden");
    }
    assert!(service.projections.rebuilds.lock().unwrap().is_empty());
    for host in ["localhost", "LOCALHOST:5007", "127.0.0.1:5007", "[::1]:5007"] {
        service.send("GET", "/admin/projections", &[("host", host)], "").await.expect(200);
    }
}

#[tokio::test]
async fn the_target_of_a_request_counts_before_its_host() {
    let service = Service::start(Setup::default()).await;
    let answer = service.get("http://evil.example/admin/projections").await;
    answer.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_token_opens_what_a_proxy_hands_on() {
    let mut setup = Setup::default();
    setup.config.admin_token = Some(TOKEN.into());
    let service = Service::start(setup).await;
    let proxied = ("x-forwarded-for", "192.0.2.1");
    for given in ["", "Bearer", "Bearer wrong", "Basic 0123456789abcdef"] {
        let answer = service.send("GET", "/admin/projections", &[proxied, ("authorization", given)], "").await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{given}");
        assert!(!answer.text().contains(TOKEN));
        answer.expect_problem(401, "unauthorized");
    }
    let bearer = format!("bearer {TOKEN}");
    service.send("GET", "/admin/projections", &[proxied, ("authorization", &bearer)], "").await.expect(200);
    service.get("/admin/projections").await.expect(200);
}

#[tokio::test]
async fn only_admin_is_guarded() {
    let service = Service::start(Setup::default()).await;
    for path in ["/livez", "/readyz", "/metrics", "/openapi.json", "/api/orders"] {
        service.send("GET", path, &[("host", "shop.example"), ("x-forwarded-for", "192.0.2.1")], "").await.expect(200);
    }
}
