//! What a page is told when it gets no answer.

use std::time::Duration;

use console_model::TraceId;
use console_storage::Options;

use super::{Console, NOW_MS, escaped, made};

#[tokio::test]
async fn a_wrong_parameter_is_told_with_its_value_and_an_example() {
    let console = Console::new();
    let tags = |json: &str| format!("/api/traces?tags={}", escaped(json));
    let cases = [
        (
            "/api/overview?minutes=0".to_owned(),
            "parameter minutes is \"0\"; it has to be a whole number from 1 to 180, as in minutes=15",
        ),
        ("/api/overview?minutes=181".to_owned(), "parameter minutes is \"181\""),
        ("/api/overview?minutes=%2B5".to_owned(), "parameter minutes is \"+5\""),
        ("/api/overview?minute=5".to_owned(), "there is no parameter \"minute\" here; there are: minutes"),
        ("/api/services?x=1".to_owned(), "there is no parameter \"x\" here; there are: none"),
        (
            "/api/operations".to_owned(),
            "parameter service is missing; it has to be the name of a service, as in service=api",
        ),
        (
            "/api/traces?limit=501".to_owned(),
            "parameter limit is \"501\"; it has to be a whole number from 1 to 500, as in limit=50",
        ),
        ("/api/traces?limit=5&limit=6".to_owned(), "parameter limit is \"5\"; it has to be given once"),
        (
            "/api/traces?minDuration=10".to_owned(),
            "parameter minDuration is \"10\"; it has to be numbers with units of ns, us, ms, s, m or h, as in minDuration=1.5ms",
        ),
        (
            "/api/traces?minDuration=2s&maxDuration=1s".to_owned(),
            "parameter minDuration is \"2s\"; it has to be no more than maxDuration, 1s",
        ),
        (
            "/api/traces?errors=yes".to_owned(),
            "parameter errors is \"yes\"; it has to be true or false, as in errors=true",
        ),
        (
            "/api/traces?start=yesterday".to_owned(),
            "parameter start is \"yesterday\"; it has to be nanoseconds since the Unix epoch, as in start=1795600800000000000",
        ),
        ("/api/traces?start=2&end=1".to_owned(), "parameter start is \"2\"; it has to be before end, 1"),
        (
            "/api/traces?start=18446744073709551615".to_owned(),
            "it has to be before now, which is the end if none is given",
        ),
        (
            tags("[1]"),
            "parameter tags is \"[1]\"; it has to be a JSON object of strings, as in tags={\"http.request.method\":\"POST\"}",
        ),
        (tags("{\"a\":1}"), "but \"a\" is 1: write {\"a\":\"1\"}"),
        (
            "/api/traces/xyz".to_owned(),
            "parameter traceId is \"xyz\"; it has to be 32 hexadecimal digits, as in /api/traces/4bf92f3577b34da6a3ce929d0e0e4736",
        ),
    ];
    for (path, expected) in cases {
        let (status, message) = console.refusal(&path).await;
        assert_eq!(status, 400, "{path}");
        assert!(message.contains(expected), "{path}: {message}");
    }
}

#[tokio::test]
async fn a_trace_that_was_never_seen_is_told_so() {
    let console = Console::new();
    let path = format!("/api/traces/{:032x}", made::ORDER);
    let (status, message) = console.refusal(&path).await;
    assert_eq!(status, 404);
    assert_eq!(
        message,
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 was never seen; no spans are kept at all, /api/traces?limit=20 lists what there is"
    );
    console.take(&made::order(7));
    let (_, message) = console.refusal(&path).await;
    assert!(
        message.contains("was never seen; the oldest span that is kept began at 2026-11-25T09:59:00Z"),
        "{message}"
    );
}

/// The store removes on its own, so this waits for the fact that it did.
#[tokio::test]
async fn a_trace_that_was_evicted_is_told_so_with_when_and_why() {
    let options = Options { limit_bytes: 2 << 20, flush_interval: Duration::from_millis(5), ..Options::default() };
    let console = Console::ticking(options);
    console.take(&made::order(made::ORDER));
    // What is gone is remembered a moment after it went, and told as a fact a moment later.
    let is_gone = |trace: u128, rest: usize| {
        let kept = console.store.trace(TraceId::new(trace).unwrap()).unwrap();
        kept.batch.len() == rest && !kept.evicted.is_empty() && !console.store.facts().is_empty()
    };
    let mut trace = 1_000;
    while !is_gone(made::ORDER, 4) || !is_gone(1_001, 0) {
        trace += 1;
        let mut noise = made::large(trace, 2_000);
        for (number, span) in (0_u64..).zip(&mut noise.groups[0].spans) {
            let random = (u128::from(number) << 20 | trace).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            span.attributes.push("random", random.to_string().as_str());
        }
        console.take(&noise);
        console.store.flush().unwrap();
        assert!(trace < 20_000, "the store is bounded");
    }
    let partly = console.get(&format!("/api/traces/{:032x}", made::ORDER)).await;
    assert_eq!(partly["evicted"][0]["service"], "api");
    assert_eq!(partly["evicted"][0]["at"], format!("{NOW_MS}000000"));
    // The API's part is gone, so are the parents of both projections' spans.
    assert_eq!((partly["spans"].as_array().unwrap().len(), &partly["missingSpans"]), (4, &1.into()));
    let first_noise = format!("/api/traces/{:032x}", 1_001);
    let (status, message) = console.refusal(&first_noise).await;
    assert_eq!(status, 404);
    let expected = "was here and is no more: spans of api were evicted at 2026-11-25T10:00:00Z to stay within 2 MiB";
    assert!(message.contains(expected), "{message}");
    let overview = console.get("/api/overview").await;
    assert_eq!(overview["facts"][0]["kind"], "evictedForSize");
    assert_eq!((&overview["facts"][0]["signal"], &overview["facts"][0]["service"]), (&"traces".into(), &"api".into()));
}
