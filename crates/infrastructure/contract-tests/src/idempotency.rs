//! The suite of [`IdempotencyStore`]: who may run, who is answered from memory, and for how long.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;

use delivery::repository::{Begun, IdempotencyStore, KEPT_SECONDS, LEASE_SECONDS, StoredResponse};
use uuid::Uuid;

use crate::clock;

/// Runs the suite. `place` makes a fresh, empty place, `open` opens a store in it with a clock.
#[macro_export]
macro_rules! idempotency_store_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::clocked_cases!(
            $crate::idempotency,
            $place,
            $open,
            [
                the_first_use_runs,
                a_key_in_use_is_running,
                a_completed_key_replays_its_response,
                another_request_is_a_mismatch,
                keys_do_not_share_anything,
                of_concurrent_claims_one_runs,
                an_old_claim_is_handed_on_with_its_command,
                of_concurrent_claims_of_an_old_claim_one_runs,
                a_released_key_runs_at_once_as_a_retry,
                a_completed_key_stays_completed,
                only_a_begun_key_is_completed_or_released,
                an_old_key_counts_as_never_used,
                a_purge_removes_old_keys_and_only_those,
                a_large_purge_is_complete,
                a_clock_that_goes_back_hands_nothing_on,
            ]
        );
    };
}

/// Runs the suite of what survives the end of a process.
#[macro_export]
macro_rules! idempotency_store_reopen_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::clocked_reopen_cases!(
            $crate::idempotency,
            $place,
            $open,
            [a_claim_survives, a_response_survives, a_release_survives, two_handles_share_keys]
        );
    };
}

const FINGERPRINT: [u8; 16] = [7; 16];
const FIRST: Uuid = Uuid::from_u128(1);
const SECOND: Uuid = Uuid::from_u128(2);
const FIRST_RUN: Begun = Begun::Run { command_id: FIRST, is_retry: false };
const RETRY: Begun = Begun::Run { command_id: FIRST, is_retry: true };

fn response() -> StoredResponse {
    StoredResponse {
        status: 201,
        headers: vec![
            ("etag".to_owned(), "\"0\"".to_owned()),
            ("location".to_owned(), "/api/orders/ü".to_owned()),
            ("etag".to_owned(), String::new()),
        ],
        body: b"\"an id\"\0\xff".to_vec(),
    }
}

async fn begin(store: &impl IdempotencyStore, key: &str, command_id: Uuid) -> Begun {
    store.begin(key, FINGERPRINT, command_id).await.unwrap()
}

pub async fn the_first_use_runs(store: Arc<impl IdempotencyStore>, _clock: Arc<clock::Manual>) {
    assert_eq!(begin(&*store, "key", FIRST).await, FIRST_RUN);
}

pub async fn a_key_in_use_is_running(store: Arc<impl IdempotencyStore>, clock: Arc<clock::Manual>) {
    begin(&*store, "key", FIRST).await;
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Running);
    clock.advance_seconds(LEASE_SECONDS);
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Running);
}

pub async fn a_completed_key_replays_its_response(store: Arc<impl IdempotencyStore>, clock: Arc<clock::Manual>) {
    begin(&*store, "key", FIRST).await;
    store.complete("key", response()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(begin(&*store, "key", SECOND).await, Begun::Replay(response()));
        clock.advance_seconds(LEASE_SECONDS + 1);
    }
    let empty = StoredResponse { status: 500, headers: vec![], body: vec![] };
    begin(&*store, "empty", FIRST).await;
    store.complete("empty", empty.clone()).await.unwrap();
    assert_eq!(begin(&*store, "empty", SECOND).await, Begun::Replay(empty));
}

pub async fn another_request_is_a_mismatch(store: Arc<impl IdempotencyStore>, clock: Arc<clock::Manual>) {
    let other = async || store.begin("key", [8; 16], SECOND).await.unwrap();
    begin(&*store, "key", FIRST).await;
    assert_eq!(other().await, Begun::Mismatch);
    store.release("key").await.unwrap();
    assert_eq!(other().await, Begun::Mismatch);
    assert_eq!(begin(&*store, "key", SECOND).await, RETRY);
    clock.advance_seconds(LEASE_SECONDS + 1);
    assert_eq!(other().await, Begun::Mismatch);
    store.complete("key", response()).await.unwrap();
    assert_eq!(other().await, Begun::Mismatch);
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Replay(response()));
}

