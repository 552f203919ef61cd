//! `Delete` and `Tombstone`.

use kurrentdb::protocol::{DeletePosition, DeleteReq, DeleteResp, Empty, Position};
use tonic::{Request, Response, Status};

use super::Service;
use super::append::{expected, stream_name};
use crate::log::Expected;
use crate::status;

impl Service {
    pub(super) async fn delete(
        self,
        request: Request<DeleteReq>,
        for_good: bool,
    ) -> Result<Response<DeleteResp>, Status> {
        self.lead()?;
        let options =
            request.into_inner().options.ok_or_else(|| Status::invalid_argument("a delete without options"))?;
        let stream = stream_name(options.stream_identifier.as_ref())?;
        let expected = expected(options.expected)?;
        let operation = if for_good { "Tombstone" } else { "Delete" };
        let version = match expected {
            Expected::NoStream => -1,
            Expected::Any => -2,
            Expected::Exists => -4,
            Expected::Revision(revision) => status::version(Some(revision)),
        };
        let position = self.shared.log.delete(&stream, expected, for_good);
        let position = position.map_err(|refused| status::refused(operation, &stream, version, refused))?;
        let position = position.map_or(DeletePosition::None(Empty {}), |position| {
            DeletePosition::Position(Position { commit_position: position, prepare_position: position })
        });
        Ok(Response::new(DeleteResp { position: Some(position) }))
    }
}
