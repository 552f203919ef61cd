//! The suites of the event store, over the wire: on the test server, or on a genuine one with
//! `TEST_KURRENTDB_URL`, which has to take appends of 2 MiB (`--max-append-size 4194304`).

mod support;

use support::{open, place};

contract_tests::event_store_contract!(place: place, open: open);
contract_tests::event_store_reopen_contract!(place: place, open: open);

mod commands {
    contract_tests::order_commands_contract!(place: super::place, open: super::open);
}
