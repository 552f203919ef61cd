//! Believable traffic for the order service, and honest measurements of what its customers feel.
//!
//! The generator behind `highbeam load` ([`execute`], [`run()`]) and the demo traffic of `highbeam up`
//! ([`demo_traffic`]). It knows the HTTP contract of the service and nothing of its code: this crate
//! depends on none of the server's, so that it tests the contract as a stranger would.
//!
//! By default traffic is *open loop*: customers come by a fixed schedule, whatever the answers do,
//! and latency counts from when a request was meant to be sent. A service that stalls for a second
//! then shows a second, not one slow request and a pause in the measurement ("coordinated omission",
//! Gil Tene: "How NOT to Measure Latency").
//!
//! Not here: signals, exit codes of the process, standard output. The caller brings them along.

mod arguments;
mod catalogue;
mod closed_loop;
mod command;
mod demo;
mod duration;
mod fault;
mod journey;
mod judge;
mod open_loop;
mod operation;
mod options;
mod pacer;
mod payload;
mod planner;
mod prepare;
mod record;
mod recorder;
pub mod report;
mod run;
mod scenario;
mod schedule;
mod session;
pub mod slo;
pub mod target;
pub mod terminal;
mod trace;
mod traffic;
mod transport;

#[cfg(test)]
mod fake;

pub use arguments::Arguments;
pub use command::{Outcome, Outputs, execute};
pub use demo::{DemoOptions, DemoSummary, demo_traffic};
pub use journey::WallClock;
pub use operation::Operation;
pub use options::{Mode, Options};
pub use report::Report;
pub use run::{Error, run};
pub use scenario::{Mix, MixError, Scenario};
pub use slo::Objective;
pub use target::Target;
pub use trace::{Traced, Tracing};
pub use traffic::{Observer, Snapshot};
