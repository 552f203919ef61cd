//! A segment: a file of blocks of one service, and, once it grows no more, its index beside it.
//!
//! The segment's first frame names the signal and the service; each further one is a block. The index is a
//! frame with the heads of all blocks and the words, followed by a table of keys, sorted, 12 bytes each:
//! the key (8) and the number of its block (4). The table is searched on disk and never loaded.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use console_model::Text;

use super::block::{self, BlockMeta, Encoded, Extent};
use crate::codec::{Damaged, Reader, put_i64, put_str, put_u64};
use crate::disk::{Disk, read_at};
use crate::facts::Signal;
use crate::frame;

const MAGIC: &[u8] = b"highbeam segment 1";
const INDEX_MAGIC: &[u8] = b"highbeam index 1";
/// Bytes of one entry in the table of keys.
const ENTRY: usize = 12;
/// Words kept of one segment. Senders may invent operations without end.
const WORDS_MAX: usize = 4_096;

/// See the module. Cheap to clone while it grows, so that readers keep what they began with.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    path: PathBuf,
    id: u64,
    signal: Signal,
    service: Arc<str>,
    created_ms: i64,
    blocks: Vec<BlockMeta>,
    words: BTreeSet<Text>,
    extent: Extent,
    /// Length of the segment's file.
    length: u64,
    keys: Keys,
}

#[derive(Debug, Clone)]
enum Keys {
    /// Of each block, while it grows.
    Growing(Vec<Arc<[u64]>>),
    /// In the index, from this offset on.
    Sealed { offset: u64, entries: u64 },
}

pub(crate) fn index_path(segment: &Path) -> PathBuf {
    segment.with_extension("idx")
}

impl Segment {
    /// A segment without blocks, and without a file until the first block comes.
    pub(crate) fn create(folder: &Path, id: u64, signal: Signal, service: &Arc<str>, created_ms: i64) -> Self {
        Self {
            path: folder.join(format!("{id:010}.seg")),
            id,
            signal,
            service: service.clone(),
            created_ms,
            blocks: Vec::new(),
            words: BTreeSet::new(),
            extent: Extent::NONE,
            length: 0,
            keys: Keys::Growing(Vec::new()),
        }
    }

    /// Adds a block. Gives the segment with it, and the file to be synced.
    pub(crate) fn append(
        mut self,
        disk: &Disk,
        first_seq: u64,
        rows: usize,
        encoded: &Encoded,
    ) -> io::Result<(Self, File)> {
        let mut bytes = Vec::with_capacity(encoded.body.len() + encoded.filter.len() + encoded.keys.len() * 8 + 1_024);
        if self.length == 0 {
            self.put_head(&mut bytes);
        }
        let offset = self.length + bytes.len() as u64;
        let mut meta = None;
        frame::put(&mut bytes, |out| meta = Some(block::put(out, first_seq, rows, encoded)));
        let (file, at) = disk.append(&self.path, &bytes)?;
        if at != self.length {
            return Err(io::Error::other(format!("{} is {at} bytes long, not {}", self.path.display(), self.length)));
        }
        self.length += bytes.len() as u64;
        if let Some(mut meta) = meta {
            meta.offset = offset;
            self.add(meta, encoded.keys.as_slice().into(), &encoded.words);
        }
        Ok((self, file))
    }

    fn put_head(&self, out: &mut Vec<u8>) {
        frame::put(out, |out| {
            out.extend_from_slice(MAGIC);
            out.push(self.signal as u8);
            put_i64(out, self.created_ms);
            put_str(out, &self.service);
        });
    }

    fn add(&mut self, meta: BlockMeta, keys: Arc<[u64]>, words: &[Text]) {
        self.extent.include(&meta.extent);
        self.blocks.push(meta);
        for word in words {
            if self.words.len() < WORDS_MAX && !self.words.contains(word) {
                self.words.insert(word.clone());
            }
        }
        if let Keys::Growing(all) = &mut self.keys {
            all.push(keys);
        }
    }

