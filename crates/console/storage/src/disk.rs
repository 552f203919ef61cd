//! Writing to files: appended whole or not at all, replaced whole or not at all. The one place that tests
//! make fail. No format belongs here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes files. A test can give it room for so many bytes and no more.
#[derive(Debug)]
pub(crate) struct Disk {
    room: AtomicU64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { room: AtomicU64::new(u64::MAX) }
    }
}

impl Disk {
    /// From now on only this many bytes can be written: what a full disk does.
    #[cfg(test)]
    pub(crate) fn fill_up(&self, room: u64) {
        self.room.store(room, Ordering::SeqCst);
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let room = self.room.load(Ordering::Relaxed);
        if room != u64::MAX {
            let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            self.room.store(room - fits as u64, Ordering::Relaxed);
            file.write_all(bytes.get(..fits).unwrap_or_default())?;
            if fits < bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            return Ok(());
        }
        file.write_all(bytes)
    }

    /// Adds bytes at the end of a file, made if it is not there. When not all can be written, none are. The
    /// file is given back, for [`File::sync_data`]; where the bytes went is the file's length before.
    pub(crate) fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<(File, u64)> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let before = file.metadata()?.len();
        if let Err(error) = self.write(&mut file, bytes) {
            // A torn frame at the end would end the file for readers; if this fails too, the next opening
            // repairs it.
            let _ = file.set_len(before);
            return Err(error);
        }
        Ok((file, before))
    }

    /// Puts bytes in place of a file, synced: after a crash it is the old one or the new one.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.put(path, bytes, true)?;
        path.parent().map_or(Ok(()), sync_folder)
    }

    /// The same, but to be synced later: after the end of this process it is the old one or the new one.
    pub(crate) fn exchange(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.put(path, bytes, false)
    }

    fn put(&self, path: &Path, bytes: &[u8], synced: bool) -> io::Result<()> {
        let temporary = path.with_extension("new");
        let written = File::create(&temporary).and_then(|mut file| {
            self.write(&mut file, bytes)?;
            if synced { file.sync_data() } else { Ok(()) }
        });
        written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Reads `length` bytes at `offset`; fewer are an error.
pub(crate) fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let disk = Disk::default();
        disk.append(&path, b"whole").unwrap();
        disk.fill_up(3);
        assert_eq!(disk.append(&path, b"torn").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(disk.replace(&path, b"x").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        disk.fill_up(u64::MAX);
        assert_eq!(disk.append(&path, b"!").unwrap().1, 5);
    }
}
