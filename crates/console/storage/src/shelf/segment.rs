//! A segment: a file of blocks of one service, and, once it grows no more, its index beside it.
//!
//! The segment's first frame names the signal and the service; each further one is a block. The index is a
//! frame with the heads of all blocks and the words, followed by a table of keys, see [`super::table`].

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use console_model::Text;

use super::block::{self, BlockMeta, Encoded, Extent};
use super::table::{self, Table};
use crate::codec::{Damaged, Reader, put_i64, put_str, put_u64};
use crate::disk::{Disk, read_at};
use crate::facts::Signal;
use crate::frame;

const MAGIC: &[u8] = b"highbeam segment 1";
const INDEX_MAGIC: &[u8] = b"highbeam index 2";
/// Words kept of one segment. Senders may invent operations without end.
const WORDS_MAX: usize = 4_096;
/// Bytes of all words kept of one segment, for they are in memory.
const WORDS_BYTES_MAX: usize = 256 << 10;

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
    words_bytes: usize,
    extent: Extent,
    /// Length of the segment's file.
    length: u64,
    keys: Keys,
    /// Whether it takes no more blocks, with an index or without.
    is_closed: bool,
}

#[derive(Debug, Clone)]
enum Keys {
    /// Of each block, while it grows.
    Growing(Vec<Arc<[u64]>>),
    /// In the index.
    Sealed(Table),
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
            words_bytes: 0,
            extent: Extent::NONE,
            length: 0,
            keys: Keys::Growing(Vec::new()),
            is_closed: false,
        }
    }

    /// Adds a block. Gives the segment with it, whose file is then to be synced.
    pub(crate) fn append(mut self, disk: &Disk, first_seq: u64, rows: usize, encoded: &Encoded) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(encoded.body.len() + encoded.filter.len() + encoded.keys.len() * 8 + 1_024);
        if self.length == 0 {
            self.put_head(&mut bytes);
        }
        let offset = self.length + bytes.len() as u64;
        let mut meta = None;
        frame::put(&mut bytes, |out| meta = Some(block::put(out, first_seq, rows, encoded)));
        let at = disk.append(&self.path, &bytes)?;
        if at != self.length {
            return Err(io::Error::other(format!("{} is {at} bytes long, not {}", self.path.display(), self.length)));
        }
        self.length += bytes.len() as u64;
        if let Some(mut meta) = meta {
            meta.offset = offset;
            self.add(meta, encoded.keys.as_slice().into(), &encoded.words);
        }
        Ok(self)
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
            let fits = self.words.len() < WORDS_MAX && self.words_bytes + word.len() <= WORDS_BYTES_MAX;
            if fits && self.words.insert(word.clone()) {
                self.words_bytes += word.len();
            } else if !fits && !self.words.contains(word) {
                // Says that words are missing, here and in the index.
                self.words_bytes = WORDS_BYTES_MAX;
            }
        }
        if let Keys::Growing(all) = &mut self.keys {
            all.push(keys);
        }
    }

    /// Writes the index. Gives the segment as it is then; the index is to be synced.
    pub(crate) fn seal(&self, disk: &Disk) -> io::Result<Self> {
        let Keys::Growing(keys) = &self.keys else { return Err(io::ErrorKind::AlreadyExists.into()) };
        let numbered = keys.iter().zip(0_u32..);
        let mut entries: Vec<(u64, u32)> =
            numbered.flat_map(|(keys, number)| keys.iter().map(move |key| (*key, number))).collect();
        entries.sort_unstable();
        let mut bytes = Vec::with_capacity(entries.len() * 13 + self.blocks.len() * 80 + 1_024);
        frame::put(&mut bytes, |out| {
            out.extend_from_slice(INDEX_MAGIC);
            out.extend_from_slice(&self.length.to_le_bytes());
            put_u64(out, entries.len() as u64);
            put_u64(out, self.words_bytes as u64);
            put_u64(out, self.blocks.len() as u64);
            for meta in &self.blocks {
                put_u64(out, meta.offset);
                put_u64(out, u64::from(meta.length));
                meta.put(out);
            }
            self.words.iter().for_each(|word| put_str(out, word));
        });
        let table = Table { at: bytes.len() as u64, entries: entries.len() as u64 };
        table::put(&mut bytes, &entries);
        let path = index_path(&self.path);
        let _ = fs::remove_file(&path);
        disk.append(&path, &bytes)?;
        let mut sealed = self.clone();
        (sealed.keys, sealed.is_closed) = (Keys::Sealed(table), true);
        Ok(sealed)
    }

    /// The same without an index, for when none can be written: it takes no more blocks.
    pub(crate) fn close(&self) -> Self {
        Self { is_closed: true, ..self.clone() }
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

    /// The file's name, for people.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
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

    /// Whether all words of its rows are known; else it may have any.
    pub(crate) fn knows_all_words(&self) -> bool {
        self.words.len() < WORDS_MAX && self.words_bytes < WORDS_BYTES_MAX
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
            Keys::Sealed(table) => self.length + table.at + table.bytes(),
        }
    }

    pub(crate) const fn is_sealed(&self) -> bool {
        matches!(self.keys, Keys::Sealed(_))
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Removes the files; `keep_index` is where the index goes instead.
    pub(crate) fn delete(&self, keep_index: Option<&Path>) -> io::Result<()> {
        let index = index_path(&self.path);
        match keep_index {
            Some(kept) if self.is_sealed() => fs::rename(index, kept)?,
            None if self.is_sealed() => fs::remove_file(index)?,
            _ => {}
        }
        fs::remove_file(&self.path)
    }

    /// The numbers of the blocks that hold one of the keys, sorted. An index that has changed on disk is
    /// [`io::ErrorKind::InvalidData`].
    pub(crate) fn find(&self, keys: &[u64]) -> io::Result<Vec<usize>> {
        match &self.keys {
            Keys::Growing(blocks) => Ok(blocks
                .iter()
                .enumerate()
                .filter(|(_, held)| keys.iter().any(|key| held.binary_search(key).is_ok()))
                .map(|(number, _)| number)
                .collect()),
            Keys::Sealed(table) => table.find(&index_path(&self.path), keys),
        }
    }

    /// All keys with the numbers of their blocks; errors as [`Segment::find`].
    pub(crate) fn keys(&self) -> io::Result<Vec<(u64, u32)>> {
        match &self.keys {
            Keys::Growing(keys) => Ok(keys
                .iter()
                .zip(0_u32..)
                .flat_map(|(keys, number)| keys.iter().map(move |key| (*key, number)))
                .collect()),
            Keys::Sealed(table) => table.all(&index_path(&self.path)),
        }
    }
}

