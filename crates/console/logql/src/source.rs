//! Where lines come from: the only thing that the engine knows of a store.

use console_model::{Labels, Text};

use crate::ast::Matcher;

/// Which lines are wanted: those that fulfil all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// On the labels of the stream.
    pub matchers: Vec<Matcher>,
    /// The earliest, nanoseconds since the Unix epoch.
    pub from_ns: u64,
    /// The latest, nanoseconds since the Unix epoch; it is part of it.
    pub to_ns: u64,
    /// Texts that a line has to contain, each of them.
    pub contains: Vec<Text>,
    /// Whether nobody will look at what lines say, so that it need not be read.
    pub skips_text: bool,
}

/// Which line comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The oldest.
    Forward,
    /// The newest.
    #[default]
    Backward,
    /// Any: whoever asks only counts.
    Any,
}

/// What is known of a piece of metadata without collecting all that a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// This.
    Value(&'a str),
    /// That the line has none of the name.
    Nothing,
    /// Only who collects all will see.
    Unknown,
}

/// A line, as long as it is shown.
pub trait Line {
    /// When it happened, nanoseconds since the Unix epoch.
    fn time_ns(&self) -> u64;

    /// What it says.
    fn text(&self) -> &str;

    /// Bytes of what it says.
    fn bytes(&self) -> usize {
        self.text().len()
    }

    /// The labels of its stream.
    fn stream(&self) -> &Labels;

    /// Shows its structured metadata: names that are labels' names, each once, and values. It is asked for
    /// only where a query needs it.
    fn metadata(&self, see: &mut dyn FnMut(&str, &str));

    /// One piece of it, where that takes less. It MUST be what [`Line::metadata`] shows under the name.
    fn known(&self, _name: &str) -> Known<'_> {
        Known::Unknown
    }
}

/// Lines of which no more is told than that they are selected, all of them.
#[derive(Debug, Clone, Copy)]
pub struct Bulk<'a> {
    /// The streams that they belong to; not each need have one.
    pub streams: &'a [Labels],
    /// How many.
    pub count: u64,
    /// When the oldest happened, nanoseconds since the Unix epoch.
    pub first_ns: u64,
    /// When the newest happened, nanoseconds since the Unix epoch.
    pub last_ns: u64,
}

/// Whether lines have been taken in bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// They have.
    Yes,
    /// They have not, but those up to this time would be, the oldest among them; nanoseconds since the Unix epoch.
    UpTo(u64),
    /// They have not: they have to be shown.
    No,
}

/// Whoever takes lines in any order.
pub trait Sink: Send {
    /// Takes a line, and says whether it wants more.
    fn line(&mut self, line: &dyn Line) -> bool;

    /// Takes lines without seeing them, or says that it has to see them.
    fn bulk(&mut self, bulk: &Bulk<'_>) -> Taken;
}

/// What reading took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scan {
    /// Bytes of lines that were looked at.
    pub bytes: u64,
    /// Lines that were shown.
    pub lines: u64,
    /// Blocks that were read.
    pub blocks: u64,
    /// Blocks that need not be read.
    pub blocks_skipped: u64,
}

impl Scan {
    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.blocks += other.blocks;
        self.blocks_skipped += other.blocks_skipped;
    }
}

/// A store of lines.
pub trait Source: Sync {
    /// Shows the selected lines in this order until `see` gives `false`. It MUST show none that the selection
    /// excludes, its texts included.
    fn lines(
        &self,
        selection: &Selection,
        order: Order,
        see: &mut dyn FnMut(&dyn Line) -> bool,
    ) -> Result<Scan, Box<dyn std::error::Error + Send + Sync>>;
    /// Shows the selected lines to sinks, in any order, each line to one of them, until one wants no more. Sinks MAY
    /// be served at the same time; a single thread serves the first alone.
    fn share(
        &self,
        selection: &Selection,
        sinks: &mut [&mut dyn Sink],
    ) -> Result<Scan, Box<dyn std::error::Error + Send + Sync>> {
        match sinks {
            [first, ..] => self.lines(selection, Order::Any, &mut |line| first.line(line)),
            [] => Ok(Scan::default()),
        }
    }
}