pub async fn keys_do_not_share_anything(store: Arc<impl IdempotencyStore>, _clock: Arc<clock::Manual>) {
    let keys = ["key", "KEY", "key ", "", "ключ", "k\0y", "k", "'; DROP TABLE keys; --"];
    for key in keys {
        assert_eq!(begin(&*store, key, FIRST).await, FIRST_RUN, "{key:?}");
    }
    store.complete("key", response()).await.unwrap();
    for key in &keys[1..] {
        assert_eq!(begin(&*store, key, SECOND).await, Begun::Running, "{key:?}");
    }
}

/// Claims one key from several tasks; returns what they were told.
async fn claim_concurrently(store: &Arc<impl IdempotencyStore + 'static>) -> Vec<Begun> {
    let tasks: Vec<_> = (10..26)
        .map(|number| {
            let store = Arc::clone(store);
            tokio::spawn(async move { begin(&*store, "key", Uuid::from_u128(number)).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

pub async fn of_concurrent_claims_one_runs(store: Arc<impl IdempotencyStore + 'static>, _clock: Arc<clock::Manual>) {
    let answers = claim_concurrently(&store).await;
    let runs = answers.iter().filter(|answer| matches!(answer, Begun::Run { is_retry: false, .. }));
    assert_eq!(runs.count(), 1, "{answers:?}");
    let waits = answers.iter().filter(|answer| matches!(answer, Begun::Running));
    assert_eq!(waits.count(), answers.len() - 1, "{answers:?}");
}

pub async fn an_old_claim_is_handed_on_with_its_command(store: Arc<impl IdempotencyStore>, clock: Arc<clock::Manual>) {
    begin(&*store, "key", FIRST).await;
    for _ in 0..3 {
        clock.advance_ms(LEASE_SECONDS * 1_000 + 1);
        assert_eq!(begin(&*store, "key", SECOND).await, RETRY);
        // The new attempt has a lease of its own.
        clock.advance_seconds(LEASE_SECONDS - 1);
        assert_eq!(begin(&*store, "key", SECOND).await, Begun::Running);
    }
    store.complete("key", response()).await.unwrap();
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Replay(response()));
}

pub async fn of_concurrent_claims_of_an_old_claim_one_runs(
    store: Arc<impl IdempotencyStore + 'static>,
    clock: Arc<clock::Manual>,
) {
    begin(&*store, "key", FIRST).await;
    clock.advance_seconds(LEASE_SECONDS + 1);
    let answers = claim_concurrently(&store).await;
    assert_eq!(answers.iter().filter(|answer| **answer == RETRY).count(), 1, "{answers:?}");
}

pub async fn a_released_key_runs_at_once_as_a_retry(store: Arc<impl IdempotencyStore>, _clock: Arc<clock::Manual>) {
    begin(&*store, "key", FIRST).await;
    for _ in 0..3 {
        store.release("key").await.unwrap();
        assert_eq!(begin(&*store, "key", SECOND).await, RETRY);
        assert_eq!(begin(&*store, "key", SECOND).await, Begun::Running);
    }
}

/// The end of an attempt whose claim was handed on must not undo what the other attempt kept.
pub async fn a_completed_key_stays_completed(store: Arc<impl IdempotencyStore>, _clock: Arc<clock::Manual>) {
    begin(&*store, "key", FIRST).await;
    store.complete("key", response()).await.unwrap();
    store.release("key").await.unwrap();
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Replay(response()));
    let late = StoredResponse { status: 409, ..response() };
    store.complete("key", late).await.unwrap();
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Replay(response()));
}

pub async fn only_a_begun_key_is_completed_or_released(store: Arc<impl IdempotencyStore>, _clock: Arc<clock::Manual>) {
    store.complete("key", response()).await.unwrap();
    store.release("key").await.unwrap();
    assert_eq!(begin(&*store, "key", FIRST).await, FIRST_RUN);
}

pub async fn an_old_key_counts_as_never_used(store: Arc<impl IdempotencyStore>, clock: Arc<clock::Manual>) {
    begin(&*store, "done", FIRST).await;
    store.complete("done", response()).await.unwrap();
    begin(&*store, "released", FIRST).await;
    store.release("released").await.unwrap();
    begin(&*store, "open", FIRST).await;
    clock.advance_seconds(KEPT_SECONDS);
    assert_eq!(begin(&*store, "done", SECOND).await, Begun::Replay(response()));
    clock.advance_ms(1);
    for key in ["done", "released", "open"] {
        let again = store.begin(key, [8; 16], SECOND).await.unwrap();
        let first_use = Begun::Run { command_id: SECOND, is_retry: false };
        assert_eq!(again, first_use, "{key}");
        assert_eq!(store.begin(key, [8; 16], FIRST).await.unwrap(), Begun::Running, "{key}");
    }
}

pub async fn a_purge_removes_old_keys_and_only_those(store: Arc<impl IdempotencyStore>, clock: Arc<clock::Manual>) {
    assert_eq!(store.purge().await.unwrap(), 0);
    begin(&*store, "old", FIRST).await;
    begin(&*store, "old too", FIRST).await;
    store.complete("old", response()).await.unwrap();
    clock.advance_seconds(KEPT_SECONDS);
    begin(&*store, "new", FIRST).await;
    assert_eq!(store.purge().await.unwrap(), 0);
    clock.advance_ms(1);
    assert_eq!(store.purge().await.unwrap(), 2);
    assert_eq!(store.purge().await.unwrap(), 0);
    assert_eq!(begin(&*store, "new", SECOND).await, Begun::Running);
    assert_eq!(begin(&*store, "old", FIRST).await, FIRST_RUN);
}

pub async fn a_large_purge_is_complete(store: Arc<impl IdempotencyStore + 'static>, clock: Arc<clock::Manual>) {
    let tasks: Vec<_> = (0..5_000)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { begin(&*store, &format!("key {number}"), FIRST).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), FIRST_RUN);
    }
    clock.advance_seconds(KEPT_SECONDS + 1);
    assert_eq!(store.purge().await.unwrap(), 5_000);
}

