//! Log records of a body, as they are read: columns at once, lines and the records' other parts when somebody asks
//! for them. How they are written is the business of `rows`.

use console_model::{Labels, Level, LogRecord, SpanId, Text, TraceId, Value};

use super::rows::{HAS_BODY, HAS_SPAN, HAS_TIME, HAS_TRACE};
use crate::codec::{Damaged, Reader};
use crate::origin::{Origin, Origins};
use crate::pack::Section;

/// Everything by which rows are selected, but for their lines.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) times: Vec<u64>,
    pub(crate) stream_numbers: Vec<u32>,
    origin_numbers: Vec<u32>,
    pub(crate) text_ends: Vec<u32>,
    rest_ends: Vec<u32>,
    pub(crate) streams: Vec<Labels>,
    pub(crate) origins: Vec<Origin>,
    /// None in a block of a program that did not find levels yet.
    levels: Option<Vec<u8>>,
    /// The keys of all records' attributes; none where they are too many, or not known.
    keys: Option<Vec<Text>>,
}

/// A body with its sections apart.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub(crate) columns: Columns,
    pub(crate) text: Section<'a>,
    pub(crate) rest: Section<'a>,
}

impl<'a> Body<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Reader::new(body);
        let (columns, _) = Columns::read(&Section::read(&mut reader)?.unpack()?)?;
        Ok(Self { columns, text: Section::read(&mut reader)?, rest: Section::read(&mut reader)? })
    }

    /// The two sections behind the columns.
    pub(crate) fn sections(body: &'a [u8]) -> Result<(Section<'a>, Section<'a>), Damaged> {
        let mut reader = Reader::new(body);
        Section::read(&mut reader)?;
        Ok((Section::read(&mut reader)?, Section::read(&mut reader)?))
    }
}

/// The lines of a body, one after the other.
pub(crate) fn lines(text: &Section<'_>) -> Result<String, Damaged> {
    String::from_utf8(text.unpack()?.into_owned()).map_err(|_| Damaged)
}

/// What columns end with, so that they can be read without the rest of their block: the CRC-32 of what is before.
pub(super) fn put_check(columns: &mut Vec<u8>) {
    let crc = crc32fast::hash(columns);
    columns.extend_from_slice(&crc.to_le_bytes());
}

impl Columns {
    /// Reads them of their packed section alone, whose bytes nobody has checked. Those that do not check
    /// themselves yet are [`Damaged`], for all that is known.
    pub(crate) fn read_alone(section: &[u8]) -> Result<Self, Damaged> {
        match Self::read(&Section::read(&mut Reader::new(section))?.unpack()?)? {
            (columns, true) => Ok(columns),
            (_, false) => Err(Damaged),
        }
    }

    /// Gives whether they checked themselves, too.
    fn read(bytes: &[u8]) -> Result<(Self, bool), Damaged> {
        let mut reader = Reader::new(bytes);
        let count = reader.count()?;
        let mut columns = Self {
            times: reader.column(count, u64::from_le_bytes)?,
            stream_numbers: reader.column(count, u32::from_le_bytes)?,
            origin_numbers: reader.column(count, u32::from_le_bytes)?,
            text_ends: reader.column(count, u32::from_le_bytes)?,
            rest_ends: reader.column(count, u32::from_le_bytes)?,
            streams: (0..reader.count()?)
                .map(|_| Labels::from_packed(reader.str()?).ok_or(Damaged))
                .collect::<Result<_, _>>()?,
            origins: Origins::read(&mut reader)?,
            levels: None,
            keys: None,
        };
        // Blocks from before there were levels end here.
        if !reader.is_empty() {
            columns.levels = Some(reader.take(count)?.to_vec());
            if reader.u8()? != 0 {
                columns.keys = Some((0..reader.count()?).map(|_| reader.text()).collect::<Result<_, _>>()?);
            }
        }
        let checked = bytes.len() - reader.rest().len();
        let is_checked = !reader.is_empty();
        if is_checked && reader.fixed_u32()? != crc32fast::hash(bytes.get(..checked).unwrap_or_default()) {
            return Err(Damaged);
        }
        Ok((columns, is_checked))
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn stream(&self, row: usize) -> Option<&Labels> {
        self.streams.get(*self.stream_numbers.get(row)? as usize)
    }

    pub(crate) fn origin(&self, row: usize) -> Option<&Origin> {
        self.origins.get(*self.origin_numbers.get(row)? as usize)
    }

    /// The level that was found when the record came; none where none was looked for.
    pub(crate) fn level(&self, row: usize) -> Option<Level> {
        self.levels.as_ref()?.get(row).copied().and_then(Level::from_number)
    }

    pub(crate) fn keys(&self) -> Option<&[Text]> {
        self.keys.as_deref()
    }

    /// Bytes of all lines.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_ends.last().copied().unwrap_or(0) as usize
    }

