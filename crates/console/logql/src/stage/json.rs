//! JSON documents: flattened into labels, asked by paths, or unpacked. The reader gives texts as they stand in
//! the line, so that a number keeps its digits.

mod reader;

use console_model::Text;

use super::JSON_ERROR;
use crate::entry::{LineLabels, sanitize};
use reader::{Fault, Reader, Scalar};

/// Objects within each other.
const DEPTH_MAX: usize = 64;

/// Takes labels out of a line: all, or those at paths.
pub(super) fn extract(line: &str, paths: &[(Text, JsonPath)], labels: &mut LineLabels<'_>) {
    let result = if paths.is_empty() { flatten(line, labels) } else { at_paths(line, paths, labels) };
    if let Err(fault) = result {
        labels.fail(JSON_ERROR, fault.to_string());
    }
}

fn flatten(line: &str, labels: &mut LineLabels<'_>) -> Result<(), Fault> {
    let mut reader = Reader::new(line);
    let mut prefix = String::new();
    object(&mut reader, &mut prefix, 0, labels)?;
    reader.end()
}

fn object(
    reader: &mut Reader<'_>,
    prefix: &mut String,
    depth: usize,
    labels: &mut LineLabels<'_>,
) -> Result<(), Fault> {
    if depth > DEPTH_MAX {
        return Err(reader.fault("objects are nested too deeply"));
    }
    let before = prefix.len();
    reader.object(|reader, key| {
        if before > 0 {
            prefix.push('_');
        }
        sanitize(&key, prefix);
        let result = match reader.peek() {
            Some(b'{') => object(reader, prefix, depth + 1, labels),
            // Lists are left out, as they have no name for each of their parts.
            Some(b'[') => reader.skip(depth + 1).map(drop),
            _ => reader.scalar().map(|scalar| {
                if let Scalar::Text(value) = scalar {
                    let length = prefix.len();
                    labels.extract_sanitized(prefix, &value);
                    prefix.truncate(length);
                }
            }),
        };
        prefix.truncate(before);
        result
    })
}

fn at_paths(line: &str, paths: &[(Text, JsonPath)], labels: &mut LineLabels<'_>) -> Result<(), Fault> {
    // A document that is none is told even where the path would end before the fault.
    let mut reader = Reader::new(line);
    reader.skip(0)?;
    reader.end()?;
    for (label, path) in paths {
        if let Some(value) = path.find(line)? {
            labels.extract(label, &value);
        }
    }
    Ok(())
}

/// Takes the texts of a packed line, and gives the line that was packed if there is one.
pub(super) fn unpack(line: &str, labels: &mut LineLabels<'_>) -> Option<String> {
    let mut entry = None;
    let mut reader = Reader::new(line);
    let result = reader.object(|reader, key| {
        if reader.peek() != Some(b'"') {
            return reader.skip(0).map(drop);
        }
        if let Scalar::Text(value) = reader.scalar()? {
            if key == "_entry" {
                entry = Some(value.into_owned());
            } else {
                labels.extract(&key, &value);
            }
        }
        Ok(())
    });
    if let Err(fault) = result.and_then(|()| reader.end()) {
        labels.fail(JSON_ERROR, fault.to_string());
    }
    entry
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(Text),
    Index(usize),
}

/// Where in a document a value stands: `servers[0].name`, `request["User-Agent"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath(Vec<Step>);

impl JsonPath {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("cannot parse expression [{text}]: as in servers[0].name or request[\"User-Agent\"]");
        let mut steps = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix("[\"") {
                let (key, behind) = inner.split_once("\"]").ok_or_else(wrong)?;
                steps.push(Step::Key(key.into()));
                rest = behind;
            } else if let Some(inner) = rest.strip_prefix('[') {
                let (index, behind) = inner.split_once(']').ok_or_else(wrong)?;
                steps.push(Step::Index(index.trim().parse().map_err(|_| wrong())?));
                rest = behind;
            } else {
                let name = if steps.is_empty() { rest } else { rest.strip_prefix('.').ok_or_else(wrong)? };
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let (key, behind) = name.split_at_checked(end).ok_or_else(wrong)?;
                if key.is_empty() || key.contains([' ', '"', ']']) {
                    return Err(wrong());
                }
                steps.push(Step::Key(key.into()));
                rest = behind;
            }
        }
        if steps.is_empty() { Err(wrong()) } else { Ok(Self(steps)) }
    }

    /// The value there: text as it is, parts as they are written.
    fn find<'a>(&self, line: &'a str) -> Result<Option<std::borrow::Cow<'a, str>>, Fault> {
        let mut reader = Reader::new(line);
        for step in &self.0 {
            let found = match (step, reader.peek()) {
                (Step::Key(wanted), Some(b'{')) => reader.enter_key(wanted)?,
                (Step::Index(wanted), Some(b'[')) => reader.enter_index(*wanted)?,
                _ => false,
            };
            if !found {
                return Ok(None);
            }
        }
        match reader.peek() {
            Some(b'{' | b'[') => reader.skip(0).map(|raw| Some(raw.into())),
            _ => Ok(match reader.scalar()? {
                Scalar::Text(text) => Some(text),
                Scalar::Null => None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = r#"{"protocol":"HTTP/2.0","servers":["129.0.1.1",{"a b":1.50}],"request":{"headers":{"User-Agent":"curl/7.68.0","x":null}}}"#;

    fn find(path: &str) -> Option<String> {
        JsonPath::parse(path).unwrap().find(DOCUMENT).unwrap().map(Into::into)
    }

    #[test]
    fn paths_lead_to_values() {
        assert_eq!(find("protocol").unwrap(), "HTTP/2.0");
        assert_eq!(find("servers[0]").unwrap(), "129.0.1.1");
        assert_eq!(find("servers[1][\"a b\"]").unwrap(), "1.50");
        assert_eq!(find("request.headers[\"User-Agent\"]").unwrap(), "curl/7.68.0");
        assert_eq!(find("servers").unwrap(), r#"["129.0.1.1",{"a b":1.50}]"#);
        for nothing in ["none", "servers[9]", "protocol.x", "request[0]", "request.headers.x"] {
            assert_eq!(find(nothing), None, "{nothing}");
        }
        for wrong in ["", "a..b", "a[", "a[x]", ".a", "a b", "[\"a"] {
            assert!(JsonPath::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(path in "[a-b.\\[\\]\"0-9 ]{0,16}", line in "[{}\\[\\]\"a:,0-9.eE+\\\\un tré-]{0,32}") {
            let mut reader = Reader::new(&line);
            let _ = reader.skip(0);
            if let Ok(path) = JsonPath::parse(&path) {
                let _ = path.find(&line);
                let _ = path.find(DOCUMENT);
            }
        }
    }
}
