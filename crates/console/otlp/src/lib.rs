//! OTLP, both ways and in both encodings (protobuf and JSON), as the console's values.
//!
//! No HTTP, no gRPC, no compression and no store belong here: bytes come in whole and values go out, or the
//! other way round.