/// Finds a key in the table of an index that is left of a removed segment.
pub(crate) fn index_holds(index: &Path, key: u64) -> io::Result<bool> {
    Ok(!read_index(index)?.table.find(index, &[key])?.is_empty())
}

struct IndexHead {
    segment_length: u64,
    table: Table,
    blocks: Vec<BlockMeta>,
    words: BTreeSet<Text>,
    words_bytes: usize,
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
    if table_at.saturating_add(head.table.bytes()) != total {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(head)
}

fn parse_index(payload: &[u8], table_at: u64) -> Result<IndexHead, Damaged> {
    let mut reader = Reader::new(payload);
    if reader.take(INDEX_MAGIC.len())? != INDEX_MAGIC {
        return Err(Damaged);
    }
    let (segment_length, entries) = (reader.fixed_u64()?, reader.u64()?);
    let words_bytes = usize::try_from(reader.u64()?).map_err(|_| Damaged)?;
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
    Ok(IndexHead { segment_length, table: Table { at: table_at, entries }, blocks, words, words_bytes })
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
    /// Opens a segment's file: by its index, else by reading all of it.
    pub(crate) fn open(path: &Path, id: u64) -> io::Result<Opened> {
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
        {
            segment.length = length;
            head.blocks.iter().for_each(|meta| segment.extent.include(&meta.extent));
            segment.blocks = head.blocks;
            (segment.words, segment.words_bytes) = (head.words, head.words_bytes);
            (segment.keys, segment.is_closed) = (Keys::Sealed(head.table), true);
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

fn parse_head(payload: &[u8]) -> Result<(Signal, i64, Arc<str>), Damaged> {
    let mut reader = Reader::new(payload);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(Damaged);
    }
    let signal = Signal::from_number(reader.u8()?).ok_or(Damaged)?;
    Ok((signal, reader.i64()?, reader.str()?.into()))
}
