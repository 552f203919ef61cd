//! The write-ahead log of a shelf: open rows that are in no block yet. One file at a time: when it has
//! grown long, a new one begins with all rows that are still open, and the old one goes.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Form, Partition, Rows};
use crate::codec::{Damaged, Reader, put_str, put_u64};
use crate::disk::{Disk, sync_file, sync_folder};
use crate::frame;

#[derive(Debug)]
pub(crate) struct Wal {
    folder: PathBuf,
    generation: u64,
    bytes: u64,
    /// Length right after the last rotation: with much open, a log is long from the start.
    base: u64,
    /// By how much it may grow before it is rotated.
    growth_max: u64,
    /// Files that go once this one is on disk, with their lengths.
    old: Vec<(PathBuf, u64)>,
}

/// One record of the log.
pub(crate) struct Logged<'a> {
    pub(crate) service: &'a str,
    pub(crate) first_seq: u64,
    pub(crate) rows: u64,
    pub(crate) body: &'a [u8],
}

fn path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("{generation:08}.wal"))
}

/// Adds a record with the open rows from `from` on.
pub(crate) fn put<R: Rows>(out: &mut Vec<u8>, partition: &Partition<R>, from: usize) {
    let encoded = partition.open.encode(from, Form::Plain);
    frame::put(out, |out| {
        put_str(out, &partition.service);
        put_u64(out, partition.first_seq + from as u64);
        put_u64(out, (partition.open.len() - from) as u64);
        out.extend_from_slice(&encoded.body);
    });
}

pub(crate) fn read(payload: &[u8]) -> Result<Logged<'_>, Damaged> {
    let mut reader = Reader::new(payload);
    Ok(Logged { service: reader.str()?, first_seq: reader.u64()?, rows: reader.u64()?, body: reader.rest() })
}

impl Wal {
    /// Takes up the log in a folder. Gives its bytes, whole frames only, and how many were cut off. Where a
    /// rotation was not finished there are two files; the older one comes first then, and the log asks to be
    /// rotated again.
    pub(crate) fn open(folder: &Path, growth_max: u64) -> io::Result<(Self, Vec<u8>, u64)> {
        let mut generations = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?.path();
            if entry.extension().is_some_and(|extension| extension == "wal") {
                let stem = entry.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
                generations.extend(stem);
            } else if entry.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(entry)?;
            }
        }
        generations.sort_unstable();
        let generation = generations.last().copied().unwrap_or(1);
        let (mut all, mut cut, mut lengths) = (Vec::new(), 0, Vec::new());
        for generation in &generations {
            let path = path(folder, *generation);
            let mut found = fs::read(&path)?;
            let mut frames = frame::Frames::new(&found);
            frames.by_ref().for_each(drop);
            let whole = frames.whole();
            if whole < found.len() {
                cut += (found.len() - whole) as u64;
                let file = OpenOptions::new().write(true).open(&path)?;
                file.set_len(whole as u64)?;
                file.sync_data()?;
                found.truncate(whole);
            }
            lengths.push((path, whole as u64));
            all.append(&mut found);
        }
        let bytes = lengths.pop().map_or(0, |(_, length)| length);
        let old = lengths;
        // Old files go once a whole new one is on disk.
        let growth_max = if old.is_empty() { growth_max } else { 0 };
        let log = Self { folder: folder.to_owned(), generation, bytes, base: 0, growth_max, old };
        Ok((log, all, cut))
    }

    pub(crate) fn append(&mut self, disk: &Disk, frames: &[u8]) -> io::Result<()> {
        disk.append(&path(&self.folder, self.generation), frames)?;
        self.bytes += frames.len() as u64;
        Ok(())
    }

    /// Begins a new log with `frames`. The old one goes with [`Wal::settle`].
    pub(crate) fn rotate(&mut self, disk: &Disk, frames: &[u8], growth_max: u64) -> io::Result<()> {
        let length = self.prepare(disk, |put| put(frames))?;
        self.take_up(disk, length, growth_max)
    }

    /// Writes what a new log begins with, piece by piece, and gives its length; it is the log with
    /// [`Wal::take_up`].
    pub(crate) fn prepare(
        &self,
        disk: &Disk,
        write: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<u64> {
        disk.prepare(&path(&self.folder, self.generation + 1), write)
    }

    /// Forgets what was prepared.
    pub(crate) fn discard(&self) {
        let _ = fs::remove_file(path(&self.folder, self.generation + 1).with_extension("new"));
    }

    /// Goes on with the log that was prepared.
    pub(crate) fn take_up(&mut self, disk: &Disk, length: u64, growth_max: u64) -> io::Result<()> {
        disk.put_in_place(&path(&self.folder, self.generation + 1))?;
        self.old.push((path(&self.folder, self.generation), self.bytes));
        self.generation += 1;
        self.bytes = length;
        self.base = length;
        self.growth_max = growth_max;
        Ok(())
    }

    /// Whether it is time to rotate it. What it began with is written again then, so it may grow by half of
    /// that at least.
    pub(crate) const fn is_long(&self) -> bool {
        let growth = self.bytes.saturating_sub(self.base);
        growth > self.growth_max && growth >= self.base / 2
    }

    /// Bytes on disk, with files that have not gone yet.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes + self.old.iter().map(|(_, length)| length).sum::<u64>()
    }

    /// What has to be synced, and which files may go after that.
    pub(crate) fn unsynced(&self) -> Unsynced {
        // After a repair, what is old goes with a rotation only.
        let old = if self.growth_max == 0 { &[] } else { self.old.as_slice() };
        Unsynced {
            folder: self.folder.clone(),
            file: path(&self.folder, self.generation),
            old: old.iter().map(|(path, _)| path.clone()).collect(),
        }
    }

    /// Removes the files that a synced log replaces.
    pub(crate) fn settle(&mut self, synced: &Unsynced) -> io::Result<()> {
        for old in &synced.old {
            match fs::remove_file(old) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.old.retain(|(path, _)| path != old),
            }
        }
        Ok(())
    }
}

/// See [`Wal::unsynced`].
pub(crate) struct Unsynced {
    folder: PathBuf,
    file: PathBuf,
    old: Vec<PathBuf>,
}

impl Unsynced {
    /// Brings the log to the disk; then the log is to be told, by [`Wal::settle`].
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_file(&self.file)?;
        if self.old.is_empty() { Ok(()) } else { sync_folder(&self.folder) }
    }
}
