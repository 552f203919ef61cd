//! Spans of traces whose ids are known: each block that holds some of them is read once, however many of the traces
//! it holds a part of, and many blocks are read on several threads.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use console_model::TraceId;
use hashbrown::HashMap;

use super::rows::OpenSpans;
use super::spans::Spans;
use super::{TRACE_SPANS_MAX, Traces, read_error};
use crate::codec::Damaged;
use crate::error::ReadError;
use crate::hash;
use crate::shelf::{OpenView, PartitionView, Segment, Shelf};

/// A thread is worth its start for this many blocks.
const PLACES_PER_THREAD: usize = 16;
/// As many threads as this read for one reader at most; those who write need some of the machine, too.
const THREADS_MAX: usize = 4;

/// A span of one of the traces.
pub(super) struct Row<'a> {
    pub(super) spans: &'a Spans<'a>,
    pub(super) number: usize,
    rest: &'a OnceCell<Cow<'a, [u8]>>,
}

impl Row<'_> {
    /// What [`Spans::span`] needs beside the columns, unpacked when it is asked for the first time.
    pub(super) fn rest(&self) -> Result<&[u8], Damaged> {
        match self.rest.get() {
            Some(rest) => Ok(rest),
            None => {
                let rest = self.spans.unpack_rest()?;
                Ok(self.rest.get_or_init(|| rest))
            }
        }
    }
}

/// Where spans of the traces are.
enum Place<'a> {
    Block(&'a Shelf<OpenSpans>, Arc<Segment>, usize),
    Open(Arc<OpenView>),
}

impl Traces {
    /// Takes something of each span of the traces; what was taken comes in the order of the ids, a little more than
    /// [`TRACE_SPANS_MAX`] of each at most.
    pub(super) fn gather<T: Send>(
        &self,
        ids: &[TraceId],
        take: impl Fn(&Row<'_>) -> Result<T, Damaged> + Sync,
    ) -> Result<Vec<Vec<T>>, ReadError> {
        let wanted: HashMap<u128, usize> = ids.iter().zip(0..).map(|(id, number)| (id.get(), number)).collect();
        let places = self.places(ids, &wanted)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (places.len() / PLACES_PER_THREAD).min(cores).clamp(1, THREADS_MAX);
        let read = |places: &[Place<'_>]| -> Result<Vec<Vec<T>>, ReadError> {
            let mut taken: Vec<Vec<T>> = ids.iter().map(|_| Vec::new()).collect();
            places.iter().try_for_each(|place| read(place, &wanted, &take, &mut taken)).map(|()| taken)
        };
        if threads == 1 {
            return read(&places);
        }
        let mut parts = places.chunks(places.len().div_ceil(threads));
        let own = parts.next().unwrap_or_default();
        let (mut all, others) = std::thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(|| read(part))).collect();
            let own = read(own);
            (own, others.into_iter().map(|other| other.join()).collect::<Vec<_>>())
        });
        for other in others {
            let other = other.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all = all.and_then(|mut all| {
                all.iter_mut().zip(other?).for_each(|(all, mut more)| all.append(&mut more));
                Ok(all)
            });
        }
        all
    }

    fn places(&self, ids: &[TraceId], wanted: &HashMap<u128, usize>) -> Result<Vec<Place<'_>>, ReadError> {
        let keys: Vec<u64> = ids.iter().map(|id| hash::trace(*id)).collect();
        let mut places = Vec::new();
        for shelf in [&self.shelf, &self.pinned] {
            for view in shelf.view_open(|_| true, |open| open.holds_any(|trace| wanted.contains_key(&trace))) {
                let PartitionView { segments, open } = view;
                for segment in segments {
                    let numbers = shelf.find(&segment, &keys).map_err(|error| read_error(segment.path(), error))?;
                    places.extend(numbers.into_iter().map(|number| Place::Block(shelf, segment.clone(), number)));
                }
                places.extend(open.map(Place::Open));
            }
        }
        Ok(places)
    }
}

fn read<T>(
    place: &Place<'_>,
    wanted: &HashMap<u128, usize>,
    take: &impl Fn(&Row<'_>) -> Result<T, Damaged>,
    taken: &mut [Vec<T>],
) -> Result<(), ReadError> {
    match place {
        Place::Open(open) => {
            // Written a moment ago by this process: it is what it was written as.
            let _: Result<(), Damaged> = read_body(&open.body, wanted, take, taken);
        }
        Place::Block(shelf, segment, number) => {
            let failed = |error| read_error(segment.path(), error);
            let Some(meta) = segment.blocks().get(*number) else { return Ok(()) };
            let Some(reader) = shelf.read(segment).map_err(failed)? else { return Ok(()) };
            if let Some(frame) = reader.frame(meta).map_err(failed)?
                && read_body(meta.body(&frame), wanted, take, taken).is_err()
            {
                reader.tell_damage(meta);
            }
        }
    }
    Ok(())
}

fn read_body<T>(
    body: &[u8],
    wanted: &HashMap<u128, usize>,
    take: &impl Fn(&Row<'_>) -> Result<T, Damaged>,
    taken: &mut [Vec<T>],
) -> Result<(), Damaged> {
    let spans = Spans::read(body)?;
    let rest = OnceCell::new();
    for (number, trace) in spans.traces().enumerate() {
        let Some(taken) = wanted.get(&trace).and_then(|place| taken.get_mut(*place)) else { continue };
        if taken.len() <= TRACE_SPANS_MAX {
            taken.push(take(&Row { spans: &spans, number, rest: &rest })?);
        }
    }
    Ok(())
}
