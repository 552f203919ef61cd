//! What every problem of the API has to be, whatever it is about (RFC 9457, and the older program's
//! `error` and `timestamp`). Which problem it is to be, the tests say.

use serde_json::Value;

use super::Answer;

/// Checks a problem through and through and returns it.
#[track_caller]
pub(crate) fn check(answer: &Answer, status: u16, slug: &str, path: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    let problem = answer.json();
    let text = |field: &str| problem[field].as_str().unwrap_or_else(|| panic!("no {field}: {problem}"));
    assert_eq!(text("type"), format!("/problems/{slug}"), "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    assert_eq!(text("instance"), path, "{problem}");
    assert!(!text("title").is_empty() && !text("detail").is_empty(), "{problem}");
    assert_eq!(text("error"), text("detail"), "the older program's clients read error");
    let timestamp = text("timestamp");
    assert!(timestamp.len() >= 20 && timestamp.ends_with('Z') && timestamp.contains('T'), "{problem}");
    let trace = text("traceId");
    assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{problem}");
    let response = answer.header("traceresponse").unwrap_or_else(|| panic!("no traceresponse: {answer:?}"));
    assert_eq!(response.split('-').nth(1), Some(trace), "one request, one trace");
    assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    let retry = answer.header("retry-after").map(|seconds| seconds.parse::<u32>().unwrap());
    assert!(!matches!(status, 429 | 503) || retry.is_some(), "whoever has to come back is told when: {answer:?}");
    problem
}

/// The pointers of a problem's `errors`, in their order.
pub(crate) fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|detail| !detail.is_empty())), "{problem}");
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}
