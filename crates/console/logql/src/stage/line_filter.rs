//! Line filters: texts, regular expressions, patterns and addresses.

use console_model::Text;
use memchr::memmem::Finder;
use regex::Regex;

use super::{AddressRange, Pattern};
use crate::ast::{self, LineOp, LineTest};
use crate::regexp;

enum Test {
    Contains(Box<Finder<'static>>),
    Matches(Box<Regex>),
    Pattern(Pattern),
    Address(AddressRange),
}

/// A line filter, ready to run.
pub(super) struct LineFilter {
    tests: Vec<Test>,
    /// Whether lines that fit are those that stay.
    keeps_fitting: bool,
}

/// The text that a filter asks lines to contain, if that is all it asks.
pub(super) fn required(filter: &ast::LineFilter) -> Option<Text> {
    let [LineTest::Text(text)] = filter.alternatives.as_slice() else { return None };
    match filter.op {
        LineOp::Contains => Some(text.clone()),
        LineOp::Matches => regexp::literal(text).map(Text::from),
        _ => None,
    }
}

impl LineFilter {
    pub(super) fn new(filter: &ast::LineFilter) -> Result<Self, String> {
        let keeps_fitting = matches!(filter.op, LineOp::Contains | LineOp::Matches | LineOp::Pattern);
        let finder = |text: &str| Test::Contains(Box::new(Finder::new(text.as_bytes()).into_owned()));
        let test = |test: &LineTest| {
            Ok::<_, String>(match (test, filter.op) {
                (LineTest::Ip(pattern), _) => Test::Address(AddressRange::parse(pattern)?),
                (LineTest::Text(text), LineOp::Contains | LineOp::ContainsNot) => finder(text),
                (LineTest::Text(text), LineOp::Matches | LineOp::MatchesNot) => match regexp::literal(text) {
                    Some(text) => finder(text),
                    None => Test::Matches(Box::new(regexp::anywhere(text)?)),
                },
                (LineTest::Text(text), LineOp::Pattern | LineOp::PatternNot) => Test::Pattern(Pattern::filter(text)?),
            })
        };
        Ok(Self { tests: filter.alternatives.iter().map(test).collect::<Result<_, _>>()?, keeps_fitting })
    }

    pub(super) fn keeps(&self, line: &str) -> bool {
        let fits = self.tests.iter().any(|test| match test {
            Test::Contains(finder) => finder.find(line.as_bytes()).is_some(),
            Test::Matches(regex) => regex.is_match(line),
            Test::Pattern(pattern) => pattern.fits(line),
            Test::Address(range) => range.is_in(line),
        });
        fits == self.keeps_fitting
    }
}
