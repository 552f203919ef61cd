//! Matchers of alerts' labels, as silences, inhibition and filters have them.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::rules::Texts;

/// Bytes that an expression may take when it is ready to match.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// Bytes of the name or the value of a matcher.
const BYTES_MAX: usize = 4_096;

/// A condition on one label. A label that is not there has the empty value.
#[derive(Debug, Clone)]
pub struct Matcher {
    form: Form,
    regex: Option<Regex>,
}

/// As Alertmanager's API has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// The label.
    pub name: String,
    /// The value, or the expression.
    pub value: String,
    /// Whether it is an expression, which has to match the whole value.
    #[serde(default)]
    pub is_regex: bool,
    /// Whether it is to match, or not to.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

const fn yes() -> bool {
    true
}

/// Why something is no matcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad matcher {text:?}: {reason}; right is for example alertname=\"ApiDown\" or severity=~\"page|ticket\"")]
pub struct InvalidMatcher {
    /// What was to be a matcher, shortened.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Matcher {
    /// A matcher of this form.
    ///
    /// # Errors
    /// When it has no name, is too long, or its expression is none.
    pub fn new(form: Form) -> Result<Self, InvalidMatcher> {
        let wrong = |reason: String| {
            let text = format!("{}={}", form.name, form.value).chars().take(120).collect();
            Err(InvalidMatcher { text, reason })
        };
        if form.name.is_empty() {
            return wrong("it has no name".to_owned());
        }
        if form.name.len() > BYTES_MAX || form.value.len() > BYTES_MAX {
            return wrong(format!("it is longer than {BYTES_MAX} bytes"));
        }
        let regex = match form.is_regex {
            false => None,
            true => {
                let mut builder = RegexBuilder::new(&format!("^(?s:{})$", form.value));
                match builder.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build() {
                    Ok(regex) => Some(regex),
                    Err(error) => {
                        let text = error.to_string();
                        let last = text.lines().last().unwrap_or_default();
                        return wrong(last.trim_start_matches("error: ").to_owned());
                    }
                }
            }
        };
        Ok(Self { form, regex })
    }

    /// Reads `name="value"`, `name!="value"`, `name=~"expression"`, `name!~"expression"`; the quotes may be left
    /// out.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, InvalidMatcher> {
        let wrong = |reason: &str| InvalidMatcher { text: text.chars().take(120).collect(), reason: reason.to_owned() };
        let text_of_it = text.trim();
        let at = text_of_it.find(['=', '!']).ok_or_else(|| wrong("it has no operator"))?;
        let (name, rest) = text_of_it.split_at_checked(at).ok_or_else(|| wrong("it has no name"))?;
        let operators = [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];
        let found = operators.iter().find_map(|(operator, is_regex, is_equal)| {
            rest.strip_prefix(operator).map(|value| (value, *is_regex, *is_equal))
        });
        let (value, is_regex, is_equal) = found.ok_or_else(|| wrong("it has no operator"))?;
        let value = unquoted(value.trim()).ok_or_else(|| wrong("its quotes do not end where it ends"))?;
        let name = unquoted(name.trim()).ok_or_else(|| wrong("its name is not well quoted"))?;
        Self::new(Form { name, value, is_regex, is_equal })
    }

    /// As Alertmanager's API has it.
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// Whether labels are as it says.
    pub fn is_match(&self, labels: &Texts) -> bool {
        let value = labels.get(&self.form.name).map_or("", String::as_str);
        let is_same = match &self.regex {
            Some(regex) => regex.is_match(value),
            None => value == self.form.value,
        };
        is_same == self.form.is_equal
    }
}

/// What is between quotes, with what is escaped in it; the text itself if there are none.
fn unquoted(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix('"') else { return (!text.ends_with('"')).then(|| text.to_owned()) };
    let inner = rest.strip_suffix('"')?;
    let mut written = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => match characters.next()? {
                'n' => written.push('\n'),
                't' => written.push('\t'),
                escaped @ ('\\' | '"') => written.push(escaped),
                other => written.extend(['\\', other]),
            },
            other => written.push(other),
        }
    }
    Some(written)
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match (self.form.is_equal, self.form.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{operator}{:?}", self.form.name, self.form.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_with_and_without_quotes() {
        let labels = Texts::from([("alertname".to_owned(), "Api\"Down".to_owned())]);
        for (text, expected) in [
            (r#"alertname="Api\"Down""#, true),
            (r#"alertname=~"Api.*""#, true),
            ("alertname=~Api", false),
            ("alertname!=ApiUp", true),
            (r#"alertname!~"Api.+""#, false),
            ("severity=", true),
            ("severity!=\"\"", false),
            (" alertname =~ .+ ", true),
        ] {
            assert_eq!(Matcher::parse(text).unwrap().is_match(&labels), expected, "{text}");
        }
        for wrong in ["", "alertname", "=x", "a=~\"(\"", "a=\"x", "a=\"x\"y\"", "a=~\"((a{1000}){1000}){1000}\"", "é"]
        {
            assert!(Matcher::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Matcher::parse("a!~b.").unwrap().to_string(), r#"a!~"b.""#);
    }
}
