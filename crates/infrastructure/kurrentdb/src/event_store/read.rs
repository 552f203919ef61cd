//! Reading, in pages: each call has its deadline, and no answer is larger than what it was asked for.

use std::time::Duration;

use eventsourcing::store::{Error, Page};
use eventsourcing::{Position, RecordedEvent, Revision, StreamId};

use super::Core;
use crate::convert::{self, NUMBER_MAX};
use crate::names::{self, NOTHING};
use crate::nodes::Role;
use crate::protocol::ReadReq;
use crate::protocol::read_req::{AllOption, Direction, RevisionOption};

/// The most events that one call asks for.
const PAGE: usize = 1_000;

impl Core {
    pub(super) async fn read(
        &self,
        stream: &StreamId,
        from: Revision,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let (mut events, mut from) = (Vec::new(), from.0);
        // Numbers beyond stand for the end of the stream.
        while from <= NUMBER_MAX && events.len() < max {
            let count = PAGE.min(max - events.len());
            let request = convert::read(stream, RevisionOption::Revision(from), Direction::Forwards, as_count(count));
            let page = self.page(request, count, "reading a stream", self.deadline).await?;
            let is_last = page.len() < count;
            if let Some(last) = page.last() {
                from = last.revision.0.saturating_add(1);
            }
            events.extend(page);
            if is_last {
                break;
            }
        }
        Ok(events)
    }

    /// The last revision of a stream, `None` when it has no event.
    pub(super) async fn last_revision(&self, stream: &StreamId) -> Result<Option<Revision>, Error> {
        let request = convert::read(stream, RevisionOption::End(NOTHING), Direction::Backwards, 1);
        let page = self.page(request, 1, "reading the end of a stream", self.deadline).await?;
        Ok(page.last().map(|event| event.revision))
    }

    /// The engine does not tell how far a read has looked that kept little. So it is asked first where its
    /// end is: a page that is not full has looked that far at least.
    pub(super) async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        let nothing = Page { events: Vec::new(), next: after };
        let head = self.head(self.deadline).await?;
        if max == 0 || head <= after {
            return Ok(nothing);
        }
        let max = max.min(PAGE);
        // The event at `after` may be one of them.
        let count = max + 1;
        let (from, filter) = (convert::all_from(after), names::filter(prefix));
        let request = convert::read_all(from, Direction::Forwards, as_count(count), filter);
        let mut events = self.page(request, count, "reading the store", self.deadline).await?;
        events.retain(|event| event.position > after);
        events.truncate(max);
        let last = events.last().map_or(after, |event| event.position);
        let next = if events.len() == max { last } else { last.max(head) };
        Ok(Page { events, next })
    }

    /// The position of the last event that is not the engine's own.
    pub(super) async fn head(&self, deadline: Duration) -> Result<Position, Error> {
        let request = convert::read_all(AllOption::End(NOTHING), Direction::Backwards, 1, names::everything());
        let page = self.page(request, 1, "asking for the end of the store", deadline).await?;
        let head = page.last().map_or(Position::START, |event| event.position);
        self.receipts.see_end(head);
        Ok(head)
    }

    async fn page(
        &self,
        request: ReadReq,
        max: usize,
        doing: &str,
        deadline: Duration,
    ) -> Result<Vec<RecordedEvent>, Error> {
        // A stream's begin and end may be told along with its events.
        let max = max.saturating_add(8);
        let answers = self.within(Role::Lead, deadline, |caller| caller.read(request.clone(), max)).await;
        let events = answers.and_then(convert::page).map_err(|failure| failure.into_error(doing))?;
        let events: Vec<_> = events.unwrap_or_default().into_iter().map(convert::recorded).collect::<Result<_, _>>()?;
        if let Some(furthest) = events.iter().map(|event| event.position).max() {
            self.receipts.see(furthest);
        }
        Ok(events)
    }
}

fn as_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(NUMBER_MAX)
}
