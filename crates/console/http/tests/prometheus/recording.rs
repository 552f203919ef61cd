//! A recorded request with a genuine Prometheus' answer, and an answer of ours in the same terms.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use tower::ServiceExt;

/// A line of `golden/prometheus/recordings.jsonl`.
pub(crate) struct Recording {
    pub(crate) method: String,
    /// With the query, as it was sent, without `/prometheus`.
    pub(crate) path: String,
    body: Option<String>,
    sent_type: Option<String>,
    pub(crate) answer: Answer,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) allow: String,
    pub(crate) text: String,
}

/// Which order of results counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// That of the answer.
    Told,
    /// None.
    Any,
}

#[derive(Deserialize)]
struct Line {
    method: String,
    path: String,
    body: Option<String>,
    sent: Option<String>,
    status: u16,
    r#type: String,
    #[serde(default)]
    allow: String,
    answer: String,
}

impl Recording {
    /// Every recording, in order.
    pub(crate) fn all() -> Vec<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/prometheus/recordings.jsonl");
        let text = std::fs::read_to_string(file).expect("recordings");
        let lines = text.lines().map(|line| serde_json::from_str::<Line>(line).expect("a recording"));
        let recording = |line: Line| Self {
            method: line.method,
            path: line.path,
            body: line.body,
            sent_type: line.sent,
            answer: Answer { status: line.status, content_type: line.r#type, allow: line.allow, text: line.answer },
        };
        lines.map(recording).collect()
    }

    /// How it is told from others.
    pub(crate) fn name(&self) -> String {
        let body = self.body.as_deref().map(|body| format!(" with {body}")).unwrap_or_default();
        format!("{} {}{body}", self.method, self.path)
    }

    /// Whether the ledger means this one: its name begins so, or is it where that ends in a `$`.
    pub(crate) fn is(&self, begin: &str) -> bool {
        match begin.strip_suffix('$') {
            Some(whole) => self.name() == whole,
            None => self.name().starts_with(begin),
        }
    }

    /// An instant vector's order is anybody's, unless its query sorts.
    pub(crate) fn order(&self) -> Order {
        let sorts = ["sort", "topk", "bottomk"].iter().any(|word| self.path.contains(word));
        if self.path.starts_with("/api/v1/query?") && !sorts || self.path.starts_with("/api/v1/targets/metadata") {
            Order::Any
        } else {
            Order::Told
        }
    }

    /// Asks our router the same.
    pub(crate) async fn ask(&self, router: &Router) -> Answer {
        let path = format!("/prometheus{}", self.path);
        send(router, &self.method, &path, self.sent_type.as_deref(), self.body.as_deref().unwrap_or_default()).await
    }
}

/// Asks a router.
pub(crate) async fn send(router: &Router, method: &str, path: &str, content_type: Option<&str>, body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let text = |name| head.headers.get(name).map_or("", |value| value.to_str().expect("text")).to_owned();
    let body = body.collect().await.expect("a body").to_bytes();
    Answer {
        status: head.status.as_u16(),
        content_type: text(header::CONTENT_TYPE),
        allow: text(header::ALLOW),
        text: String::from_utf8(body.to_vec()).expect("text"),
    }
}

/// Asks by GET.
pub(crate) async fn get(router: &Router, path: &str) -> Answer {
    send(router, "GET", &format!("/prometheus{path}"), None, "").await
}
