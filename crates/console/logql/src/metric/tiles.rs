//! The time of a range query, cut into tiles: the pieces between the beginnings and ends of its windows. A line
//! falls into one tile, a window is some tiles in a row, so that no line is looked at once for each window.

use super::Steps;

/// How the windows of a range lie over the steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles {
    /// The end of the first window.
    first_end_ns: i64,
    step_ns: i64,
    /// Whole steps in a range, and what is left of it.
    whole: i64,
    rest_ns: i64,
    count: i64,
}

impl Tiles {
    pub(super) fn new(steps: Steps, range_ns: i64, offset_ns: i64) -> Self {
        Self {
            first_end_ns: steps.start_ns.saturating_sub(offset_ns),
            step_ns: steps.step_ns,
            // With one step there is one window: whatever its length, it is one tile.
            whole: if steps.count == 1 { 0 } else { range_ns / steps.step_ns },
            rest_ns: if steps.count == 1 { 0 } else { range_ns % steps.step_ns },
            count: i64::try_from(steps.count).unwrap_or(i64::MAX),
        }
    }

    /// The tile of a time within the range of the query; none if no window holds it.
    pub(super) fn of(&self, time_ns: i64) -> Option<u32> {
        if self.count == 1 {
            return Some(3);
        }
        let since = time_ns.saturating_sub(self.first_end_ns);
        // The first step that is not before the time.
        let step = since.div_euclid(self.step_ns) + i64::from(since.rem_euclid(self.step_ns) > 0);
        let before_step_ns = step * self.step_ns - since;
        let is_late = before_step_ns < self.rest_ns;
        if self.whole == 0 && !is_late {
            return None;
        }
        u32::try_from(2 * (step + self.whole + 1) + i64::from(is_late)).ok()
    }

    /// The last time that is in the same tile as this one, or in none as well.
    pub(super) fn last_beside(&self, time_ns: i64) -> i64 {
        if self.count == 1 {
            return i64::MAX;
        }
        let before_step_ns = self.first_end_ns.saturating_sub(time_ns).rem_euclid(self.step_ns);
        let left_ns = if before_step_ns < self.rest_ns { before_step_ns } else { before_step_ns - self.rest_ns };
        time_ns.saturating_add(left_ns)
    }

    /// The first and the last tile of a window.
    pub(super) fn window(&self, step: usize) -> (u32, u32) {
        let first = 2 * i64::try_from(step).unwrap_or(0) + 3;
        let last = first + 2 * self.whole;
        (u32::try_from(first).unwrap_or(u32::MAX), u32::try_from(last).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_in_the_windows_that_hold_its_tile(
            start in -50_i64..50, step in 1_i64..20, count in 1_usize..12, range in 1_i64..80, offset in -20_i64..20,
            time in -200_i64..300,
        ) {
            let tiles = Tiles::new(Steps { start_ns: start, step_ns: step, count }, range, offset);
            let end = |at: usize| start + step * at as i64 - offset;
            let within = time > end(0) - range && time <= end(count - 1);
            if !within {
                return Ok(());
            }
            let tile = tiles.of(time);
            for at in 0..count {
                let (first, last) = tiles.window(at);
                let expected = time > end(at) - range && time <= end(at);
                prop_assert_eq!(tile.is_some_and(|tile| (first..=last).contains(&tile)), expected, "step {}", at);
            }
        }

        #[test]
        fn times_up_to_the_last_beside_one_are_in_its_tile(
            start in -50_i64..50, step in 1_i64..20, count in 2_usize..12, range in 1_i64..80, offset in -20_i64..20,
            place in 0.0..1.0,
        ) {
            let tiles = Tiles::new(Steps { start_ns: start, step_ns: step, count }, range, offset);
            let (first, last) = (start - offset - range + 1, start - offset + step * (count as i64 - 1));
            let time = first + ((last - first) as f64 * place) as i64;
            let last_beside = tiles.last_beside(time);
            prop_assert!(last_beside >= time);
            for beside in time..=last_beside {
                prop_assert_eq!(tiles.of(beside), tiles.of(time), "{}", beside);
            }
            if last_beside < last {
                prop_assert_ne!(tiles.of(last_beside + 1), tiles.of(time), "{}", last_beside + 1);
            }
        }
    }
}
