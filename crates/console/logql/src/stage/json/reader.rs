//! Reads JSON in place: text without escapes is not copied, what nobody wants is skipped.

use std::borrow::Cow;
use std::fmt;

/// Lists and objects within each other, where they are only skipped.
const DEPTH_MAX: usize = 200;

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    message: &'static str,
    at: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.message, self.at)
    }
}

/// A value that has no parts.
pub(super) enum Scalar<'a> {
    /// Text without its quotes, or a number or a truth as it is written.
    Text(Cow<'a, str>),
    Null,
}

pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) const fn fault(&self, message: &'static str) -> Fault {
        Fault { message, at: self.at }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The byte that the next value begins with.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.byte()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    /// Nothing follows but space.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        if self.peek().is_none() { Ok(()) } else { Err(self.fault("something follows the document")) }
    }

    /// Shows each key of an object; `see` has to read the value.
    pub(super) fn object(
        &mut self,
        mut see: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if !self.take(b'{') {
            return Err(self.fault("an object is expected"));
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            see(self, key)?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.fault("a comma or the object's end is expected"));
            }
        }
    }

    fn key(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("a key is expected"));
        }
        let key = self.string()?;
        if self.take(b':') { Ok(key) } else { Err(self.fault("a colon is expected")) }
    }

    /// Goes to the value of a key. Where it is not there, the place is lost.
    pub(super) fn enter_key(&mut self, wanted: &str) -> Result<bool, Fault> {
        self.at += 1;
        if self.take(b'}') {
            return Ok(false);
        }
        loop {
            if self.key()? == wanted {
                return Ok(true);
            }
            self.skip(0)?;
            if !self.take(b',') {
                return Ok(false);
            }
        }
    }

    /// Goes to an item of a list. Where it is not there, the place is lost.
    pub(super) fn enter_index(&mut self, wanted: usize) -> Result<bool, Fault> {
        self.at += 1;
        if self.peek() == Some(b']') {
            return Ok(false);
        }
        for _ in 0..wanted {
            self.skip(0)?;
            if !self.take(b',') {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn scalar(&mut self) -> Result<Scalar<'a>, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(Scalar::Text),
            Some(b't') => self.word("true").map(|word| Scalar::Text(word.into())),
            Some(b'f') => self.word("false").map(|word| Scalar::Text(word.into())),
            Some(b'n') => self.word("null").map(|_| Scalar::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(|digits| Scalar::Text(digits.into())),
            _ => Err(self.fault("a value is expected")),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<&'static str, Fault> {
        if !self.text.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err(self.fault("a value is expected"));
        }
        self.at += word.len();
        Ok(word)
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let from = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
            self.at += 1;
        }
        let digits = self.text.get(from..self.at).unwrap_or_default();
        if is_number(digits.as_bytes()) { Ok(digits) } else { Err(self.fault("a number is expected")) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let from = self.at + 1;
        let mut at = from;
        let mut has_escapes = false;
        loop {
            let rest = self.text.as_bytes().get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(self.fault("a text without its end"));
            };
            at += found;
            if self.text.as_bytes().get(at) == Some(&b'"') {
                break;
            }
            has_escapes = true;
            at += 2;
        }
        let inner = self.text.get(from..at).ok_or_else(|| self.fault("a text without its end"))?;
        if !has_escapes {
            self.at = at + 1;
            return Ok(Cow::Borrowed(inner));
        }
        let whole = unescape(inner).ok_or_else(|| self.fault("an escape that is none"))?;
        self.at = at + 1;
        Ok(Cow::Owned(whole))
    }

    /// Goes behind the next value, and gives it as it is written.
    pub(super) fn skip(&mut self, depth: usize) -> Result<&'a str, Fault> {
        if depth > DEPTH_MAX {
            return Err(self.fault("values are nested too deeply"));
        }
        let first = self.peek();
        let from = self.at;
        match first {
            Some(b'{') => self.object(|reader, _| reader.skip(depth + 1).map(drop))?,
            Some(b'[') => {
                self.at += 1;
                if !self.take(b']') {
                    loop {
                        self.skip(depth + 1)?;
                        if self.take(b']') {
                            break;
                        }
                        if !self.take(b',') {
                            return Err(self.fault("a comma or the list's end is expected"));
                        }
                    }
                }
            }
            _ => {
                self.scalar()?;
            }
        }
        Ok(self.text.get(from..self.at).unwrap_or_default())
    }
}

/// Whether it is a number: a sign, digits with a point among them or not, an exponent. Its value is not asked for
/// here, and often by nobody.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(text);
    let mut rest = text.get(whole..).unwrap_or_default();
    let mut count = whole;
    if let Some(behind) = rest.strip_prefix(b".") {
        let more = digits(behind);
        count += more;
        rest = behind.get(more..).unwrap_or_default();
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let more = digits(exponent);
        rest = exponent.get(more..).unwrap_or_default();
        if more == 0 {
            return false;
        }
    }
    count > 0 && rest.is_empty()
}

/// What escapes stand for; half of a pair of surrogates becomes the replacement character.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let escape = behind.chars().next()?;
        rest = behind.get(escape.len_utf8()..)?;
        match escape {
            '"' | '\\' | '/' => out.push(escape),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (unit, behind) = unit(rest)?;
                rest = behind;
                let low = rest.strip_prefix("\\u").and_then(unit_of_pair);
                match (unit, low) {
                    (0xd800..=0xdbff, Some((low, behind))) => {
                        rest = behind;
                        let whole = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        out.push(char::from_u32(whole).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    _ => out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
                }
            }
            _ => return None,
        }
    }
    out.push_str(rest);
    Some(out)
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let digits = text.get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    Some((u32::from_str_radix(digits, 16).ok()?, text.get(4..)?))
}

fn unit_of_pair(text: &str) -> Option<(u32, &str)> {
    unit(text).filter(|(unit, _)| (0xdc00..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_what_can_be_read_as_one(text in "[-]?[0-9.eE+-]{0,12}") {
            // What begins with a plus is no value, so that nobody asks about it.
            prop_assume!(!text.starts_with('+'));
            prop_assert_eq!(is_number(text.as_bytes()), text.parse::<f64>().is_ok(), "{}", text);
        }
    }
}
