//! The console as a black box: the running program, over its sockets. What each protocol's codec makes of
//! single messages is the codecs' own tests'; what load and malice do to it is `console_load`'s.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

mod console {
    mod alerts;
    mod canonical;
    mod files;
    mod grpc;
    mod guard;
    mod loki;
    mod made;
    mod otlp;
    mod own;
    mod prometheus;
    mod push;
    mod recorded;
    mod recorded_metrics;
    mod refusals;
    mod scrape;
}
