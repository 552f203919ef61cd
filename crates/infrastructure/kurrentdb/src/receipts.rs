//! Whether an append was the first of its kind. The server answers a repeated append as it answered the
//! first, with the place of the events; that place tells, since positions only grow. What lies at or
//! before a position that was seen before the append was sent had been there already.
//!
//! A repeat of what another process appended, and of which nothing was seen here, is taken for a first.
//! Whoever handles a command reads its stream first, so that this does not happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use eventsourcing::Position;

#[derive(Default)]
pub(crate) struct Receipts(Mutex<State>);

#[derive(Default)]
struct State {
    /// The furthest position seen; `None` before anything was.
    seen: Option<u64>,
    /// An append ended of which nothing was heard: it may be further on.
    is_doubtful: bool,
    /// What had been seen when appends began that still run, and how many began then.
    running: BTreeMap<u64, usize>,
    /// The places of appends that ended since the first of those began.
    taken: BTreeSet<u64>,
}

impl Receipts {
    /// Whether there is something to compare with; else the end of the store has to be asked for.
    pub(crate) fn knows_the_end(&self) -> bool {
        let state = self.state();
        state.seen.is_some() && !state.is_doubtful
    }

    /// The store ends at `position`, or did when that was asked.
    pub(crate) fn see_end(&self, position: Position) {
        self.see(position);
        self.state().is_doubtful = false;
    }

    /// Something is at `position`.
    pub(crate) fn see(&self, position: Position) {
        let mut state = self.state();
        state.seen = state.seen.max(Some(position.0));
    }

    /// An append is about to be sent.
    pub(crate) fn begin(&self) -> Receipt<'_> {
        let mut state = self.state();
        let before = state.seen.unwrap_or_default();
        *state.running.entry(before).or_default() += 1;
        Receipt { receipts: self, before, is_answered: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An append that runs.
pub(crate) struct Receipt<'a> {
    receipts: &'a Receipts,
    before: u64,
    is_answered: bool,
}

impl Receipt<'_> {
    /// The server said what became of it.
    pub(crate) fn answered(&mut self) {
        self.is_answered = true;
    }

    /// Whether the events, which are at `position`, were stored by this append.
    pub(crate) fn is_first(&self, position: Position) -> bool {
        let mut state = self.receipts.state();
        state.seen = state.seen.max(Some(position.0));
        // Of two that run at once with the same events, the one that is answered first is taken for it.
        position.0 > self.before && state.taken.insert(position.0)
    }
}

impl Drop for Receipt<'_> {
    fn drop(&mut self) {
        let mut state = self.receipts.state();
        state.is_doubtful |= !self.is_answered;
        if let Some(count) = state.running.get_mut(&self.before) {
            *count -= 1;
            if *count == 0 {
                state.running.remove(&self.before);
            }
        }
        // What the oldest append that runs knows to be old need not be remembered.
        match state.running.first_key_value().map(|(before, _)| *before) {
            Some(oldest) => state.taken = state.taken.split_off(&oldest.saturating_add(1)),
            None => state.taken.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_first(receipts: &Receipts, position: u64) -> bool {
        let mut receipt = receipts.begin();
        receipt.answered();
        receipt.is_first(Position(position))
    }

    #[test]
    fn after_an_append_without_an_answer_the_end_has_to_be_asked_for() {
        let receipts = Receipts::default();
        receipts.see_end(Position(10));
        drop(receipts.begin());
        assert!(!receipts.knows_the_end());
        // Whatever else is seen says nothing of it.
        receipts.see(Position(20));
        assert!(!receipts.knows_the_end());
        receipts.see_end(Position(30));
        assert!(receipts.knows_the_end() && !is_first(&receipts, 25));
    }

    #[test]
    fn a_repeat_is_told_from_a_first_by_its_place() {
        let receipts = Receipts::default();
        assert!(!receipts.knows_the_end());
        receipts.see_end(Position(10));
        assert!(is_first(&receipts, 20));
        assert!(!is_first(&receipts, 20));
        assert!(!is_first(&receipts, 5));
        assert!(is_first(&receipts, 30));
        assert!(!is_first(&receipts, 20));
    }

    #[test]
    fn of_repeats_that_run_at_once_one_is_the_first() {
        let receipts = Receipts::default();
        let running = [receipts.begin(), receipts.begin(), receipts.begin()];
        let firsts = running.iter().filter(|receipt| receipt.is_first(Position(7))).count();
        assert_eq!(firsts, 1);
    }

    #[test]
    fn appends_that_overtake_each_other_are_all_firsts() {
        let receipts = Receipts::default();
        let (slow, fast) = (receipts.begin(), receipts.begin());
        assert!(fast.is_first(Position(9)));
        drop(fast);
        assert!(slow.is_first(Position(8)));
        // A third that began in between and turns out to be the fast one again.
        assert!(!is_first(&receipts, 9));
    }

    #[test]
    fn nothing_is_remembered_once_nothing_runs() {
        let receipts = Receipts::default();
        let slow = receipts.begin();
        for position in 1..100 {
            assert!(is_first(&receipts, position));
        }
        assert_eq!(receipts.state().taken.len(), 99);
        drop(slow);
        let state = receipts.state();
        assert!(state.taken.is_empty() && state.running.is_empty());
    }
}
