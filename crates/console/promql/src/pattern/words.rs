//! What is wrong with a pattern, in the words of Go's library.

use regex_syntax::ast::{Error, ErrorKind, parse::Parser};

/// A message.
pub(super) fn wrong(what: &str, shown: &str) -> String {
    format!("error parsing regexp: {what}: `{shown}`")
}

/// Whether a pattern can be read at all.
///
/// # Errors
/// What is wrong with it. Parts of it are shown as they were written, wherever they were not translated.
pub(super) fn check(pattern: &str, translated: &str) -> Result<(), String> {
    let error_of = |text: &str| Parser::new().parse(text).err();
    let Some(error) = error_of(translated) else { return Ok(()) };
    Err(match error_of(pattern) {
        Some(as_written) if as_written.kind() == error.kind() => in_words(pattern, pattern, &as_written),
        _ => in_words(pattern, translated, &error),
    })
}

/// Why a pattern that can be read cannot be compiled.
pub(super) fn told(pattern: &str, error: &regex::Error) -> String {
    match error {
        // All else that is wrong is found as it is read, but for names that nothing has.
        regex::Error::Syntax(_) => wrong("invalid character class range", unknown_class(pattern)),
        _ => wrong("expression too large", pattern),
    }
}

/// The first name of a class that our library does not know.
fn unknown_class(pattern: &str) -> &str {
    let classes = pattern.match_indices("\\p").chain(pattern.match_indices("\\P")).filter_map(|(at, _)| {
        let rest = pattern.get(at..)?;
        let name = rest.get(2..)?;
        let brace = |name: &str| name.bytes().take(64).position(|byte| byte == b'}');
        let length = if name.starts_with('{') { brace(name)? + 1 } else { name.chars().next()?.len_utf8() };
        rest.get(..2 + length)
    });
    let unknown = |class: &&str| regex_syntax::Parser::new().parse(class).is_err();
    classes.into_iter().find(unknown).unwrap_or(pattern)
}

fn in_words(pattern: &str, read: &str, error: &Error) -> String {
    let span = error.span();
    let part = |start: usize, end: usize| read.get(start..end).unwrap_or_default();
    let here = part(span.start.offset, span.end.offset);
    // From the last opened group on.
    let group = || {
        let start = part(0, span.end.offset).rfind("(?").unwrap_or(span.start.offset);
        part(start, span.end.offset)
    };
    match error.kind() {
        ErrorKind::GroupUnclosed => wrong("missing closing )", pattern),
        ErrorKind::GroupUnopened => wrong("unexpected )", pattern),
        ErrorKind::ClassUnclosed => wrong("missing closing ]", part(span.start.offset, read.len())),
        ErrorKind::ClassRangeInvalid | ErrorKind::ClassRangeLiteral | ErrorKind::ClassEscapeInvalid => {
            wrong("invalid character class range", here)
        }
        ErrorKind::RepetitionMissing => {
            let rest = part(span.start.offset, read.len());
            let length = if rest.starts_with('{') { rest.find('}').map_or(1, |end| end + 1) } else { 1 };
            wrong("missing argument to repetition operator", rest.get(..length).unwrap_or_default())
        }
        ErrorKind::RepetitionCountInvalid
        | ErrorKind::RepetitionCountUnclosed
        | ErrorKind::DecimalEmpty
        | ErrorKind::DecimalInvalid => wrong("invalid repeat count", here),
        ErrorKind::EscapeUnexpectedEof if read.ends_with('\\') => wrong("trailing backslash at end of expression", ""),
        ErrorKind::EscapeUnexpectedEof => {
            wrong("invalid escape sequence", part(read.rfind('\\').unwrap_or_default(), read.len()))
        }
        ErrorKind::GroupNameDuplicate { .. } => wrong("duplicate capture group name", here),
        ErrorKind::GroupNameEmpty | ErrorKind::GroupNameInvalid | ErrorKind::GroupNameUnexpectedEof => {
            let start = part(0, span.end.offset).rfind("(?").unwrap_or(span.start.offset);
            let end = read.get(start..).and_then(|rest| rest.find('>')).map_or(read.len(), |length| start + length + 1);
            wrong("invalid named capture", part(start, end))
        }
        ErrorKind::NestLimitExceeded(_) | ErrorKind::CaptureLimitExceeded => {
            wrong("expression nests too deeply", pattern)
        }
        ErrorKind::FlagDanglingNegation
        | ErrorKind::FlagDuplicate { .. }
        | ErrorKind::FlagRepeatedNegation { .. }
        | ErrorKind::FlagUnexpectedEof
        | ErrorKind::FlagUnrecognized
        | ErrorKind::UnsupportedLookAround => wrong("invalid or unsupported Perl syntax", group()),
        _ => wrong("invalid escape sequence", here),
    }
}
