//! Groups of alerts that are told of together, and what is told of one when it is due.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::log::{self, Entry, Rhythm};
use super::super::webhook::Message;
use super::super::{Alert, Fingerprint, inhibit};
use super::{Delivery, Dispatcher, InFlight, Outcome, group_key};
use crate::rules::Texts;

/// The first wait after an attempt that failed; each is twice the one before.
const RETRY_FIRST_MS: i64 = 1_000;

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    ids: BTreeSet<Fingerprint>,
    due_ms: i64,
    /// Receivers, by position, that something is on its way to.
    busy: BTreeSet<usize>,
    /// Attempts in a row that failed.
    failures: u32,
}

impl Group {
    pub(super) fn new(id: Fingerprint, due_ms: i64) -> Self {
        Self { ids: BTreeSet::from([id]), due_ms, busy: BTreeSet::new(), failures: 0 }
    }

    pub(super) fn add(&mut self, id: Fingerprint) {
        self.ids.insert(id);
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Fingerprint> + '_ {
        self.ids.iter().copied()
    }

    pub(super) const fn due_ms(&self) -> i64 {
        self.due_ms
    }

    pub(super) fn landed(&mut self, receiver: usize, outcome: Outcome, interval_ms: i64, now_ms: i64) {
        self.busy.remove(&receiver);
        match outcome {
            Outcome::Arrived => self.failures = 0,
            Outcome::Failed => {
                let wait = RETRY_FIRST_MS.saturating_mul(1 << self.failures.min(20)).min(interval_ms);
                self.failures = self.failures.saturating_add(1);
                self.due_ms = self.due_ms.min(now_ms.saturating_add(wait));
            }
            // The same would be refused again: what comes with the next turn may not be.
            Outcome::Refused => {}
        }
    }
}

impl Dispatcher {
    /// What receivers of a group have to be told now.
    pub(super) fn flush_group(&mut self, labels: Texts, now_ms: i64) -> Vec<Delivery> {
        let Some(group) = self.groups.get_mut(&labels) else { return Vec::new() };
        group.due_ms = now_ms.saturating_add(self.configuration.group_interval_ms);
        let (ids, busy) = (group.ids.clone(), group.busy.clone());
        let told = self.told_of(&ids, now_ms);
        let (mut firing, mut resolved) = (BTreeSet::new(), BTreeSet::new());
        for alert in &told {
            let id = Fingerprint::of(&alert.labels);
            if alert.is_resolved(now_ms) {
                resolved.insert(id)
            } else {
                firing.insert(id)
            };
        }
        let key = group_key(&labels);
        let mut deliveries = Vec::new();
        for (position, receiver) in self.configuration.receivers.clone().into_iter().enumerate() {
            let log_key = (key.clone(), receiver.url.clone());
            let (repeat_ms, sends_resolved) = (self.configuration.repeat_interval_ms, receiver.sends_resolved);
            let rhythm = Rhythm { repeat_ms, sends_resolved };
            if busy.contains(&position) || !log::is_news(self.log.get(&log_key), &firing, &resolved, rhythm, now_ms) {
                continue;
            }
            let alerts = told.iter().filter(|alert| sends_resolved || !alert.is_resolved(now_ms));
            let message = Message {
                receiver: &receiver.name,
                group_key: &key,
                group_labels: &labels,
                external_url: &self.configuration.external_url,
                alerts: alerts.collect(),
                now_ms,
            };
            let body: Arc<[u8]> = message.body().into();
            self.last_id += 1;
            let entry = Entry { firing: firing.clone(), resolved: resolved.clone(), at_ms: now_ms };
            let flown = InFlight { group: labels.clone(), receiver: position, key: log_key, entry };
            self.in_flight.insert(self.last_id, flown);
            if let Some(group) = self.groups.get_mut(&labels) {
                group.busy.insert(position);
            }
            deliveries.push(Delivery { id: self.last_id, receiver, body });
        }
        self.settle(&labels, now_ms);
        deliveries
    }

    /// The alerts of a group that are neither silenced nor inhibited, by begin.
    fn told_of(&self, ids: &BTreeSet<Fingerprint>, now_ms: i64) -> Vec<Alert> {
        let firing = || self.alerts.iter().filter(move |(_, alert)| !alert.is_resolved(now_ms));
        let alerts = ids.iter().filter_map(|id| self.alerts.get(id));
        let is_told = |alert: &&Alert| {
            self.silences.silencing(&alert.labels, now_ms).is_empty()
                && inhibit::causes(&self.configuration.inhibitions, &alert.labels, firing()).is_empty()
        };
        let mut told: Vec<Alert> = alerts.filter(is_told).cloned().collect();
        told.sort_by(|a, b| (a.starts_at_ms, &a.labels).cmp(&(b.starts_at_ms, &b.labels)));
        told
    }

    /// Takes out of a group what is over and everybody knows it; a group without alerts is none.
    pub(super) fn settle(&mut self, labels: &Texts, now_ms: i64) {
        let Some(group) = self.groups.get_mut(labels) else { return };
        if !group.busy.is_empty() {
            return;
        }
        let key = group_key(labels);
        let entries: Vec<_> = self
            .configuration
            .receivers
            .iter()
            .filter_map(|receiver| Some((receiver, self.log.get(&(key.clone(), receiver.url.clone()))?)))
            .collect();
        // Whoever was told that it fires, and wants to know, was told that it is over.
        let is_known = |id: &Fingerprint| {
            entries.iter().all(|(receiver, entry)| !receiver.sends_resolved || !entry.firing.contains(id))
        };
        let alerts = &self.alerts;
        let is_over = |id: &Fingerprint| alerts.get(id).is_none_or(|alert| alert.is_resolved(now_ms));
        // One that is silenced is over without anybody being told.
        let silences = &self.silences;
        let is_silent = |id: &Fingerprint| {
            alerts.get(id).is_some_and(|alert| !silences.silencing(&alert.labels, now_ms).is_empty())
        };
        group.ids.retain(|id| !(is_over(id) && (is_known(id) || is_silent(id))));
        if group.ids.is_empty() {
            self.groups.remove(labels);
        }
    }
}
