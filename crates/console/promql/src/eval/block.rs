//! A vector over all steps: rows of labels over one table of numbers. What is computed with it is the
//! business of the other modules.

use std::cell::Cell;
use std::sync::Arc;

use console_model::{FloatHistogram, LabelSetBuilder, Labels};
use hashbrown::HashMap;

use crate::Error;
use crate::storage::{ABSENT, HISTOGRAM};

/// The name of a series among its labels.
pub(super) const NAME: &str = "__name__";

/// Histograms of a row and the steps they are at, in rising order.
pub(super) type Histograms = Vec<(usize, Arc<FloatHistogram>)>;

/// Nothing at a step.
pub(super) const fn absent() -> f64 {
    f64::from_bits(ABSENT)
}

/// Whether there is nothing at a step.
pub(super) const fn is_absent(cell: f64) -> bool {
    cell.to_bits() == ABSENT
}

/// Whether there is a histogram at a step.
pub(super) const fn is_histogram(cell: f64) -> bool {
    cell.to_bits() == HISTOGRAM
}

/// Whether there is a number at a step.
pub(super) const fn is_float(cell: f64) -> bool {
    !is_absent(cell) && !is_histogram(cell)
}

/// Counts what is in memory at once.
#[derive(Debug)]
pub(super) struct Meter {
    max: usize,
    now: Cell<usize>,
    peak: Cell<usize>,
}

impl Meter {
    pub(super) const fn new(max: usize) -> Self {
        Self { max, now: Cell::new(0), peak: Cell::new(0) }
    }

    pub(super) const fn peak(&self) -> usize {
        self.peak.get()
    }

    fn add(&self, cells: usize) -> Result<(), Error> {
        let now = self.now.get().saturating_add(cells);
        if now > self.max {
            return Err(Error::TooManySamples);
        }
        self.now.set(now);
        self.peak.set(self.peak.get().max(now));
        Ok(())
    }
}

/// What one table takes, given back when it ends.
#[derive(Debug)]
pub(super) struct Charge<'m> {
    meter: &'m Meter,
    cells: usize,
}

impl<'m> Charge<'m> {
    pub(super) const fn none(meter: &'m Meter) -> Self {
        Self { meter, cells: 0 }
    }

    pub(super) fn of(meter: &'m Meter, cells: usize) -> Result<Self, Error> {
        let mut charge = Self::none(meter);
        charge.add(cells)?;
        Ok(charge)
    }

    pub(super) fn add(&mut self, cells: usize) -> Result<(), Error> {
        self.meter.add(cells)?;
        self.cells += cells;
        Ok(())
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        self.meter.now.set(self.meter.now.get().saturating_sub(self.cells));
    }
}

/// What a histogram counts for: its size in numbers.
pub(super) fn histogram_cells(histograms: &[(usize, Arc<FloatHistogram>)]) -> usize {
    histograms.iter().map(|(_, histogram)| histogram.bytes() / 16).sum()
}

/// What is known of a row but its numbers.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) labels: Labels,
    /// Whether its name does not belong to it any more, though it is still among the labels.
    pub(super) nameless: bool,
    pub(super) histograms: Histograms,
}

impl Row {
    pub(super) const fn new(labels: Labels, nameless: bool) -> Self {
        Self { labels, nameless, histograms: Vec::new() }
    }

    /// The histogram at a step.
    pub(super) fn histogram(&self, step: usize) -> Option<&Arc<FloatHistogram>> {
        histogram_at(&self.histograms, step)
    }
}

pub(super) fn histogram_at(histograms: &[(usize, Arc<FloatHistogram>)], step: usize) -> Option<&Arc<FloatHistogram>> {
    let found = histograms.binary_search_by_key(&step, |(step, _)| *step).ok()?;
    histograms.get(found).map(|(_, histogram)| histogram)
}

/// A row that is handed on.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowRef<'a> {
    pub(super) labels: &'a Labels,
    pub(super) nameless: bool,
    pub(super) cells: &'a [f64],
    pub(super) histograms: &'a [(usize, Arc<FloatHistogram>)],
}

/// A vector over all steps.
#[derive(Debug)]
pub(super) struct Block<'m> {
    pub(super) steps: usize,
    pub(super) rows: Vec<Row>,
    /// Row by row, step by step.
    pub(super) cells: Vec<f64>,
    charge: Charge<'m>,
}

impl<'m> Block<'m> {
    pub(super) const fn new(steps: usize, meter: &'m Meter) -> Self {
        Self { steps, rows: Vec::new(), cells: Vec::new(), charge: Charge::none(meter) }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: RowRef<'_>) -> Result<(), Error> {
        self.charge.add(self.steps + histogram_cells(row.histograms))?;
        self.cells.extend_from_slice(row.cells);
        let histograms = row.histograms.to_vec();
        self.rows.push(Row { labels: row.labels.clone(), nameless: row.nameless, histograms });
        Ok(())
    }

    /// Adds a row without cells, which are then filled in.
    pub(super) fn push_empty(&mut self, row: Row) -> Result<&mut [f64], Error> {
        self.charge.add(self.steps + histogram_cells(&row.histograms))?;
        self.rows.push(row);
        let start = self.cells.len();
        self.cells.resize(start + self.steps, absent());
        Ok(self.cells.get_mut(start..).unwrap_or_default())
    }

