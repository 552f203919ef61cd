//! Prometheus' API against recorded answers of a genuine Prometheus 3.5, which was sent the samples of
//! `golden/prometheus/seed.json` (`record.py` beside this file made both); and what recordings cannot show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may panic as tests may")]

mod beyond;
mod ledger;
mod normal;
mod recording;
mod seed;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use console_http::prometheus::{Parts, Targets};
use console_storage::{Options, Store};
use eventsourcing::Clock;
use jiff::Timestamp;
use serde_json::Value as Json;

use ledger::LEDGER;
use normal::{normal, same};
use recording::{Answer, Recording};

/// A clock that stands after all that was recorded.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_700_090_000).unwrap()
    }
}

/// A store with the recordings' samples, and the folder that it is in.
fn seeded() -> (tempfile::TempDir, Arc<Store>) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { flush_interval: Duration::from_secs(3_600), ..Options::default() };
    let store = Store::open(folder.path(), options, Arc::new(Stopped)).unwrap();
    store.ingest_samples(&seed::samples()).unwrap();
    (folder, Arc::new(store))
}

fn router(store: &Arc<Store>) -> Router {
    let targets = Targets::default();
    targets.read_from(|| vec![seed::target()]);
    let (clock, queries) = (Arc::new(Stopped), Arc::default());
    console_http::prometheus::router(Parts { store: store.clone(), clock, targets, queries, version: "1.2.3" })
}

#[tokio::test]
async fn every_answer_is_the_recorded_one_or_differs_as_the_ledger_says() {
    let (_folder, store) = seeded();
    let router = router(&store);
    let recordings = Recording::all();
    assert!(recordings.len() >= 350, "{}", recordings.len());
    let mut faults = Vec::new();
    let mut used = vec![false; LEDGER.len()];
    for recording in &recordings {
        let answer = recording.ask(&router).await;
        let entry = LEDGER.iter().position(|(begin, ..)| recording.is(begin));
        let told = match entry.and_then(|at| LEDGER.get(at)) {
            None => differs(recording, &answer),
            Some((_, difference, _)) => {
                entry.into_iter().for_each(|at| used[at] = true);
                ledger::differs(recording, &answer, difference)
            }
        };
        faults.extend(told.map(|told| format!("{}\n  {told}", recording.name())));
    }
    let stale = LEDGER.iter().zip(used).filter(|(_, used)| !used);
    faults.extend(stale.map(|((begin, ..), _)| format!("the ledger has what nobody asks: {begin}")));
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}

/// What is different, if anything is.
fn differs(recording: &Recording, answer: &Answer) -> Option<String> {
    let expected = &recording.answer;
    let shown = |answer: &Answer| answer.text.chars().take(600).collect::<String>();
    if (answer.status, &answer.content_type, &answer.allow)
        != (expected.status, &expected.content_type, &expected.allow)
    {
        return Some(format!(
            "{} {} {}, but recorded was {} {} {}\n  {}\n  {}",
            answer.status,
            answer.content_type,
            answer.allow,
            expected.status,
            expected.content_type,
            expected.allow,
            shown(answer),
            shown(expected)
        ));
    }
    let json = |answer: &Answer| serde_json::from_str::<Json>(&answer.text).ok();
    let is_same = match (json(answer), json(expected)) {
        (Some(own), Some(recorded)) => {
            let order = recording.order();
            same(&normal(own, order), &normal(recorded, order))
        }
        _ => answer.text == expected.text,
    };
    (!is_same).then(|| format!("{}\n  but recorded was\n  {}", shown(answer), shown(expected)))
}
