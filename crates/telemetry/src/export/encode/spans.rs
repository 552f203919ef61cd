//! A span as `opentelemetry.proto.trace.v1.Span`.

use super::{Record, put_attribute, put_attributes, wire};
use crate::record::{Kind, Service, Span, Value};
use crate::trace::TraceContext;

const TRACE_STATE: u32 = 3;
const PARENT_SPAN_ID: u32 = 4;
const NAME: u32 = 5;
const ATTRIBUTES: u32 = 9;
const LINKS: u32 = 13;
const DROPPED_LINKS: u32 = 14;
const STATUS: u32 = 15;

/// It is known whether the parent is in another process, and it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

const ERROR_TYPE: &str = "error.type";
const STATUS_CODE_ERROR: u64 = 2;

impl Record for Span {
    fn service(&self) -> Service {
        self.service
    }

    fn scope(&self) -> &'static str {
        "highbeam"
    }

    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&fixed(self));
        wire::put_bytes(buffer, TRACE_STATE, self.trace_state.as_deref().unwrap_or_default().as_bytes());
        if let Some(parent) = self.context.parent_id() {
            wire::put_bytes(buffer, PARENT_SPAN_ID, &parent.0.to_be_bytes());
        }
        wire::put_bytes(buffer, NAME, self.name.as_bytes());
        put_attributes(buffer, ATTRIBUTES, &self.attributes);
        for link in &self.links {
            put_link(buffer, link);
        }
        wire::put_number(buffer, DROPPED_LINKS, self.dropped_links.into());
        if let Some(failure) = &self.failure {
            if !self.attributes.iter().any(|(name, _)| *name == ERROR_TYPE) {
                put_attribute(buffer, ATTRIBUTES, ERROR_TYPE, &Value::Text(failure.clone()));
            }
            wire::put_message(buffer, STATUS, |buffer| {
                wire::put_bytes(buffer, 2, failure.as_bytes());
                wire::put_number(buffer, 3, STATUS_CODE_ERROR);
            });
        }
    }
}

/// Bytes of [`fixed`].
const FIXED_LEN: usize = 18 + 10 + 2 + 9 + 9 + 6;

/// What has the same length in every span, written at once: the order of fields does not matter.
#[inline]
fn fixed(span: &Span) -> [u8; FIXED_LEN] {
    let mut bytes = [0; FIXED_LEN];
    let mut rest = bytes.as_mut_slice();
    let mut put = |part: &[u8]| {
        let (place, after) = std::mem::take(&mut rest).split_at_mut(part.len());
        place.copy_from_slice(part);
        rest = after;
    };
    let remote = if span.has_remote_parent { IS_REMOTE } else { 0 };
    let flags = u32::from(span.context.is_sampled()) | HAS_IS_REMOTE | remote;
    put(&[1 << 3 | 2, 16]);
    put(&span.context.trace_id().0.to_be_bytes());
    put(&[2 << 3 | 2, 8]);
    put(&span.context.span_id().0.to_be_bytes());
    put(&[6 << 3, kind(span.kind)]);
    put(&[7 << 3 | 1]);
    put(&span.start_unix_nanos.to_le_bytes());
    put(&[8 << 3 | 1]);
    put(&span.end_unix_nanos.to_le_bytes());
    // Field 16 takes two bytes of key.
    put(&[0x85, 0x01]);
    put(&flags.to_le_bytes());
    bytes
}

const fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
        Kind::Consumer => 5,
    }
}

/// Whether a link leads to another process is not known, so the flags tell only whether it is kept.
fn put_link(buffer: &mut Vec<u8>, link: &TraceContext) {
    wire::put_message(buffer, LINKS, |buffer| {
        wire::put_bytes(buffer, 1, &link.trace_id().0.to_be_bytes());
        wire::put_bytes(buffer, 2, &link.span_id().0.to_be_bytes());
        if link.is_sampled() {
            wire::put_fixed32(buffer, 6, 1);
        }
    });
}
