//! What two stores are compared by: the sum, modulo 2^256, of the SHA-256 of each event. The sum does not
//! depend on the order in which events of different streams stand; the order within a stream is in the
//! revisions, which are digested too. It finds what went wrong, not who meant it to.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::written::Written;

/// Of any number of events.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest([u64; 4]);

impl Digest {
    pub(crate) fn add(&mut self, written: &Written) {
        let mut hash = Sha256::new();
        let event = &written.event;
        hash.update(written.revision.0.to_be_bytes());
        hash.update(event.id.0.as_bytes());
        for part in [written.stream.as_str().as_bytes(), event.event_type.as_bytes(), &event.data, &event.metadata] {
            // With its length, so that nothing can move from one part into the next.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let mut carry = false;
        for (sum, bytes) in self.0.iter_mut().zip(hash.as_chunks::<8>().0) {
            let (once, over) = sum.overflowing_add(u64::from_le_bytes(*bytes));
            let (twice, over_again) = once.overflowing_add(u64::from(carry));
            (*sum, carry) = (twice, over || over_again);
        }
    }
}

impl fmt::Display for Digest {
    /// In hexadecimal, the highest digit first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|part| write!(f, "{part:016x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventsourcing::{EventId, NewEvent, Position, Revision, StreamId};
    use proptest::prelude::*;

    use super::*;

    fn event(stream: &str, revision: u64, data: &str) -> Written {
        Written {
            stream: StreamId::new(stream),
            revision: Revision(revision),
            position: Position(1),
            event: NewEvent {
                id: EventId(uuid::Uuid::from_u128(1)),
                event_type: "A".into(),
                data: Bytes::from(data.to_owned()),
                metadata: Bytes::new(),
            },
            has_time: true,
        }
    }

    fn of(events: &[Written]) -> Digest {
        let mut digest = Digest::default();
        events.iter().for_each(|event| digest.add(event));
        digest
    }

    #[test]
    fn nothing_can_move_or_change_unnoticed() {
        let base = [event("a", 0, "x"), event("b", 0, "y")];
        for other in [
            vec![event("a", 0, "x")],
            vec![event("a", 0, "x"), event("a", 0, "x")],
            vec![event("a", 0, "y"), event("b", 0, "x")],
            vec![event("a", 1, "x"), event("b", 0, "y")],
            vec![event("ax", 0, ""), event("b", 0, "y")],
            vec![event("a", 0, "x"), event("b", 0, "y"), event("c", 0, "z")],
        ] {
            assert_ne!(of(&base), of(&other), "{other:?}");
        }
        assert_eq!(of(&[]).to_string(), "0".repeat(64));
        assert_eq!(of(&base).to_string().len(), 64);
    }

    proptest! {
        #[test]
        fn the_order_of_streams_does_not_matter(
            (events, shuffled) in proptest::collection::vec((0_u64..9, "[a-c]"), 0..40)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
        ) {
            let of_pairs = |pairs: &[(u64, String)]| {
                of(&pairs.iter().map(|(revision, stream)| event(stream, *revision, "x")).collect::<Vec<_>>())
            };
            prop_assert_eq!(of_pairs(&events), of_pairs(&shuffled));
        }
    }
}
