//! A recorded request with a real Jaeger's answer, and an answer of ours in the same terms.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde_json::Value as Json;
use tower::ServiceExt;

/// A file of `tests/golden/jaeger`.
pub(crate) struct Recording {
    /// The file's name without its ending, as in `44-trace-unknown-404`.
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// What was sent; empty if nothing was.
    pub(crate) body: String,
    pub(crate) answer: Answer,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) has_nosniff: bool,
    /// Bytes of the body as it was sent.
    pub(crate) length: usize,
    pub(crate) ends_with_newline: bool,
    /// The body; null where it is no JSON.
    pub(crate) body: Json,
}

impl Recording {
    /// Every recording, in order.
    pub(crate) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/jaeger");
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|it| it == "txt"));
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("text");
        let (request, answer) = text.split_once("\n## response\n").expect("an answer");
        let request = request.split_once("## request\n").expect("a request").1.trim_start();
        let sent_body = request.split_once("\n\n").map_or("", |(_, body)| body.trim());
        let (method, path_and_query) = request.lines().next().and_then(|line| line.split_once(' ')).expect("a line");
        let (head, body) = answer.split_once("\n\n").expect("a body");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let sent = header("# raw body: ");
        let number = |text: &str| text.split(' ').next().and_then(|it| it.parse::<usize>().ok());
        Self {
            name: path.file_stem().expect("a name").to_string_lossy().into_owned(),
            method: method.to_owned(),
            path: path_and_query.to_owned(),
            body: sent_body.to_owned(),
            answer: Answer {
                status: number(header("HTTP ")).and_then(|it| it.try_into().ok()).expect("a status"),
                content_type: header("Content-Type: ").to_owned(),
                has_nosniff: header("X-Content-Type-Options: ") == "nosniff",
                length: number(sent).expect("a length"),
                ends_with_newline: sent.contains("ends with newline: True"),
                body: serde_json::from_str(body).unwrap_or(Json::Null),
            },
        }
    }

    /// The number that the file's name begins with.
    pub(crate) fn number(&self) -> u32 {
        self.name.split('-').next().and_then(|it| it.parse().ok()).expect("a number")
    }
}

/// Asks our router.
pub(crate) async fn ask(router: &Router, method: &str, path: &str) -> Answer {
    send(router, method, path, "").await
}

/// Asks our router with a body.
pub(crate) async fn send(router: &Router, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let text = |name| head.headers.get(name).map_or("", |value| value.to_str().expect("text")).to_owned();
    let body = body.collect().await.expect("a body").to_bytes();
    Answer {
        status: head.status.as_u16(),
        content_type: text(header::CONTENT_TYPE),
        has_nosniff: text(header::X_CONTENT_TYPE_OPTIONS) == "nosniff",
        length: body.len(),
        ends_with_newline: body.ends_with(b"\n"),
        body: serde_json::from_slice(&body).unwrap_or(Json::Null),
    }
}

impl Answer {
    /// The text of an error, of either API.
    pub(crate) fn message(&self) -> &str {
        let (classic, v3) = (&self.body["errors"][0]["msg"], &self.body["error"]["message"]);
        classic.as_str().or(v3.as_str()).unwrap_or_default()
    }

    /// The traces of the older API, or version 3's groups of spans.
    pub(crate) fn items(&self) -> Vec<Json> {
        let classic = self.body["data"].as_array();
        classic.or(self.body["result"]["resourceSpans"].as_array()).cloned().unwrap_or_default()
    }

    /// The ids of the traces, in order, each once.
    pub(crate) fn trace_ids(&self) -> Vec<String> {
        let classic = |item: &Json| item["traceID"].as_str().map(str::to_owned);
        let v3 = |item: &Json| item["scopeSpans"][0]["spans"][0]["traceId"].as_str().map(str::to_owned);
        let mut ids: Vec<String> = self.items().iter().filter_map(|item| classic(item).or_else(|| v3(item))).collect();
        ids.dedup();
        ids
    }
}

/// Lists whose order is arbitrary in Jaeger.
const ARBITRARY: [&str; 6] = ["data", "spans", "resourceSpans", "events", "operations", "services"];

/// The same with arbitrary orders made one, and each span's process in place of its process's number.
pub(crate) fn normal(mut json: Json) -> Json {
    normalise(&mut json);
    json
}

fn normalise(json: &mut Json) {
    match json {
        Json::Array(values) => values.iter_mut().for_each(normalise),
        Json::Object(object) => {
            if let Some(processes) = object.remove("processes") {
                for span in object.get_mut("spans").and_then(Json::as_array_mut).into_iter().flatten() {
                    let id = span["processID"].as_str().unwrap_or_default().to_owned();
                    span["processID"] = processes[id].clone();
                }
            }
            for (key, value) in object.iter_mut() {
                normalise(value);
                if let Some(list) = value.as_array_mut().filter(|_| ARBITRARY.contains(&key.as_str())) {
                    list.sort_by_key(Json::to_string);
                }
            }
        }
        _ => {}
    }
}
