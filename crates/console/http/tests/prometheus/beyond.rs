//! What no recording shows: bounds, and what is not in a genuine Prometheus.

use serde_json::Value as Json;

use crate::recording::{get, send};
use crate::{router, seeded};

#[tokio::test]
async fn a_form_without_end_is_refused_and_says_how_much_is_taken() {
    let (_folder, store) = seeded();
    let form = format!("query={}", "a".repeat(2 << 20));
    let content_type = Some("application/x-www-form-urlencoded");
    let answer = send(&router(&store), "POST", "/prometheus/api/v1/labels", content_type, &form).await;
    let json: Json = serde_json::from_str(&answer.text).unwrap();
    assert_eq!((answer.status, json["errorType"].as_str()), (400, Some("bad_data")));
    assert!(json["error"].as_str().unwrap().contains("1048576 bytes"), "{json}");
}

#[tokio::test]
async fn a_selection_that_nobody_could_read_is_refused() {
    let (_folder, store) = seeded();
    let router = router(&store);
    for (selection, told) in [
        ("up%7Ba%3D~%22((a%7B1000%7D)%7B1000%7D)%7B1000%7D%22%7D", "parse error"),
        (&"(".repeat(50_000), "parse error"),
        (&"%7B".repeat(10_000), "parse error"),
    ] {
        let answer = get(&router, &format!("/api/v1/series?match[]={selection}")).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(answer.text.contains(told) && answer.text.len() < 4_000, "{}", answer.text);
    }
    let many = vec!["match[]=up"; 2_000].join("&");
    let answer = get(&router, &format!("/api/v1/labels?{many}")).await;
    assert!(answer.status == 400 && answer.text.contains("1000 selections"), "{}", answer.text);
}

#[tokio::test]
async fn a_server_that_scrapes_nothing_says_so() {
    let (_folder, store) = seeded();
    let parts = console_http::prometheus::Parts {
        store,
        clock: std::sync::Arc::new(crate::Stopped),
        targets: console_http::prometheus::Targets::default(),
        queries: std::sync::Arc::default(),
        version: "1.2.3",
    };
    let router = console_http::prometheus::router(parts);
    let answer = get(&router, "/api/v1/targets").await;
    let json: Json = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(json["data"]["activeTargets"], Json::Array(Vec::new()));
    assert!(get(&router, "/api/v1/status/config").await.text.contains(r#"{"yaml":""}"#));
}

/// A range query that takes far longer than anybody waits for it here.
const HEAVY: &str = "/api/v1/query_range?query=sum(max_over_time(%7B__name__%3D~%22.%2B%22%7D%5B1h:1s%5D))\
                     &start=1700000000&end=1700010000&step=1";

#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_time_is_up_is_told_so() {
    let (_folder, store) = seeded();
    let begun = std::time::Instant::now();
    let answer = get(&router(&store), &format!("{HEAVY}&timeout=100ms")).await;
    let json: Json = serde_json::from_str(&answer.text).unwrap();
    assert_eq!((answer.status, json["errorType"].as_str()), (503, Some("timeout")), "{json}");
    assert!(json["error"].as_str().unwrap().starts_with("query timed out"), "{json}");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_frees_the_turn_that_his_query_had() {
    let (_folder, store) = seeded();
    let router = router(&store);
    let asked: Vec<_> = (0..8)
        .map(|_| {
            let router = router.clone();
            tokio::spawn(async move { get(&router, HEAVY).await.status })
        })
        .collect();
    let light = "/api/v1/query?query=count(up)&time=1700000000";
    // Until all turns are taken, so that a light query gets none either.
    while tokio::time::timeout(std::time::Duration::from_millis(100), get(&router, light)).await.is_ok() {
        assert!(asked.iter().all(|query| !query.is_finished()), "they are to take longer than this");
    }
    asked.iter().for_each(tokio::task::JoinHandle::abort);
    let begun = std::time::Instant::now();
    let answer = get(&router, light).await;
    assert!(answer.status == 200 && begun.elapsed().as_secs() < 20, "{} after {:?}", answer.text, begun.elapsed());
}
