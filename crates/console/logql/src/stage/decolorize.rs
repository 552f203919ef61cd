//! Takes the sequences out of a line that colour it on a terminal.

const ESCAPE: char = '\u{1b}';

/// The line without them; nothing if there are none.
pub(super) fn strip(line: &str) -> Option<String> {
    memchr::memchr(0x1b, line.as_bytes())?;
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once(ESCAPE) {
        out.push_str(before);
        // What is no such sequence stays.
        rest = match behind.strip_prefix('[').and_then(end_of_sequence) {
            Some(behind) => behind,
            None => {
                out.push(ESCAPE);
                behind
            }
        };
    }
    out.push_str(rest);
    Some(out)
}

/// What is behind a sequence: parameters, and one letter that says what they are for.
fn end_of_sequence(text: &str) -> Option<&str> {
    let end = text.find(|character: char| !matches!(character, '0'..='9' | ';' | ':' | '?' | '<'..='>' | ' '..='/'))?;
    let rest = text.get(end..)?;
    let last = rest.chars().next().filter(|last| matches!(last, '@'..='~'))?;
    rest.get(last.len_utf8()..)
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn colours_are_gone_and_all_else_stays() {
        let line = "[2022-11-04 22:17:57.811] \u{1b}[0;32mhttp\u{1b}[0m: GET /_health (0 ms) 204";
        assert_eq!(strip(line).unwrap(), "[2022-11-04 22:17:57.811] http: GET /_health (0 ms) 204");
        assert_eq!(strip("plain"), None);
        assert_eq!(strip("a\u{1b}b\u{1b}[é").unwrap(), "a\u{1b}b\u{1b}[é");
    }
}
