//! The Jaeger API against recorded answers of a real Jaeger 2 (v1.76.0's sources, memory storage), which was
//! sent the spans of `golden/jaeger/00-seed.json`; and what recordings cannot show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may panic as tests may")]

mod beyond;
mod ledger;
mod recording;
mod seed;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use console_storage::{Options, Store};
use eventsourcing::Clock;
use jiff::Timestamp;
use serde_json::Value as Json;

use ledger::{Difference, LEDGER, V3_SUCCESS_TYPE, WRONG_WARNING};
use recording::{Answer, Recording, ask, normal, send};

const SEED: &str = include_str!("../golden/jaeger/00-seed.json");

/// A clock that stands where the recordings were made.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(1_795_476_899_552_721).unwrap()
    }
}

/// A store with the recordings' spans, and the folder that it is in.
fn seeded() -> (tempfile::TempDir, Arc<Store>) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { flush_interval: Duration::from_secs(3_600), ..Options::default() };
    let store = Store::open(folder.path(), options, Arc::new(Stopped)).unwrap();
    let batch = seed::read(SEED);
    assert_eq!(batch.len(), 93);
    store.ingest_spans(&batch).unwrap();
    (folder, Arc::new(store))
}

fn router(store: &Arc<Store>) -> Router {
    console_http::jaeger::router(store.clone(), Arc::new(Stopped))
}

#[tokio::test]
async fn every_answer_is_the_recorded_one_or_differs_as_the_ledger_says() {
    let (_folder, store) = seeded();
    let router = router(&store);
    let recordings = Recording::all();
    assert_eq!(recordings.len(), 82);
    for recording in recordings {
        let answer = send(&router, &recording.method, &recording.path, &recording.body).await;
        let entry = LEDGER.iter().find(|(number, ..)| *number == recording.number());
        match entry.map(|(_, difference, _)| *difference) {
            None => same(&recording, &answer),
            Some(Difference::NewestInsteadOfAny) => newest(&router, &recording, &answer).await,
            Some(Difference::Text(begin)) => {
                same_head(&recording, &answer);
                assert!(recording.answer.message().starts_with(begin), "{}", recording.name);
                let own = answer.message();
                assert!(own.starts_with(begin) && own.contains("as in"), "{}: {own}", recording.name);
                assert_ne!(own, recording.answer.message(), "{}: the ledger is out of date", recording.name);
            }
            Some(Difference::Refused(status, text)) => {
                assert_eq!(answer.status, status, "{}", recording.name);
                assert!(answer.message().contains(text), "{}: {}", recording.name, answer.message());
            }
            Some(Difference::Traces(count)) => {
                assert_eq!((answer.status, answer.trace_ids().len()), (200, count), "{}", recording.name);
                assert_ne!(answer.trace_ids(), recording.answer.trace_ids(), "{}", recording.name);
            }
            Some(Difference::NotServed) => {
                assert!(matches!(answer.status, 404 | 405), "{}: {}", recording.name, answer.status);
            }
        }
    }
}

/// Status and headers, but for the type that the ledger names.
fn same_head(recording: &Recording, answer: &Answer) {
    let recorded = &recording.answer;
    let (theirs, ours) = V3_SUCCESS_TYPE;
    let is_v3_success = recording.path.starts_with("/api/v3/") && recorded.status == 200;
    let content_type = if is_v3_success && recorded.content_type == theirs { ours } else { &recorded.content_type };
    assert_eq!(answer.status, recorded.status, "{}", recording.name);
    assert_eq!(answer.content_type, content_type, "{}", recording.name);
    assert_eq!(answer.has_nosniff, recorded.has_nosniff, "{}", recording.name);
    assert_eq!(answer.ends_with_newline, recorded.ends_with_newline, "{}", recording.name);
}

/// Everything, to the number of bytes.
fn same(recording: &Recording, answer: &Answer) {
    same_head(recording, answer);
    let mut expected = recording.answer.body.clone();
    let taken_back = take_back(&mut expected);
    assert_ne!(expected, Json::Null, "{} has no JSON", recording.name);
    assert_eq!(normal(answer.body.clone()), normal(expected), "{}", recording.name);
    if taken_back == 0 {
        assert_eq!(answer.length, recording.answer.length, "{}", recording.name);
    }
}

/// Takes back Jaeger's wrong warnings; gives how many there were.
fn take_back(body: &mut Json) -> usize {
    let mut count = 0;
    for trace in body.get_mut("data").and_then(Json::as_array_mut).into_iter().flatten() {
        for span in trace.get_mut("spans").and_then(Json::as_array_mut).into_iter().flatten() {
            if span["warnings"][0].as_str().is_some_and(|warning| warning.starts_with(WRONG_WARNING)) {
                assert_eq!(span["duration"], 0);
                span["warnings"] = Json::Null;
                count += 1;
            }
        }
    }
    count
}

/// As many traces as recorded, the newest of all that match; the recorded ones match too, and are equal.
async fn newest(router: &Router, recording: &Recording, answer: &Answer) {
    same_head(recording, answer);
    let number = if recording.path.contains("query.num_traces=") { "query.num_traces=" } else { "limit=" };
    let (before, after) = recording.path.split_once(number).unwrap();
    let after = after.trim_start_matches(|it: char| it.is_ascii_digit());
    let all = ask(router, "GET", &format!("{before}{number}100{after}")).await;
    let (own, recorded) = (answer.trace_ids(), recording.answer.trace_ids());
    assert_eq!(own.len(), recorded.len(), "{}", recording.name);
    assert_eq!(all.trace_ids().get(..own.len()), Some(own.as_slice()), "{}", recording.name);
    assert_ne!(own, recorded, "{}: the ledger is out of date", recording.name);
    let all: Vec<Json> = all.items().into_iter().map(normal).collect();
    for item in recording.answer.items().into_iter().map(normal) {
        assert!(all.contains(&item), "{}: not among our answer:\n{item}", recording.name);
    }
}
