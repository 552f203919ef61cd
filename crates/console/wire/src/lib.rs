//! Protobuf's wire format, read in place and written without a schema: fields with their numbers, and
//! nothing of what they mean. Which message has which fields is the business of those who know the message.
//!
//! Reading allocates nothing, never recurses and never goes beyond the bytes it was given; whoever reads
//! nested messages bounds the depth. The format: <https://protobuf.dev/programming-guides/encoding/>.

mod read;
mod write;

pub use read::{Field, Fields, Packed, Value};
pub use write::Writer;

/// Why bytes are no protobuf message, or not the one that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end within a field.
    #[error("the message ends within a field")]
    Truncated,
    /// A variable-length integer of more than 64 bits.
    #[error("a variable-length integer has more than 64 bits")]
    Overlong,
    /// Field number 0, or one beyond 2^29 - 1.
    #[error("{0} is no field number")]
    Number(u64),
    /// One of the wire types that do not exist, or a group, which no message read here has.
    #[error("field {number} has the wire type {found}, which is not in use")]
    WireType {
        /// The field.
        number: u32,
        /// Its wire type.
        found: u8,
    },
    /// Another wire type than the field's.
    #[error("field {number} holds {found}, but must hold {expected}")]
    Kind {
        /// The field.
        number: u32,
        /// What it holds.
        found: &'static str,
        /// What it has to hold.
        expected: &'static str,
    },
    /// Text that is not UTF-8.
    #[error("field {number} is text but not UTF-8")]
    Text {
        /// The field.
        number: u32,
    },
}
