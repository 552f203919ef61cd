//! All groups of all files, as they change. When each is evaluated is the driver's to see to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::check::Checker;
use super::evaluate::Counts;
use super::file::{Defaults, Fault};
use super::files::{FileState, Files, Source};
use super::group::Means;
use super::{Group, GroupStatus};
use crate::Context;
use crate::notify::Notice;
use crate::query::Ports;
use crate::template::Templates;

/// Which rules there are, and what they know of their surroundings.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where rules come from.
    pub sources: Vec<Source>,
    /// What holds where a group does not say.
    pub defaults: Defaults,
    /// What templates and notifications tell of where they are from.
    pub context: Context,
}

/// What a look at the files has changed.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// Whether there are other groups than before.
    pub is_changed: bool,
    /// What is wrong with files, and has not been told before.
    pub faults: Vec<Fault>,
}

/// A group and the time it is next evaluated at.
#[derive(Debug, Clone)]
pub struct Due {
    /// The group.
    pub group: Arc<Group>,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// See the module.
pub struct Rules {
    configuration: Configuration,
    ports: Ports,
    counts: Counts,
    templates: Templates,
    /// Held while files are looked at.
    files: Mutex<Files>,
    shown: RwLock<Shown>,
}

#[derive(Default)]
struct Shown {
    /// In the order of files and their groups' names.
    groups: Vec<Arc<Group>>,
    files: Vec<FileState>,
}

impl Rules {
    /// None yet: files are read by [`Rules::reload`].
    pub fn new(configuration: Configuration, ports: Ports) -> Self {
        let (counts, files, shown) = (Counts::default(), Mutex::default(), RwLock::default());
        let templates = Templates::new(Arc::clone(&ports.querier));
        Self { configuration, ports, counts, templates, files, shown }
    }

    /// Looks at the files, and puts groups in place whose text has changed. What a rule knew it knows on; series
    /// of rules that are no more are marked as ended.
    pub fn reload(&self, now_ms: i64) -> Reloaded {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Configuration { sources, defaults, .. } = &self.configuration;
        let look = files.look(sources, *defaults, &Checker::new(self.ports.querier.as_ref(), &self.templates), now_ms);
        let former = self.groups();
        let is_first = former.is_empty() && self.files().is_empty();
        let mut by_key: HashMap<_, Arc<Group>> =
            former.iter().map(|group| (key(group.spec()), Arc::clone(group))).collect();
        let mut groups = Vec::new();
        for spec in files.groups().filter(|_| look.is_changed) {
            groups.push(match by_key.remove(&key(spec)) {
                Some(group) if group.spec() == spec => group,
                Some(former) => {
                    let group = Arc::new(Group::new(spec.clone(), false));
                    group.replace(&former);
                    group
                }
                None => Arc::new(Group::new(spec.clone(), is_first)),
            });
        }
        groups.sort_by_key(|group| key(group.spec()));
        let states = files.states();
        {
            let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
            shown.files = states;
            if look.is_changed {
                shown.groups = groups;
            }
        }
        if look.is_changed {
            by_key.into_values().for_each(|group| group.retire(now_ms, &self.ports));
        }
        Reloaded { is_changed: look.is_changed, faults: look.faults }
    }

    /// The groups that there are, by file and name.
    pub fn groups(&self) -> Vec<Arc<Group>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).groups.clone()
    }

    /// How each group stands, by file and name.
    pub fn status(&self) -> Vec<GroupStatus> {
        self.groups().iter().map(|group| group.status()).collect()
    }

    /// The files, by name.
    pub fn files(&self) -> Vec<FileState> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).files.clone()
    }

    /// What rules have done.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What templates and notifications tell of where they are from.
    pub const fn context(&self) -> &Context {
        &self.configuration.context
    }

    /// Evaluates a group. Blocks for as long as its queries take.
    pub fn evaluate(&self, group: &Group, now_ms: i64, notify: &dyn Fn(Vec<Notice>)) {
        let Self { ports, counts, templates, .. } = self;
        group.evaluate(now_ms, Means { ports, context: self.context(), counts, templates }, notify);
    }

    /// Which group comes next after this time; `None` without groups.
    pub fn next(&self, after_ms: i64) -> Option<Due> {
        let due = self.groups().into_iter().map(|group| Due { at_ms: group.next_ms(after_ms), group });
        due.min_by_key(|due| due.at_ms)
    }
}

fn key(spec: &super::GroupSpec) -> (Arc<str>, Arc<str>) {
    (Arc::clone(&spec.file), Arc::clone(&spec.name))
}

#[cfg(test)]
mod tests;
