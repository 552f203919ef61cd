//! Whatever is asked, in whatever order, SQLite answers as the reference adapter does.

use std::sync::Arc;

use bytes::Bytes;
use contract_tests::clock::Manual;
use eventsourcing::store::Error;
use eventsourcing::{EventId, EventStore, ExpectedRevision, NewEvent, Position, Revision, StreamId};
use proptest::prelude::*;
use uuid::Uuid;

use super::{folder, open};

#[derive(Debug, Clone)]
enum Expectation {
    /// Where the stream is.
    Current,
    Fixed(Option<u64>),
}

#[derive(Debug, Clone)]
enum Operation {
    Append {
        stream: usize,
        expected: Expectation,
        ids: Vec<u8>,
    },
    /// An earlier append once more, counted from the first.
    Repeat(prop::sample::Index),
    Read {
        stream: usize,
        from: u64,
        max: usize,
    },
    ReadAll {
        after: u64,
        max: usize,
        prefix: &'static str,
    },
    Head,
    Reopen,
}

const STREAMS: [&str; 4] = ["order-1", "order-2", "cart-1", "order"];

fn operation() -> impl Strategy<Value = Operation> {
    let expectation = prop_oneof![
        3 => Just(Expectation::Current),
        1 => prop::option::of(0..8_u64).prop_map(Expectation::Fixed),
    ];
    let max = prop_oneof![0..6_usize, Just(usize::MAX)];
    let prefix = prop::sample::select(vec!["", "order", "order-", "order-1", "cart", "none"]);
    prop_oneof![
        6 => (0..STREAMS.len(), expectation, prop::collection::vec(0..12_u8, 0..4))
            .prop_map(|(stream, expected, ids)| Operation::Append { stream, expected, ids }),
        2 => any::<prop::sample::Index>().prop_map(Operation::Repeat),
        2 => (0..STREAMS.len(), prop_oneof![0..10_u64, Just(u64::MAX)], max.clone())
            .prop_map(|(stream, from, max)| Operation::Read { stream, from, max }),
        2 => (prop_oneof![0..30_u64, Just(u64::MAX)], max, prefix)
            .prop_map(|(after, max, prefix)| Operation::ReadAll { after, max, prefix }),
        1 => Just(Operation::Head),
        1 => Just(Operation::Reopen),
    ]
}

fn event(id: u8) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::from_u128(id.into())),
        event_type: format!("TYPE_{id}").into(),
        data: Bytes::from(vec![id; usize::from(id)]),
        metadata: Bytes::from_static(b"{}"),
    }
}

/// What a caller can tell of an answer.
fn comparable<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Invalid(_)) => "invalid".to_owned(),
        other => format!("{other:?}"),
    }
}

async fn compare(operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let folder = folder();
    let reference = memory::EventStore::new(Arc::new(Manual::default()));
    let mut store = open(&folder).await;
    let mut appends: Vec<(StreamId, ExpectedRevision, Vec<NewEvent>)> = Vec::new();
    for operation in operations {
        let text = format!("{operation:?}");
        let (expected, found) = match operation {
            Operation::Append { .. } | Operation::Repeat(_) => {
                let append = match operation {
                    Operation::Append { stream, expected, ids } => {
                        let stream = StreamId::new(STREAMS[stream]);
                        let expected = match expected {
                            Expectation::Fixed(revision) => ExpectedRevision::after(revision.map(Revision)),
                            Expectation::Current => {
                                let events = reference.read(&stream, Revision::FIRST, usize::MAX).await.unwrap();
                                ExpectedRevision::after(events.last().map(|event| event.revision))
                            }
                        };
                        (stream, expected, ids.into_iter().map(event).collect::<Vec<_>>())
                    }
                    Operation::Repeat(index) if !appends.is_empty() => index.get(&appends).clone(),
                    _ => continue,
                };
                appends.push(append.clone());
                let (stream, expected, events) = append;
                (
                    comparable(reference.append(&stream, expected, events.clone()).await),
                    comparable(store.append(&stream, expected, events).await),
                )
            }
            Operation::Read { stream, from, max } => {
                let stream = StreamId::new(STREAMS[stream]);
                (
                    comparable(reference.read(&stream, Revision(from), max).await),
                    comparable(store.read(&stream, Revision(from), max).await),
                )
            }
            Operation::ReadAll { after, max, prefix } => (
                comparable(reference.read_all(Position(after), max, prefix).await),
                comparable(store.read_all(Position(after), max, prefix).await),
            ),
            Operation::Head => (comparable(reference.head().await), comparable(store.head().await)),
            Operation::Reopen => {
                drop(store);
                store = open(&folder).await;
                continue;
            }
        };
        prop_assert_eq!(expected, found, "{}", text);
    }
    let whole = async |store: &dyn EventStore| store.read_all(Position::START, usize::MAX, "").await.unwrap();
    prop_assert_eq!(whole(&reference).await, whole(&*store).await);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_the_reference_does(operations in prop::collection::vec(operation(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(operations))?;
    }
}
