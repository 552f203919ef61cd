//! A full disk is weather: appends are refused while it lasts, reads go on, and the same store object
//! appends again once there is room.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use contract_tests::clock::Manual;
use eventsourcing::store::Error;
use eventsourcing::{EventId, EventStore as _, ExpectedRevision, NewEvent, Position, Revision, StreamId};
use tempfile::TempDir;
use uuid::Uuid;

use super::{EventStore, folder, open};

fn stream() -> StreamId {
    StreamId::new("order-1")
}

/// An event of some size, so that room runs out soon.
fn large(number: u64) -> Vec<NewEvent> {
    vec![NewEvent {
        id: EventId(Uuid::from_u128(number.into())),
        event_type: "FILLED".into(),
        data: Bytes::from(vec![u8::try_from(number % 256).unwrap(); 16 * 1024]),
        metadata: Bytes::from_static(b"{}"),
    }]
}

fn expected(number: u64) -> ExpectedRevision {
    ExpectedRevision::after(number.checked_sub(1).map(Revision))
}

/// Appends from `number` on until the store refuses; returns how many events there are then.
async fn fill(store: &EventStore, mut number: u64) -> u64 {
    loop {
        match store.append(&stream(), expected(number), large(number)).await {
            Ok(appended) => assert_eq!(appended.revision, Revision(number)),
            Err(Error::Unavailable { source, .. }) => {
                assert!(source.unwrap().to_string().contains("events.db"));
                return number;
            }
            Err(other) => panic!("{other:?}"),
        }
        number += 1;
        assert!(number < 10_000, "the disk never fills up");
    }
}

/// Everything that was acknowledged is there, in every way to read it, and nothing else.
async fn assert_holds(store: &EventStore, count: u64) {
    let all = store.read_all(Position::START, usize::MAX, "").await.unwrap().events;
    assert_eq!(all.len() as u64, count);
    for (found, number) in all.iter().zip(0..) {
        assert_eq!(found.id, large(number)[0].id);
        assert!(found.data == large(number)[0].data);
    }
    assert_eq!(store.read(&stream(), Revision::FIRST, usize::MAX).await.unwrap(), all);
    assert_eq!(store.head().await.unwrap(), all.last().map_or(Position::START, |event| event.position));
    if count > 0 {
        let mut subscription = store.subscribe(Position::START, "").await.unwrap();
        assert_eq!(subscription.next(usize::MAX).await.unwrap().events, all);
    }
}

#[tokio::test]
async fn an_append_without_room_is_refused_and_succeeds_when_there_is_room() {
    let folder = folder();
    let store = open(&folder).await;
    for number in 0..20 {
        store.append(&stream(), expected(number), large(number)).await.unwrap();
    }
    // The limit belongs to the writer's connection, and goes with it after the failure: that is the
    // room being made.
    let limit = |connection: &rusqlite::Connection| {
        let pages: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        connection.pragma_update_and_check(None, "max_page_count", pages + 10, |_| Ok(()))
    };
    store.database.write(limit).await.unwrap();
    let count = fill(&store, 20).await;
    assert_holds(&store, count).await;
    let again = store.append(&stream(), expected(count), large(count)).await.unwrap();
    assert!(!again.duplicate, "the refused append had been stored");
    assert_holds(&store, count + 1).await;
}

/// A file system of a few MiB, unmounted at the end.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let disk = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(disk.path()).output();
        mount.ok()?.status.success().then_some(Self(disk))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes room away, down to `left` bytes or so; removing the file gives it back.
    fn ballast(&self, bytes: usize) -> PathBuf {
        let path = self.path().join("ballast");
        std::fs::write(&path, vec![1; bytes]).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the store's threads may be closing their files still.
        drop(Command::new("umount").arg("--lazy").arg(self.path()).output());
    }
}

#[tokio::test]
async fn a_full_disk_is_survived() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: no file system can be mounted here");
        return;
    };
    let ballast = disk.ballast(1024 * 1024);
    let path = disk.path().join("events.db");
    let store = EventStore::open(&path, Arc::new(Manual::default())).unwrap();
    let count = fill(&store, 0).await;
    assert!(count > 10, "{count}");
    for _ in 0..5 {
        let refused = store.append(&stream(), expected(count), large(count)).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
        assert_holds(&store, count).await;
    }
    // A reader that comes now finds everything as well.
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    assert_eq!(subscription.next(usize::MAX).await.unwrap().events.len() as u64, count);
    std::fs::remove_file(ballast).unwrap();
    let appended = store.append(&stream(), expected(count), large(count)).await.unwrap();
    assert!(!appended.duplicate, "the refused append had been stored");
    assert_holds(&store, count + 1).await;
    assert_eq!(subscription.next(10).await.unwrap().events.len(), 1);
    drop(store);
    drop(subscription);
    crate::check(&path, crate::Kind::Events, true).unwrap();
    let reopened = EventStore::open(&path, Arc::new(Manual::default())).unwrap();
    assert_holds(&reopened, count + 1).await;
}
