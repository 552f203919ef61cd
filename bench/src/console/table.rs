//! The figures as a table: the console's, each peer's with the ratio to it, and whether the target is met.

use std::collections::BTreeMap;

use super::parties::Kind;
use crate::cost::median;

/// What the console is to reach.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    Below(f64),
    /// No more than a peer's, where it is there.
    NotAbove(Kind),
    /// No more than so many times a peer's, where it is there.
    NotAboveTimes(f64, Kind),
    None,
}

/// One line, as it comes to be over the rounds.
pub struct Figure {
    pub what: String,
    pub unit: &'static str,
    pub target: Target,
    /// By party, in the order in which they were measured.
    values: Vec<(Kind, Vec<f64>)>,
    /// By what they are about.
    notes: BTreeMap<String, String>,
}

impl Figure {
    pub fn new(what: impl Into<String>, unit: &'static str, target: Target) -> Self {
        Self { what: what.into(), unit, target, values: Vec::new(), notes: BTreeMap::new() }
    }

    /// A value of one round.
    pub fn add(&mut self, kind: Kind, value: f64) {
        match self.values.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, values)) => values.push(value),
            None => self.values.push((kind, vec![value])),
        }
    }

    /// Something that is to be known of it. What was said of the same matter before is forgotten.
    pub fn note(&mut self, matter: &str, note: impl Into<String>) {
        self.notes.insert(matter.to_owned(), note.into());
    }

    pub fn noted(&self, matter: &str) -> Option<&str> {
        self.notes.get(matter).map(String::as_str)
    }

    /// The median of a party's values.
    pub fn of(&self, kind: Kind) -> Option<f64> {
        self.values.iter().find(|(known, _)| *known == kind).map(|(_, values)| median(values.clone()))
    }

    fn verdict(&self) -> String {
        let Some(own) = self.of(Kind::Console) else { return String::new() };
        let said = |is_met: bool, text: String| format!("{text}: {}", if is_met { "met" } else { "MISSED" });
        match self.target {
            Target::AtLeast(least) => said(own >= least, format!("≥ {}", number(least))),
            Target::Below(most) => said(own < most, format!("< {}", number(most))),
            Target::NotAbove(peer) => match self.of(peer) {
                Some(theirs) => said(own <= theirs, format!("≤ {}", peer.name())),
                None => String::new(),
            },
            Target::NotAboveTimes(times, peer) => match self.of(peer) {
                Some(theirs) => said(own <= times * theirs, format!("≤ {times} × {}", peer.name())),
                None => String::new(),
            },
            Target::None => String::new(),
        }
    }

    fn line(&self) -> String {
        let own = self.of(Kind::Console);
        let spread = |kind: Kind| {
            let values = self.values.iter().find(|(known, _)| *known == kind).map(|(_, values)| values.as_slice());
            let values = values.filter(|values| values.len() > 1);
            let ends =
                values.map(|it| (it.iter().copied().fold(f64::MAX, f64::min), it.iter().copied().fold(0.0, f64::max)));
            ends.map(|(low, high)| format!(" ({} to {})", number(low), number(high))).unwrap_or_default()
        };
        let console = own.map(|own| format!("{}{}", number(own), spread(Kind::Console))).unwrap_or_default();
        let peers = self.values.iter().filter(|(kind, _)| *kind != Kind::Console);
        let peers: Vec<String> = peers
            .map(|(kind, values)| {
                let value = median(values.clone());
                let ratio = own.map(|own| format!(", × {:.2}", own / value)).unwrap_or_default();
                format!("{} {}{ratio}", kind.name(), number(value))
            })
            .collect();
        let notes = self.notes.values().cloned().collect::<Vec<_>>().join("; ");
        format!("| {} | {console} {} | {} | {} | {notes} |", self.what, self.unit, peers.join("; "), self.verdict())
    }
}

/// Figures, printed when all are there.
#[derive(Default)]
pub struct Table {
    figures: Vec<Figure>,
    index: BTreeMap<String, usize>,
}

impl Table {
    /// The figure of this name, which is made if it is not there.
    pub fn figure(&mut self, what: &str, unit: &'static str, target: Target) -> &mut Figure {
        let figures = &mut self.figures;
        let index = *self.index.entry(what.to_owned()).or_insert_with(|| {
            figures.push(Figure::new(what, unit, target));
            figures.len() - 1
        });
        &mut self.figures[index]
    }

    pub fn print(&self) {
        println!("| | the console | its peers, × the console's figure / theirs | target | |\n|---|---|---|---|---|");
        self.figures.iter().for_each(|figure| println!("{}", figure.line()));
    }
}

/// With separators where it is large, with decimals where it is small.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
