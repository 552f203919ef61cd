//! A projection's store that tells what is written to it, and goes wrong when told to in ways that the
//! memory adapter's faults do not know: it panics, loses an answer, or forgets how far it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::repository::{Batch, Error, Generation, GenerationState, GenerationStatus, ParkedEvent, ProjectionStore};
use eventsourcing::{Position, Revision};
use tokio::sync::watch;

/// A call of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Commit,
    Begin,
    Promote,
    Discard,
}

/// What goes wrong, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The call panics.
    Panic(Call),
    /// The call fails and has changed nothing.
    Failure(Call),
    /// The call fails and has done what it was asked.
    LostAnswer(Call),
}

pub(crate) struct Watched {
    inner: Arc<dyn ProjectionStore>,
    troubles: Mutex<Vec<Trouble>>,
    refused: Mutex<Option<Generation>>,
    rewound: Mutex<Option<Position>>,
    committed: watch::Sender<BTreeMap<Generation, Position>>,
    written: Mutex<Vec<(Generation, OrderId, Revision)>>,
}

impl Watched {
    pub(crate) fn new(inner: Arc<dyn ProjectionStore>) -> Self {
        Self {
            inner,
            troubles: Mutex::default(),
            refused: Mutex::default(),
            rewound: Mutex::default(),
            committed: watch::Sender::default(),
            written: Mutex::default(),
        }
    }

    /// Has these things go wrong, each the next time that it can.
    pub(crate) fn trouble(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.troubles.lock().unwrap().extend(troubles);
    }

    /// Whether everything that was to go wrong has.
    pub(crate) fn is_through(&self) -> bool {
        self.troubles.lock().unwrap().is_empty()
    }

    /// Refuses every batch for this generation.
    pub(crate) fn refuse(&self, generation: Option<Generation>) {
        *self.refused.lock().unwrap() = generation;
    }

    /// From now on the live generation says that it is no further than here, as if the last commits had
    /// lost their checkpoints; and what was committed so far does not count in [`Watched::committed`].
    pub(crate) fn rewind(&self, to: Position) {
        *self.rewound.lock().unwrap() = Some(to);
        self.committed.send_replace(BTreeMap::new());
    }

    /// Waits until a batch with this checkpoint, or a later one, was committed to a generation.
    pub(crate) async fn committed(&self, generation: Generation, position: Position) {
        let mut committed = self.committed.subscribe();
        let _ = committed
            .wait_for(|committed| committed.get(&generation).is_some_and(|checkpoint| *checkpoint >= position))
            .await;
    }

    /// Every document that was written, in the order of writing.
    pub(crate) fn written(&self) -> Vec<(Generation, OrderId, Revision)> {
        self.written.lock().unwrap().clone()
    }

    fn take(&self, trouble: Trouble) -> bool {
        let mut troubles = self.troubles.lock().unwrap();
        let found = troubles.iter().position(|next| *next == trouble);
        found.map(|index| troubles.remove(index)).is_some()
    }

    fn before(&self, call: Call) -> Result<(), Error> {
        assert!(!self.take(Trouble::Panic(call)), "told to panic in {call:?}");
        if self.take(Trouble::Failure(call)) { Err(failure("nothing was done")) } else { Ok(()) }
    }

    fn after<V>(&self, call: Call, value: V) -> Result<V, Error> {
        if self.take(Trouble::LostAnswer(call)) { Err(failure("the answer was lost")) } else { Ok(value) }
    }
}

fn failure(reason: &str) -> Error {
    Error::Unavailable { engine: "watched projection", reason: reason.to_owned(), source: None }
}

#[async_trait]
impl ProjectionStore for Watched {
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error> {
        let mut generations = self.inner.generations().await?;
        let rewound = *self.rewound.lock().unwrap();
        for status in generations.iter_mut().filter(|status| status.state == GenerationState::Live) {
            status.checkpoint = status.checkpoint.min(rewound.unwrap_or(status.checkpoint));
        }
        Ok(generations)
    }

    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error> {
        self.before(Call::Load)?;
        self.inner.load(generation, ids).await
    }

    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error> {
        self.before(Call::Commit)?;
        if *self.refused.lock().unwrap() == Some(generation) {
            return Err(failure("this generation is refused"));
        }
        let written: Vec<_> = batch.upserts.iter().map(|view| (generation, view.id, view.revision)).collect();
        let checkpoint = batch.checkpoint;
        self.inner.commit(generation, batch).await?;
        self.written.lock().unwrap().extend(written);
        if let Some(checkpoint) = checkpoint {
            self.committed.send_modify(|committed| {
                committed.insert(generation, checkpoint);
            });
        }
        self.after(Call::Commit, ())
    }

    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        self.inner.parked(generation, max).await
    }

    async fn begin_rebuild(&self) -> Result<Generation, Error> {
        self.before(Call::Begin)?;
        let generation = self.inner.begin_rebuild().await?;
        self.after(Call::Begin, generation)
    }

    async fn promote(&self, generation: Generation) -> Result<(), Error> {
        self.before(Call::Promote)?;
        self.inner.promote(generation).await?;
        self.after(Call::Promote, ())
    }

    async fn discard(&self, generation: Generation) -> Result<(), Error> {
        self.before(Call::Discard)?;
        self.inner.discard(generation).await?;
        self.after(Call::Discard, ())
    }
}
