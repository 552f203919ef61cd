//! An alert while a rule knows it. When it becomes which is the rule's to say.

use super::Texts;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It was there, and is over.
    Inactive,
    /// It is there, but not for long enough.
    Pending,
    /// It is there.
    Firing,
}

impl State {
    /// The word that Prometheus has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// An alert of one element. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveAlert {
    /// How it stands.
    pub state: State,
    /// Its labels, `alertname` included.
    pub labels: Texts,
    /// What is told with it.
    pub annotations: Texts,
    /// The element's value when it was last there.
    pub value: f64,
    /// Since when the element is there, and after a restart what makes up for the time without evaluation.
    pub active_at_ms: i64,
    /// When it began to fire.
    pub fired_at_ms: Option<i64>,
    /// When it was over.
    pub resolved_at_ms: Option<i64>,
    /// Since when it fires without its element.
    pub keep_firing_since_ms: Option<i64>,
    /// When somebody was last told of it.
    pub last_sent_ms: Option<i64>,
    /// Until when those who were told hold it for firing.
    pub valid_until_ms: i64,
}

impl ActiveAlert {
    /// Whether somebody has to be told, at this time, when they are told again after so long.
    pub(super) fn needs_sending(&self, now_ms: i64, resend_delay_ms: i64) -> bool {
        if self.state == State::Pending {
            return false;
        }
        match (self.resolved_at_ms, self.last_sent_ms) {
            (Some(resolved), Some(sent)) if resolved > sent => true,
            (_, Some(sent)) => sent.saturating_add(resend_delay_ms) < now_ms,
            (_, None) => true,
        }
    }
}
