//! Patterns: literals with captures between them, as in `<ip> - <_> "<method> <uri>"`. As a parser they take
//! parts out of a line, as a filter they say whether the whole line looks like that.

use console_model::Text;
use memchr::memmem;

use crate::entry::LineLabels;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Literal(Text),
    /// A part that nobody wants to know, or under a name.
    Capture(Option<Text>),
}

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Node>);

impl Pattern {
    fn read(text: &str) -> Result<Vec<Node>, String> {
        let mut nodes: Vec<Node> = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(name, _)| name);
            let name = name.filter(|name| {
                name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
                    && name.chars().all(|it| it == '_' || it.is_ascii_alphanumeric())
            });
            let Some(name) = name else {
                literal.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            };
            if !literal.is_empty() {
                nodes.push(Node::Literal(std::mem::take(&mut literal).into()));
            } else if matches!(nodes.last(), Some(Node::Capture(_))) {
                return Err(format!("found consecutive capture: '<{name}>' follows another without anything between"));
            }
            nodes.push(Node::Capture((name != "_").then(|| name.into())));
            rest = rest.get(name.len() + 2..).unwrap_or_default();
        }
        if !literal.is_empty() {
            nodes.push(Node::Literal(literal.into()));
        }
        Ok(nodes)
    }

    /// A pattern that takes parts out of lines.
    pub(crate) fn parser(text: &str) -> Result<Self, String> {
        let nodes = Self::read(text)?;
        let mut names: Vec<&Text> = Vec::new();
        for node in &nodes {
            if let Node::Capture(Some(name)) = node {
                if names.contains(&name) {
                    return Err(format!("duplicate capture name ({name})"));
                }
                names.push(name);
            }
        }
        if names.is_empty() {
            return Err("at least one capture is required, as in <status>".to_owned());
        }
        Ok(Self(nodes))
    }

    /// A pattern that lines have to look like.
    pub(crate) fn filter(text: &str) -> Result<Self, String> {
        let nodes = Self::read(text)?;
        if nodes.iter().any(|node| matches!(node, Node::Capture(Some(_)))) {
            return Err("line filter expression must not contain any named capture, only <_>".to_owned());
        }
        Ok(Self(nodes))
    }

    /// Whether the whole line looks like it.
    pub(crate) fn fits(&self, line: &str) -> bool {
        let mut rest = line;
        let last = self.0.len().saturating_sub(1);
        for (at, node) in self.0.iter().enumerate() {
            let Node::Literal(literal) = node else { continue };
            let literal = literal.as_str();
            if at == 0 {
                let Some(behind) = rest.strip_prefix(literal) else { return false };
                rest = behind;
            } else if at == last {
                return rest.ends_with(literal);
            } else {
                let Some(found) = memmem::find(rest.as_bytes(), literal.as_bytes()) else { return false };
                rest = rest.get(found + literal.len()..).unwrap_or_default();
            }
        }
        rest.is_empty() || matches!(self.0.last(), Some(Node::Capture(_)))
    }

    /// Takes the named parts out of a line, as far as it looks like it.
    pub(super) fn extract(&self, line: &str, labels: &mut LineLabels<'_>) {
        let mut rest = line;
        let mut nodes = self.0.iter().peekable();
        while let Some(node) = nodes.next() {
            match node {
                Node::Literal(literal) => match rest.strip_prefix(literal.as_str()) {
                    Some(behind) => rest = behind,
                    None => return,
                },
                Node::Capture(name) => {
                    let next = match nodes.peek() {
                        Some(Node::Literal(literal)) => memmem::find(rest.as_bytes(), literal.as_bytes()),
                        _ => None,
                    };
                    let (part, behind) = rest.split_at_checked(next.unwrap_or(rest.len())).unwrap_or((rest, ""));
                    if part.is_empty() && next.is_none() {
                        return;
                    }
                    if let Some(name) = name {
                        labels.extract(name, part);
                    }
                    rest = behind;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_filter_is_about_the_whole_line() {
        let fits = |pattern: &str, line: &str| Pattern::filter(pattern).unwrap().fits(line);
        assert!(fits("<_> level=debug <_>", "ts=1 level=debug x"));
        assert!(!fits("<_> level=debug", "ts=1 level=debug x"));
        assert!(fits("<_> level=debug", "ts=1 level=debug"));
        assert!(!fits("level=debug <_>", "ts=1 level=debug x"));
        assert!(fits("a<_>b<_>c", "a1b2c") && !fits("a<_>b<_>c", "a1c2b"));
        assert!(fits("abc", "abc") && !fits("abc", "abcd") && fits("", "") && !fits("", "x"));
        assert!(fits("<_>a", "ba a"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        assert!(Pattern::parser("<a><b>").unwrap_err().contains("consecutive"));
        assert!(Pattern::parser("<_> x").unwrap_err().contains("at least one"));
        assert!(Pattern::parser("<a> <a>").unwrap_err().contains("duplicate"));
        assert!(Pattern::filter("<a> x").unwrap_err().contains("named capture"));
        assert!(Pattern::parser("a < b <c>").is_ok());
    }
}
