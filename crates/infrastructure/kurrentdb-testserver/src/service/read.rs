//! `Read` with a count: pages of a stream or of `$all`. Without one it is a subscription.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use kurrentdb::protocol::read_req::{
    AllOption, CountOption, Direction, Options, RevisionOption, StreamOption, UuidContent,
};
use kurrentdb::protocol::read_resp::{Content, ReadEvent, ReadPosition, RecordedEvent, StreamNotFound};
use kurrentdb::protocol::{Empty, ReadReq, ReadResp, StreamIdentifier, Uuid, metadata};
use tonic::{Request, Response, Status};

use super::append::stream_name;
use super::subscription::Subscription;
use super::{Answers, Service};
use crate::filter::Filter;
use crate::log::{Found, Log, Place, Record};
use crate::status;

/// How events are put into answers.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) ids_are_text: bool,
    pub(super) has_position: bool,
}

impl Service {
    pub(super) async fn read(
        self,
        request: Request<ReadReq>,
        requires_leader: bool,
    ) -> Result<Response<Answers<ReadResp>>, Status> {
        if requires_leader {
            self.lead()?;
        }
        let options = request.into_inner().options.ok_or_else(|| Status::invalid_argument("a read without options"))?;
        let ids_are_text = matches!(
            options
                .uuid_option
                .and_then(|option| option.content)
                .ok_or_else(|| Status::invalid_argument("no uuid option"))?,
            UuidContent::String(_)
        );
        let is_all = matches!(options.stream, Some(StreamOption::All(_)));
        let has_position = is_all || self.shared.options.tells_stream_positions;
        let form = Form { ids_are_text, has_position };
        match options.count {
            Some(CountOption::Subscription(_)) => {
                self.faults.saw_subscription();
                let subscription = Subscription::new(&self.shared.log, &options, form, self.faults.drops())?;
                Ok(Response::new(subscription.answers()))
            }
            Some(CountOption::Count(count)) => {
                let answers = page(&self.shared.log, &options, form, count)?;
                let answers: Answers<ReadResp> = Box::pin(stream::iter(answers.into_iter().map(Ok)));
                Ok(Response::new(answers))
            }
            None => Err(Status::invalid_argument("'None' is not a valid CountOptionOneofCase")),
        }
    }
}

fn page(log: &Log, options: &Options, form: Form, count: u64) -> Result<Vec<ReadResp>, Status> {
    let forwards = options.read_direction == i32::from(Direction::Forwards);
    let records = match &options.stream {
        Some(StreamOption::Stream(wanted)) => {
            let name = stream_name(wanted.stream_identifier.as_ref())?;
            match log.stream(&name, revision(wanted.revision)?, forwards, count) {
                Found::Events(records) => records,
                Found::Nothing => return Ok(vec![not_found(name)]),
                Found::Tombstoned => return Err(status::tombstoned(&name)),
            }
        }
        Some(StreamOption::All(wanted)) => {
            let filter = Filter::new(options.filter.as_ref())?;
            let index = index(log, wanted.from, forwards)?;
            if forwards {
                let records = log.records(index, usize::MAX).into_iter().filter(|record| filter.keeps(record));
                records.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
            } else {
                log.backwards(index, |record| filter.keeps(record), count)
            }
        }
        None => return Err(Status::invalid_argument("'None' is not a valid StreamOptionOneofCase")),
    };
    Ok(records.iter().map(|record| event(record, form)).collect())
}

pub(super) fn revision(option: Option<RevisionOption>) -> Result<Place, Status> {
    match option {
        Some(RevisionOption::Revision(revision)) if i64::try_from(revision).is_err() => {
            Err(Status::invalid_argument(format!("'{revision}' is not a valid revision")))
        }
        Some(RevisionOption::Revision(revision)) => Ok(Place::At(revision)),
        Some(RevisionOption::Start(_)) => Ok(Place::Start),
        Some(RevisionOption::End(_)) => Ok(Place::End),
        None => Err(Status::invalid_argument("'None' is not a valid RevisionOptionOneofCase")),
    }
}

/// The index from which `$all` is read: forwards with the record at the position, backwards without it.
/// A position at which no record begins is an error, but for those behind the end.
pub(super) fn index(log: &Log, from: Option<AllOption>, forwards: bool) -> Result<usize, Status> {
    let length = log.len();
    match from {
        Some(AllOption::Start(_)) => Ok(0),
        Some(AllOption::End(_)) => Ok(length),
        Some(AllOption::Position(position)) => {
            if position.prepare_position > position.commit_position {
                return Err(Status::invalid_argument("the commit position must be at or behind the prepare position"));
            }
            match log.index(position.commit_position) {
                Ok(index) => Ok(index),
                Err(index) if index == length && !forwards => Ok(length),
                Err(_) => Err(status::invalid_position()),
            }
        }
        None => Err(Status::invalid_argument("'None' is not a valid AllOptionOneofCase")),
    }
}

pub(super) fn not_found(name: String) -> ReadResp {
    let stream_identifier = Some(StreamIdentifier { stream_name: Bytes::from(name) });
    ReadResp { content: Some(Content::StreamNotFound(StreamNotFound { stream_identifier })) }
}

pub(super) fn event(record: &Arc<Record>, form: Form) -> ReadResp {
    let position = if form.has_position { record.position } else { u64::MAX };
    let recorded = RecordedEvent {
        id: Some(if form.ids_are_text { Uuid::string(record.id) } else { Uuid::structured(record.id) }),
        stream_identifier: Some(StreamIdentifier { stream_name: Bytes::copy_from_slice(record.stream.as_bytes()) }),
        stream_revision: record.revision,
        prepare_position: position,
        commit_position: position,
        metadata: BTreeMap::from([
            (metadata::TYPE.to_owned(), record.event_type.clone()),
            (metadata::CREATED.to_owned(), record.created_ticks.to_string()),
            (metadata::CONTENT_TYPE.to_owned(), record.content_type.clone()),
        ]),
        custom_metadata: record.metadata.clone(),
        data: record.data.clone(),
    };
    let position = if form.has_position { ReadPosition::Commit(record.position) } else { ReadPosition::None(Empty {}) };
    ReadResp {
        content: Some(Content::Event(ReadEvent { event: Some(recorded), link: None, position: Some(position) })),
    }
}