    /// Bytes of a row's line.
    pub(crate) fn line_bytes(&self, row: usize) -> usize {
        let (from, to) = range(&self.text_ends, row);
        to.saturating_sub(from)
    }

    /// A row's line; `text` is the unpacked second section.
    pub(crate) fn line<'a>(&self, row: usize, text: &'a str) -> &'a str {
        let (from, to) = range(&self.text_ends, row);
        text.get(from..to).unwrap_or_default()
    }

    /// One record, whole; `line` is its line, `rest` the unpacked third section.
    pub(crate) fn record(&self, row: usize, line: &str, rest: &[u8]) -> Result<LogRecord, Damaged> {
        let (from, to) = range(&self.rest_ends, row);
        let mut reader = Reader::new(rest.get(from..to).ok_or(Damaged)?);
        let order = self.times.get(row).copied().ok_or(Damaged)?;
        let has = reader.u8()?;
        let observed_time_ns = order.wrapping_add(reader.i64()? as u64);
        let mut record = LogRecord {
            time_ns: if has & HAS_TIME != 0 { order } else { 0 },
            observed_time_ns,
            severity_number: i32::try_from(reader.i64()?).map_err(|_| Damaged)?,
            severity_text: reader.text()?,
            flags: reader.u32()?,
            dropped_attributes_count: reader.u32()?,
            event_name: reader.text()?,
            ..LogRecord::default()
        };
        if has & HAS_TRACE != 0 {
            record.trace_id = Some(TraceId::from_bytes(reader.take(16)?).map_err(|_| Damaged)?);
        }
        if has & HAS_SPAN != 0 {
            record.span_id = Some(SpanId::from_bytes(reader.take(8)?).map_err(|_| Damaged)?);
        }
        record.attributes = reader.attributes()?;
        record.body = if has & HAS_BODY != 0 { reader.value()? } else { Value::String(line.into()) };
        Ok(record)
    }
}

fn range(ends: &[u32], row: usize) -> (usize, usize) {
    let from = row.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0);
    (from as usize, ends.get(row).copied().unwrap_or(from) as usize)
}

#[cfg(test)]
mod tests {
    use console_model::LogGroup;

    use super::*;
    use crate::logs::rows::OpenLogs;
    use crate::shelf::{Form, Left, Rows};

    #[test]
    fn a_body_from_before_there_were_levels_is_read_without_them() {
        let record =
            LogRecord { time_ns: 5, severity_number: 9, body: Value::String("x".into()), ..LogRecord::default() };
        let group = LogGroup {
            stream: Labels::from_pairs([("app", "x")]),
            resource: Default::default(),
            scope: Default::default(),
            records: vec![record],
        };
        let mut open = OpenLogs::default();
        open.add(&group, &group.stream, 0, 0, &mut Left::default());
        let body = open.encode(0, Form::Plain).body;
        let now = Body::read(&body).unwrap();
        assert_eq!((now.columns.level(0), now.columns.keys()), (Some(Level::Info), Some(&[][..])));
        // One level, that keys are told, that there are none, and the check.
        let columns = Section::read(&mut Reader::new(&body)).unwrap().unpack().unwrap();
        let (before, is_checked) = Columns::read(&columns[..columns.len() - 7]).unwrap();
        assert_eq!((before.level(0), before.keys(), is_checked), (None, None, false));
        assert_eq!(before.stream(0), Some(&group.stream));
        for cut in [1, 2, 3, 5, 6] {
            assert!(Columns::read(&columns[..columns.len() - cut]).is_err(), "what is cut off is damaged");
        }
    }

    #[test]
    fn columns_alone_are_read_only_if_they_are_what_was_written() {
        let mut open = OpenLogs::default();
        let record = LogRecord { time_ns: 5, body: Value::String("x".into()), ..LogRecord::default() };
        let group = LogGroup {
            stream: Labels::from_pairs([("app", "x")]),
            resource: Default::default(),
            scope: Default::default(),
            records: vec![record; 20],
        };
        open.add(&group, &group.stream, 0, 0, &mut Left::default());
        for form in [Form::Plain, Form::Packed] {
            let body = open.encode(0, form).body;
            let length = crate::pack::length(&body).unwrap();
            let section = &body[..length];
            assert_eq!(Columns::read_alone(section).unwrap().times, [5; 20]);
            for at in 0..length {
                let mut changed = section.to_vec();
                changed[at] ^= 1;
                let read = Columns::read_alone(&changed);
                assert!(read.is_err() || read.is_ok_and(|read| read.times == [5; 20]), "byte {at}");
            }
            let old = &body[..0];
            assert!(Columns::read_alone(old).is_err());
        }
    }
}
