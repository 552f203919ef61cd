//! Who is told of alerts, when, and who is not: groups, silences, inhibition, webhooks, other Alertmanagers. It
//! speaks Alertmanager's forms. When an alert fires is the rules' business.

mod alert;
pub mod delivery;
mod dispatcher;
mod forward;
mod inhibit;
mod kept;
mod log;
mod matcher;
mod silence;
mod webhook;

use crate::rules::Texts;

pub use alert::{Alert, Fingerprint, Invalid, Posted};
pub use dispatcher::{Configuration, Counts, Delivery, Dispatcher, GroupView, Outcome, Receiver, Standing, View};
pub use forward::Forwarder;
pub use inhibit::Inhibition;
pub use kept::{read as kept, write as keep};
pub use matcher::{Form, InvalidMatcher, Matcher};
pub use silence::{Silence, SilenceError, SilenceState, Wanted};

/// What a rule has to say of one of its alerts. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its labels, those of the whole installation included.
    pub labels: Texts,
    /// What is told with it.
    pub annotations: Texts,
    /// When it began to fire.
    pub starts_at_ms: i64,
    /// When it was over, or until when it is to be held for firing.
    pub ends_at_ms: i64,
    /// Where its query can be seen.
    pub generator_url: String,
}
