//! Generations of documents, parked events and checkpoints: what read model and search have in
//! common. How documents are asked for is theirs.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::repository::{Batch, Error, Generation, GenerationState, GenerationStatus, ParkedEvent, ProjectionStore};
use eventsourcing::Position;
use tokio::sync::watch;

use crate::Faults;

/// What a projection is for.
pub trait Kind: Send + Sync + 'static {
    /// Names it in errors.
    const ENGINE: &'static str;
}

/// A projection kept in memory, for as long as this value lives.
pub struct Projection<K> {
    state: Mutex<State>,
    /// The checkpoint of the live generation.
    progress: watch::Sender<Position>,
    faults: Faults,
    kind: PhantomData<K>,
}

struct State {
    live: Generation,
    building: Option<Generation>,
    /// The highest number used so far.
    last: Generation,
    all: BTreeMap<Generation, Contents>,
}

/// What one generation holds.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) documents: HashMap<OrderId, OrderView>,
    parked: BTreeMap<Position, ParkedEvent>,
    checkpoint: Position,
}

impl Contents {
    fn apply(&mut self, batch: Batch) {
        for view in batch.upserts {
            let stored = self.documents.get(&view.id);
            if stored.is_none_or(|stored| stored.revision < view.revision) {
                self.documents.insert(view.id, view);
            }
        }
        for position in batch.release {
            self.parked.remove(&position);
        }
        for parked in batch.park {
            self.parked.insert(parked.event.position, parked);
        }
        self.checkpoint = self.checkpoint.max(batch.checkpoint.unwrap_or_default());
    }

    /// The documents that are wanted, newest first.
    pub(crate) fn newest_first(&self, is_wanted: impl Fn(&OrderView) -> bool) -> Vec<&OrderView> {
        let mut views: Vec<_> = self.documents.values().filter(|view| is_wanted(view)).collect();
        views.sort_unstable_by_key(|view| std::cmp::Reverse(view.created_position));
        views
    }
}

impl<K: Kind> Default for Projection<K> {
    fn default() -> Self {
        Self::new(Faults::default())
    }
}

impl<K: Kind> Projection<K> {
    /// An empty projection with these faults.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        let live = Generation(1);
        Self {
            state: Mutex::new(State {
                live,
                building: None,
                last: live,
                all: BTreeMap::from([(live, Contents::default())]),
            }),
            progress: watch::Sender::new(Position::START),
            faults,
            kind: PhantomData,
        }
    }

    /// Looks at the live generation, after whatever fault was ordered.
    pub(crate) async fn read_live<V>(&self, read: impl FnOnce(&Contents) -> V) -> Result<V, Error> {
        let mut state = self.state().await?;
        let live = state.live;
        Ok(read(contents(&mut state, live)?))
    }

    pub(crate) async fn live_checkpoint(&self) -> Result<Position, Error> {
        self.read_live(|contents| contents.checkpoint).await
    }

    pub(crate) async fn live_reached(&self, position: Position) -> Result<(), Error> {
        self.is_healthy().await?;
        let mut progress = self.progress.subscribe();
        // Fails only once the sender is gone, which this borrow of it rules out.
        let _ = progress.wait_for(|checkpoint| *checkpoint >= position).await;
        Ok(())
    }

    pub(crate) async fn is_healthy(&self) -> Result<(), Error> {
        self.state().await.map(|_| ())
    }

    async fn state(&self) -> Result<MutexGuard<'_, State>, Error> {
        self.faults.inject().await.map_err(|injected| Error::Unavailable {
            engine: K::ENGINE,
            reason: "the memory adapter was told to fail".to_owned(),
            source: Some(Box::new(injected)),
        })?;
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells those who wait. With the state locked, so that news come in order.
    fn publish(&self, state: &State) {
        let checkpoint = state.all.get(&state.live).map_or(Position::START, |contents| contents.checkpoint);
        self.progress.send_replace(checkpoint);
    }
}

fn contents(state: &mut State, generation: Generation) -> Result<&mut Contents, Error> {
    state.all.get_mut(&generation).ok_or(Error::UnknownGeneration(generation))
}

/// Takes the building generation, if it is this one.
fn take_building(state: &mut State, generation: Generation) -> Result<(), Error> {
    let building = state.building.take_if(|building| *building == generation);
    building.map(|_| ()).ok_or(Error::UnknownGeneration(generation))
}

#[async_trait]
impl<K: Kind> ProjectionStore for Projection<K> {
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error> {
        let state = self.state().await?;
        let status = |(generation, contents): (&Generation, &Contents)| GenerationStatus {
            generation: *generation,
            state: if *generation == state.live { GenerationState::Live } else { GenerationState::Building },
            checkpoint: contents.checkpoint,
            orders: contents.documents.len() as u64,
            parked: contents.parked.len() as u64,
        };
        Ok(state.all.iter().map(status).collect())
    }

    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error> {
        let mut state = self.state().await?;
        let contents = contents(&mut state, generation)?;
        Ok(ids.iter().filter_map(|id| contents.documents.get(id)).cloned().collect())
    }

    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error> {
        let mut state = self.state().await?;
        contents(&mut state, generation)?.apply(batch);
        self.publish(&state);
        Ok(())
    }

    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        let mut state = self.state().await?;
        Ok(contents(&mut state, generation)?.parked.values().take(max).cloned().collect())
    }

    async fn begin_rebuild(&self) -> Result<Generation, Error> {
        let mut state = self.state().await?;
        if let Some(running) = state.building {
            return Err(Error::RebuildRunning(running));
        }
        // Never a number that was used before: a late commit to it has to fail.
        let generation = Generation(state.last.0 + 1);
        state.last = generation;
        state.building = Some(generation);
        state.all.insert(generation, Contents::default());
        Ok(generation)
    }

    async fn promote(&self, generation: Generation) -> Result<(), Error> {
        let mut state = self.state().await?;
        take_building(&mut state, generation)?;
        let old = std::mem::replace(&mut state.live, generation);
        state.all.remove(&old);
        self.publish(&state);
        Ok(())
    }

    async fn discard(&self, generation: Generation) -> Result<(), Error> {
        let mut state = self.state().await?;
        take_building(&mut state, generation)?;
        state.all.remove(&generation);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OrderReadModel;
    use contract_tests::orders::view;

    #[tokio::test]
    async fn a_call_that_fails_changes_nothing() {
        let faults = Faults::default();
        let model = OrderReadModel::new(faults.clone());
        let batch = Batch { upserts: vec![view(1)], checkpoint: Some(Position(1)), ..Batch::default() };
        let before = model.generations().await.unwrap();
        faults.fail_next(2);
        for _ in 0..2 {
            let failed = model.commit(Generation(1), batch.clone()).await;
            assert!(matches!(failed, Err(Error::Unavailable { .. })), "{failed:?}");
        }
        assert_eq!(model.generations().await.unwrap(), before);
        model.commit(Generation(1), batch).await.unwrap();
        assert_eq!(model.live_checkpoint().await.unwrap(), Position(1));
    }
}
