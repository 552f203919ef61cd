//! From parents to children: a table in two vectors, so that fifty thousand spans need two allocations.

use std::iter;

/// The children of each place, and the roots.
pub(super) struct Links {
    /// Where the children of each place begin in `children`; the roots are those of a place after the last.
    begins: Vec<usize>,
    children: Vec<usize>,
}

impl Links {
    /// Children come in the order in which `order` gives them; it has to give each place once.
    pub(super) fn new(parents: &[Option<usize>], order: impl Iterator<Item = usize>) -> Self {
        let count = parents.len();
        let slot = |place: usize| parents.get(place).copied().flatten().unwrap_or(count);
        let mut sizes = vec![0_usize; count + 1];
        for place in 0..count {
            if let Some(size) = sizes.get_mut(slot(place)) {
                *size += 1;
            }
        }
        let mut sum = 0;
        let ends = sizes.iter().map(|size| {
            sum += size;
            sum
        });
        let begins: Vec<usize> = iter::once(0).chain(ends).collect();
        let mut next = begins.clone();
        let mut children = vec![0; count];
        for place in order {
            if let Some(at) = next.get_mut(slot(place)) {
                if let Some(child) = children.get_mut(*at) {
                    *child = place;
                }
                *at += 1;
            }
        }
        Self { begins, children }
    }

    /// What is directly below a place.
    pub(super) fn of(&self, place: usize) -> &[usize] {
        let range = self.begins.get(place).zip(self.begins.get(place + 1));
        range.and_then(|(from, to)| self.children.get(*from..*to)).unwrap_or_default()
    }

    /// What is below nothing.
    pub(super) fn roots(&self) -> &[usize] {
        self.of(self.begins.len().saturating_sub(2))
    }
}