    pub(super) fn cells(&self, row: usize) -> &[f64] {
        self.cells.get(row * self.steps..(row + 1) * self.steps).unwrap_or_default()
    }

    pub(super) fn cell(&self, row: usize, step: usize) -> f64 {
        self.cells.get(row * self.steps + step).copied().unwrap_or(absent())
    }

    pub(super) fn row(&self, row: usize) -> Option<RowRef<'_>> {
        let found = self.rows.get(row)?;
        let (labels, nameless) = (&found.labels, found.nameless);
        Some(RowRef { labels, nameless, cells: self.cells(row), histograms: &found.histograms })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        (0..self.rows.len()).filter_map(|row| self.row(row))
    }

    /// Each row with its cells, to be changed in place.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&mut Row, &mut [f64])> {
        self.rows.iter_mut().zip(self.cells.chunks_exact_mut(self.steps.max(1)))
    }

    /// Leaves out histograms whose cell has become something else, and rows without anything.
    pub(super) fn compact(&mut self) {
        let steps = self.steps;
        let mut kept = 0;
        for row in 0..self.rows.len() {
            let start = row * steps;
            let cells = self.cells.get(start..start + steps).unwrap_or_default();
            if cells.iter().all(|cell| is_absent(*cell)) {
                continue;
            }
            if let Some(found) = self.rows.get_mut(row) {
                found.histograms.retain(|(step, _)| cells.get(*step).is_some_and(|cell| is_histogram(*cell)));
            }
            if kept != row {
                self.rows.swap(kept, row);
                self.cells.copy_within(start..start + steps, kept * steps);
            }
            kept += 1;
        }
        self.rows.truncate(kept);
        self.cells.truncate(kept * steps);
    }

    /// Joins rows of the same labels that have nothing at the same step.
    ///
    /// `delayed`: names of nameless rows still count.
    pub(super) fn merge(&mut self, delayed: bool) -> Result<(), Error> {
        if self.rows.len() < 2 {
            return Ok(());
        }
        let mut first_of: HashMap<Vec<u8>, usize> = HashMap::with_capacity(self.rows.len());
        let mut key = Vec::new();
        let mut merged = false;
        for row in 0..self.rows.len() {
            key.clear();
            if let Some(found) = self.rows.get(row) {
                write_key(&mut key, visible(&found.labels, found.nameless && !delayed));
            }
            if let Some(first) = first_of.get(key.as_slice()).copied() {
                self.merge_rows(first, row)?;
                merged = true;
            } else {
                first_of.insert(key.clone(), row);
            }
        }
        if merged {
            self.compact();
        }
        Ok(())
    }

    fn merge_rows(&mut self, first: usize, second: usize) -> Result<(), Error> {
        for step in 0..self.steps {
            let (to, from) = (first * self.steps + step, second * self.steps + step);
            let moved = self.cells.get(from).copied().unwrap_or(absent());
            if is_absent(moved) {
                continue;
            }
            match self.cells.get_mut(to) {
                Some(cell) if is_absent(*cell) => *cell = moved,
                _ => return Err(same_labels()),
            }
            if let Some(cell) = self.cells.get_mut(from) {
                *cell = absent();
            }
        }
        let (histograms, nameless) = match self.rows.get_mut(second) {
            Some(row) => (std::mem::take(&mut row.histograms), row.nameless),
            None => return Ok(()),
        };
        if let Some(row) = self.rows.get_mut(first) {
            row.nameless |= nameless;
            row.histograms.extend(histograms);
            row.histograms.sort_by_key(|(step, _)| *step);
        }
        Ok(())
    }

    /// Whether dropping names may make rows the same.
    pub(super) fn names_differ(&self) -> bool {
        let mut names = self.rows.iter().map(|row| row.labels.get(NAME));
        let first = names.next();
        names.any(|name| Some(name) != first)
    }
}

/// The error of two series that cannot be told apart.
pub(super) fn same_labels() -> Error {
    Error::Execution("vector cannot contain metrics with the same labelset".to_owned())
}

/// Labels, without the name if it is hidden.
pub(super) fn visible(labels: &Labels, nameless: bool) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().filter(move |(name, _)| !nameless || *name != NAME)
}

/// Writes labels so that no two sets look the same. 0xff is in no text.
pub(super) fn write_key<'a>(key: &mut Vec<u8>, labels: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, value) in labels {
        key.extend_from_slice(name.as_bytes());
        key.push(0xff);
        key.extend_from_slice(value.as_bytes());
        key.push(0xff);
    }
}

/// The labels that are kept.
pub(super) fn filtered(labels: &Labels, keep: impl Fn(&str) -> bool) -> Labels {
    let mut builder = LabelSetBuilder::new();
    labels.iter().filter(|(name, _)| keep(name)).for_each(|(name, value)| builder.push(name, value));
    builder.finish()
}

/// The labels with one set; an empty value leaves it out.
pub(super) fn with_label(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut builder = LabelSetBuilder::new();
    labels.iter().filter(|(other, _)| *other != name).for_each(|(name, value)| builder.push(name, value));
    builder.push(name, value);
    builder.finish()
}
