//! What answers a request that failed: `google.rpc.Status`, the body of OTLP's HTTP errors and the details
//! of gRPC's. Which code and which HTTP status fit is not decided here.

use console_wire::Writer;

use crate::export;

/// The type of `RetryInfo`, which tells a sender when to try again.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// The status in protobuf. The code is one of gRPC's, as 3 for an invalid argument.
pub fn protobuf(code: i32, message: &str) -> Vec<u8> {
    status(code, message, None)
}

/// The status in protobuf, with a `RetryInfo`: for gRPC's trailer `grpc-status-details-bin`, with the code 14
/// (unavailable) or 8 (resource exhausted). The delay is in milliseconds.
pub fn protobuf_with_retry(code: i32, message: &str, retry_delay_ms: u64) -> Vec<u8> {
    status(code, message, Some(retry_delay_ms))
}

fn status(code: i32, message: &str, retry_delay_ms: Option<u64>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    if code != 0 {
        writer.int64(1, code.into());
    }
    writer.text(2, message);
    if let Some(delay_ms) = retry_delay_ms {
        let mut info = Vec::new();
        Writer::new(&mut info).message(1, |duration| {
            duration.varint(1, delay_ms / 1_000);
            duration.varint(2, delay_ms % 1_000 * 1_000_000);
        });
        writer.message(3, |any| {
            any.text(1, RETRY_INFO);
            any.bytes(2, &info);
        });
    }
    out
}

/// The status in JSON.
pub fn json(code: i32, message: &str) -> Vec<u8> {
    let mut out = String::new();
    export::object(&mut out, |status| {
        status.number("code", code);
        status.text("message", message);
    });
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Duration {
        #[prost(int64, tag = "1")]
        seconds: i64,
        #[prost(int32, tag = "2")]
        nanos: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct RetryInfo {
        #[prost(message, tag = "1")]
        retry_delay: Option<Duration>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Any {
        #[prost(string, tag = "1")]
        type_url: String,
        #[prost(bytes, tag = "2")]
        value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Status {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
        #[prost(message, repeated, tag = "3")]
        details: Vec<Any>,
    }

    #[test]
    fn a_status_is_read_by_others() {
        use prost::Message;
        let plain = Status::decode(&*protobuf(3, "bad")).unwrap();
        assert_eq!(plain, Status { code: 3, message: "bad".into(), details: Vec::new() });
        assert_eq!(json(3, "a\nb"), br#"{"code":3,"message":"a\nb"}"#);
        let later = Status::decode(&*protobuf_with_retry(14, "full", 2_500)).unwrap();
        assert_eq!(later.details[0].type_url, RETRY_INFO);
        let retry = RetryInfo::decode(&*later.details[0].value).unwrap().retry_delay.unwrap();
        assert_eq!((retry.seconds, retry.nanos), (2, 500_000_000));
    }
}
