//! What several services use: identities, names, positions, and a few of Google's well-known types.
#![allow(missing_docs, reason = "names and meaning are those of the published definitions")]

use bytes::Bytes;

/// Nothing; also `google.protobuf.Empty`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Empty {}

/// An identity, in one of two forms.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Uuid {
    #[prost(oneof = "uuid_form::Form", tags = "1, 2")]
    pub form: Option<uuid_form::Form>,
}

pub mod uuid_form {
    /// The 128 bits as two numbers.
    #[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
    pub struct Structured {
        #[prost(int64, tag = "1")]
        pub most_significant_bits: i64,
        #[prost(int64, tag = "2")]
        pub least_significant_bits: i64,
    }

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Form {
        #[prost(message, tag = "1")]
        Structured(Structured),
        #[prost(string, tag = "2")]
        String(String),
    }
}

impl Uuid {
    /// In the shorter form.
    #[must_use]
    pub fn structured(id: uuid::Uuid) -> Self {
        let (most, least) = id.as_u64_pair();
        let numbers = uuid_form::Structured {
            most_significant_bits: most.cast_signed(),
            least_significant_bits: least.cast_signed(),
        };
        Self { form: Some(uuid_form::Form::Structured(numbers)) }
    }

    /// In the readable form.
    #[must_use]
    pub fn string(id: uuid::Uuid) -> Self {
        Self { form: Some(uuid_form::Form::String(id.to_string())) }
    }

    /// The identity, `None` when there is none or it cannot be read.
    #[must_use]
    pub fn read(&self) -> Option<uuid::Uuid> {
        match self.form.as_ref()? {
            uuid_form::Form::Structured(numbers) => Some(uuid::Uuid::from_u64_pair(
                numbers.most_significant_bits.cast_unsigned(),
                numbers.least_significant_bits.cast_unsigned(),
            )),
            uuid_form::Form::String(text) => text.parse().ok(),
        }
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamIdentifier {
    /// UTF-8.
    #[prost(bytes = "bytes", tag = "3")]
    pub stream_name: Bytes,
}

/// A place in the log; the published definitions have one such message in each scope.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Position {
    #[prost(uint64, tag = "1")]
    pub commit_position: u64,
    #[prost(uint64, tag = "2")]
    pub prepare_position: u64,
}

/// `google.protobuf.Timestamp`, and `google.protobuf.Duration`, which is alike on the wire.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// A status within an answer; other than gRPC's own it has one detail.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, optional, tag = "3")]
    pub details: Option<Any>,
}

/// What a writer expects of a stream, without a number.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct WrongExpectedVersionDetails {
    #[prost(oneof = "wrong_expected_version_details::Current", tags = "1, 2")]
    pub current: Option<wrong_expected_version_details::Current>,
    #[prost(oneof = "wrong_expected_version_details::Expected", tags = "3, 4, 5, 6")]
    pub expected: Option<wrong_expected_version_details::Expected>,
}

pub mod wrong_expected_version_details {
    use super::Empty;

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum Current {
        #[prost(uint64, tag = "1")]
        Revision(u64),
        #[prost(message, tag = "2")]
        NoStream(Empty),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum Expected {
        #[prost(uint64, tag = "3")]
        Revision(u64),
        #[prost(message, tag = "4")]
        Any(Empty),
        #[prost(message, tag = "5")]
        StreamExists(Empty),
        #[prost(message, tag = "6")]
        NoStream(Empty),
    }
}

/// The details of a refusal by size.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct MaximumAppendSizeExceeded {
    #[prost(uint32, tag = "1")]
    pub max_append_size: u32,
}
