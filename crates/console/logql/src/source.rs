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

/// A line, as long as it is shown.
pub trait Line {
    /// When it happened, nanoseconds since the Unix epoch.
    fn time_ns(&self) -> u64;

    /// What it says.
    fn text(&self) -> &str;

    /// The labels of its stream.
    fn stream(&self) -> &Labels;

    /// Shows its structured metadata: names that are labels' names, each once, and values. It is asked for
    /// only where a query needs it.
    fn metadata(&self, see: &mut dyn FnMut(&str, &str));
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
pub trait Source {
    /// Shows the selected lines in this order until `see` gives `false`. It MUST show none that the selection
    /// excludes, its texts included.
    fn lines(
        &self,
        selection: &Selection,
        order: Order,
        see: &mut dyn FnMut(&dyn Line) -> bool,
    ) -> Result<Scan, Box<dyn std::error::Error + Send + Sync>>;
}
