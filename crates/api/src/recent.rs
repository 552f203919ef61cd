//! The revisions of the orders that this process changed last, so that a client reads what it just
//! wrote even while the read model is behind. A fixed table: newer orders take the places of older
//! ones, and whoever lost its place is read from the read model as it is.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, PoisonError};

use delivery::models::OrderId;
use eventsourcing::Revision;

const SHARDS: usize = 16;
const PLACES: usize = 512;

type Shard = Mutex<Box<[Option<(OrderId, Revision)>]>>;

/// See the module's description.
pub struct Recent {
    shards: Vec<Shard>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::new(vec![None; PLACES].into_boxed_slice())).collect() }
    }
}

impl Recent {
    /// Remembers that the order has come to this revision.
    pub(crate) fn remember(&self, id: OrderId, revision: Revision) {
        self.with_place(id, |place| match place {
            Some((known, at)) if *known == id => *at = (*at).max(revision),
            _ => *place = Some((id, revision)),
        });
    }

    /// The revision that the order has come to at least, if it is remembered.
    pub(crate) fn at_least(&self, id: OrderId) -> Option<Revision> {
        let mut found = None;
        self.with_place(id, |place| found = place.filter(|(known, _)| *known == id).map(|(_, revision)| revision));
        found
    }

    fn with_place(&self, id: OrderId, act: impl FnOnce(&mut Option<(OrderId, Revision)>)) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let index = usize::try_from(hash % (SHARDS * PLACES) as u64).unwrap_or_default();
        if let Some(shard) = self.shards.get(index % SHARDS) {
            let mut places = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = places.get_mut(index / SHARDS) {
                act(place);
            }
        }
    }
}
