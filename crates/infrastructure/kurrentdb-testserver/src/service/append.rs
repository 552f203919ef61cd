//! `Append` and `BatchAppend`.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use kurrentdb::protocol::append_resp::{
    CurrentRevision, ExpectedRevision, Result as Answer, SuccessPosition, SuccessRevision, WrongExpectedVersion,
};
use kurrentdb::protocol::wrong_expected_version_details::{Current, Expected as DetailExpected};
use kurrentdb::protocol::{
    Any, AppendReq, AppendResp, Empty, Expected as WireExpected, MaximumAppendSizeExceeded, Position, ProposedMessage,
    RpcStatus, StreamIdentifier, Success, Uuid, WrongExpectedVersionDetails, append_req, metadata,
};
use prost::Message;
use tonic::{Code, Request, Response, Status, Streaming};

use super::{Answers, Service};
use crate::batch::batch_append_resp::{Expected as BatchAnswerExpected, Result as BatchAnswer};
use crate::batch::{BatchAppendReq, BatchAppendResp, BatchExpected};
use crate::log::{Expected, Proposed, Refused, Written};
use crate::status;

const NOTHING: Empty = Empty {};

impl Service {
    pub(super) async fn append(self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        self.lead()?;
        let mut messages = request.into_inner();
        let Some(append_req::Content::Options(options)) = messages.message().await?.and_then(|first| first.content)
        else {
            return Err(Status::invalid_argument("the options come first"));
        };
        let stream = stream_name(options.stream_identifier.as_ref())?;
        let expected = expected(options.expected)?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(message) = messages.message().await? {
            let Some(append_req::Content::ProposedMessage(message)) = message.content else {
                return Err(Status::invalid_argument("the options come once"));
            };
            bytes += message.data.len() + message.custom_metadata.len();
            if bytes > self.shared.options.append_bytes_max {
                return Err(status::too_large(self.shared.options.append_bytes_max));
            }
            events.push(proposed(message)?);
        }
        // It may have ceased to lead while it listened.
        self.lead()?;
        self.faults.saw_append();
        let outcome = self.shared.log.append(&stream, expected, events);
        self.acknowledge().await;
        let result = match outcome {
            Ok(written) => Answer::Success(success(written)),
            Err(Refused::Tombstoned) => return Err(status::tombstoned(&stream)),
            Err(Refused::WrongVersion(current)) => Answer::WrongExpectedVersion(WrongExpectedVersion {
                current: Some(current.map_or(CurrentRevision::NoStream(NOTHING), CurrentRevision::Revision)),
                expected: Some(match expected {
                    Expected::Any => ExpectedRevision::Any(NOTHING),
                    Expected::Exists => ExpectedRevision::StreamExists(NOTHING),
                    Expected::NoStream => ExpectedRevision::NoStream(NOTHING),
                    Expected::Revision(revision) => ExpectedRevision::Revision(revision),
                }),
            }),
        };
        Ok(Response::new(AppendResp { result: Some(result) }))
    }

