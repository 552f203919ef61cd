//! One file that is followed: what was appended, cut into lines, and whether it still is what it was. Which
//! files are followed, and what a line says, is not known here.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::LINE_BYTES_MAX;

/// Bytes by which a file is known again: with an inode that was used again, or after it was cut to nothing
/// and written anew, they differ.
const HEAD_BYTES: usize = 256;
const CHUNK_BYTES: usize = 256 * 1024;

/// What the file system knows a file by, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Where to begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    Start,
    End,
    Offset(u64),
}

#[derive(Debug)]
pub(super) struct Followed {
    /// The name under which it was found, which stays the name of its stream.
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    /// Rounds for which it had no name any more and nothing was appended.
    pub(super) rounds_gone: u32,
    file: File,
    head: Vec<u8>,
    /// Up to where it was read.
    read_to: u64,
    /// What was read of a line that has no end yet.
    pending: Vec<u8>,
    /// Whether the rest of a line is passed over: its beginning was too long, or was before the beginning.
    is_skipping: bool,
    /// Up to where the sink has taken the lines.
    accepted: u64,
}

/// A line, and whether it was cut.
type Emit<'e> = dyn FnMut(&[u8], bool) + 'e;

impl Followed {
    pub(super) fn open(path: &Path, from: From) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let offset = match from {
            From::Start => 0,
            From::End => metadata.len(),
            From::Offset(offset) => offset,
        };
        let mut before = [b'\n'];
        if let Some(last) = offset.checked_sub(1) {
            file.read_exact_at(&mut before, last)?;
        }
        let head = head(&file, offset)?;
        Ok(Self {
            path: path.to_owned(),
            identity: Identity::of(&metadata),
            rounds_gone: 0,
            file,
            head,
            read_to: offset,
            pending: Vec::new(),
            is_skipping: before != [b'\n'],
            accepted: offset,
        })
    }

    /// Up to where the sink has taken the lines, and the bytes at the start to know the file by.
    pub(super) fn position(&self) -> (u64, &[u8]) {
        let length = usize::try_from(self.accepted).unwrap_or(usize::MAX).min(self.head.len());
        (self.accepted, self.head.get(..length).unwrap_or_default())
    }

    /// The sink has taken all lines that were read.
    pub(super) fn accept(&mut self) {
        self.accepted = self.read_to.saturating_sub(self.pending.len() as u64);
    }

    /// The sink has refused lines: they are read again.
    pub(super) fn rewind(&mut self) {
        self.read_to = self.accepted;
        self.pending.clear();
        let mut before = [b'\n'];
        if let Some(last) = self.accepted.checked_sub(1) {
            // A file that has become shorter is found to be so in the next round.
            let _ = self.file.read_exact_at(&mut before, last);
        }
        self.is_skipping = before != [b'\n'];
    }

    /// Looks whether the file is still the one whose beginning was read, and begins anew if it is not: then it
    /// was cut to nothing (`copytruncate`) and perhaps written to again. Size and time would not tell: a file
    /// can be as long as before within one tick of the file system's clock.
    pub(super) fn look(&mut self, emit: &mut Emit<'_>) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        let is_shorter = metadata.len() < self.read_to;
        if is_shorter || head(&self.file, self.head.len() as u64)? != self.head {
            self.end(emit);
            self.head.clear();
            (self.read_to, self.accepted, self.is_skipping) = (0, 0, false);
        }
        Ok(())
    }

    /// Reads what was appended, up to a chunk, and gives how many bytes there were: none at the end.
    pub(super) fn read(&mut self, chunk: &mut Vec<u8>, emit: &mut Emit<'_>) -> io::Result<usize> {
        chunk.resize(CHUNK_BYTES, 0);
        let length = self.file.read_at(chunk, self.read_to)?;
        let bytes = chunk.get(..length).unwrap_or_default();
        if self.head.len() as u64 == self.read_to && self.head.len() < HEAD_BYTES {
            self.head.extend(bytes.iter().take(HEAD_BYTES - self.head.len()));
        }
        self.read_to += length as u64;
        self.feed(bytes, emit);
        Ok(length)
    }

    /// There will be no more: what has no end of line is a line as well.
    pub(super) fn end(&mut self, emit: &mut Emit<'_>) {
        if !self.pending.is_empty() {
            emit(&self.pending, false);
            self.pending.clear();
        }
    }

    fn feed(&mut self, mut bytes: &[u8], emit: &mut Emit<'_>) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, behind) = (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..).unwrap_or_default());
            if std::mem::take(&mut self.is_skipping) {
                // The end of a line whose beginning was told of already.
            } else if self.pending.is_empty() {
                cut(line, emit);
            } else {
                self.pending.extend_from_slice(line);
                cut(&self.pending, emit);
                self.pending.clear();
            }
            bytes = behind;
        }
        if self.is_skipping {
            return;
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > LINE_BYTES_MAX {
            cut(&self.pending, emit);
            self.pending = Vec::new();
            self.is_skipping = true;
        }
    }
}

fn cut(line: &[u8], emit: &mut Emit<'_>) {
    match line.get(..LINE_BYTES_MAX) {
        Some(beginning) if line.len() > LINE_BYTES_MAX => emit(beginning, true),
        _ => emit(line, false),
    }
}

/// The first bytes of the file, as far as they are before the offset.
pub(super) fn head(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let mut head = vec![0; usize::try_from(offset).unwrap_or(usize::MAX).min(HEAD_BYTES)];
    let mut length = 0;
    while length < head.len() {
        match file.read_at(head.get_mut(length..).unwrap_or_default(), length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    head.truncate(length);
    Ok(head)
}
