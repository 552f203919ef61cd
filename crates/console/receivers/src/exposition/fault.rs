//! What can be wrong with a text of metrics, in words. The checks themselves are the parser's.

/// What is wrong, and in which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a line. Text that it repeats is cut to 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No name of a metric where one has to be.
    #[error("no name of a metric in {0:?}, as there is in http_requests_total{{method=\"post\"}} 1027")]
    Name(String),
    /// No name of a label where one has to be.
    #[error("no name of a label at {0:?}, as there is in {{method=\"post\"}}")]
    LabelName(String),
    /// A label without a value.
    #[error("the label {0:?} has no value, as in {{method=\"post\"}}")]
    NoEquals(String),
    /// A text without its second quote, or without its first.
    #[error("no text in quotes at {0:?}, as in {{method=\"post\"}}")]
    Quote(String),
    /// Labels without their closing brace.
    #[error("neither a comma nor a closing brace at {0:?}, as in {{method=\"post\",code=\"200\"}}")]
    NoBrace(String),
    /// A label twice.
    #[error("the label {0:?} is there twice")]
    Repeated(String),
    /// Too many labels.
    #[error("more than {0} labels")]
    Labels(usize),
    /// No value.
    #[error("no value behind the series, as in up 1")]
    NoValue,
    /// A value that is no number.
    #[error("{0:?} is no number, as 1027, 1.5e-3, NaN and +Inf are")]
    Value(String),
    /// A time that is none.
    #[error("{found:?} is no time in {} since 1970, as {} is",
        if *.is_seconds { "seconds" } else { "milliseconds" },
        if *.is_seconds { "1395066363.000" } else { "1395066363000" })]
    Time {
        /// What is there.
        found: String,
        /// Whether it has to be seconds, not milliseconds.
        is_seconds: bool,
    },
    /// Something behind the value and the time.
    #[error("{0:?} behind the sample")]
    Behind(String),
    /// An exemplar without labels.
    #[error("an exemplar without labels, which are as in # {{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"}} 0.5")]
    Exemplar,
    /// A type that does not exist.
    #[error("{0:?} is no type of a metric, as counter, gauge, histogram and summary are")]
    Kind(String),
    /// A unit that is not the end of the name.
    #[error("the unit {unit:?} is not the end of the name {family:?}, as seconds is of rtt_seconds")]
    Unit {
        /// The unit.
        unit: String,
        /// The metric family.
        family: String,
    },
    /// A comment where only descriptions may be.
    #[error("a comment that begins with {0:?}, but OpenMetrics has HELP, TYPE, UNIT and EOF only")]
    Comment(String),
    /// An empty line in OpenMetrics.
    #[error("an empty line, which OpenMetrics does not have")]
    EmptyLine,
    /// No `# EOF`: the text was cut off.
    #[error("the text does not end with # EOF: it was cut off")]
    NoEnd,
    /// Something behind `# EOF`.
    #[error("there is something behind # EOF")]
    AfterEnd,
}

impl Fault {
    /// What is repeated of the text, bounded.
    pub(super) fn quote(text: &str) -> String {
        text.get(..text.floor_char_boundary(64)).unwrap_or_default().to_owned()
    }
}
