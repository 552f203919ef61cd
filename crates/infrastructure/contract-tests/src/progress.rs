//! Cases about checkpoints as readers see them, shared by the suites of the ports that have one.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use delivery::repository::{Error, OrderReadModel, OrderSearch, ProjectionStore};
use eventsourcing::Position;

use crate::orders::view;
use crate::projection::{live, write, write_live};

/// Progress made by another process has to be noticed within 100 ms; the rest is for a busy machine.
const NOTICED_MS_MAX: u64 = 400;

/// A port whose readers may wait for a position.
#[derive(Clone)]
pub enum Reader {
    /// Of the read model.
    Model(Arc<dyn OrderReadModel>),
    /// Of the search.
    Search(Arc<dyn OrderSearch>),
}

impl Reader {
    async fn checkpoint(&self) -> Result<Position, Error> {
        match self {
            Self::Model(model) => model.checkpoint().await,
            Self::Search(search) => search.checkpoint().await,
        }
    }

    async fn reached(&self, position: u64) -> Result<(), Error> {
        match self {
            Self::Model(model) => model.reached(Position(position)).await,
            Self::Search(search) => search.reached(Position(position)).await,
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        match self {
            Self::Model(model) => model.ping().await,
            Self::Search(search) => search.ping().await,
        }
    }

    async fn is_reached_within(&self, position: u64, limit_ms: u64) -> bool {
        let limit = Duration::from_millis(limit_ms);
        tokio::time::timeout(limit, self.reached(position)).await.map(Result::unwrap).is_ok()
    }
}

/// Brings the cases below into the suite of a port whose readers are of this kind, as cases of one adapter or of
/// two handles.
macro_rules! suite {
    ($port:ident, $kind:ident) => {
        $crate::progress::suite!(
            $port,
            $kind,
            [
                the_checkpoint_is_the_live_generations,
                a_reached_position_is_not_waited_for,
                a_position_ahead_is_waited_for,
                progress_wakes_every_waiter,
                a_cancelled_wait_loses_nothing,
                a_rebuild_is_reached_once_promoted,
                a_promotion_may_set_readers_back,
            ]
        );

        pub async fn progress_of_another_handle_is_noticed<T>(open: impl AsyncFn() -> Arc<T>)
        where
            T: $port + ProjectionStore + 'static,
        {
            let (here, there) = (open().await, open().await);
            $crate::progress::progress_wakes_every_waiter(Reader::$kind(here), &*there).await;
        }
    };
    ($port:ident, $kind:ident, [$($case:ident),* $(,)?]) => {$(
        pub async fn $case<T: $port + ProjectionStore + 'static>(adapter: Arc<T>) {
            let reader = Reader::$kind(Arc::<T>::clone(&adapter));
            $crate::progress::$case(reader, &*adapter).await;
        }
    )*};
}
pub(crate) use suite;

/// Runs the cases of one adapter.
#[macro_export]
macro_rules! progress_contract {
    ($suite:path, $place:expr, $open:expr) => {
        $crate::cases!(
            $suite,
            $place,
            $open,
            [
                the_checkpoint_is_the_live_generations,
                a_reached_position_is_not_waited_for,
                a_position_ahead_is_waited_for,
                progress_wakes_every_waiter,
                a_cancelled_wait_loses_nothing,
                a_rebuild_is_reached_once_promoted,
                a_promotion_may_set_readers_back,
            ]
        );
    };
}

pub async fn the_checkpoint_is_the_live_generations(reader: Reader, store: &impl ProjectionStore) {
    assert_eq!(reader.checkpoint().await.unwrap(), Position::START);
    write_live(store, vec![view(1)], 7).await;
    let building = store.begin_rebuild().await.unwrap();
    write(store, building, vec![view(1)], 3).await;
    assert_eq!(reader.checkpoint().await.unwrap(), Position(7));
    store.promote(building).await.unwrap();
    assert_eq!(reader.checkpoint().await.unwrap(), Position(3));
}

pub async fn a_reached_position_is_not_waited_for(reader: Reader, store: &impl ProjectionStore) {
    assert!(reader.is_reached_within(0, NOTICED_MS_MAX).await);
    write_live(store, vec![], 7).await;
    for position in [0, 6, 7] {
        assert!(reader.is_reached_within(position, NOTICED_MS_MAX).await, "{position}");
    }
}

pub async fn a_position_ahead_is_waited_for(reader: Reader, store: &impl ProjectionStore) {
    write_live(store, vec![], 7).await;
    assert!(!reader.is_reached_within(8, 150).await);
    assert!(!reader.is_reached_within(u64::MAX, 10).await);
}

/// `writer` may be another handle than the reader's: another process, as far as the engine can tell.
pub async fn progress_wakes_every_waiter(reader: Reader, writer: &impl ProjectionStore) {
    // All of them have asked, and this test knows it.
    let begun = Arc::new(tokio::sync::Barrier::new(21));
    let waiters: Vec<_> = (1..=20)
        .map(|position| {
            let (reader, begun) = (reader.clone(), Arc::clone(&begun));
            tokio::spawn(async move {
                let mut reached = pin!(reader.reached(position));
                let first = poll_fn(|context| Poll::Ready(reached.as_mut().poll(context))).await;
                assert!(first.is_pending(), "nothing has been written that could be reached");
                begun.wait().await;
                reached.await.unwrap();
                Instant::now()
            })
        })
        .collect();
    begun.wait().await;
    assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
    write_live(writer, vec![view(1)], 20).await;
    let written = Instant::now();
    for waiter in waiters {
        let woken = tokio::time::timeout(Duration::from_secs(5), waiter).await.unwrap().unwrap();
        assert!(woken.saturating_duration_since(written) < Duration::from_millis(NOTICED_MS_MAX));
    }
}

pub async fn a_cancelled_wait_loses_nothing(reader: Reader, store: &impl ProjectionStore) {
    for _ in 0..5 {
        assert!(!reader.is_reached_within(9, 5).await);
    }
    write_live(store, vec![], 9).await;
    assert!(reader.is_reached_within(9, NOTICED_MS_MAX).await);
}

pub async fn a_rebuild_is_reached_once_promoted(reader: Reader, store: &impl ProjectionStore) {
    let building = store.begin_rebuild().await.unwrap();
    write(store, building, vec![], 9).await;
    assert!(!reader.is_reached_within(9, 150).await);
    let waiter = tokio::spawn({
        let reader = reader.clone();
        async move { reader.is_reached_within(9, 5_000).await }
    });
    tokio::task::yield_now().await;
    store.promote(building).await.unwrap();
    assert!(waiter.await.unwrap());
}

/// A generation may be promoted while it is behind the one before: then readers are behind again.
pub async fn a_promotion_may_set_readers_back(reader: Reader, store: &impl ProjectionStore) {
    write_live(store, vec![], 9).await;
    assert!(reader.is_reached_within(9, NOTICED_MS_MAX).await);
    let building = store.begin_rebuild().await.unwrap();
    write(store, building, vec![], 4).await;
    store.promote(building).await.unwrap();
    assert!(reader.is_reached_within(4, NOTICED_MS_MAX).await);
    assert!(!reader.is_reached_within(5, 150).await);
    let generation = live(store).await.generation;
    write(store, generation, vec![], 9).await;
    assert!(reader.is_reached_within(9, NOTICED_MS_MAX).await);
}
