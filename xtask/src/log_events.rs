//! What the service logs is what `semconv/` declares: every message of a `tracing` macro outside of
//! tests is an event there, and every event there is logged somewhere. Messages are constant, begin in
//! lower case and end without a full stop; what varies is a field.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Findings, tree};

const MACROS: [&str; 5] =
    ["tracing::trace!(", "tracing::debug!(", "tracing::info!(", "tracing::warn!(", "tracing::error!("];

/// Compares the sources with the declared messages.
pub fn check(root: &Path, declared: &[&str]) -> Findings {
    let mut logged = BTreeMap::new();
    let mut findings = Findings::new();
    for file in tree::files(root, &[".rs"]).into_iter().filter(|file| is_service(file)) {
        for call in calls(production(&tree::text(root, &file))) {
            match message(call) {
                Some(message) => {
                    findings.extend(fault(&message).map(|fault| format!("{file}: message \"{message}\" {fault}")));
                    logged.entry(message).or_insert_with(|| file.clone());
                }
                None => findings.push(format!("{file}: a log line without a constant message")),
            }
        }
    }
    let undeclared = logged.iter().filter(|(message, _)| !declared.contains(&message.as_str()));
    findings
        .extend(undeclared.map(|(message, file)| format!("{file}: event \"{message}\" is not declared in semconv/")));
    let silent = declared.iter().filter(|message| !logged.contains_key(**message));
    findings.extend(silent.map(|message| format!("semconv/: event \"{message}\" is declared, and nothing logs it")));
    findings
}

fn is_service(file: &str) -> bool {
    let is_test = file.contains("/tests/") || file.ends_with("/tests.rs") || file.contains("/examples/");
    file.starts_with("crates/") && file.contains("/src/") && !is_test
}

/// The file up to its tests, which stand last.
fn production(text: &str) -> &str {
    let is_module = |rest: &str| rest.lines().next().is_some_and(|line| line.contains("mod tests {"));
    let mut marks = text.match_indices("#[cfg(test)]\n").map(|(at, mark)| (at, at + mark.len()));
    let tests = marks.find(|(_, rest)| text.get(*rest..).is_some_and(is_module));
    tests.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The arguments of each call of a macro.
fn calls(text: &str) -> Vec<&str> {
    let begins = MACROS.iter().flat_map(|name| text.match_indices(name).map(|(at, _)| at + name.len()));
    begins.filter_map(|begin| text.get(begin..)).map(|rest| rest.get(..close(rest)).unwrap_or(rest)).collect()
}

/// Where the bracket that is open at the beginning closes.
fn close(text: &str) -> usize {
    let mut depth = 1;
    for (at, piece) in pieces(text) {
        match piece {
            Piece::Open => depth += 1,
            Piece::Close if depth == 1 => return at,
            Piece::Close => depth -= 1,
            Piece::Text(_) | Piece::Comma => {}
        }
    }
    text.len()
}

/// The text that stands alone as the last argument.
fn message(arguments: &str) -> Option<String> {
    let (mut depth, mut last, mut begin) = (0, None, 0);
    for (at, piece) in pieces(arguments) {
        match piece {
            Piece::Open => depth += 1,
            Piece::Close => depth -= 1,
            Piece::Comma if depth == 0 && !arguments.get(at + 1..).unwrap_or_default().trim().is_empty() => {
                (last, begin) = (None, at + 1);
            }
            // An argument that is nothing but a text: no `name =` before it.
            Piece::Text(text) if depth == 0 && arguments.get(begin..at)?.trim().is_empty() => last = Some(text),
            Piece::Comma | Piece::Text(_) => {}
        }
    }
    last.filter(|text| !text.contains('{')).map(str::to_owned)
}

enum Piece<'a> {
    Open,
    Close,
    Comma,
    Text(&'a str),
}

/// What matters for finding arguments, with its place; a text at the place of its first quote.
fn pieces(source: &str) -> Vec<(usize, Piece<'_>)> {
    let mut pieces = Vec::new();
    let mut characters = source.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '(' | '[' | '{' => pieces.push((at, Piece::Open)),
            ')' | ']' | '}' => pieces.push((at, Piece::Close)),
            ',' => pieces.push((at, Piece::Comma)),
            '"' => {
                let mut end = source.len();
                while let Some((place, inner)) = characters.next() {
                    match inner {
                        '\\' => drop(characters.next()),
                        '"' => {
                            end = place;
                            break;
                        }
                        _ => {}
                    }
                }
                pieces.push((at, Piece::Text(source.get(at + 1..end).unwrap_or_default())));
            }
            _ => {}
        }
    }
    pieces
}

fn fault(message: &str) -> Option<&'static str> {
    if message.ends_with('.') {
        Some("ends with a full stop")
    } else if message.chars().next().is_none_or(char::is_uppercase) {
        Some("does not begin in lower case")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(source: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("crates/a/src")).unwrap();
        std::fs::write(folder.path().join("crates/a/src/lib.rs"), source).unwrap();
        folder
    }

    #[test]
    fn the_message_is_the_last_argument_whatever_stands_before_it() {
        assert_eq!(message("\"ready\"").as_deref(), Some("ready"));
        assert_eq!(message("a = f(\"x\", 1), b = ?c,\n \"event parked\"\n").as_deref(), Some("event parked"));
        assert_eq!(message("a.b = \"no, \\\" message\", \"left, over\",\n").as_deref(), Some("left, over"));
        assert_eq!(message("a = \"only a field\""), None);
        assert_eq!(message("\"not constant {a}\""), None);
        assert_eq!(calls("f(); tracing::warn!(a = g(1), \"b)\"); h()"), ["a = g(1), \"b)\""]);
    }

    #[test]
    fn declared_and_logged_have_to_be_the_same() {
        let source = "fn f() { tracing::info!(a = 1, \"known\"); tracing::warn!(\"unknown\"); }\n\
                      #[cfg(test)]\nmod tests { fn g() { tracing::info!(\"of a test\"); } }\n";
        assert_eq!(
            check(repository(source).path(), &["known", "gone"]),
            [
                "crates/a/src/lib.rs: event \"unknown\" is not declared in semconv/",
                "semconv/: event \"gone\" is declared, and nothing logs it"
            ]
        );
    }

    #[test]
    fn a_message_that_varies_or_is_a_sentence_is_found() {
        let source =
            "fn f() { tracing::info!(\"Done.\"); tracing::error!(\"order {id} failed\"); tracing::info!(\"Up\"); }\n";
        let findings = check(repository(source).path(), &["Done.", "Up"]);
        assert_eq!(
            findings,
            [
                "crates/a/src/lib.rs: message \"Done.\" ends with a full stop",
                "crates/a/src/lib.rs: message \"Up\" does not begin in lower case",
                "crates/a/src/lib.rs: a log line without a constant message"
            ]
        );
    }
}
