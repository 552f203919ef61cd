//! The write-ahead log of a shelf: open rows that are in no block yet. One file at a time: when it has
//! grown long, a new one begins with all rows that are still open, and the old one goes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Form, Partition, Rows};
use crate::codec::{Damaged, Reader, put_str, put_u64};
use crate::disk::{Disk, sync_folder};
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
    old: Vec<PathBuf>,
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
            }
        }
        generations.sort_unstable();
        let generation = generations.last().copied().unwrap_or(1);
        let (mut all, mut cut, mut bytes) = (Vec::new(), 0, 0);
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
            bytes = whole as u64;
            all.append(&mut found);
        }
        let old: Vec<PathBuf> = generations.iter().rev().skip(1).map(|old| path(folder, *old)).collect();
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

    /// Begins a new log with `frames`. The old one is removed after the next [`Wal::unsynced`] was synced.
    pub(crate) fn rotate(&mut self, disk: &Disk, frames: &[u8], growth_max: u64) -> io::Result<()> {
        disk.exchange(&path(&self.folder, self.generation + 1), frames)?;
        self.old.push(path(&self.folder, self.generation));
        self.generation += 1;
        self.bytes = frames.len() as u64;
        self.base = self.bytes;
        self.growth_max = growth_max;
        Ok(())
    }

    pub(crate) const fn is_long(&self) -> bool {
        self.bytes > self.base + self.growth_max
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What has to be synced, and which files may be removed after that.
    pub(crate) fn unsynced(&mut self) -> io::Result<Unsynced> {
        let file = match File::open(path(&self.folder, self.generation)) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // After a repair, what is old goes with a rotation only.
        let old = if self.growth_max == 0 { Vec::new() } else { std::mem::take(&mut self.old) };
        Ok(Unsynced { folder: self.folder.clone(), file, old })
    }
}

/// See [`Wal::unsynced`].
pub(crate) struct Unsynced {
    folder: PathBuf,
    file: Option<File>,
    old: Vec<PathBuf>,
}

impl Unsynced {
    /// Brings the log to the disk. Old logs that cannot be removed are removed after the next opening.
    pub(crate) fn sync(self) -> io::Result<()> {
        if let Some(file) = self.file {
            file.sync_data()?;
        }
        if !self.old.is_empty() {
            sync_folder(&self.folder)?;
        }
        self.old.into_iter().try_for_each(fs::remove_file)
    }
}
