//! Traces: spans on a shelf, found by id and by search, pinned when something refers to them, remembered
//! when they are gone.

mod gather;
mod gone;
mod heads;
mod outline;
mod rows;
mod search;
mod spans;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use console_model::{SpanBatch, SpanGroup, SpanKind, Text, TraceId};
use hashbrown::HashSet;

pub use heads::SpanHead;
pub use outline::{SpanOutline, TraceOutline};
pub use search::TraceQuery;

use crate::disk::Disk;
use crate::error::{IngestError, ReadError};
use crate::facts::{Facts, Signal};
use crate::hash;
use crate::options::Options;
use crate::shelf::{Left, Segment, Shelf};
use gone::Gone;
use rows::OpenSpans;
use spans::Spans;

/// Spans of one trace that are given back; a trace may be larger.
pub const TRACE_SPANS_MAX: usize = 50_000;

/// A trace, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// Its spans by sender and scope, in order of their start within each.
    pub batch: SpanBatch,
    /// Whether there were more than [`TRACE_SPANS_MAX`].
    pub is_truncated: bool,
    /// What of it was removed, if anything was. Rarely, one trace in a thousand million million, a trace that
    /// was never there is taken for one that was.
    pub evicted: Vec<Evicted>,
}

/// That spans of a service were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evicted {
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Whose.
    pub service: Text,
}

/// An operation of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The spans' name.
    pub name: Text,
    /// The spans' kind.
    pub kind: SpanKind,
}

pub(crate) struct Traces {
    pub(crate) shelf: Shelf<OpenSpans>,
    pub(crate) pinned: Shelf<OpenSpans>,
    gone: Gone,
}

fn read_error(path: &Path, source: io::Error) -> ReadError {
    ReadError::Io { path: path.to_owned(), source }
}

impl Traces {
    pub(crate) fn open(
        root: &Path,
        options: &Options,
        disk: &Arc<Disk>,
        facts: &Arc<Facts>,
        now_ms: i64,
    ) -> io::Result<Self> {
        let open = |signal: Signal| {
            Shelf::open(root.join(signal.name()), signal, options, disk.clone(), facts.clone(), now_ms)
        };
        Ok(Self {
            shelf: open(Signal::Traces)?,
            pinned: open(Signal::Pinned)?,
            gone: Gone::open(root.join("gone"), options.limit_bytes / 64)?,
        })
    }

    /// Gives what was not taken.
    pub(crate) fn ingest(&self, batch: &SpanBatch, now_ms: i64, cutoff_ms: Option<i64>) -> Result<Left, IngestError> {
        let cutoff_ns = cutoff_ms.and_then(|cutoff| u64::try_from(cutoff).ok()).map_or(0, |cutoff| cutoff * 1_000_000);
        let mut left = Left::default();
        let parts = batch.groups.iter().filter(|group| !group.spans.is_empty());
        let parts = parts.map(|group| (group.resource.service(), (group, 0)));
        self.shelf.ingest(now_ms, parts, |open, (group, from)| {
            *from = open.add(group, *from, cutoff_ns, &mut left);
            *from < group.spans.len()
        })?;
        Ok(left)
    }

    /// Traces in the order of their ids, none of which is there twice; without spans if none are kept.
    pub(crate) fn traces(&self, ids: &[TraceId]) -> Result<Vec<Trace>, ReadError> {
        let found = self.gather(ids, |row| row.spans.group(row.number, row.rest()?))?;
        let trace = |(id, mut groups): (&TraceId, Vec<SpanGroup>)| {
            let is_truncated = groups.len() > TRACE_SPANS_MAX;
            groups.truncate(TRACE_SPANS_MAX);
            let evicted = self.gone.holders(hash::trace(*id));
            Trace { batch: SpanBatch { groups: assemble(groups) }, is_truncated, evicted }
        };
        Ok(ids.iter().zip(found).map(trace).collect())
    }