pub async fn a_clock_that_goes_back_hands_nothing_on(store: Arc<impl IdempotencyStore>, clock: Arc<clock::Manual>) {
    begin(&*store, "key", FIRST).await;
    clock.advance_seconds(-KEPT_SECONDS - 1);
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Running);
    assert_eq!(store.purge().await.unwrap(), 0);
}

pub async fn a_claim_survives<T: IdempotencyStore>(open: impl AsyncFn() -> Arc<T>, clock: Arc<clock::Manual>) {
    begin(&*open().await, "key", FIRST).await;
    let store = open().await;
    assert_eq!(begin(&*store, "key", SECOND).await, Begun::Running);
    clock.advance_seconds(LEASE_SECONDS + 1);
    drop(store);
    assert_eq!(begin(&*open().await, "key", SECOND).await, RETRY);
}

pub async fn a_response_survives<T: IdempotencyStore>(open: impl AsyncFn() -> Arc<T>, _clock: Arc<clock::Manual>) {
    let store = open().await;
    begin(&*store, "key", FIRST).await;
    store.complete("key", response()).await.unwrap();
    drop(store);
    assert_eq!(begin(&*open().await, "key", SECOND).await, Begun::Replay(response()));
}

pub async fn a_release_survives<T: IdempotencyStore>(open: impl AsyncFn() -> Arc<T>, _clock: Arc<clock::Manual>) {
    let store = open().await;
    begin(&*store, "key", FIRST).await;
    store.release("key").await.unwrap();
    drop(store);
    assert_eq!(begin(&*open().await, "key", SECOND).await, RETRY);
}

pub async fn two_handles_share_keys<T: IdempotencyStore>(open: impl AsyncFn() -> Arc<T>, _clock: Arc<clock::Manual>) {
    let (here, there) = (open().await, open().await);
    assert_eq!(begin(&*here, "key", FIRST).await, FIRST_RUN);
    assert_eq!(begin(&*there, "key", SECOND).await, Begun::Running);
    there.complete("key", response()).await.unwrap();
    assert_eq!(begin(&*here, "key", SECOND).await, Begun::Replay(response()));
}
