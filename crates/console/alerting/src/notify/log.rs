//! Who was told what: so that nobody is told the same twice, and everybody again after a while. Kept over restarts
//! by whoever keeps the dispatcher.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Fingerprint;

/// Entries at most; the oldest go first.
const ENTRIES_MAX: usize = 10_000;
/// How long an entry counts that nobody continues.
const RETENTION_MS: i64 = 5 * 86_400_000;

/// A group and a receiver of it.
pub(super) type Key = (String, String);

/// What a receiver was told last of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    pub(super) firing: BTreeSet<Fingerprint>,
    pub(super) resolved: BTreeSet<Fingerprint>,
    pub(super) at_ms: i64,
}

/// When a receiver is told again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    pub(super) repeat_ms: i64,
    pub(super) sends_resolved: bool,
}

/// Whether a receiver has to be told, when this fires and that is over, after it was told what the entry says.
pub(super) fn is_news(
    told: Option<&Entry>,
    firing: &BTreeSet<Fingerprint>,
    resolved: &BTreeSet<Fingerprint>,
    rhythm: Rhythm,
    now_ms: i64,
) -> bool {
    let Some(told) = told else { return !firing.is_empty() };
    if !firing.is_subset(&told.firing) {
        return true;
    }
    if firing.is_empty() {
        return rhythm.sends_resolved && !told.firing.is_empty();
    }
    if rhythm.sends_resolved && !resolved.is_subset(&told.resolved) {
        return true;
    }
    told.at_ms.saturating_add(rhythm.repeat_ms) <= now_ms
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: BTreeMap<Key, Entry>,
}

impl Log {
    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(super) fn set(&mut self, key: Key, entry: Entry) {
        if self.entries.len() >= ENTRIES_MAX && !self.entries.contains_key(&key) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.at_ms).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.entries.remove(&oldest));
        }
        self.entries.insert(key, entry);
    }

    /// Forgets what nobody continues. Says whether there was any.
    pub(super) fn forget_old(&mut self, now_ms: i64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|_, entry| {
            let is_over = entry.firing.is_empty() && entry.at_ms.saturating_add(3_600_000) <= now_ms;
            !is_over && entry.at_ms.saturating_add(RETENTION_MS) > now_ms
        });
        self.entries.len() != before
    }

    pub(super) fn kept(&self) -> Vec<Kept> {
        let ids = |ids: &BTreeSet<Fingerprint>| ids.iter().map(|id| id.0).collect();
        let kept = |((group, receiver), entry): (&Key, &Entry)| Kept {
            group: group.clone(),
            receiver: receiver.clone(),
            firing: ids(&entry.firing),
            resolved: ids(&entry.resolved),
            at_ms: entry.at_ms,
        };
        self.entries.iter().map(kept).collect()
    }

    pub(super) fn take(&mut self, kept: Vec<Kept>) {
        let ids = |ids: Vec<u64>| ids.into_iter().map(Fingerprint).collect();
        for Kept { group, receiver, firing, resolved, at_ms } in kept.into_iter().take(ENTRIES_MAX) {
            self.entries.insert((group, receiver), Entry { firing: ids(firing), resolved: ids(resolved), at_ms });
        }
    }
}

/// An entry in the file that outlives the process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    group: String,
    receiver: String,
    firing: Vec<u64>,
    resolved: Vec<u64>,
    at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_told_what_is_new_what_is_over_and_the_same_after_a_while() {
        let ids = |ids: &[u64]| ids.iter().map(|id| Fingerprint(*id)).collect::<BTreeSet<_>>();
        let rhythm = Rhythm { repeat_ms: 100, sends_resolved: true };
        let told = Entry { firing: ids(&[1, 2]), resolved: ids(&[3]), at_ms: 0 };
        let news = |firing: &[u64], resolved: &[u64], now_ms| {
            is_news(Some(&told), &ids(firing), &ids(resolved), rhythm, now_ms)
        };
        assert!(!is_news(None, &ids(&[]), &ids(&[1]), rhythm, 0), "what it never heard of is over");
        assert!(is_news(None, &ids(&[1]), &ids(&[]), rhythm, 0));
        assert!(news(&[1, 2, 4], &[], 1), "another one fires");
        assert!(!news(&[1, 2], &[3], 99), "it knows");
        assert!(news(&[1, 2], &[3], 100), "it is told again");
        assert!(news(&[1], &[2, 3], 1), "one is over");
        assert!(news(&[], &[1, 2], 1), "all is over");
        let quiet = Rhythm { sends_resolved: false, ..rhythm };
        assert!(!is_news(Some(&told), &ids(&[]), &ids(&[1, 2]), quiet, 1));
    }

    #[test]
    fn what_is_over_or_old_is_forgotten() {
        let mut log = Log::default();
        let key = |name: &str| (name.to_owned(), "r".to_owned());
        let firing = BTreeSet::from([Fingerprint(1)]);
        log.set(key("firing"), Entry { firing, ..Entry::default() });
        log.set(key("over"), Entry::default());
        assert!(!log.forget_old(3_599_999) && log.forget_old(3_600_000));
        assert!(log.get(&key("over")).is_none() && log.get(&key("firing")).is_some());
        let mut again = Log::default();
        again.take(log.kept());
        assert_eq!(again.entries, log.entries);
        assert!(log.forget_old(RETENTION_MS));
    }
}