    pub(super) async fn batch_append(
        self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Answers<BatchAppendResp>>, Status> {
        self.lead()?;
        let begun: HashMap<uuid::Uuid, BatchAppendReq> = HashMap::new();
        let answers =
            stream::unfold((self, request.into_inner(), begun), |(service, mut messages, mut begun)| async move {
                loop {
                    let message = match messages.next().await? {
                        Ok(message) => message,
                        Err(status) => return Some((Err(status), (service, messages, begun))),
                    };
                    let Some(id) = message.correlation_id.as_ref().and_then(Uuid::read) else {
                        let status = Status::invalid_argument("an append without a correlation id");
                        return Some((Err(status), (service, messages, begun)));
                    };
                    let is_final = message.is_final;
                    let whole = begun.entry(id).or_default();
                    whole.options = whole.options.take().or(message.options);
                    whole.proposed_messages.extend(message.proposed_messages);
                    if is_final && let Some(append) = begun.remove(&id) {
                        let answer = service.batch(id, append).await;
                        return Some((answer, (service, messages, begun)));
                    }
                }
            });
        let answers: Answers<BatchAppendResp> = Box::pin(answers);
        Ok(Response::new(answers))
    }

    async fn batch(&self, id: uuid::Uuid, append: BatchAppendReq) -> Result<BatchAppendResp, Status> {
        self.lead()?;
        let options = append.options.ok_or_else(|| Status::invalid_argument("an append without options"))?;
        let name = stream_name(options.stream_identifier.as_ref())?;
        let expected = match options.expected {
            Some(BatchExpected::Revision(revision)) => Expected::Revision(revision),
            Some(BatchExpected::NoStream(_)) => Expected::NoStream,
            Some(BatchExpected::Any(_)) => Expected::Any,
            Some(BatchExpected::StreamExists(_)) => Expected::Exists,
            None => return Err(Status::invalid_argument("an append without an expectation")),
        };
        let bytes: usize =
            append.proposed_messages.iter().map(|event| event.data.len() + event.custom_metadata.len()).sum();
        let bytes_max = self.shared.options.append_bytes_max;
        let result = if bytes > bytes_max {
            BatchAnswer::Error(too_large(bytes_max))
        } else {
            let events = append.proposed_messages.into_iter().map(proposed).collect::<Result<_, _>>()?;
            self.faults.saw_append();
            let outcome = self.shared.log.append(&name, expected, events);
            self.acknowledge().await;
            match outcome {
                Ok(written) => BatchAnswer::Success(success(written)),
                Err(refused) => BatchAnswer::Error(batch_refusal(&name, expected, refused)),
            }
        };
        Ok(BatchAppendResp {
            correlation_id: Some(Uuid::string(id)),
            result: Some(result),
            stream_identifier: options.stream_identifier,
            expected: options.expected.map(|expected| match expected {
                BatchExpected::Revision(revision) => BatchAnswerExpected::Revision(revision),
                BatchExpected::NoStream(_) => BatchAnswerExpected::NoStream(NOTHING),
                BatchExpected::Any(_) => BatchAnswerExpected::Any(NOTHING),
                BatchExpected::StreamExists(_) => BatchAnswerExpected::StreamExists(NOTHING),
            }),
        })
    }
}

fn success(written: Written) -> Success {
    Success {
        current_revision: Some(written.revision.map_or(SuccessRevision::NoStream(NOTHING), SuccessRevision::Revision)),
        position: Some(written.position.map_or(SuccessPosition::None(NOTHING), |position| {
            SuccessPosition::Position(Position { commit_position: position, prepare_position: position })
        })),
    }
}

fn too_large(bytes_max: usize) -> RpcStatus {
    let max_append_size = u32::try_from(bytes_max).unwrap_or(u32::MAX);
    RpcStatus {
        code: Code::InvalidArgument as i32,
        message: format!("Maximum Append Size of {bytes_max} Exceeded."),
        details: Some(detail("MaximumAppendSizeExceeded", &MaximumAppendSizeExceeded { max_append_size })),
    }
}

fn batch_refusal(stream: &str, expected: Expected, refused: Refused) -> RpcStatus {
    let code = Code::FailedPrecondition as i32;
    match refused {
        Refused::Tombstoned => {
            #[derive(Clone, PartialEq, prost::Message)]
            struct StreamDeleted {
                #[prost(message, optional, tag = "1")]
                stream_identifier: Option<StreamIdentifier>,
            }
            let stream_name = Bytes::from(stream.to_owned());
            let deleted = StreamDeleted { stream_identifier: Some(StreamIdentifier { stream_name }) };
            let message = format!("Event stream '{stream}' is deleted.");
            RpcStatus { code, message, details: Some(detail("StreamDeleted", &deleted)) }
        }
        Refused::WrongVersion(current) => {
            let details = WrongExpectedVersionDetails {
                current: Some(current.map_or(Current::NoStream(NOTHING), Current::Revision)),
                expected: Some(match expected {
                    Expected::Any => DetailExpected::Any(NOTHING),
                    Expected::Exists => DetailExpected::StreamExists(NOTHING),
                    Expected::NoStream => DetailExpected::NoStream(NOTHING),
                    Expected::Revision(revision) => DetailExpected::Revision(revision),
                }),
            };
            let message = "WrongExpectedVersion".to_owned();
            RpcStatus { code, message, details: Some(detail("WrongExpectedVersion", &details)) }
        }
    }
}

fn detail(name: &str, message: &impl Message) -> Any {
    let type_url = format!("type.googleapis.com/event_store.client.{name}");
    Any { type_url, value: Bytes::from(message.encode_to_vec()) }
}

/// A stream's name; the genuine server has none that is empty.
pub(super) fn stream_name(identifier: Option<&StreamIdentifier>) -> Result<String, Status> {
    let name = identifier.map(|identifier| identifier.stream_name.to_vec()).unwrap_or_default();
    let name = String::from_utf8(name).map_err(|_| Status::invalid_argument("a stream's name is UTF-8"))?;
    if name.is_empty() { Err(Status::invalid_argument("'' is not a valid stream name")) } else { Ok(name) }
}

pub(super) fn expected(expected: Option<WireExpected>) -> Result<Expected, Status> {
    match expected {
        // The genuine server's numbers are signed.
        Some(WireExpected::Revision(revision)) if i64::try_from(revision).is_err() => {
            Err(Status::invalid_argument(format!("'{revision}' is not a valid revision")))
        }
        Some(WireExpected::Revision(revision)) => Ok(Expected::Revision(revision)),
        Some(WireExpected::NoStream(_)) => Ok(Expected::NoStream),
        Some(WireExpected::Any(_)) => Ok(Expected::Any),
        Some(WireExpected::StreamExists(_)) => Ok(Expected::Exists),
        None => Err(Status::invalid_argument("'None' is not a valid expectation")),
    }
}

/// An event of a client's; the genuine server has none without an id or a type.
fn proposed(message: ProposedMessage) -> Result<Proposed, Status> {
    let property = |name: &str| {
        message.metadata.get(name).filter(|value| !value.is_empty()).cloned().ok_or_else(|| status::missing(name))
    };
    let (event_type, content_type) = (property(metadata::TYPE)?, property(metadata::CONTENT_TYPE)?);
    let id = message.id.as_ref().and_then(Uuid::read).filter(|id| !id.is_nil());
    let id = id.ok_or_else(|| Status::invalid_argument("an event needs an id"))?;
    Ok(Proposed { id, event_type, content_type, data: message.data, metadata: message.custom_metadata })
}
