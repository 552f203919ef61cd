//! Log records of an `ExportLogsServiceRequest`.
//!
//! A record stays when its trace id or span id is of the wrong length: OTLP has it that such a record
//! belongs to no trace. In JSON an id that is not hexadecimal is rejected with its record, for it is an id
//! that was written wrongly (in base64, mostly). A record without any time gets the time of arrival as the
//! time when it was observed. Groups that are left without records are left out.

mod json;
mod protobuf;
pub(crate) mod stream;

pub use json::from_json;
pub use protobuf::from_protobuf;

use std::sync::Arc;

use console_model::{LogGroup, LogRecord, Resource};

use crate::envelope::{Names, Scopes};

const NAMES: Names = Names {
    resources: ["resourceLogs", "resource_logs"],
    scopes: ["scopeLogs", "scope_logs"],
    items: ["logRecords", "log_records"],
};

/// A resource's records, each scope's in a group.
fn groups(mut sender: Resource, scopes: Scopes<LogRecord>) -> impl Iterator<Item = LogGroup> {
    let stream = stream::labels_and_unmark(&mut sender);
    let resource = Arc::new(sender);
    scopes.into_iter().map(move |(scope, records)| LogGroup {
        stream: stream.clone(),
        resource: Arc::clone(&resource),
        scope: Arc::new(scope),
        records,
    })
}

/// Gives a record without any time that of its arrival.
fn complete(record: &mut LogRecord, arrival_ns: u64) {
    if record.time_ns == 0 && record.observed_time_ns == 0 {
        record.observed_time_ns = arrival_ns;
    }
}
