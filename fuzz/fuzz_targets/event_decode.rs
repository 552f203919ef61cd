//! Reading recorded events: the decoder with its upcasting, the metadata, and the fold behind them. An
//! event store may hold what older programs, other programs or a failing disk wrote.
//!
//! An input is a line with the event's name, a line with its metadata, and its payload. It proves:
//!
//! - Any name, metadata and payload is answered, and a refusal repeats nothing of the payload.
//! - What was read is written and read again as the same event, without adjustments, and a second writing
//!   gives the same bytes. Metadata likewise.
//! - Version 2 is the stricter one: what it takes, version 1 takes as the same.
//! - The fold takes whatever the decoder takes, and the view's stored form is read as it was written.
#![no_main]

use bytes::Bytes;
use delivery::events::codec::{Decoded, Error, SCHEMA_VERSION, decode, encode};
use delivery::models::OrderId;
use delivery::projections::{Applied, OrderView, apply, fold};
use eventsourcing::{EventId, Metadata, Position, RecordedEvent, Revision};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

/// All that a malformed payload may be called, without the numbers.
const DETAILS: [&str; 11] = [
    "syntax error at line  column ",
    "data error at line  column ",
    "eof error at line  column ",
    "shopItems is missing",
    "accountEmail is missing",
    "deliveryAddress is missing",
    "paymentID is missing",
    "cancelReason is missing",
    "shopItems//price must be a number such as .",
    "shopItems//price must be at most .",
    "shopItems//price has more than two decimals",
];

fuzz_target!(|input: &[u8]| {
    let [name, metadata, data] = fuzz::lines(input);
    let name = String::from_utf8_lossy(name);
    let version = read_metadata(metadata).schema_version;

    let decoded = decode(&name, data, version);
    match &decoded {
        Ok(decoded) => check_accepted(&name, decoded),
        Err(error) => check_refused(error),
    }
    if let Ok(strict) = decode(&name, data, Some(SCHEMA_VERSION)) {
        assert_eq!(strict.adjustments, [""; 0]);
        assert_eq!(decode(&name, data, None), Ok(strict));
    }
    check_fold(&name, metadata, data, &decoded);
});

fn read_metadata(bytes: &[u8]) -> Metadata {
    let metadata = Metadata::from_json(bytes);
    assert_eq!(Metadata::from_json(&metadata.to_json()), metadata);
    metadata
}

fn check_accepted(name: &str, decoded: &Decoded) {
    let event = &decoded.event;
    assert_eq!(event.name(), name);
    let written = encode(event);
    let again = decode(name, &written, Some(SCHEMA_VERSION)).expect("what we write can be read");
    assert_eq!(again, Decoded { event: event.clone(), adjustments: Vec::new() });
    assert_eq!(encode(&again.event), written);
    for line in &decoded.adjustments {
        assert!(line.starts_with("shopItems/") && line.contains("/price rounded half to even from "), "{line}");
    }
}

fn check_refused(error: &Error) {
    match error {
        Error::UnknownType(name) => assert!(name.chars().count() <= 100),
        Error::TooNew(version) => assert!(*version > SCHEMA_VERSION),
        Error::Malformed { detail, .. } => {
            let detail = detail.replace(|character: char| character.is_ascii_digit(), "");
            assert!(DETAILS.contains(&detail.as_str()), "{detail:?}");
        }
    }
}

fn check_fold(name: &str, metadata: &[u8], data: &[u8], decoded: &Result<Decoded, Error>) {
    let first = recorded(
        0,
        "ORDER_CREATED",
        b"{}",
        br#"{"shopItems":[{"title":"Tea","quantity":1,"price":1.5}],"accountEmail":"a@b.co","deliveryAddress":"1 Main Street"}"#,
    );
    for before in [&[][..], &[first]] {
        let event = recorded(before.len() as u64, name, metadata, data);
        let view = fold(before).expect("a good event");
        match (apply(view, &event), decoded) {
            (Ok(Applied::Changed(view, adjustments)), Ok(decoded)) => {
                assert_eq!(adjustments, decoded.adjustments);
                let _ = (view.order.status(), view.order.total_price());
                let stored = view.to_json().expect("a view has a stored form");
                assert_eq!(OrderView::from_json(&stored).expect("the stored form can be read"), view);
            }
            (Err(_), Err(_)) => {}
            (folded, _) => panic!("the fold and the decoder do not agree: {folded:?}, {decoded:?}"),
        }
    }
}

fn recorded(revision: u64, name: &str, metadata: &[u8], data: &[u8]) -> RecordedEvent {
    RecordedEvent {
        stream: OrderId(Uuid::from_u128(7)).stream(),
        revision: Revision(revision),
        position: Position(revision + 1),
        id: EventId(Uuid::from_u128(revision.into())),
        event_type: name.to_owned().into(),
        data: Bytes::copy_from_slice(data),
        raw_metadata: Bytes::copy_from_slice(metadata),
        recorded_at: Timestamp::UNIX_EPOCH,
    }
}
