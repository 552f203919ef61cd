//! What the contract suites cannot see from outside: how often an engine is asked, and what is believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const TICK: Duration = Duration::from_millis(40);

const fn at(generation: u32, checkpoint: u64) -> Live {
    Live { generation: Generation(generation), checkpoint: Position(checkpoint) }
}

/// An engine of one checkpoint, which counts how often it is asked for it.
#[derive(Default)]
struct Engine {
    checkpoint: AtomicU64,
    asked: AtomicU64,
}

impl Engine {
    async fn live(&self) -> Result<Live, String> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(at(1, self.checkpoint.load(Ordering::SeqCst)))
    }

    async fn wait(&self, progress: &Progress, position: u64) -> Result<(), String> {
        progress.reached(Position(position), || self.live()).await
    }
}

#[tokio::test(start_paused = true)]
async fn many_waiters_ask_about_as_often_as_one() {
    let (engine, progress) = (Arc::new(Engine::default()), Arc::new(Progress::asking_every(TICK)));
    let waiters: Vec<_> = (0..50)
        .map(|_| {
            let (engine, progress) = (Arc::clone(&engine), Arc::clone(&progress));
            tokio::spawn(async move { engine.wait(&progress, 1).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Each asks once when it begins, and then they share: at most once in 32 ms.
    let asked = engine.asked.load(Ordering::SeqCst) - 50;
    assert!((20..=32).contains(&asked), "{asked}");
    engine.checkpoint.store(1, Ordering::SeqCst);
    let written = Instant::now();
    for waiter in waiters {
        waiter.await.unwrap().unwrap();
    }
    assert!(written.elapsed() <= 2 * TICK, "{:?}", written.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_this_process_wrote_is_told_without_asking() {
    let (engine, progress) = (Engine::default(), Progress::asking_every(TICK));
    let begun = Instant::now();
    let (reached, ()) = tokio::join!(engine.wait(&progress, 3), async { progress.publish(at(1, 3)) });
    reached.unwrap();
    assert!(begun.elapsed() < TICK && engine.asked.load(Ordering::SeqCst) == 1);
}

#[tokio::test(start_paused = true)]
async fn news_that_come_late_are_not_believed() {
    let progress = Progress::asking_every(TICK);
    assert_eq!(progress.generation(), None);
    progress.publish(at(2, 4));
    progress.publish(at(1, 9));
    assert_eq!(progress.generation(), Some(Generation(2)));
    // A generation that is behind the one before it sets those back who wait.
    let engine = Engine::default();
    let wait = tokio::time::timeout(10 * TICK, engine.wait(&progress, 5));
    assert!(wait.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_let_through_while_the_engine_does_not_answer() {
    let progress = Progress::asking_every(TICK);
    progress.publish(at(1, 9));
    let away = async || Err::<Live, _>("away");
    assert_eq!(progress.reached(Position(1), away).await, Err("away"));
    let silent = async || std::future::pending::<Result<Live, String>>().await;
    assert!(tokio::time::timeout(10 * TICK, progress.reached(Position(1), silent)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_who_goes_while_asking_hinders_nobody() {
    let (engine, progress) = (Engine::default(), Progress::asking_every(TICK));
    let begun = AtomicU64::new(0);
    // Answers once, so that it waits, and then never again.
    let stuck = async || match begun.fetch_add(1, Ordering::SeqCst) {
        0 => Ok::<_, String>(at(1, 0)),
        _ => std::future::pending().await,
    };
    assert!(tokio::time::timeout(3 * TICK, progress.reached(Position(1), stuck)).await.is_err());
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    engine.checkpoint.store(1, Ordering::SeqCst);
    tokio::time::timeout(3 * TICK, engine.wait(&progress, 1)).await.unwrap().unwrap();
}
