//! The dispatcher: what is known of every alert, the groups in which they are told of, and when each group is.
//! It has no thread and no clock: whoever drives it says what time it is and carries what it hands out.

mod groups;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::kept::Kept;
use super::log::{Entry, Key, Log};
use super::silence::Silences;
use super::{Alert, Fingerprint, Inhibition, Notice, Silence, SilenceError, Wanted};
use crate::rules::Texts;
use groups::Group;

pub use view::{GroupView, Standing, View};

/// Alerts at most; what comes beyond is dropped and counted.
const ALERTS_MAX: usize = 10_000;
/// Alerts that nobody groups any more are forgotten this often.
const SWEEP_MS: i64 = 30_000;

/// Who is told, and when.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Labels by which alerts are told of together; `...` stands for all.
    pub group_by: Vec<String>,
    /// How long a new group waits for more alerts.
    pub group_wait_ms: i64,
    /// How long a group waits that has something new.
    pub group_interval_ms: i64,
    /// After how long the same is told again.
    pub repeat_interval_ms: i64,
    /// After how long an alert is over of which nobody says when.
    pub resolve_timeout_ms: i64,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// What keeps alerts from being told of.
    pub inhibitions: Vec<Inhibition>,
    /// Where this is reached, for the one who is told.
    pub external_url: String,
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Where it is told.
    pub url: String,
    /// Whether it is told what is over.
    pub sends_resolved: bool,
}

impl Default for Configuration {
    /// Nobody is told. Times are shorter than Alertmanager's own, for whoever looks at one machine sits before it.
    fn default() -> Self {
        Self {
            group_by: vec!["alertname".to_owned()],
            group_wait_ms: 10_000,
            group_interval_ms: 60_000,
            repeat_interval_ms: 4 * 3_600_000,
            resolve_timeout_ms: 5 * 60_000,
            receivers: Vec::new(),
            inhibitions: Vec::new(),
            external_url: String::new(),
        }
    }
}

/// What the dispatcher has done since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Alerts taken.
    pub received: u64,
    /// Alerts not taken, for there are too many.
    pub dropped: u64,
    /// Notifications that arrived.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
}

/// A notification to be carried to its receiver.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Which one it is, to be given back with its outcome.
    pub id: u64,
    /// Where it goes.
    pub receiver: Receiver,
    /// What is said, as JSON.
    pub body: Arc<[u8]>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Arrived,
    /// It did not, but may.
    Failed,
    /// It was refused, and would be again.
    Refused,
}

/// See the module.
#[derive(Debug)]
pub struct Dispatcher {
    configuration: Configuration,
    alerts: BTreeMap<Fingerprint, Alert>,
    groups: BTreeMap<Texts, Group>,
    silences: Silences,
    log: Log,
    in_flight: BTreeMap<u64, InFlight>,
    last_id: u64,
    swept_ms: i64,
    counts: Counts,
    is_unsaved: bool,
}

#[derive(Debug)]
struct InFlight {
    group: Texts,
    receiver: usize,
    key: Key,
    entry: Entry,
}

impl Dispatcher {
    /// One that knows of no alert.
    pub fn new(configuration: Configuration) -> Self {
        Self {
            configuration,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            silences: Silences::default(),
            log: Log::default(),
            in_flight: BTreeMap::new(),
            last_id: 0,
            swept_ms: i64::MIN,
            counts: Counts::default(),
            is_unsaved: false,
        }
    }

    /// Who is told, and when.
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// What it has done.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes what rules have to say.
    pub fn notice(&mut self, notices: Vec<Notice>, now_ms: i64) {
        notices.into_iter().for_each(|notice| self.take(Alert::of_notice(notice, now_ms), now_ms));
    }

    /// Takes what others have to say.
    pub fn receive(&mut self, alerts: Vec<Alert>, now_ms: i64) {
        alerts.into_iter().for_each(|alert| self.take(alert, now_ms));
    }

    fn take(&mut self, alert: Alert, now_ms: i64) {
        let id = Fingerprint::of(&alert.labels);
        let alert = match self.alerts.remove(&id) {
            Some(known) => known.merged(alert, now_ms),
            None if self.alerts.len() >= ALERTS_MAX => {
                self.counts.dropped += 1;
                return;
            }
            None => alert,
        };
        self.counts.received += 1;
        let is_over = alert.is_resolved(now_ms);
        let labels = self.group_labels(&alert.labels);
        let (wait, starts_at_ms) = (self.configuration.group_wait_ms, alert.starts_at_ms);
        self.alerts.insert(id, alert);
        if let Some(group) = self.groups.get_mut(&labels) {
            group.add(id);
            return;
        }
        // Nobody has heard of it, so nobody has to hear that it is over.
        if !is_over || self.was_told(&labels) {
            // What began long ago has waited already.
            let has_waited = starts_at_ms.saturating_add(wait) < now_ms;
            let due_ms = if has_waited { now_ms } else { now_ms.saturating_add(wait) };
            self.groups.insert(labels, Group::new(id, due_ms));
        }
    }

