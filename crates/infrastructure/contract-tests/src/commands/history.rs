//! Judges a recorded history of one order: is there an order of the calls, in keeping with when each
//! was made and answered, in which every answer is what the order's rules say? That is
//! linearizability (Herlihy and Wing, 1990). Deciding it is hard in general; here each change is told
//! its revision, which leaves one possible order of the changes, and the rest is greedy.

use std::collections::BTreeMap;

use delivery::aggregate::{Order, Rejection};
use delivery::commands::Command;
use delivery::events::codec;
use delivery::models::OrderId;
use delivery::services::{self, Receipt};
use eventsourcing::{Aggregate, EventId, RecordedEvent, Revision};
use uuid::Uuid;

/// What a client did.
#[derive(Debug, Clone)]
pub enum Operation {
    /// It asked for a change.
    Command(Command),
    /// It looked.
    Read,
}

/// What it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The change is at this revision.
    Done(Revision),
    /// The rules refuse it.
    Rejected(Rejection),
    /// The order is here, not where the client thought.
    PreconditionFailed(Option<Revision>),
    /// Too many others were first; nothing was done.
    GaveUp,
    /// What a look showed.
    Read(Option<Revision>, Order),
}

impl Answer {
    /// The answer to a command.
    #[must_use]
    pub fn of(result: Result<Receipt, services::Error>) -> Self {
        match result {
            Ok(receipt) => Self::Done(receipt.revision),
            Err(services::Error::Rejected(rejection)) => Self::Rejected(rejection),
            Err(services::Error::PreconditionFailed { current, .. }) => Self::PreconditionFailed(current),
            Err(services::Error::Conflict { .. }) => Self::GaveUp,
            Err(other) => panic!("no fault was injected: {other:?}"),
        }
    }
}

/// A call, between two ticks of a clock that all clients share.
#[derive(Debug, Clone)]
pub struct Call {
    /// The tick right before it.
    pub invoked: u64,
    /// The tick right after its answer.
    pub returned: u64,
    /// What was asked.
    pub operation: Operation,
    /// The identity of the command.
    pub command_id: Uuid,
    /// The revision that was demanded.
    pub if_match: Option<Revision>,
    /// What was answered.
    pub answer: Answer,
}

/// How many calls overlapped an earlier one.
#[must_use]
pub fn overlaps(calls: &[Call]) -> u64 {
    let overlapped =
        |call: &&Call| calls.iter().any(|other| other.invoked < call.invoked && call.invoked < other.returned);
    calls.iter().filter(overlapped).count() as u64
}

/// All calls to one order, and what the store has of it in the end.
#[derive(Debug)]
pub struct History {
    /// In any order.
    pub calls: Vec<Call>,
    /// The whole stream.
    pub events: Vec<RecordedEvent>,
}

impl History {
    /// # Errors
    /// What cannot be explained.
    pub fn check(&self, id: OrderId) -> Result<(), String> {
        self.check_authors(id)?;
        let states = self.states();
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_by_key(|call| call.invoked);
        // The least number of events that a call may have found: all that an earlier one is known to
        // have seen. Taking the least that explains a call leaves the most room for the later ones.
        let mut seen_at_return = BTreeMap::new();
        for call in calls {
            let least = seen_at_return.range(..call.invoked).map(|(_, seen)| *seen).max().unwrap_or(0);
            let found = (least..states.len()).find(|found| explains(&states, *found, call));
            let found = found.ok_or_else(|| {
                format!("with at least {least} of {} events, nothing explains {call:?}", self.events.len())
            })?;
            let after = found + usize::from(matches!(call.answer, Answer::Done(_)));
            seen_at_return.insert(call.returned, after);
        }
        Ok(())
    }

    /// Each event is that of one call that was told so, and the other way round.
    fn check_authors(&self, id: OrderId) -> Result<(), String> {
        let stream = id.stream();
        let mut authors = BTreeMap::new();
        for call in &self.calls {
            let (Operation::Command(command), Answer::Done(revision)) = (&call.operation, &call.answer) else {
                continue;
            };
            if let Some(other) = authors.insert(*revision, call) {
                return Err(format!("two commands were told revision {revision}: {call:?} and {other:?}"));
            }
            let event = self.events.iter().find(|event| event.revision == *revision);
            let event = event.ok_or_else(|| format!("lost although it was acknowledged: {call:?}"))?;
            let own = EventId::derive(&stream, *revision, call.command_id);
            if event.id != own || event.event_type != command.leads_to() {
                return Err(format!("at revision {revision} is {event:?}, not the event of {call:?}"));
            }
        }
        match self.events.iter().find(|event| !authors.contains_key(&event.revision)) {
            Some(event) => Err(format!("nobody was told of {event:?}")),
            None => Ok(()),
        }
    }

    /// The order after no event, after one, and so on.
    fn states(&self) -> Vec<Order> {
        let mut states = vec![Order::default()];
        for event in &self.events {
            let decoded = codec::decode(&event.event_type, &event.data, event.metadata().schema_version).unwrap();
            states.push(Order::evolve(states[states.len() - 1].clone(), &decoded.event));
        }
        states
    }
}

