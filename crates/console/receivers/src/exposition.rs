//! Reads what Prometheus targets expose: the text format 0.0.4 and OpenMetrics 1.0 text, in one pass and in
//! place. Where the text comes from, and what labels a target adds, is `scrape`'s business.
//!
//! The formats: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>. Where these leave
//! something open, or Prometheus is more lenient, this reads as Prometheus does.

mod batch;
mod cursor;
mod fault;
#[cfg(test)]
mod tests;

use console_model::MetricKind;

pub(crate) use batch::Metadata;
pub use batch::read;
use cursor::Cursor;
pub use cursor::Part;
pub use fault::{Error, Fault};

/// Labels of one sample at most; no target comes near it.
const LABELS_MAX: usize = 256;

/// Which of the two formats a text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4: times in milliseconds, no exemplars, ends anywhere.
    Text,
    /// OpenMetrics 1.0: times in seconds, exemplars, ends with `# EOF`.
    OpenMetrics,
}

impl Format {
    /// The format that a `Content-Type` names. No content type, or that of plain text, is taken for the
    /// text format; an error holds what was found instead.
    pub fn from_content_type(content_type: Option<&str>) -> Result<Self, UnknownContentType> {
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/openmetrics-text") {
            return Ok(Self::OpenMetrics);
        }
        if media_type.is_empty() || media_type.eq_ignore_ascii_case("text/plain") {
            return Ok(Self::Text);
        }
        let cut = media_type.floor_char_boundary(100);
        Err(UnknownContentType(media_type.get(..cut).unwrap_or_default().to_owned()))
    }
}

/// A target that answers with something else than metrics as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the content type {0:?} is no text of metrics, as text/plain or application/openmetrics-text are")]
pub struct UnknownContentType(String);

/// What a line says.
#[derive(Debug)]
pub enum Entry<'p, 'a> {
    /// `# TYPE`
    Kind {
        /// The metric family.
        family: Part<'a>,
        /// Its type.
        kind: MetricKind,
    },
    /// `# HELP`
    Help {
        /// The metric family.
        family: Part<'a>,
        /// What it is about.
        help: Part<'a>,
    },
    /// `# UNIT`, in OpenMetrics only.
    Unit {
        /// The metric family.
        family: Part<'a>,
        /// Its unit.
        unit: &'a str,
    },
    /// A sample.
    Sample(Sample<'p, 'a>),
}

/// A sample, as its line has it.
#[derive(Debug)]
pub struct Sample<'p, 'a> {
    /// Name and labels as they were written, which is a key for whoever has seen the line before.
    pub series: &'a str,
    /// The name of the series.
    pub name: Part<'a>,
    /// Its labels in the order they came, names not repeated.
    pub labels: &'p [(Part<'a>, Part<'a>)],
    /// The type of the metric that was described last, which is that of this series in a text in order.
    pub kind: MetricKind,
    /// The value. Every NaN is Prometheus' ordinary one: a text cannot mark a series as ended.
    pub value: f64,
    /// When it was measured, milliseconds since the Unix epoch, if the target says so.
    pub time_ms: Option<i64>,
    /// What it stands for, in OpenMetrics only.
    pub exemplar: Option<Exemplar<'p, 'a>>,
    /// Whether the value is the time at which a counter, histogram or summary began, which OpenMetrics has
    /// as a series with `_created` behind the name of the family.
    pub created: bool,
}

/// An exemplar, as its line has it.
#[derive(Debug)]
pub struct Exemplar<'p, 'a> {
    /// Its labels in the order they came.
    pub labels: &'p [(Part<'a>, Part<'a>)],
    /// What was measured.
    pub value: f64,
    /// When, milliseconds since the Unix epoch, if the target says so.
    pub time_ms: Option<i64>,
}

/// Reads entry after entry. After an error there is nothing more to be had.
#[derive(Debug)]
pub struct Parser<'a> {
    format: Format,
    rest: &'a str,
    line: usize,
    has_ended: bool,
    family: &'a str,
    kind: MetricKind,
    labels: Vec<(Part<'a>, Part<'a>)>,
    exemplar_labels: Vec<(Part<'a>, Part<'a>)>,
}

type Pairs<'a> = Vec<(Part<'a>, Part<'a>)>;

impl<'a> Parser<'a> {
    /// Reads this text.
    pub fn new(text: &'a str, format: Format) -> Self {
        Self {
            format,
            rest: text,
            line: 0,
            has_ended: false,
            family: "",
            kind: MetricKind::Unknown,
            labels: Vec::new(),
            exemplar_labels: Vec::new(),
        }
    }

