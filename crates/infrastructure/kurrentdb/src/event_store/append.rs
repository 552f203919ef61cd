//! Appending. The server knows a repeated append by its ids, so an attempt of which nothing was heard is
//! made again; what has to be found out is whether a receipt is that of this append or of an earlier one.

use eventsourcing::store::Error;
use eventsourcing::{Appended, ExpectedRevision, NewEvent, Position, Revision, StreamId};

use super::Core;
use crate::convert::{self, NUMBER_MAX};
use crate::failure::{Failure, Kind};
use crate::nodes::Role;
use crate::protocol::append_resp::{CurrentRevision, Result as Answer, SuccessPosition, WrongExpectedVersion};
use crate::protocol::{AppendResp, Success};

const DOING: &str = "appending";

/// What a server says of an append.
enum Outcome {
    /// The events are there; at which position the last one is, if that was told.
    Stored(Option<Position>),
    /// The stream is elsewhere; where, if that was told.
    Conflict(Option<Current>),
}

/// Where a stream is.
struct Current(Option<Revision>);

impl Core {
    pub(super) async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, Error> {
        let Some(others) = events.len().checked_sub(1) else {
            return Err(Error::Invalid("an append needs at least one event".to_owned()));
        };
        let Some(revision) = last_revision(expected, others) else {
            return self.conflict(stream, None).await;
        };
        let requests = convert::append(stream, expected, events)
            .ok_or_else(|| Error::Invalid("the id of an event is one that stands for another".to_owned()))?;
        if !self.receipts.knows_the_end() {
            self.head(self.deadline).await?;
        }
        let mut receipt = self.receipts.begin();
        let answer = self.call(Role::Lead, |caller| caller.append(requests.clone())).await;
        let outcome = outcome(answer).map_err(|failure| failure.into_error(DOING))?;
        receipt.answered();
        match outcome {
            Outcome::Stored(Some(position)) if receipt.is_first(position) => {
                Ok(Appended { revision, position, duplicate: false })
            }
            Outcome::Stored(_) => self.repeated(stream, revision).await,
            Outcome::Conflict(current) => self.conflict(stream, current).await,
        }
    }

    /// The receipt of events that were there already. Their place is read, since not every version of
    /// the server tells it with a repeat.
    async fn repeated(&self, stream: &StreamId, revision: Revision) -> Result<Appended, Error> {
        let found = self.read(stream, revision, 1).await?;
        match found.first().filter(|event| event.revision == revision) {
            Some(event) => Ok(Appended { revision, position: event.position, duplicate: true }),
            // Acknowledged, and deleted since.
            None => Err(Error::unavailable(format!("revision {revision} of stream {stream} cannot be read any more"))),
        }
    }

    async fn conflict(&self, stream: &StreamId, current: Option<Current>) -> Result<Appended, Error> {
        let current = match current {
            Some(Current(current)) => current,
            None => self.last_revision(stream).await?,
        };
        Err(Error::Conflict { stream: stream.clone(), current })
    }
}

/// The revision of the last of one event and `others`; `None` beyond what the engine can count to.
fn last_revision(expected: ExpectedRevision, others: usize) -> Option<Revision> {
    let first = match expected {
        ExpectedRevision::NoStream => 0,
        ExpectedRevision::Exact(Revision(revision)) => revision.checked_add(1)?,
    };
    // The number that is expected has to be one of the engine's, those that follow are never reached.
    if first > NUMBER_MAX + 1 {
        return None;
    }
    first.checked_add(u64::try_from(others).ok()?).map(Revision)
}

fn outcome(answer: Result<AppendResp, Failure>) -> Result<Outcome, Failure> {
    match answer {
        Ok(AppendResp { result: Some(Answer::Success(success)) }) => Ok(Outcome::Stored(place(&success))),
        Ok(AppendResp { result: Some(Answer::WrongExpectedVersion(wrong)) }) => Ok(Outcome::Conflict(current(&wrong))),
        Ok(AppendResp { result: None }) => Err(Failure::nonsense("an append was answered with nothing")),
        Err(Failure { kind: Kind::WrongRevision(version), .. }) => {
            Ok(Outcome::Conflict(version.map(|version| Current(u64::try_from(version).ok().map(Revision)))))
        }
        Err(failure) => Err(failure),
    }
}

fn place(success: &Success) -> Option<Position> {
    match success.position {
        Some(SuccessPosition::Position(position)) if position.commit_position <= NUMBER_MAX => {
            Some(Position(position.commit_position))
        }
        _ => None,
    }
}

fn current(wrong: &WrongExpectedVersion) -> Option<Current> {
    match wrong.current? {
        CurrentRevision::Revision(revision) if revision <= NUMBER_MAX => Some(Current(Some(Revision(revision)))),
        CurrentRevision::Revision(_) => None,
        CurrentRevision::NoStream(_) => Some(Current(None)),
    }
}