/// Whether the call gets this answer if it takes place after `found` events.
fn explains(states: &[Order], found: usize, call: &Call) -> bool {
    let revision = found.checked_sub(1).map(|last| Revision(last as u64));
    let fits = call.if_match.is_none() || call.if_match == revision;
    match (&call.operation, &call.answer) {
        (Operation::Read, Answer::Read(seen, order)) => *seen == revision && *order == states[found],
        (Operation::Command(command), answer) => match answer {
            Answer::Done(done) => {
                let events = Order::decide(&states[found], command);
                let leads_there = |events: Vec<_>| events.iter().fold(states[found].clone(), Order::evolve);
                fits && done.0 == found as u64 && events.map(leads_there).ok().as_ref() == states.get(found + 1)
            }
            Answer::Rejected(rejection) => {
                fits && Order::decide(&states[found], command).err().as_ref() == Some(rejection)
            }
            Answer::PreconditionFailed(current) => !fits && *current == revision,
            Answer::GaveUp => true,
            Answer::Read(..) => false,
        },
        (Operation::Read, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use delivery::models::DeliveryAddress;
    use eventsourcing::Position;
    use jiff::Timestamp;

    use super::*;

    const ID: OrderId = OrderId(Uuid::nil());

    /// What command 0, 1 or 2 asks for.
    fn command(number: u64) -> Command {
        match number {
            0 => crate::commands::create(),
            _ => Command::ChangeAddress(DeliveryAddress::new(number.to_string()).unwrap()),
        }
    }

    /// An order that was created and got a new address, twice, by commands 0, 1 and 2.
    fn events() -> Vec<RecordedEvent> {
        let mut order = Order::default();
        (0..3)
            .map(|number| {
                let decided = Order::decide(&order, &command(number)).unwrap().remove(0);
                order = Order::evolve(std::mem::take(&mut order), &decided);
                RecordedEvent {
                    stream: ID.stream(),
                    revision: Revision(number),
                    position: Position(number + 1),
                    id: EventId::derive(&ID.stream(), Revision(number), Uuid::from_u128(number.into())),
                    event_type: Cow::Borrowed(decided.name()),
                    data: codec::encode(&decided),
                    raw_metadata: format!(r#"{{"schemaVersion":{}}}"#, codec::SCHEMA_VERSION).into(),
                    recorded_at: Timestamp::UNIX_EPOCH,
                }
            })
            .collect()
    }

    fn call(during: (u64, u64), number: u64, answer: Answer) -> Call {
        let operation = Operation::Command(command(number));
        let command_id = Uuid::from_u128(number.into());
        Call { invoked: during.0, returned: during.1, operation, command_id, if_match: None, answer }
    }

    fn created() -> Call {
        call((0, 1), 0, Answer::Done(Revision(0)))
    }

    /// A look that shows the order after this many events.
    fn read(during: (u64, u64), events: usize) -> Call {
        let history = History { calls: Vec::new(), events: self::events() };
        let revision = events.checked_sub(1).map(|last| Revision(last as u64));
        let answer = Answer::Read(revision, history.states()[events].clone());
        Call { operation: Operation::Read, ..call(during, 9, answer) }
    }

    fn check(calls: impl IntoIterator<Item = Call>) -> Result<(), String> {
        History { calls: calls.into_iter().collect(), events: events() }.check(ID)
    }

    #[test]
    fn one_after_the_other_is_fine() {
        let done = |during, number| call(during, number, Answer::Done(Revision(number)));
        check([created(), done((2, 3), 1), read((4, 5), 2), done((6, 7), 2), read((8, 9), 3)]).unwrap();
    }

    #[test]
    fn overlapping_calls_may_take_place_either_way() {
        let done = |during, number| call(during, number, Answer::Done(Revision(number)));
        check([created(), done((2, 9), 1), done((3, 8), 2), read((4, 7), 1)]).unwrap();
        check([created(), done((2, 9), 1), done((3, 8), 2), read((4, 7), 3)]).unwrap();
    }

    #[test]
    fn what_cannot_be_is_found() {
        let done = |during, number, revision| call(during, number, Answer::Done(Revision(revision)));
        for (fault, calls) in [
            ("stale read", vec![created(), done((2, 3), 1, 1), done((4, 5), 2, 2), read((6, 7), 2)]),
            (
                "reads that go back",
                vec![created(), done((2, 20), 1, 1), done((3, 20), 2, 2), read((4, 5), 3), read((6, 7), 2)],
            ),
            ("against the clock", vec![created(), done((2, 3), 2, 2), done((4, 5), 1, 1)]),
            ("told twice", vec![created(), done((2, 3), 1, 1), done((4, 5), 2, 1)]),
            ("nobody's", vec![created(), done((2, 3), 1, 1)]),
            ("lost", vec![created(), done((2, 3), 1, 1), done((4, 5), 2, 2), done((6, 7), 3, 3)]),
        ] {
            assert!(check(calls).is_err(), "{fault}");
        }
    }
}
