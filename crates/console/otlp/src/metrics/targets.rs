//! How far the `target_info` of each resource has come. Exports of one resource come with earlier times than
//! before: it has two readers, or one was sent again. Its points belong to other series then, but its
//! `target_info` is one series, which a store takes forward only.

use console_model::{Labels, Sample};
use hashbrown::HashMap;

/// Resources that are remembered. The samples of more are handed on as they are.
const TARGETS_MAX: usize = 20_000;

#[derive(Debug)]
struct Entry {
    newest_ms: i64,
    arrival_ns: u64,
}

/// The newest time of `target_info`, by its labels.
#[derive(Debug)]
pub(super) struct Targets {
    newest: HashMap<Labels, Entry>,
    idle_ns_max: u64,
    swept_ns: u64,
}

impl Targets {
    pub(super) fn new(idle_ns_max: u64) -> Self {
        Self { newest: HashMap::new(), idle_ns_max, swept_ns: 0 }
    }

    /// Leaves out samples, which are in order, that are older than the newest before. One of the same time
    /// stays, for the same again is no fault, and what it repeats may have failed on its way to the store.
    pub(super) fn forward(&mut self, labels: &Labels, samples: &mut Vec<Sample>, arrival_ns: u64) {
        let Some(last_ms) = samples.last().map(|last| last.time_ms) else { return };
        if let Some(entry) = self.newest.get_mut(labels) {
            samples.retain(|sample| sample.time_ms >= entry.newest_ms);
            *entry = Entry { newest_ms: entry.newest_ms.max(last_ms), arrival_ns };
        } else if self.newest.len() < TARGETS_MAX {
            self.newest.insert(labels.clone(), Entry { newest_ms: last_ms, arrival_ns });
        }
    }

    /// Forgets resources of which nothing arrived in a long time; looks through all only now and then.
    pub(super) fn sweep(&mut self, arrival_ns: u64) {
        if arrival_ns.saturating_sub(self.swept_ns) < self.idle_ns_max / 8 {
            return;
        }
        self.swept_ns = arrival_ns;
        let idle_ns_max = self.idle_ns_max;
        self.newest.retain(|_, entry| arrival_ns.saturating_sub(entry.arrival_ns) <= idle_ns_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(targets: &mut Targets, host: &str, times_ms: &[i64], arrival_ns: u64) -> Vec<i64> {
        let mut samples = times_ms.iter().map(|time_ms| Sample { time_ms: *time_ms, value: 1.0 }).collect();
        targets.forward(&Labels::from_pairs([("host_name", host)]), &mut samples, arrival_ns);
        samples.iter().map(|sample| sample.time_ms).collect()
    }

    #[test]
    fn each_target_goes_forward_only() {
        let mut targets = Targets::new(1_000);
        assert_eq!(forward(&mut targets, "a", &[10], 1), [10]);
        assert_eq!(forward(&mut targets, "a", &[9], 1), [0; 0]);
        assert_eq!(forward(&mut targets, "a", &[10], 1), [10]);
        assert_eq!(forward(&mut targets, "b", &[9], 1), [9]);
        assert_eq!(forward(&mut targets, "a", &[5, 12, 20], 1), [12, 20]);
        assert_eq!(forward(&mut targets, "a", &[19], 1), [0; 0]);
    }

    #[test]
    fn targets_are_bounded_and_idle_ones_forgotten() {
        let mut targets = Targets::new(1_000);
        (0..=TARGETS_MAX).for_each(|host| drop(forward(&mut targets, &host.to_string(), &[10], 1)));
        assert_eq!(targets.newest.len(), TARGETS_MAX);
        // What is not remembered is handed on.
        assert_eq!(forward(&mut targets, &TARGETS_MAX.to_string(), &[9], 1), [9]);
        assert_eq!(forward(&mut targets, "0", &[11], 900), [11]);
        targets.sweep(1_500);
        assert_eq!(targets.newest.len(), 1);
        assert_eq!(forward(&mut targets, "0", &[9], 1_500), [0; 0]);
    }
}
