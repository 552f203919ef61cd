//! What the dispatcher shows of alerts and groups, as Alertmanager's API tells it.

use std::collections::BTreeMap;

use super::super::{Alert, Fingerprint, inhibit};
use super::Dispatcher;
use crate::rules::Texts;

/// How an alert stands with those who are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The names of the silences that hold for it.
    pub silenced_by: Vec<String>,
    /// The alerts that inhibit it.
    pub inhibited_by: Vec<Fingerprint>,
}

impl Standing {
    /// The word that Alertmanager's API has for it. It has another for alerts that it has not looked at yet, of
    /// which there are none here.
    pub const fn name(&self) -> &'static str {
        if self.silenced_by.is_empty() && self.inhibited_by.is_empty() { "active" } else { "suppressed" }
    }
}

/// An alert that is not over.
#[derive(Debug, Clone)]
pub struct View {
    /// The alert.
    pub alert: Alert,
    /// How it stands.
    pub standing: Standing,
}

/// Alerts that are told of together.
#[derive(Debug, Clone)]
pub struct GroupView {
    /// What they have alike.
    pub labels: Texts,
    /// The alerts, by begin.
    pub alerts: Vec<View>,
}

impl Dispatcher {
    /// Every alert that is not over, in order of identity.
    pub fn alerts(&self, now_ms: i64) -> Vec<View> {
        let firing = self.alerts.values().filter(|alert| !alert.is_resolved(now_ms));
        firing.map(|alert| self.view(alert, now_ms)).collect()
    }

    /// The same in their groups, in order of labels.
    pub fn groups(&self, now_ms: i64) -> Vec<GroupView> {
        let mut groups: BTreeMap<Texts, Vec<View>> = BTreeMap::new();
        for view in self.alerts(now_ms) {
            groups.entry(self.group_labels(&view.alert.labels)).or_default().push(view);
        }
        let group = |(labels, mut alerts): (Texts, Vec<View>)| {
            alerts.sort_by_key(|view| view.alert.starts_at_ms);
            GroupView { labels, alerts }
        };
        groups.into_iter().map(group).collect()
    }

    fn view(&self, alert: &Alert, now_ms: i64) -> View {
        let firing = self.alerts.iter().filter(|(_, alert)| !alert.is_resolved(now_ms));
        let standing = Standing {
            silenced_by: self.silences.silencing(&alert.labels, now_ms),
            inhibited_by: inhibit::causes(&self.configuration.inhibitions, &alert.labels, firing),
        };
        View { alert: alert.clone(), standing }
    }
}
