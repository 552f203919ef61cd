//! Matchers of labels, as Prometheus and Loki understand them. How they are written in a query is the
//! query languages' business.

use console_model::{Labels, Text};
use regex::Regex;

/// Selects by the value of one label. A label that is not there has the empty value.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: Text,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equal(Text),
    NotEqual(Text),
    Matches(Box<Pattern>),
    MatchesNot(Box<Pattern>),
    /// Any line, the empty one too or not.
    Line {
        with_empty: bool,
    },
}

#[derive(Debug, Clone)]
struct Pattern {
    source: Text,
    /// The values that match, where the expression is but a list of them.
    listed: Option<Vec<Text>>,
    regex: Option<Regex>,
}

/// Why an expression is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no regular expression: {reason}")]
pub struct InvalidPattern {
    /// The expression.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Pattern {
    fn new(source: &str) -> Result<Self, InvalidPattern> {
        if let Some(listed) = Self::listed(source) {
            return Ok(listed);
        }
        let regex = regex::RegexBuilder::new(&format!("^(?s:{source})$"))
            .size_limit(1 << 20)
            .dfa_size_limit(1 << 20)
            .build()
            .map_err(|error| InvalidPattern { pattern: source.to_owned(), reason: reason(&error) })?;
        Ok(Self { source: source.into(), listed: None, regex: Some(regex) })
    }

    /// An expression that is but a list of values, which a dashboard's variable makes and most are.
    fn listed(source: &str) -> Option<Self> {
        let plain =
            |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '/' | ':' | ' ' | '|');
        let listed = || source.split('|').map(Text::from).collect();
        source.chars().all(plain).then(|| Self { source: source.into(), listed: Some(listed()), regex: None })
    }

    fn is_match(&self, value: &str) -> bool {
        match (&self.listed, &self.regex) {
            (Some(listed), _) => listed.iter().any(|listed| listed == value),
            (None, Some(regex)) => regex.is_match(value),
            (None, None) => false,
        }
    }
}

/// The last line of the library's message: the lines before draw the expression as we wrapped it.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

impl Matcher {
    /// `name="value"`
    pub fn equal(name: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self { name: name.into(), test: Test::Equal(value.into()) }
    }

    /// `name!="value"`
    pub fn not_equal(name: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self { name: name.into(), test: Test::NotEqual(value.into()) }
    }

    /// `name=~"pattern"`: the whole value has to match.
    pub fn matches(name: impl Into<Text>, pattern: &str) -> Result<Self, InvalidPattern> {
        Ok(Self { name: name.into(), test: Test::Matches(Box::new(Pattern::new(pattern)?)) })
    }

    /// `name!~"pattern"`: the whole value must not match.
    pub fn matches_not(name: impl Into<Text>, pattern: &str) -> Result<Self, InvalidPattern> {
        Ok(Self { name: name.into(), test: Test::MatchesNot(Box::new(Pattern::new(pattern)?)) })
    }

    /// `name=~"pattern"`, or `name!~"pattern"` if it `excludes`, of an expression that is compiled already. The
    /// expression MUST match whole values only.
    pub fn compiled(name: impl Into<Text>, pattern: &str, regex: &Regex, excludes: bool) -> Self {
        let compiled = || Pattern { source: pattern.into(), listed: None, regex: Some(regex.clone()) };
        let pattern = Box::new(Pattern::listed(pattern).unwrap_or_else(compiled));
        let test = if excludes { Test::MatchesNot(pattern) } else { Test::Matches(pattern) };
        Self { name: name.into(), test }
    }

    /// `name=~".+"`, or `name=~".*"` where an empty value is selected too, with a dot that matches no line's end.
    pub fn is_line(name: impl Into<Text>, with_empty: bool) -> Self {
        Self { name: name.into(), test: Test::Line { with_empty } }
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value or the expression.
    pub fn value(&self) -> &str {
        match &self.test {
            Test::Equal(value) | Test::NotEqual(value) => value,
            Test::Matches(pattern) | Test::MatchesNot(pattern) => &pattern.source,
            Test::Line { with_empty } => {
                if *with_empty {
                    ".*"
                } else {
                    ".+"
                }
            }
        }
    }

    /// Whether a value of the label is selected.
    pub fn is_match(&self, value: &str) -> bool {
        match &self.test {
            Test::Equal(wanted) => wanted == value,
            Test::NotEqual(unwanted) => unwanted != value,
            Test::Matches(pattern) => pattern.is_match(value),
            Test::MatchesNot(pattern) => !pattern.is_match(value),
            Test::Line { with_empty } => (*with_empty || !value.is_empty()) && !value.contains('\n'),
        }
    }

    /// The values that alone can match, if they are known without looking at any.
    pub(crate) fn listed(&self) -> Option<Vec<&str>> {
        match &self.test {
            Test::Equal(value) => Some(vec![value]),
            Test::Matches(pattern) => pattern.listed.as_ref().map(|listed| listed.iter().map(Text::as_str).collect()),
            Test::NotEqual(_) | Test::MatchesNot(_) | Test::Line { .. } => None,
        }
    }
}

/// Whether all matchers select a set of labels.
pub fn select(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.is_match(labels.get(matcher.name()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_not_there_is_empty() {
        let labels = Labels::from_pairs([("job", "api")]);
        let selects = |matcher: Matcher| select(&[matcher], &labels);
        assert!(selects(Matcher::equal("zone", "")));
        assert!(selects(Matcher::not_equal("zone", "a")));
        assert!(selects(Matcher::matches("zone", "").unwrap()));
        assert!(selects(Matcher::matches("zone", ".*").unwrap()));
        assert!(!selects(Matcher::matches("zone", ".+").unwrap()));
        assert!(selects(Matcher::matches_not("zone", "a|b").unwrap()));
    }

    #[test]
    fn expressions_match_whole_values() {
        let matches = |pattern: &str, value: &str| Matcher::matches("x", pattern).unwrap().is_match(value);
        assert!(matches("a|b", "b") && !matches("a|b", "ab") && !matches("a|b", "xb"));
        assert!(matches("5..", "503") && !matches("5..", "1503"));
        assert!(matches("a.b|c", "c") && !matches("a.b|c", "cc"));
        assert!(matches("a.*", "a\nb"));
    }

    #[test]
    fn a_line_is_what_the_expression_for_it_matches() {
        for (pattern, with_empty) in [(".+", false), (".*", true)] {
            let regex = Matcher::matches("x", &format!("(?-s:{pattern})")).unwrap();
            let line = Matcher::is_line("x", with_empty);
            assert_eq!(line.value(), pattern);
            for value in ["", "a", "é b", "a\nb", "\n", "a\r"] {
                assert_eq!(line.is_match(value), regex.is_match(value), "{pattern} on {value:?}");
            }
        }
    }

    #[test]
    fn what_is_no_expression_is_told_why() {
        let error = Matcher::matches("x", "a(").unwrap_err();
        assert_eq!(error.to_string(), "`a(` is no regular expression: unclosed group");
        assert!(Matcher::matches("x", "(((a{1000}){1000}){1000})").is_err());
    }
}
