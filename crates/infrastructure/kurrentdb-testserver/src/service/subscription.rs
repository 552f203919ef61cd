//! `Read` without an end: a confirmation, what is there, that it has caught up, what comes. Over `$all`
//! with a filter, checkpoints tell how far it has looked.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream;
use kurrentdb::protocol::read_req::{AllOption, FilterOption, Options, StreamOption};
use kurrentdb::protocol::read_resp::{Checkpoint, Content, Liveness, SubscriptionConfirmation};
use kurrentdb::protocol::{Position, ReadResp, Timestamp};
use tokio::sync::watch;
use tonic::Status;

use super::Answers;
use super::append::stream_name;
use super::read::{Form, event, index, revision};
use crate::filter::Filter;
use crate::log::{Log, Place, Record};
use crate::status;

/// Records looked at in one go.
const BATCH: usize = 256;

pub(super) struct Subscription {
    log: Log,
    wanted: Wanted,
    form: Form,
    /// The next record to look at.
    index: usize,
    since_checkpoint: u64,
    is_live: bool,
    last: Option<u64>,
    answers: VecDeque<ReadResp>,
    growth: watch::Receiver<usize>,
    drops: watch::Receiver<u64>,
}

enum Wanted {
    All(Filter),
    /// A stream, from a revision on.
    Stream(String, u64),
}

impl Subscription {
    pub(super) fn new(log: &Log, options: &Options, form: Form, drops: watch::Receiver<u64>) -> Result<Self, Status> {
        let growth = log.growth();
        let (wanted, index) = match &options.stream {
            Some(StreamOption::All(all)) => {
                let filter = Filter::new(options.filter.as_ref())?;
                let is_filtered = matches!(options.filter, Some(FilterOption::Filter(_)));
                if is_filtered && filter.checkpoint_interval == 0 {
                    return Err(Status::unknown("checkpointIntervalMultiplier must not be 0"));
                }
                let at = index(log, all.from, true)?;
                // Other than a read, it begins behind the position that it is given.
                let is_position = matches!(all.from, Some(AllOption::Position(_)));
                (Wanted::All(filter), if is_position { at + 1 } else { at })
            }
            Some(StreamOption::Stream(stream)) => {
                let name = stream_name(stream.stream_identifier.as_ref())?;
                match revision(stream.revision)? {
                    Place::Start => (Wanted::Stream(name, 0), 0),
                    Place::At(revision) => (Wanted::Stream(name, revision + 1), 0),
                    Place::End => (Wanted::Stream(name, 0), log.len()),
                }
            }
            None => return Err(Status::invalid_argument("'None' is not a valid StreamOptionOneofCase")),
        };
        let confirmation = SubscriptionConfirmation { subscription_id: uuid::Uuid::new_v4().to_string() };
        let answers = VecDeque::from([ReadResp { content: Some(Content::Confirmation(confirmation)) }]);
        Ok(Self {
            log: log.clone(),
            wanted,
            form,
            index,
            since_checkpoint: 0,
            is_live: false,
            last: None,
            answers,
            growth,
            drops,
        })
    }

    pub(super) fn answers(self) -> Answers<ReadResp> {
        Box::pin(stream::unfold(Some(self), |state: Option<Self>| async move {
            let mut subscription = state?;
            loop {
                if subscription.drops.has_changed().unwrap_or(true) {
                    return Some((Err(status::too_slow()), None));
                }
                if let Some(answer) = subscription.answers.pop_front() {
                    return Some((Ok(answer), Some(subscription)));
                }
                subscription.growth.mark_unchanged();
                if subscription.look() {
                    continue;
                }
                // Both senders live in what the node holds; without it, there is nothing to wait for.
                tokio::select! {
                    grown = subscription.growth.changed() => grown.ok()?,
                    dropped = subscription.drops.changed() => {
                        dropped.ok()?;
                        return Some((Err(status::too_slow()), None));
                    }
                }
            }
        }))
    }

    /// Looks at the next records; whether there was something to tell.
    fn look(&mut self) -> bool {
        let records = self.log.records(self.index, BATCH);
        if records.is_empty() {
            if self.is_live {
                return false;
            }
            self.is_live = true;
            let caught_up = Content::CaughtUp(self.liveness());
            self.answers.push_back(ReadResp { content: Some(caught_up) });
            return true;
        }
        self.index += records.len();
        for record in &records {
            self.look_at(record);
        }
        true
    }

    fn look_at(&mut self, record: &Arc<Record>) {
        let (is_kept, interval) = match &self.wanted {
            Wanted::All(filter) => (filter.keeps(record), filter.checkpoint_interval),
            Wanted::Stream(name, from) => (*record.stream == **name && record.revision >= *from, 0),
        };
        if is_kept {
            self.last = Some(record.position);
            self.answers.push_back(event(record, self.form));
        }
        self.since_checkpoint += 1;
        if interval > 0 && self.since_checkpoint >= interval {
            self.since_checkpoint = 0;
            let checkpoint = Checkpoint {
                commit_position: record.position,
                prepare_position: record.position,
                timestamp: Some(timestamp(record.created_ticks)),
            };
            self.answers.push_back(ReadResp { content: Some(Content::Checkpoint(checkpoint)) });
        }
    }

    fn liveness(&self) -> Liveness {
        let position = self.last.filter(|_| matches!(self.wanted, Wanted::All(_)));
        Liveness {
            timestamp: Some(timestamp(self.log.ticks())),
            stream_revision: None,
            position: position.map(|position| Position { commit_position: position, prepare_position: position }),
        }
    }
}

fn timestamp(ticks: i64) -> Timestamp {
    const PER_SECOND: i64 = 10_000_000;
    let nanos = i32::try_from(ticks.rem_euclid(PER_SECOND) * 100).unwrap_or_default();
    Timestamp { seconds: ticks.div_euclid(PER_SECOND), nanos }
}