    /// Writes the index. Gives the segment as it is then, and the file to be synced.
    pub(crate) fn seal(&self, disk: &Disk) -> io::Result<(Self, File)> {
        let Keys::Growing(keys) = &self.keys else { return Err(io::ErrorKind::AlreadyExists.into()) };
        let numbered = keys.iter().zip(0_u32..);
        let mut table: Vec<(u64, u32)> =
            numbered.flat_map(|(keys, number)| keys.iter().map(move |key| (*key, number))).collect();
        table.sort_unstable();
        let mut entries = Vec::with_capacity(table.len() * ENTRY);
        for (key, number) in &table {
            entries.extend_from_slice(&key.to_le_bytes());
            entries.extend_from_slice(&number.to_le_bytes());
        }
        let mut bytes = Vec::with_capacity(entries.len() + self.blocks.len() * 80 + 1_024);
        frame::put(&mut bytes, |out| {
            out.extend_from_slice(INDEX_MAGIC);
            out.extend_from_slice(&self.length.to_le_bytes());
            out.extend_from_slice(&crc32fast::hash(&entries).to_le_bytes());
            put_u64(out, table.len() as u64);
            put_u64(out, self.blocks.len() as u64);
            for meta in &self.blocks {
                put_u64(out, meta.offset);
                put_u64(out, u64::from(meta.length));
                meta.put(out);
            }
            self.words.iter().for_each(|word| put_str(out, word));
        });
        let offset = bytes.len() as u64;
        bytes.extend_from_slice(&entries);
        let path = index_path(&self.path);
        let _ = fs::remove_file(&path);
        let (file, _) = disk.append(&path, &bytes)?;
        let mut sealed = self.clone();
        sealed.keys = Keys::Sealed { offset, entries: table.len() as u64 };
        Ok((sealed, file))
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn service(&self) -> &Arc<str> {
        &self.service
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn created_ms(&self) -> i64 {
        self.created_ms
    }

    pub(crate) const fn extent(&self) -> Extent {
        self.extent
    }

    pub(crate) fn blocks(&self) -> &[BlockMeta] {
        &self.blocks
    }

    pub(crate) const fn words(&self) -> &BTreeSet<Text> {
        &self.words
    }

    pub(crate) fn rows(&self) -> u64 {
        self.blocks.iter().map(|meta| u64::from(meta.rows)).sum()
    }

    /// Number of the row after the last.
    pub(crate) fn next_seq(&self) -> u64 {
        self.blocks.last().map_or(0, |meta| meta.first_seq + u64::from(meta.rows))
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        match self.keys {
            Keys::Growing(_) => self.length,
            Keys::Sealed { offset, entries } => self.length + offset + entries * ENTRY as u64,
        }
    }

    pub(crate) const fn is_sealed(&self) -> bool {
        matches!(self.keys, Keys::Sealed { .. })
    }

    /// Removes the files; `keep_index` is where the index goes instead.
    pub(crate) fn delete(&self, keep_index: Option<&Path>) -> io::Result<()> {
        let index = index_path(&self.path);
        match keep_index {
            Some(kept) => fs::rename(index, kept)?,
            None if self.is_sealed() => fs::remove_file(index)?,
            None => {}
        }
        fs::remove_file(&self.path)
    }

    /// The numbers of the blocks that hold a key.
    pub(crate) fn find(&self, key: u64) -> io::Result<Vec<usize>> {
        match &self.keys {
            Keys::Growing(keys) => Ok(keys
                .iter()
                .enumerate()
                .filter(|(_, keys)| keys.binary_search(&key).is_ok())
                .map(|(number, _)| number)
                .collect()),
            Keys::Sealed { offset, entries } => search_table(&index_path(&self.path), *offset, *entries, key),
        }
    }
}

impl Segment {
    /// All keys with the numbers of their blocks.
    pub(crate) fn keys(&self) -> io::Result<Vec<(u64, u32)>> {
        match &self.keys {
            Keys::Growing(keys) => Ok(keys
                .iter()
                .zip(0_u32..)
                .flat_map(|(keys, number)| keys.iter().map(move |key| (*key, number)))
                .collect()),
            Keys::Sealed { offset, entries } => {
                let file = File::open(index_path(&self.path))?;
                let bytes = read_at(&file, *offset, *entries as usize * ENTRY)?;
                Ok(bytes.chunks_exact(ENTRY).filter_map(entry).collect())
            }
        }
    }
}

/// Finds a key in the table of an index that is left of a removed segment.
pub(crate) fn index_holds(index: &Path, key: u64) -> io::Result<bool> {
    let head = read_index(index)?;
    Ok(!search_table(index, head.table_at, head.entries, key)?.is_empty())
}

/// Keys are hashes, spread evenly, so a guess lands near: a page around it settles it mostly.
fn search_table(index: &Path, offset: u64, entries: u64, key: u64) -> io::Result<Vec<usize>> {
    const PAGE: u64 = 340;
    let file = File::open(index)?;
    let mut found = Vec::new();
    let (mut low, mut high) = (0_u64, entries);
    let mut guess = u64::try_from((u128::from(key) * u128::from(entries)) >> 64).unwrap_or(0);
    while low < high {
        let from = guess.saturating_sub(PAGE / 2).clamp(low, high - 1);
        let to = (from + PAGE).min(high);
        let bytes = read_at(&file, offset + from * ENTRY as u64, (to - from) as usize * ENTRY)?;
        let page: Vec<(u64, u32)> = bytes.chunks_exact(ENTRY).filter_map(entry).collect();
        let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
        if key < first.0 {
            high = from;
        } else if last.0 < key {
            low = to;
        } else {
            found.extend(page.iter().filter(|(candidate, _)| *candidate == key).map(|(_, number)| *number as usize));
            // Entries with this key may go on beyond either end of the page.
            if first.0 == key && from > low {
                extend(&file, offset, (low..from).rev(), key, &mut found)?;
            }
            if last.0 == key && to < high {
                extend(&file, offset, to..high, key, &mut found)?;
            }
            break;
        }
        guess = low + (high - low) / 2;
    }
    found.sort_unstable();
    Ok(found)
}

fn extend(
    file: &File,
    offset: u64,
    positions: impl Iterator<Item = u64>,
    key: u64,
    found: &mut Vec<usize>,
) -> io::Result<()> {
    for position in positions {
        match entry(&read_at(file, offset + position * ENTRY as u64, ENTRY)?) {
            Some((candidate, number)) if candidate == key => found.push(number as usize),
            _ => break,
        }
    }
    Ok(())
}

fn entry(bytes: &[u8]) -> Option<(u64, u32)> {
    let mut reader = Reader::new(bytes);
    Some((reader.fixed_u64().ok()?, reader.fixed_u32().ok()?))
}

struct IndexHead {
    segment_length: u64,
    crc: u32,
    entries: u64,
    blocks: Vec<BlockMeta>,
    words: BTreeSet<Text>,
    table_at: u64,
}

fn invalid(_: Damaged) -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn read_index(path: &Path) -> io::Result<IndexHead> {
    let file = File::open(path)?;
    let total = file.metadata()?.len();
    let head = read_at(&file, 0, frame::HEAD)?;
    let length = u64::from(Reader::new(&head).fixed_u32().map_err(invalid)?);
    if length + frame::HEAD as u64 > total {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let table_at = length + frame::HEAD as u64;
    let bytes = read_at(&file, 0, table_at as usize)?;
    let (payload, _) = frame::first(&bytes).map_err(invalid)?;
    let head = parse_index(payload, table_at).map_err(invalid)?;
    if table_at + head.entries.saturating_mul(ENTRY as u64) != total {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(head)
}

fn parse_index(payload: &[u8], table_at: u64) -> Result<IndexHead, Damaged> {
    let mut reader = Reader::new(payload);
    if reader.take(INDEX_MAGIC.len())? != INDEX_MAGIC {
        return Err(Damaged);
    }
    let (segment_length, crc, entries) = (reader.fixed_u64()?, reader.fixed_u32()?, reader.u64()?);
    let blocks = (0..reader.count()?)
        .map(|_| {
            let (offset, length) = (reader.u64()?, reader.u32()?);
            BlockMeta::read(&mut reader, offset, length)
        })
        .collect::<Result<_, _>>()?;
    let mut words = BTreeSet::new();
    while !reader.is_empty() {
        words.insert(reader.text()?);
    }
    Ok(IndexHead { segment_length, crc, entries, blocks, words, table_at })
}

/// What opening a segment found.
pub(crate) struct Opened {
    /// `None` if nothing in the file can be used.
    pub(crate) segment: Option<Segment>,
    /// Bytes that were cut off at the end.
    pub(crate) cut: u64,
    /// Bytes in the middle that are passed over.
    pub(crate) damaged: u64,
}

impl Segment {
    /// Opens a segment's file: by its index, else by reading all of it. `thorough` checks the table too.
    pub(crate) fn open(path: &Path, id: u64, thorough: bool) -> io::Result<Opened> {
        let length = fs::metadata(path)?.len();
        let file = File::open(path)?;
        let head = read_at(&file, 0, usize::try_from(length.min(4_096)).unwrap_or(4_096))?;
        let named = frame::first(&head).and_then(|(payload, _)| parse_head(payload));
        // A service's name may be longer than the first page.
        let whole = if named.is_err() { fs::read(path)? } else { Vec::new() };
        let named = named.or_else(|_| frame::first(&whole).and_then(|(payload, _)| parse_head(payload)));
        let Ok((signal, created_ms, service)) = named else {
            return Ok(Opened { segment: None, cut: length, damaged: 0 });
        };
        let mut segment = Self::create(Path::new(""), id, signal, &service, created_ms);
        segment.path = path.to_owned();
        if let Ok(head) = read_index(&index_path(path))
            && head.segment_length == length
            && (!thorough || table_is_whole(path, &head))
        {
            segment.length = length;
            head.blocks.iter().for_each(|meta| segment.extent.include(&meta.extent));
            segment.blocks = head.blocks;
            segment.words = head.words;
            segment.keys = Keys::Sealed { offset: head.table_at, entries: head.entries };
            return Ok(Opened { segment: Some(segment), cut: 0, damaged: 0 });
        }
        segment.scan(&fs::read(path)?)
    }

    fn scan(mut self, bytes: &[u8]) -> io::Result<Opened> {
        let _ = fs::remove_file(index_path(&self.path));
        let (mut offset, mut end, mut damaged) = (0_usize, 0_usize, 0_u64);
        while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
            match frame::first(rest) {
                Ok((payload, _)) => {
                    if offset > 0 {
                        match block::describe(payload, offset as u64) {
                            Ok((meta, keys, words)) => self.add(meta, keys.into(), &words),
                            Err(Damaged) => damaged += payload.len() as u64,
                        }
                    }
                    offset += frame::HEAD + payload.len();
                    end = offset;
                }
                // Damage with something whole behind it is passed over, else it is the end.
                Err(Damaged) => {
                    let length = Reader::new(rest).fixed_u32().map_or(0, |length| length as usize);
                    let next = offset.saturating_add(frame::HEAD).saturating_add(length);
                    if length == 0 || bytes.get(next..).is_none_or(|rest| frame::first(rest).is_err()) {
                        break;
                    }
                    damaged += (next - offset) as u64;
                    offset = next;
                }
            }
        }
        let cut = (bytes.len() - end) as u64;
        if cut > 0 {
            let file = fs::OpenOptions::new().write(true).open(&self.path)?;
            file.set_len(end as u64)?;
            file.sync_data()?;
        }
        self.length = end as u64;
        Ok(Opened { segment: Some(self), cut, damaged })
    }
}

fn table_is_whole(segment: &Path, head: &IndexHead) -> bool {
    let table =
        File::open(index_path(segment)).and_then(|file| read_at(&file, head.table_at, head.entries as usize * ENTRY));
    table.is_ok_and(|table| crc32fast::hash(&table) == head.crc)
}

fn parse_head(payload: &[u8]) -> Result<(Signal, i64, Arc<str>), Damaged> {
    let mut reader = Reader::new(payload);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(Damaged);
    }
    let signal = Signal::from_number(reader.u8()?).ok_or(Damaged)?;
    Ok((signal, reader.i64()?, reader.str()?.into()))
}