    /// The number of the line that was read last, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The next entry; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_, 'a>>, Error> {
        while !self.rest.is_empty() {
            let (line, rest) = match memchr::memchr(b'\n', self.rest.as_bytes()) {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, ""),
            };
            self.line += 1;
            self.rest = rest;
            let line = line.strip_suffix('\r').unwrap_or(line);
            let mut cursor = Cursor::new(line);
            if self.format == Format::Text {
                cursor.skip_blanks();
            }
            let found = match cursor.peek() {
                _ if self.has_ended => Err(Fault::AfterEnd),
                Some(b'#') => self.comment(&mut cursor),
                None if self.format == Format::OpenMetrics => Err(Fault::EmptyLine),
                None => Ok(None),
                Some(_) => return self.sample(cursor).map(|sample| Some(Entry::Sample(sample))),
            };
            match found {
                Ok(None) => {}
                Ok(entry) => return Ok(entry),
                Err(fault) => return Err(self.fail(fault)),
            }
        }
        if self.format == Format::OpenMetrics && !self.has_ended {
            self.has_ended = true;
            return Err(Error { line: self.line.max(1), fault: Fault::NoEnd });
        }
        Ok(None)
    }

    fn fail(&mut self, fault: Fault) -> Error {
        self.rest = "";
        self.has_ended = true;
        Error { line: self.line, fault }
    }

    fn comment(&mut self, cursor: &mut Cursor<'a>) -> Result<Option<Entry<'a, 'a>>, Fault> {
        cursor.bump();
        cursor.skip_blanks();
        let is_open_metrics = self.format == Format::OpenMetrics;
        match cursor.token() {
            "TYPE" => {
                let family = family(cursor)?;
                let word = cursor.remainder().trim_ascii();
                let kind = kind(word, self.format).ok_or_else(|| Fault::Kind(Fault::quote(word)))?;
                (self.family, self.kind) = (family.raw(), kind);
                Ok(Some(Entry::Kind { family, kind }))
            }
            "HELP" => {
                let family = family(cursor)?;
                let help = Part::escaped_if_needed(cursor.remainder());
                Ok(Some(Entry::Help { family, help }))
            }
            "UNIT" if is_open_metrics => {
                let family = family(cursor)?;
                let unit = cursor.remainder().trim_ascii();
                let fits = family.raw().strip_suffix(unit).is_some_and(|head| head.ends_with('_'));
                if !unit.is_empty() && !fits {
                    return Err(Fault::Unit { unit: Fault::quote(unit), family: Fault::quote(family.raw()) });
                }
                Ok(Some(Entry::Unit { family, unit }))
            }
            "EOF" if is_open_metrics && cursor.remainder().is_empty() => {
                self.has_ended = true;
                Ok(None)
            }
            other if is_open_metrics => Err(Fault::Comment(Fault::quote(other))),
            _ => Ok(None),
        }
    }

    fn sample(&mut self, cursor: Cursor<'a>) -> Result<Sample<'_, 'a>, Error> {
        match self.read_sample(cursor) {
            Ok(read) => Ok(Sample {
                series: read.series,
                name: read.name,
                labels: &self.labels,
                kind: self.kind,
                value: read.value,
                time_ms: read.time_ms,
                exemplar: read.exemplar.map(|(value, time_ms)| Exemplar {
                    labels: &self.exemplar_labels,
                    value,
                    time_ms,
                }),
                created: read.created,
            }),
            Err(fault) => Err(self.fail(fault)),
        }
    }

    fn read_sample(&mut self, mut cursor: Cursor<'a>) -> Result<Read<'a>, Fault> {
        let start = cursor.position();
        let mut name = cursor.metric_name();
        cursor.skip_blanks();
        self.labels.clear();
        let mut end = name.map_or(start, |name| start + name.len());
        if cursor.peek() == Some(b'{') {
            cursor.bump();
            let mut quoted = None;
            pairs(&mut cursor, &mut self.labels, name.is_none().then_some(&mut quoted))?;
            end = cursor.position();
            if let Some(part) = quoted {
                return self.read_values(cursor, start, end, part);
            }
        }
        match name.take() {
            Some(name) => self.read_values(cursor, start, end, Part::plain(name)),
            None => Err(Fault::Name(Fault::quote(cursor.line()))),
        }
    }

    fn read_values(
        &mut self,
        mut cursor: Cursor<'a>,
        start: usize,
        end: usize,
        name: Part<'a>,
    ) -> Result<Read<'a>, Fault> {
        let series = cursor.slice(start, end);
        let value = value(&mut cursor)?;
        let mut time_ms = None;
        let mut exemplar = None;
        cursor.skip_blanks();
        if !matches!(cursor.peek(), None | Some(b'#')) {
            time_ms = Some(self.time(cursor.token())?);
            cursor.skip_blanks();
        }
        if cursor.peek() == Some(b'#') && self.format == Format::OpenMetrics {
            cursor.bump();
            exemplar = Some(self.exemplar(&mut cursor)?);
            cursor.skip_blanks();
        }
        if cursor.peek().is_some() {
            return Err(Fault::Behind(Fault::quote(cursor.remainder())));
        }
        let created = self.format == Format::OpenMetrics
            && name.raw().strip_suffix("_created").is_some_and(|family| family == self.family)
            && matches!(
                self.kind,
                MetricKind::Counter | MetricKind::Histogram | MetricKind::Summary | MetricKind::GaugeHistogram
            );
        Ok(Read { series, name, value, time_ms, exemplar, created })
    }

    fn exemplar(&mut self, cursor: &mut Cursor<'a>) -> Result<(f64, Option<i64>), Fault> {
        cursor.skip_blanks();
        if cursor.peek() != Some(b'{') {
            return Err(Fault::Exemplar);
        }
        cursor.bump();
        self.exemplar_labels.clear();
        pairs(cursor, &mut self.exemplar_labels, None)?;
        let value = value(cursor)?;
        cursor.skip_blanks();
        let time_ms = if cursor.peek().is_some() { Some(self.time(cursor.token())?) } else { None };
        Ok((value, time_ms))
    }

    /// A time, milliseconds since the Unix epoch.
    fn time(&self, token: &str) -> Result<i64, Fault> {
        let wrong = || Fault::Time { found: Fault::quote(token), is_seconds: self.format == Format::OpenMetrics };
        match self.format {
            Format::Text => token.parse().map_err(|_| wrong()),
            Format::OpenMetrics => {
                let time_ms = token.parse::<f64>().map_err(|_| wrong())? * 1e3;
                // Beyond this a number of milliseconds is no date that anything can hold.
                if time_ms.is_finite() && time_ms.abs() < 9e18 { Ok(time_ms.round() as i64) } else { Err(wrong()) }
            }
        }
    }
}

