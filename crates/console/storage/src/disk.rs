//! Writing to files: appended whole or not at all, replaced whole or not at all. The one place that tests
//! make fail. No format belongs here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes files. A test can give it room for so many bytes and no more.
#[derive(Debug)]
pub(crate) struct Disk {
    room: AtomicU64,
    written: AtomicU64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { room: AtomicU64::new(u64::MAX), written: AtomicU64::new(0) }
    }
}

impl Disk {
    /// From now on only this many bytes can be written: what a full disk does.
    #[cfg(test)]
    pub(crate) fn fill_up(&self, room: u64) {
        self.room.store(room, Ordering::SeqCst);
    }

    /// Bytes written since the store was opened, those that failed too: files have grown by no more.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
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

    /// Adds bytes at the end of a file, made if it is not there. When not all can be written, none are. Gives
    /// where the bytes went, which is the file's length before.
    pub(crate) fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<u64> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let before = file.metadata()?.len();
        if let Err(error) = self.write(&mut file, bytes) {
            // A torn frame at the end would end the file for readers; if this fails too, the next opening
            // repairs it.
            let _ = file.set_len(before);
            return Err(error);
        }
        Ok(before)
    }

    /// Puts bytes in place of a file, synced: after a crash it is the old one or the new one.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.prepare(path, |put| put(bytes))?;
        sync_file(&temporary(path)).and_then(|()| self.put_in_place(path))?;
        path.parent().map_or(Ok(()), sync_folder)
    }

    /// The same, but to be synced later: after the end of this process it is the old one or the new one.
    pub(crate) fn exchange(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.prepare(path, |put| put(bytes))?;
        self.put_in_place(path)
    }

    /// Writes what is to replace a file, piece by piece, beside it. Gives its length. What is not whole is
    /// removed.
    pub(crate) fn prepare(
        &self,
        path: &Path,
        write: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<u64> {
        let path = temporary(path);
        let mut length = 0;
        let written = File::create(&path).and_then(|mut file| {
            write(&mut |bytes| {
                length += bytes.len() as u64;
                self.write(&mut file, bytes)
            })
        });
        written.inspect_err(|_| drop(fs::remove_file(&path))).map(|()| length)
    }

    /// Replaces a file by what was prepared.
    pub(crate) fn put_in_place(&self, path: &Path) -> io::Result<()> {
        fs::rename(temporary(path), path).inspect_err(|_| drop(fs::remove_file(temporary(path))))
    }
}

fn temporary(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Brings a file to the disk; one that has been removed needs no more.
pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        file => file?.sync_data(),
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
        assert_eq!(disk.append(&path, b"!").unwrap(), 5);
    }
}