    pub(crate) fn services(&self) -> Vec<Text> {
        let mut services: Vec<Text> = [&self.shelf, &self.pinned]
            .iter()
            .flat_map(|shelf| shelf.services())
            .map(|it| it.as_ref().into())
            .collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    pub(crate) fn operations(&self, service: &str) -> Vec<Operation> {
        let words = [&self.shelf, &self.pinned].map(|shelf| shelf.words(service)).concat();
        let operation = |word: &Text| {
            let (kind, name) = word.split_at_checked(1)?;
            Some(Operation { name: name.into(), kind: SpanKind::from_number(kind.parse().ok()?) })
        };
        let mut operations: Vec<Operation> = words.iter().filter_map(operation).collect();
        operations.sort_unstable();
        operations.dedup();
        operations
    }

    /// Removes a segment; spans of pinned traces move to the pinned shelf, and what goes is remembered.
    pub(crate) fn evict(&self, segment: &Arc<Segment>, pins: &HashSet<TraceId>, now_ms: i64) -> io::Result<()> {
        self.keep_pinned(segment, pins, now_ms)?;
        let path = self.gone.path(now_ms, segment);
        self.shelf.remove(segment, Some(&path))?;
        if segment.is_sealed() {
            self.gone.add(path, now_ms, segment.service());
        }
        Ok(())
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.shelf.bytes() + self.pinned.bytes() + self.gone.bytes()
    }

    fn keep_pinned(&self, segment: &Arc<Segment>, pins: &HashSet<TraceId>, now_ms: i64) -> io::Result<()> {
        if pins.is_empty() {
            return Ok(());
        }
        let pinned: HashSet<u64> = pins.iter().map(|id| hash::trace(*id)).collect();
        let mut numbers: Vec<u32> = self
            .shelf
            .keys(segment)?
            .into_iter()
            .filter(|(key, _)| pinned.contains(key))
            .map(|(_, number)| number)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let Some(reader) = self.shelf.read(segment)?.filter(|_| !numbers.is_empty()) else { return Ok(()) };
        for meta in numbers.iter().filter_map(|number| segment.blocks().get(*number as usize)) {
            let Some(frame) = reader.frame(meta)? else { continue };
            let kept = Spans::read(meta.body(&frame)).and_then(|spans| {
                let rest = spans.unpack_rest()?;
                let is_pinned = |row: &usize| spans.trace_id(*row).is_ok_and(|id| pins.contains(&id));
                (0..spans.len()).filter(is_pinned).map(|row| spans.group(row, &rest)).collect::<Result<Vec<_>, _>>()
            });
            let Ok(groups) = kept else {
                reader.tell_damage(meta);
                continue;
            };
            let parts = groups.iter().map(|group| (&**segment.service(), group));
            let add = |open: &mut OpenSpans, group: &mut &SpanGroup| {
                open.add(group, 0, 0, &mut Left::default()) < group.spans.len()
            };
            self.pinned.ingest(now_ms, parts, add).map_err(io::Error::other)?;
        }
        self.pinned.write(now_ms)?;
        self.pinned.sync()
    }
}

/// Joins groups of the same sender and scope, in order of start, and leaves out what was sent twice.
fn assemble(mut groups: Vec<SpanGroup>) -> Vec<SpanGroup> {
    let order = |group: &SpanGroup| group.spans.first().map(|span| (span.start_ns, span.span_id));
    groups.sort_by_key(order);
    let mut joined: Vec<SpanGroup> = Vec::new();
    let mut places: BTreeMap<(Text, Text), Vec<usize>> = BTreeMap::new();
    for mut group in groups {
        let place = places.entry((group.resource.service().into(), group.scope.name.clone())).or_default();
        let same = |place: &&usize| {
            joined.get(**place).is_some_and(|known| {
                (Arc::ptr_eq(&known.resource, &group.resource) || known.resource == group.resource)
                    && (Arc::ptr_eq(&known.scope, &group.scope) || known.scope == group.scope)
            })
        };
        match place.iter().find(same).and_then(|place| joined.get_mut(*place)) {
            Some(known) => {
                let start = |span: &console_model::Span| (span.start_ns, span.span_id);
                group.spans.retain(|span| {
                    !known.spans.iter().rev().take_while(|seen| start(seen) == start(span)).any(|seen| seen == span)
                });
                known.spans.append(&mut group.spans);
            }
            None => {
                place.push(joined.len());
                joined.push(group);
            }
        }
    }
    joined
}
