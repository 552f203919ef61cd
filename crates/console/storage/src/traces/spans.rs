//! Spans of a body, as readers see them: nothing of a row is looked at before it is asked for. How they are written
//! is in [`super::rows`].

use std::borrow::Cow;

use console_model::{Link, Span, SpanEvent, SpanGroup, SpanId, SpanKind, Status, StatusCode, Text, TraceId};
use memchr::memmem;

use crate::codec::{Damaged, Reader};
use crate::origin::{Origin, Origins};
use crate::pack::Section;

/// Spans of a body, columns unpacked.
pub(crate) struct Spans<'a> {
    columns: Cow<'a, [u8]>,
    /// Where each column begins, in the order in which they lie.
    places: [usize; COLUMNS],
    count: usize,
    name_table: Vec<Text>,
    origins: Vec<Origin>,
    rest: Section<'a>,
}

const COLUMNS: usize = 11;
/// Bytes of a cell of each column.
const WIDTHS: [usize; COLUMNS] = [16, 8, 8, 8, 8, 4, 4, 4, 1, 1, 1];
const TRACE: usize = 0;
const SPAN: usize = 1;
const PARENT: usize = 2;
const START: usize = 3;
/// End minus start, wrapped where a span ends before it starts.
const LENGTH: usize = 4;
const NAME: usize = 5;
const ORIGIN: usize = 6;
const REST_END: usize = 7;
const KIND: usize = 8;
const STATUS: usize = 9;
const LINKED: usize = 10;

impl<'a> Spans<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Damaged> {
        let mut sections = Reader::new(body);
        let columns = Section::read(&mut sections)?.unpack()?;
        let rest = Section::read(&mut sections)?;
        let mut reader = Reader::new(&columns);
        let count = reader.count()?;
        let mut places = [0; COLUMNS];
        for (place, width) in places.iter_mut().zip(WIDTHS) {
            *place = columns.len() - reader.rest().len();
            reader.take(count.checked_mul(width).ok_or(Damaged)?)?;
        }
        let name_table = (0..reader.count()?).map(|_| reader.text()).collect::<Result<_, _>>()?;
        let origins = Origins::read(&mut reader)?;
        Ok(Self { columns, places, count, name_table, origins, rest })
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// A column's cells.
    fn cells<const N: usize>(&self, column: usize) -> &[[u8; N]] {
        let from = self.places.get(column).copied().unwrap_or_default();
        self.columns.get(from..from + self.count * N).unwrap_or_default().as_chunks().0
    }

    /// A cell, zero beyond the last row.
    fn cell<const N: usize>(&self, column: usize, row: usize) -> [u8; N] {
        self.cells(column).get(row).copied().unwrap_or([0; N])
    }

    /// The traces of all rows, in their order.
    pub(crate) fn traces(&self) -> impl Iterator<Item = u128> + '_ {
        self.cells(TRACE).iter().map(|cell| u128::from_le_bytes(*cell))
    }

    pub(crate) fn trace(&self, row: usize) -> u128 {
        u128::from_le_bytes(self.cell(TRACE, row))
    }

    pub(crate) fn trace_id(&self, row: usize) -> Result<TraceId, Damaged> {
        TraceId::new(self.trace(row)).ok_or(Damaged)
    }

    pub(crate) fn span_id(&self, row: usize) -> Result<SpanId, Damaged> {
        SpanId::new(u64::from_le_bytes(self.cell(SPAN, row))).ok_or(Damaged)
    }

    /// None for a root.
    pub(crate) fn parent(&self, row: usize) -> Option<SpanId> {
        SpanId::new(u64::from_le_bytes(self.cell(PARENT, row)))
    }

    pub(crate) fn start_ns(&self, row: usize) -> u64 {
        u64::from_le_bytes(self.cell(START, row))
    }

    pub(crate) fn end_ns(&self, row: usize) -> u64 {
        self.start_ns(row).wrapping_add(u64::from_le_bytes(self.cell(LENGTH, row)))
    }

    /// How long a span took; 0 where it ends before it starts.
    pub(crate) fn duration_ns(&self, row: usize) -> u64 {
        self.end_ns(row).saturating_sub(self.start_ns(row))
    }

    /// The number that the rows of spans with this name have; `None` if no row has it.
    pub(crate) fn number_of_name(&self, name: &str) -> Option<u32> {
        self.name_table.iter().position(|known| known == name).map(|position| position as u32)
    }

    pub(crate) fn name_number(&self, row: usize) -> u32 {
        u32::from_le_bytes(self.cell(NAME, row))
    }

    pub(crate) fn name(&self, row: usize) -> Result<&Text, Damaged> {
        self.name_table.get(self.name_number(row) as usize).ok_or(Damaged)
    }

    pub(crate) fn origin(&self, row: usize) -> Option<&Origin> {
        self.origins.get(u32::from_le_bytes(self.cell(ORIGIN, row)) as usize)
    }

    pub(crate) fn kind(&self, row: usize) -> SpanKind {
        SpanKind::from_number(i32::from(u8::from_le_bytes(self.cell(KIND, row))))
    }

    pub(crate) fn status(&self, row: usize) -> StatusCode {
        StatusCode::from_number(i32::from(u8::from_le_bytes(self.cell(STATUS, row))))
    }

    pub(crate) fn is_linked(&self, row: usize) -> bool {
        self.cell(LINKED, row) == [1]
    }

    pub(crate) fn any_is_linked(&self) -> bool {
        self.cells(LINKED).contains(&[1])
    }

    /// What [`Spans::span`] needs beside the columns.
    pub(crate) fn unpack_rest(&self) -> Result<Cow<'a, [u8]>, Damaged> {
        self.rest.unpack()
    }

    fn rest_of<'r>(&self, row: usize, rest: &'r [u8]) -> Result<&'r [u8], Damaged> {
        let end = |row| u32::from_le_bytes(self.cell(REST_END, row)) as usize;
        rest.get(row.checked_sub(1).map_or(0, end)..end(row)).ok_or(Damaged)
    }

    /// The rows in whose part of the rest these bytes begin, each once, in order.
    pub(crate) fn rows_with(&self, rest: &[u8], bytes: &[u8]) -> Vec<usize> {
        let ends = self.cells(REST_END);
        let end_of = |end: &[u8; 4]| u32::from_le_bytes(*end) as usize;
        let finder = memmem::Finder::new(bytes);
        let (mut rows, mut from) = (Vec::new(), 0);
        while let Some(at) = rest.get(from..).and_then(|rest| finder.find(rest)).map(|at| from + at) {
            let row = ends.partition_point(|end| end_of(end) <= at);
            rows.push(row);
            // What else is in this row tells nothing new.
            from = ends.get(row).map_or(rest.len(), end_of).max(at + 1);
        }
        rows
    }

    /// One span with who sent it.
    pub(crate) fn group(&self, row: usize, rest: &[u8]) -> Result<SpanGroup, Damaged> {
        let Origin { resource, scope } = self.origin(row).ok_or(Damaged)?.clone();
        Ok(SpanGroup { resource, scope, spans: vec![self.span(row, rest)?] })
    }

    /// Where a span's own attributes are, and after them the rest of it.
    pub(crate) fn attributes<'r>(&self, row: usize, rest: &'r [u8]) -> Result<Reader<'r>, Damaged> {
        Ok(Reader::new(self.rest_of(row, rest)?))
    }

    /// One span, whole.
    pub(crate) fn span(&self, row: usize, rest: &[u8]) -> Result<Span, Damaged> {
        let mut reader = Reader::new(self.rest_of(row, rest)?);
        let mut span = Span::new(self.trace_id(row)?, self.span_id(row)?);
        span.parent_span_id = self.parent(row);
        span.start_ns = self.start_ns(row);
        span.end_ns = self.end_ns(row);
        span.name = self.name(row)?.clone();
        span.kind = self.kind(row);
        span.attributes = reader.attributes()?;
        span.flags = reader.u32()?;
        span.trace_state = reader.text()?;
        span.status = Status { code: self.status(row), message: reader.text()? };
        span.dropped_attributes_count = reader.u32()?;
        span.dropped_events_count = reader.u32()?;
        span.dropped_links_count = reader.u32()?;
        let start_ns = span.start_ns;
        span.events = (0..reader.count()?).map(|_| read_event(&mut reader, start_ns)).collect::<Result<_, _>>()?;
        span.links = (0..reader.count()?).map(|_| read_link(&mut reader)).collect::<Result<_, _>>()?;
        Ok(span)
    }
}

