//! The settings file `.env`: lines of `NAME=value`, comments, quotes.

use std::collections::HashMap;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not of the form NAME=value")]
pub struct Malformed {
    /// Counted from 1.
    pub line: usize,
}

/// Reads a settings file. A value may stand in single or double quotes; outside of quotes, ` #` begins
/// a comment. The last of several lines for one name holds.
pub fn parse(text: &str) -> Result<HashMap<String, String>, Malformed> {
    let mut values = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let malformed = Malformed { line: index + 1 };
        let (name, value) = line.split_once('=').ok_or(malformed.clone())?;
        let name = name.trim_end();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(malformed);
        }
        values.insert(name.to_owned(), unquote(value.trim()).ok_or(malformed)?);
    }
    Ok(values)
}

fn unquote(value: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (inside, after) = rest.split_once(quote)?;
            let after = after.trim_start();
            return (after.is_empty() || after.starts_with('#')).then(|| inside.to_owned());
        }
    }
    let end = value.find(" #").or_else(|| value.starts_with('#').then_some(0)).unwrap_or(value.len());
    value.get(..end).map(|value| value.trim_end().to_owned())
}
