//! A place in a line, and the tokens that can stand there. What they mean is the parser's business.

use std::borrow::Cow;

use super::Fault;

/// A piece of the text, perhaps with escapes in it.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    raw: &'a str,
    has_escapes: bool,
}

impl<'a> Part<'a> {
    pub(super) const fn plain(raw: &'a str) -> Self {
        Self { raw, has_escapes: false }
    }

    pub(super) fn escaped_if_needed(raw: &'a str) -> Self {
        Self { raw, has_escapes: raw.contains('\\') }
    }

    /// As it was written, without the quotes around it.
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// What it stands for: `\\`, `\"` and `\n` are replaced, a backslash before anything else is itself.
    pub fn text(self) -> Cow<'a, str> {
        if !self.has_escapes {
            return Cow::Borrowed(self.raw);
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some((before, after)) = rest.split_once('\\') {
            text.push_str(before);
            let (character, skip) = match after.bytes().next() {
                Some(b'\\') => ('\\', 1),
                Some(b'"') => ('"', 1),
                Some(b'n') => ('\n', 1),
                _ => ('\\', 0),
            };
            text.push(character);
            rest = after.get(skip..).unwrap_or_default();
        }
        text.push_str(rest);
        Cow::Owned(text)
    }

    /// Whether both stand for the same text.
    pub(super) fn is_same(self, other: Self) -> bool {
        if self.has_escapes || other.has_escapes { self.text() == other.text() } else { self.raw == other.raw }
    }
}

/// Letters, digits and the underscore are names of labels; with the colon, of metrics.
const LABEL: u8 = 1;
const METRIC: u8 = 2;

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        let ascii = byte as u8;
        if ascii.is_ascii_alphanumeric() || ascii == b'_' {
            classes[byte] = LABEL | METRIC;
        } else if ascii == b':' {
            classes[byte] = METRIC;
        }
        byte += 1;
    }
    classes
}

static CLASSES: [u8; 256] = classes();

/// A place in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    pub(super) const fn line(&self) -> &'a str {
        self.line
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.line.get(start..end).unwrap_or_default()
    }

    pub(super) fn remainder(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    /// Behind an ASCII character that [`Cursor::peek`] has shown.
    pub(super) const fn bump(&mut self) {
        self.at += 1;
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Whether what was read last was in quotes.
    pub(super) fn is_behind_quote(&self) -> bool {
        self.at.checked_sub(1).and_then(|before| self.line.as_bytes().get(before)) == Some(&b'"')
    }

    fn name(&mut self, class: u8) -> Option<&'a str> {
        let bytes = self.line.as_bytes();
        let start = self.at;
        if bytes.get(start)?.is_ascii_digit() {
            return None;
        }
        while bytes.get(self.at).is_some_and(|byte| CLASSES[usize::from(*byte)] & class != 0) {
            self.at += 1;
        }
        (self.at > start).then(|| self.slice(start, self.at))
    }

    pub(super) fn metric_name(&mut self) -> Option<&'a str> {
        self.name(METRIC)
    }

    pub(super) fn label_name(&mut self) -> Option<&'a str> {
        self.name(LABEL)
    }

    /// Up to the next blank.
    pub(super) fn token(&mut self) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte != b' ' && byte != b'\t') {
            self.at += 1;
        }
        self.slice(start, self.at)
    }

    /// A text in quotes.
    pub(super) fn quoted(&mut self) -> Result<Part<'a>, Fault> {
        let wrong = |cursor: &Self| Fault::Quote(Fault::quote(cursor.remainder()));
        if self.peek() != Some(b'"') {
            return Err(wrong(self));
        }
        let start = self.at + 1;
        let mut end = start;
        let mut has_escapes = false;
        loop {
            match self.line.as_bytes().get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    end += 2;
                }
                Some(_) => end += 1,
                None => return Err(wrong(self)),
            }
        }
        self.at = end + 1;
        // The quote is ASCII, so both ends are those of characters.
        Ok(Part { raw: self.slice(start, end), has_escapes })
    }
}

/// A number as Go writes and reads it. Every NaN becomes the one that Prometheus has for a value that is
/// none, for there is another that marks a series as ended.
pub(super) fn number(token: &str) -> Option<f64> {
    // Most samples are whole numbers that a double holds exactly.
    if token.len() <= 15 && !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
        let whole = token.bytes().fold(0_u64, |whole, byte| whole * 10 + u64::from(byte - b'0'));
        return Some(whole as f64);
    }
    let value: f64 = token.parse().ok()?;
    Some(if value.is_nan() { f64::from_bits(0x7ff8_0000_0000_0001) } else { value })
}