/// Reads on from the end of a span's attributes to its events, and gives how many there are.
pub(crate) fn skip_to_events(reader: &mut Reader<'_>) -> Result<usize, Damaged> {
    reader.u32()?;
    reader.str()?;
    reader.str()?;
    (0..3).try_for_each(|_| reader.u32().map(drop))?;
    reader.count()
}

/// Reads on to the attributes of an event.
pub(crate) fn skip_to_event_attributes(reader: &mut Reader<'_>) -> Result<(), Damaged> {
    reader.u64()?;
    reader.str().map(drop)
}

/// Reads on from the attributes of an event to its end.
pub(crate) fn skip_event_end(reader: &mut Reader<'_>) -> Result<(), Damaged> {
    reader.u32().map(drop)
}

fn read_event(reader: &mut Reader<'_>, start_ns: u64) -> Result<SpanEvent, Damaged> {
    Ok(SpanEvent {
        time_ns: start_ns.wrapping_add(reader.u64()?),
        name: reader.text()?,
        attributes: reader.attributes()?,
        dropped_attributes_count: reader.u32()?,
    })
}

fn read_link(reader: &mut Reader<'_>) -> Result<Link, Damaged> {
    Ok(Link {
        trace_id: TraceId::from_bytes(reader.take(16)?).map_err(|_| Damaged)?,
        span_id: SpanId::from_bytes(reader.take(8)?).map_err(|_| Damaged)?,
        trace_state: reader.text()?,
        attributes: reader.attributes()?,
        dropped_attributes_count: reader.u32()?,
        flags: reader.u32()?,
    })
}