    fn was_told(&self, labels: &Texts) -> bool {
        let key = group_key(labels);
        let receivers = self.configuration.receivers.iter();
        receivers.map(|receiver| (key.clone(), receiver.url.clone())).any(|key| self.log.get(&key).is_some())
    }

    fn group_labels(&self, labels: &Texts) -> Texts {
        let by = &self.configuration.group_by;
        let is_all = by.iter().any(|name| name == "...");
        let kept = labels.iter().filter(|(name, _)| is_all || by.contains(name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// When something is due next; `None` if nothing is.
    pub fn due_ms(&self) -> Option<i64> {
        self.groups.values().map(Group::due_ms).min()
    }

    /// What is to be carried now. Each has to be given back by [`Dispatcher::done`].
    pub fn flush(&mut self, now_ms: i64) -> Vec<Delivery> {
        self.sweep(now_ms);
        let due = self.groups.iter().filter(|(_, group)| group.due_ms() <= now_ms);
        let due: Vec<Texts> = due.map(|(labels, _)| labels.clone()).collect();
        due.into_iter().flat_map(|labels| self.flush_group(labels, now_ms)).collect()
    }

    /// Takes the outcome of a delivery.
    pub fn done(&mut self, id: u64, outcome: Outcome, now_ms: i64) {
        let Some(flown) = self.in_flight.remove(&id) else { return };
        let interval = self.configuration.group_interval_ms;
        if let Some(group) = self.groups.get_mut(&flown.group) {
            group.landed(flown.receiver, outcome, interval, now_ms);
        }
        if outcome == Outcome::Arrived {
            self.counts.delivered += 1;
            self.log.set(flown.key, flown.entry);
            self.is_unsaved = true;
            self.settle(&flown.group, now_ms);
        } else {
            self.counts.failed += 1;
        }
    }

    /// Makes a silence, or changes one. Gives its name.
    ///
    /// # Errors
    /// When it cannot be as it is wanted.
    pub fn set_silence(&mut self, wanted: Wanted, now_ms: i64) -> Result<String, SilenceError> {
        self.is_unsaved = true;
        self.silences.set(wanted, now_ms)
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn expire_silence(&mut self, id: &str, now_ms: i64) -> Result<(), SilenceError> {
        self.is_unsaved = true;
        self.silences.expire(id, now_ms)
    }

    /// A silence.
    pub fn silence(&self, id: &str) -> Option<&Silence> {
        self.silences.get(id)
    }

    /// All silences, those that are over included.
    pub fn silences(&self) -> impl Iterator<Item = &Silence> {
        self.silences.iter()
    }

    /// What outlives the process, if it is not what it was when this was last called.
    pub fn unsaved(&mut self) -> Option<Vec<u8>> {
        std::mem::take(&mut self.is_unsaved).then(|| {
            let kept = Kept { silences: self.silences.kept(), notifications: self.log.kept() };
            serde_json::to_vec(&kept).unwrap_or_default()
        })
    }

    /// Asks for [`Dispatcher::unsaved`] to give it again, for it could not be kept.
    pub const fn not_saved(&mut self) {
        self.is_unsaved = true;
    }

    /// Takes what outlived another process.
    ///
    /// # Errors
    /// When it is not what [`Dispatcher::unsaved`] gave.
    pub fn restore(&mut self, kept: &[u8]) -> Result<(), serde_json::Error> {
        let kept: Kept = serde_json::from_slice(kept)?;
        self.silences.take(kept.silences);
        self.log.take(kept.notifications);
        Ok(())
    }

    /// Forgets what is over for everybody.
    fn sweep(&mut self, now_ms: i64) {
        if self.swept_ms.saturating_add(SWEEP_MS) > now_ms {
            return;
        }
        self.swept_ms = now_ms;
        let grouped: BTreeSet<Fingerprint> = self.groups.values().flat_map(Group::ids).collect();
        self.alerts.retain(|id, alert| !alert.is_resolved(now_ms) || grouped.contains(id));
        let is_changed = self.silences.forget_old(now_ms) | self.log.forget_old(now_ms);
        self.is_unsaved |= is_changed;
    }
}

/// How a group is named to receivers: the route, which is the only one, and its labels.
fn group_key(labels: &Texts) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{}}:{{{}}}", pairs.join(", "))
}

#[cfg(test)]
mod tests;
