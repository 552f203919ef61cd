//! Matchers of labels. Which series a store finds by them is the store's business.

use regex::Regex;

use crate::pattern;

/// How a label's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    MatchesNot,
}

impl MatchOp {
    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }
}

/// One condition on one label. A label that is not there has the empty value.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    pattern: Option<Regex>,
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

impl Matcher {
    /// A condition. Patterns are anchored at both ends, and a dot matches a line's end too.
    ///
    /// # Errors
    /// What is wrong with the pattern, in the words of Prometheus.
    pub fn new(name: impl Into<String>, op: MatchOp, value: impl Into<String>) -> Result<Self, String> {
        let value = value.into();
        let pattern = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Matches | MatchOp::MatchesNot => Some(pattern::whole(&value)?),
        };
        Ok(Self { name: name.into(), op, value, pattern })
    }

    /// The label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its value is compared.
    pub const fn op(&self) -> MatchOp {
        self.op
    }

    /// What it is compared with: a value or the text of a pattern.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The pattern, anchored at both ends, if it is one.
    pub const fn pattern(&self) -> Option<&Regex> {
        self.pattern.as_ref()
    }

    /// Whether a label of this value fulfils the condition; the empty value stands for no such label.
    pub fn matches(&self, value: &str) -> bool {
        let matches = || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(value));
        match self.op {
            MatchOp::Equal => value == self.value,
            MatchOp::NotEqual => value != self.value,
            MatchOp::Matches => matches(),
            MatchOp::MatchesNot => !matches(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_must_match_the_whole_value() {
        let matcher = Matcher::new("job", MatchOp::Matches, "a|b.c").unwrap();
        assert!(matcher.matches("a") && matcher.matches("b\nc"));
        assert!(!matcher.matches("ab") && !matcher.matches(""));
        assert!(Matcher::new("job", MatchOp::MatchesNot, "a|b.c").unwrap().matches("ab"));
    }

    #[test]
    fn what_is_a_pattern_only_between_parentheses_is_refused() {
        assert!(Matcher::new("job", MatchOp::Matches, "a)(b").is_err());
        assert!(Matcher::new("job", MatchOp::MatchesNot, "a)|(b").is_err());
        assert!(Matcher::new("job", MatchOp::Equal, "a)(b").is_ok());
    }
}
