//! A real disk that is full, and one that may only be read. They take root, as a small file system does;
//! where there is none, what a full disk does is tested by a made-up one in `bounds`, and what may only be
//! read by its rights.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::made::{self, trace_id};
use super::{clock, quiet};
use crate::{IngestError, OpenError, Options, Store};

/// Memory as a file system, unmounted when dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(path: &'a Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }

    fn change(&self, options: &str) {
        let changed = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(self.0).status();
        assert!(changed.is_ok_and(|status| status.success()), "remounted with {options}");
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

fn noise(from: u64) -> console_model::SpanBatch {
    let mut batch = made::spans("api", from..from + 500);
    for span in &mut batch.groups[0].spans {
        span.attributes.push("noise", made::noise(span.span_id.get(), 200).as_str());
    }
    batch
}

#[test]
fn a_disk_that_is_full_refuses_clearly_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(folder.path(), "size=3m") else { return };
    let options = Options { open_bytes_max: 1 << 20, ..quiet() };
    let store = Store::open(folder.path(), options.clone(), clock()).unwrap();
    let mut taken = 0;
    let refused = loop {
        match store.ingest_spans(&noise(taken)) {
            Ok(_) => taken += 500,
            Err(error) => break error,
        }
        let _ = store.ingest_logs(&made::lines("api", taken..taken + 500));
        let _ = store.ingest_samples(&made::samples("api", 50, taken as i64..taken as i64 + 1));
        let _ = store.flush();
        assert!(taken < 100_000, "memory is bounded");
    };
    let IngestError::Unavailable { reason, .. } = &refused;
    assert!(reason.contains("No space left"), "{refused}");
    assert!(store.flush().is_err());
    // All that was taken is read all the while.
    assert!((0..taken / 4).all(|number| store.trace(trace_id(number)).unwrap().batch.len() == 4));
    // A process that ends now loses what has no room, and nothing else; the next one opens.
    let (_copy, kept) = super::open_copy(folder.path());
    let on_disk = (0..taken / 4).take_while(|number| kept.trace(trace_id(*number)).unwrap().batch.len() == 4).count();
    assert!(on_disk > 1_000, "{on_disk}");
    mount.change("size=64m");
    store.flush().unwrap();
    store.ingest_spans(&noise(taken)).unwrap();
    drop(store);
    let store = Store::open(folder.path(), options, clock()).unwrap();
    assert!((0..(taken + 500) / 4).all(|number| store.trace(trace_id(number)).unwrap().batch.len() == 4));
    drop(store);
}

/// Room is made although the index of what is to go has no room itself.
#[test]
fn a_full_disk_does_not_keep_a_store_over_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(folder.path(), "size=6m") else { return };
    let open = |limit_bytes| Store::open(folder.path(), Options { limit_bytes, ..quiet() }, clock()).unwrap();
    let store = open(1 << 30);
    let mut taken = 0;
    while store.trouble().is_none() && store.flush().is_ok() {
        store.ingest_spans(&noise(taken)).unwrap();
        taken += 500;
    }
    let bytes = store.bytes();
    drop(store);
    // With the disk as full as it is, a smaller limit is asked for.
    let store = open(2 << 20);
    for _ in 0..4 {
        let _ = store.inner().keep_within_bounds();
        let _ = store.flush();
    }
    assert!(store.bytes() < 2 << 20, "{} bytes after {bytes}", store.bytes());
    store.ingest_spans(&noise(1_000_000)).unwrap();
    store.flush().unwrap();
    assert_eq!(store.trace(trace_id(250_000)).unwrap().batch.len(), 4);
}

#[test]
fn a_folder_that_may_only_be_read_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mount = Mount::new(folder.path(), "size=16m");
    drop(super::open(folder.path()));
    match &mount {
        Some(mount) => mount.change("ro"),
        None => {
            for entry in fs::read_dir(folder.path()).unwrap() {
                let path = entry.unwrap().path();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
            }
        }
    }
    let Err(error) = Store::open(folder.path(), quiet(), clock()) else { panic!("it may only be read") };
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("cannot be written"), "{error}");
    if let Some(mount) = &mount {
        mount.change("rw");
        drop(super::open(folder.path()));
    }
}
