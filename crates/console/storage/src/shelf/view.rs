//! What a reader is shown: segments and open rows as they were at one moment. Reading holds no lock, so
//! a slow reader keeps nobody waiting.

use std::fs::File;
use std::io;
use std::sync::Arc;

use console_model::Text;

use super::block;
use super::{BlockMeta, Extent, Form, Rows, Segment, Shelf};
use crate::disk::read_at;
use crate::facts::{Fact, FactKind, Facts, Signal};
use crate::frame;
use crate::pack;

/// Open rows, written down for readers.
#[derive(Debug)]
pub(crate) struct OpenView {
    pub(crate) rows: usize,
    pub(crate) extent: Extent,
    pub(crate) words: Vec<Text>,
    pub(crate) body: Vec<u8>,
}

/// One service's rows.
#[derive(Debug)]
pub(crate) struct PartitionView {
    /// Oldest first.
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) open: Option<Arc<OpenView>>,
}

impl PartitionView {
    /// The words of all its rows, some more than once.
    pub(crate) fn words(&self) -> impl Iterator<Item = Text> + '_ {
        let sealed = self.segments.iter().flat_map(|segment| segment.words().iter().cloned());
        sealed.chain(self.open.iter().flat_map(|open| open.words.iter().cloned()))
    }
}

impl<R: Rows> Shelf<R> {
    /// The rows of the services that are wanted.
    pub(crate) fn view(&self, wanted: impl Fn(&str) -> bool) -> Vec<PartitionView> {
        self.view_open(wanted, |_| true)
    }

    /// As [`Shelf::view`], but open rows only where they are wanted too: showing them takes a copy.
    pub(crate) fn view_open(
        &self,
        wanted: impl Fn(&str) -> bool,
        open_wanted: impl Fn(&R) -> bool,
    ) -> Vec<PartitionView> {
        let mut state = self.lock();
        let chosen = state.partitions.iter_mut().filter(|partition| wanted(&partition.service));
        chosen
            .filter(|partition| partition.open.len() > 0 || !partition.segments.is_empty())
            .map(|partition| {
                let rows = partition.open.len();
                if partition.shown.as_ref().is_some_and(|shown| shown.rows != rows) {
                    partition.shown = None;
                }
                let wanted = rows > 0 && open_wanted(&partition.open);
                if wanted && partition.shown.is_none() {
                    let encoded = partition.open.encode(0, Form::Plain);
                    partition.shown = Some(Arc::new(OpenView {
                        rows,
                        extent: encoded.extent,
                        words: encoded.words,
                        body: encoded.body,
                    }));
                }
                PartitionView { segments: partition.segments.clone(), open: partition.shown.clone().filter(|_| wanted) }
            })
            .collect()
    }

    /// The numbers of a segment's blocks that hold one of the keys; none if it has been removed meanwhile, all if
    /// its index has changed on disk, which is then a fact.
    pub(crate) fn find(&self, segment: &Segment, keys: &[u64]) -> io::Result<Vec<usize>> {
        match segment.find(keys) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.tell_index(segment);
                Ok((0..segment.blocks().len()).collect())
            }
            other => other,
        }
    }

    /// All keys of a segment with the numbers of their blocks. Where its index has changed on disk, blocks
    /// tell.
    pub(crate) fn keys(&self, segment: &Arc<Segment>) -> io::Result<Vec<(u64, u32)>> {
        match segment.keys() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.tell_index(segment);
                let Some(reader) = self.read(segment)? else { return Ok(Vec::new()) };
                let mut all = Vec::new();
                for (meta, number) in segment.blocks().iter().zip(0..) {
                    let Some(frame) = reader.frame(meta)? else { continue };
                    let described = block::describe(frame.get(frame::HEAD..).unwrap_or_default(), meta.offset);
                    all.extend(described.into_iter().flat_map(|(_, keys, _)| keys).map(|key| (key, number)));
                }
                Ok(all)
            }
            other => other,
        }
    }

    fn tell_index(&self, segment: &Segment) {
        let extent = segment.extent();
        self.facts.add(Fact {
            at_ms: segment.created_ms(),
            kind: FactKind::Damaged,
            signal: self.signal,
            service: segment.service().as_ref().into(),
            from_ns: extent.min,
            to_ns: extent.max,
            items: 0,
            bytes: 0,
            detail: format!("the index of {}; nothing is missing, reads take longer", segment.name()).into(),
        });
    }

    /// Opens a segment for reading; `None` if it has been removed meanwhile.
    pub(crate) fn read(&self, segment: &Arc<Segment>) -> io::Result<Option<SegmentReader>> {
        match File::open(segment.path()) {
            Ok(file) => Ok(Some(SegmentReader {
                file,
                segment: segment.clone(),
                facts: self.facts.clone(),
                signal: self.signal,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Reads blocks of one segment.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    file: File,
    segment: Arc<Segment>,
    facts: Arc<Facts>,
    signal: Signal,
}

impl SegmentReader {
    /// A block's frame, in which [`BlockMeta::body`] finds the body; `None` if its bytes have changed, which
    /// is then a fact.
    pub(crate) fn frame(&self, meta: &BlockMeta) -> io::Result<Option<Vec<u8>>> {
        let bytes = match read_at(&self.file, meta.offset, frame::HEAD + meta.length as usize) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Vec::new(),
            other => other?,
        };
        if frame::first(&bytes).is_err() {
            self.tell_damage(meta);
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    /// The first section of the block's body, packed as it is. Its bytes are not checked: who reads it has to know
    /// by what is in it whether they have changed.
    pub(crate) fn first_section(&self, meta: &BlockMeta) -> io::Result<Vec<u8>> {
        let at = meta.offset + meta.body_at() as u64;
        let left = (frame::HEAD + meta.length as usize).saturating_sub(meta.body_at());
        let beginning = read_at(&self.file, at, left.min(pack::HEAD_MAX))?;
        match pack::length(&beginning) {
            Ok(length) if length <= left => read_at(&self.file, at, length),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Only the block's filter. One whose bytes have changed holds anything, so that whoever asks goes on to
    /// the block, and learns there that it has changed.
    pub(crate) fn filter(&self, meta: &BlockMeta) -> io::Result<Vec<u8>> {
        let at = meta.offset + (frame::HEAD + meta.filter_at()) as u64;
        match read_at(&self.file, at, meta.filter_bytes as usize) {
            Ok(filter) if crc32fast::hash(&filter) == meta.filter_crc => Ok(filter),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(Vec::new()),
        }
    }

    /// Makes it a fact that a block cannot be read.
    pub(crate) fn tell_damage(&self, meta: &BlockMeta) {
        self.facts.add(Fact {
            at_ms: self.segment.created_ms(),
            kind: FactKind::Damaged,
            signal: self.signal,
            service: self.segment.service().as_ref().into(),
            from_ns: meta.extent.min,
            to_ns: meta.extent.max,
            items: u64::from(meta.rows),
            bytes: u64::from(meta.length),
            detail: format!("{} at {}", self.segment.name(), meta.offset).into(),
        });
    }
}
