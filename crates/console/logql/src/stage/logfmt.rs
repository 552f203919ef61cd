//! `key=value key="value in quotes"`.

use std::borrow::Cow;

use console_model::Text;
use console_template::go;

use super::LOGFMT_ERROR;
use crate::entry::LineLabels;

/// A key with its value, or what is wrong with it.
enum Pair<'a> {
    /// A value that is not there at all is no value.
    Good(&'a str, Option<Cow<'a, str>>),
    Wrong(String),
}

/// Takes pairs out of a line: all, or those that are asked for.
pub(super) fn extract(
    line: &str,
    strict: bool,
    keep_empty: bool,
    extractions: &[(Text, Text)],
    labels: &mut LineLabels<'_>,
) {
    let mut rest = line;
    while let Some((pair, behind)) = next(rest) {
        rest = behind;
        match pair {
            Pair::Wrong(told) if strict => return labels.fail(LOGFMT_ERROR, told),
            Pair::Wrong(_) => {}
            Pair::Good(key, value) if extractions.is_empty() => {
                if value.as_ref().is_some_and(|value| !value.is_empty()) || keep_empty {
                    labels.extract(key, value.as_deref().unwrap_or_default());
                }
            }
            Pair::Good(key, value) => {
                for (label, _) in extractions.iter().filter(|(_, wanted)| wanted == key) {
                    labels.extract(label, value.as_deref().unwrap_or_default());
                }
            }
        }
    }
}

/// The next pair and what is behind it.
fn next(text: &str) -> Option<(Pair<'_>, &str)> {
    let text = text.trim_start_matches(|character: char| character <= ' ');
    if text.is_empty() {
        return None;
    }
    let is_end = |character: char| character <= ' ';
    let end = text.find(|character: char| is_end(character) || character == '=' || character == '"');
    let (key, behind) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let skip = |text: &str, from: usize| text.get(from..)?.find(is_end).map(|at| from + at);
    // Goes on behind the word in which the fault is.
    let wrong = |told: String| {
        let to = skip(text, key.len()).unwrap_or(text.len());
        Some((Pair::Wrong(told), text.get(to..)?))
    };
    if behind.starts_with('"') {
        return wrong(format!("logfmt syntax error at pos {} : unexpected '\"'", key.len() + 1));
    }
    let Some(value) = behind.strip_prefix('=') else {
        return Some((Pair::Good(key, None), behind));
    };
    if key.is_empty() {
        return wrong("logfmt syntax error at pos 1 : unexpected '='".to_owned());
    }
    if value.starts_with('"') {
        let Some(length) = quoted_length(value) else {
            return Some((Pair::Wrong("logfmt syntax error : unterminated quoted value".to_owned()), ""));
        };
        let (quoted, behind) = value.split_at_checked(length)?;
        return Some((Pair::Good(key, Some(unquote(quoted))), behind));
    }
    let end = value.find(is_end).unwrap_or(value.len());
    let (plain, behind) = value.split_at_checked(end)?;
    if let Some(at) = plain.find(['=', '"']) {
        let found = plain.get(at..at + 1)?;
        let told = format!("logfmt syntax error at pos {} : unexpected '{found}'", key.len() + at + 2);
        return Some((Pair::Wrong(told), behind));
    }
    Some((Pair::Good(key, Some(Cow::Borrowed(plain))), behind))
}

fn quoted_length(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn unquote(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    // A line's end within quotes is none of Go's texts, but of some writers'.
    go::unquote(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
}
