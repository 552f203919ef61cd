//! What load and malice do to the console: the running program, over its sockets, with its memory watched. It takes
//! minutes, so it is run by `make test-load` alone; what a protocol says of an ordinary request is `console`'s.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "how much memory each took is what these tests are run for")]

mod support;

mod console {
    pub(crate) mod grpc;
    pub(crate) mod made;
}

mod load {
    mod bombs;
    mod clocks;
    mod connections;
    mod crash;
    mod identities;
    mod lengths;
    mod nesting;
    mod readers;
    mod series;
    mod subject;
    mod tiny;
}