struct Read<'a> {
    series: &'a str,
    name: Part<'a>,
    value: f64,
    time_ms: Option<i64>,
    exemplar: Option<(f64, Option<i64>)>,
    created: bool,
}

fn family<'a>(cursor: &mut Cursor<'a>) -> Result<Part<'a>, Fault> {
    cursor.skip_blanks();
    let family = if cursor.peek() == Some(b'"') {
        Some(cursor.quoted()?).filter(|part| !part.raw().is_empty())
    } else {
        cursor.metric_name().map(Part::plain)
    };
    let family = family.ok_or_else(|| Fault::Name(Fault::quote(cursor.line())))?;
    match cursor.peek() {
        None => {}
        Some(b' ' | b'\t') => cursor.skip_blanks(),
        Some(_) => return Err(Fault::Name(Fault::quote(cursor.line()))),
    }
    Ok(family)
}

fn kind(word: &str, format: Format) -> Option<MetricKind> {
    Some(match (word, format) {
        ("counter", _) => MetricKind::Counter,
        ("gauge", _) => MetricKind::Gauge,
        ("histogram", _) => MetricKind::Histogram,
        ("summary", _) => MetricKind::Summary,
        ("untyped", Format::Text) | ("unknown", _) => MetricKind::Unknown,
        ("gaugehistogram", _) => MetricKind::GaugeHistogram,
        ("info", _) => MetricKind::Info,
        ("stateset", _) => MetricKind::StateSet,
        _ => return None,
    })
}

/// The pairs up to and with the closing brace. Where a name is still missing, a quoted text without a value
/// is that.
fn pairs<'a>(
    cursor: &mut Cursor<'a>,
    pairs: &mut Pairs<'a>,
    mut metric: Option<&mut Option<Part<'a>>>,
) -> Result<(), Fault> {
    loop {
        cursor.skip_blanks();
        let name = match cursor.peek() {
            Some(b'}') => break,
            Some(b'"') => cursor.quoted()?,
            _ => Part::plain(cursor.label_name().ok_or_else(|| Fault::LabelName(Fault::quote(cursor.remainder())))?),
        };
        let is_quoted = cursor.is_behind_quote();
        cursor.skip_blanks();
        if name.raw().is_empty() {
            return Err(Fault::LabelName(String::new()));
        }
        match (cursor.peek(), &mut metric) {
            (Some(b'='), _) => {
                cursor.bump();
                cursor.skip_blanks();
                let value = cursor.quoted()?;
                add(pairs, name, value)?;
                cursor.skip_blanks();
            }
            (Some(b',' | b'}'), Some(metric)) if is_quoted && metric.is_none() => **metric = Some(name),
            _ => return Err(Fault::NoEquals(Fault::quote(name.raw()))),
        }
        match cursor.peek() {
            Some(b',') => cursor.bump(),
            Some(b'}') => break,
            _ => return Err(Fault::NoBrace(Fault::quote(cursor.remainder()))),
        }
    }
    cursor.bump();
    Ok(())
}

fn add<'a>(pairs: &mut Pairs<'a>, name: Part<'a>, value: Part<'a>) -> Result<(), Fault> {
    if pairs.len() >= LABELS_MAX {
        return Err(Fault::Labels(LABELS_MAX));
    }
    if pairs.iter().any(|(other, _)| other.is_same(name)) {
        return Err(Fault::Repeated(Fault::quote(name.raw())));
    }
    pairs.push((name, value));
    Ok(())
}

fn value(cursor: &mut Cursor<'_>) -> Result<f64, Fault> {
    cursor.skip_blanks();
    let token = cursor.token();
    match cursor::number(token) {
        Some(value) => Ok(value),
        None if token.is_empty() => Err(Fault::NoValue),
        None => Err(Fault::Value(Fault::quote(token))),
    }
}
