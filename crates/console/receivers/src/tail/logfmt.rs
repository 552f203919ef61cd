//! A line of `name=value` pairs, as attributes. What they mean is `fields`' business.

use console_model::{Attributes, Value};

use super::fields;

/// The pairs of the line; `None` unless all of it is pairs, and these look as if they were meant to be.
pub(super) fn read(line: &str) -> Option<Attributes> {
    let mut attributes = Attributes::new();
    let mut is_telling = false;
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', '"', '\t'])?;
        let (name, behind) = rest.split_at_checked(end)?;
        let behind = behind.strip_prefix('=').filter(|_| is_name(name))?;
        let (value, behind) = if behind.starts_with('"') {
            quoted(behind)?
        } else {
            let end = behind.find([' ', '\t']).unwrap_or(behind.len());
            let (value, behind) = behind.split_at_checked(end)?;
            (Value::from(value), behind)
        };
        if !behind.is_empty() && !behind.starts_with([' ', '\t']) {
            return None;
        }
        is_telling = is_telling || fields::is_telling(name);
        attributes.push(name, value);
        rest = behind.trim_ascii_start();
    }
    let is_meant = attributes.len() >= 2 && (is_telling || attributes.len() >= 3);
    is_meant.then_some(attributes)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.@/".contains(&byte))
}

fn quoted(text: &str) -> Option<(Value, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('"')?;
    loop {
        let at = rest.find(['"', '\\'])?;
        value.push_str(rest.get(..at)?);
        let behind = rest.get(at + 1..)?;
        if rest.as_bytes().get(at) == Some(&b'"') {
            return Some((Value::String(value.into()), behind));
        }
        let escape = behind.chars().next()?;
        value.push(match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            other => other,
        });
        rest = behind.get(escape.len_utf8()..)?;
    }
}
