//! `drop` and `keep`: labels by name, or by name and value.

use console_model::Text;
use regex::Regex;

use crate::ast::{MatchOp, Matcher, NameOrMatcher};
use crate::entry::{ERROR, ERROR_DETAILS, LineLabels};
use crate::regexp;

/// A matcher of text, ready to run.
pub(crate) enum TextTest {
    Equal(Text),
    NotEqual(Text),
    Matches(Box<Regex>),
    MatchesNot(Box<Regex>),
}

impl TextTest {
    pub(crate) fn new(matcher: &Matcher) -> Result<Self, String> {
        Ok(match matcher.op {
            MatchOp::Equal => Self::Equal(matcher.value.clone()),
            MatchOp::NotEqual => Self::NotEqual(matcher.value.clone()),
            MatchOp::Matches => Self::Matches(Box::new(regexp::whole(&matcher.value)?)),
            MatchOp::MatchesNot => Self::MatchesNot(Box::new(regexp::whole(&matcher.value)?)),
        })
    }

    pub(crate) fn fits(&self, value: &str) -> bool {
        match self {
            Self::Equal(wanted) => wanted == value,
            Self::NotEqual(unwanted) => unwanted != value,
            Self::Matches(regex) => regex.is_match(value),
            Self::MatchesNot(regex) => !regex.is_match(value),
        }
    }
}

/// A label, with what its value has to be if that matters.
pub(crate) struct LabelTest {
    name: Text,
    value: Option<TextTest>,
}

impl LabelTest {
    fn fits(&self, name: &str, value: &str) -> bool {
        self.name == name && self.value.as_ref().is_none_or(|test| test.fits(value))
    }
}

pub(super) fn tests(labels: &[NameOrMatcher]) -> Result<Vec<LabelTest>, String> {
    let test = |label: &NameOrMatcher| match label {
        NameOrMatcher::Name(name) => Ok(LabelTest { name: name.clone(), value: None }),
        NameOrMatcher::Matcher(matcher) => {
            Ok(LabelTest { name: matcher.name.clone(), value: Some(TextTest::new(matcher)?) })
        }
    };
    labels.iter().map(test).collect()
}

pub(super) fn drop(tests: &[LabelTest], labels: &mut LineLabels<'_>) {
    for test in tests {
        let value = match &test.value {
            None => "",
            Some(_) => labels.get(&test.name).unwrap_or_default(),
        };
        if test.fits(&test.name, value) {
            labels.remove(&test.name);
            if test.name == ERROR {
                labels.remove(ERROR_DETAILS);
            }
        }
    }
}

pub(super) fn keep(tests: &[LabelTest], labels: &mut LineLabels<'_>) {
    let gone: Vec<Text> = labels
        .all()
        .into_iter()
        .filter(|(name, value, _)| {
            !matches!(*name, ERROR | ERROR_DETAILS) && !tests.iter().any(|test| test.fits(name, value))
        })
        .map(|(name, ..)| name.into())
        .collect();
    gone.iter().for_each(|name| labels.remove(name));
}
