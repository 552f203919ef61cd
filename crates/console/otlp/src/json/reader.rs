//! Reads JSON token by token, driven by whoever knows what has to come next.
//!
//! Not serde_json, for three things that it does not give: the path of what is wrong, going on after an item
//! that is not taken (text that is not UTF-8 included), and values of OTLP nested 64 deep, which are nearly
//! 200 levels of JSON, without lifting its guard against deep nesting for all. Tests have it as their judge.

use std::borrow::Cow;

use crate::DecodeError;

/// How deep what is skipped may be nested. Nothing recurses there; the bound is for memory.
const SKIP_DEPTH_MAX: usize = 1_000;

/// What stands where an integer is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
}

/// A place in a JSON text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning of this text.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where it is, in bytes, for errors and for [`Reader::back_to`].
    pub(crate) fn offset(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// Goes back to where it was, to skip what could not be taken.
    pub(crate) const fn back_to(&mut self, offset: usize) {
        self.at = offset;
    }

    fn wrong(&self, what: impl Into<String>) -> DecodeError {
        DecodeError::whole(what).at(self.at)
    }

    fn expected(&mut self, what: &str) -> DecodeError {
        let found = match self.peek() {
            None => "the end of the text",
            Some(b'"') => "text",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "true or false",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(b'}' | b']') => "a closing bracket",
            Some(b',') => "a comma",
            Some(_) => "something else",
        };
        self.wrong(format!("expected {what}, found {found}"))
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at).copied() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Takes a null, if that is what comes.
    pub(crate) fn null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.word("null")
    }

    /// An object: `field` is called for each name, and has to read or skip the value. Null is one without
    /// fields.
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &str) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.null() {
            return Ok(());
        }
        if !self.eat(b'{') {
            return Err(self.expected("an object"));
        }
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            let name = if self.peek() == Some(b'"') { self.string()? } else { return Err(self.expected("a name")) };
            if !self.eat(b':') {
                return Err(self.expected("a colon").under(&name));
            }
            field(self, &name).map_err(|error| error.at(self.at).under(&name))?;
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.expected("a comma or the end of the object"));
            }
        }
    }

    /// A list: `item` is called for each, and has to read or skip it. Null is one without items.
    pub(crate) fn array(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.null() {
            return Ok(());
        }
        if !self.eat(b'[') {
            return Err(self.expected("a list"));
        }
        if self.eat(b']') {
            return Ok(());
        }
        for index in 0_usize.. {
            item(self).map_err(|error| error.at(self.at).under(&format!("[{index}]")))?;
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.expected("a comma or the end of the list"));
            }
        }
        Ok(())
    }

    /// Checks that nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), DecodeError> {
        if self.peek().is_some() {
            return Err(self.wrong("the text goes on after its end"));
        }
        Ok(())
    }

    /// Text; null is empty.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'n') if self.null() => Ok(Cow::Borrowed("")),
            _ => Err(self.expected("text")),
        }
    }

    /// True or false; null is false.
    pub(crate) fn boolean(&mut self) -> Result<bool, DecodeError> {
        if self.word("true") {
            return Ok(true);
        }
        if self.word("false") || self.null() {
            return Ok(false);
        }
        Err(self.expected("true or false"))
    }

    /// A number as it is written, bare or as text; null is "0".
    fn number(&mut self) -> Result<(Cow<'a, str>, usize), DecodeError> {
        let offset = self.offset();
        let text = match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'n') if self.null() => Cow::Borrowed("0"),
            _ => Cow::Borrowed(self.bare_number()?),
        };
        Ok((text, offset))
    }

    fn integer<T: TryFrom<i128>>(&mut self, expected: &str) -> Result<T, DecodeError> {
        let (text, offset) = self.number()?;
        whole(&text)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| DecodeError::whole(format!("expected {expected}")).at(offset))
    }

    /// `uint64` and `fixed64`
    pub(crate) fn uint64(&mut self) -> Result<u64, DecodeError> {
        self.integer("a number from 0 to 2^64 - 1, as in \"1700000000000000000\"")
    }

    /// `int64` of a value. A bare number that is none is taken for a double: senders whose only numbers are
    /// doubles write 1.5e300 as an integer, and -2^63 as a number below it.
    pub(crate) fn int64_or_double(&mut self) -> Result<Number, DecodeError> {
        let is_bare = self.peek() != Some(b'"');
        let (text, offset) = self.number()?;
        if let Some(integer) = whole(&text).and_then(|number| i64::try_from(number).ok()) {
            return Ok(Number::Int(integer));
        }
        let double = text.parse().ok().filter(|double: &f64| is_bare && double.is_finite());
        let error = || DecodeError::item("expected an integer of 64 bits, as in \"-5\"").at(offset);
        double.map(Number::Double).ok_or_else(error)
    }

    /// `uint32` and `fixed32`
    pub(crate) fn uint32(&mut self) -> Result<u32, DecodeError> {
        self.integer("a number from 0 to 2^32 - 1")
    }

    /// `int32` and its like
    pub(crate) fn int32(&mut self) -> Result<i32, DecodeError> {
        self.integer("an integer of 32 bits")
    }

    /// `double`
    pub(crate) fn double(&mut self) -> Result<f64, DecodeError> {
        let (text, offset) = self.number()?;
        match text.as_ref() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            // What the standard library takes beyond numbers begins with a letter, behind a sign or not.
            number if number.contains(['n', 'N', 'y']) => Err(()),
            number => number.parse().map_err(|_| ()),
        }
        .map_err(|()| DecodeError::whole("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"").at(offset))
    }

    /// An enum: its number, or one of these names behind the prefix that all have.
    pub(crate) fn enumeration(&mut self, prefix: &str, names: &[&str]) -> Result<i32, DecodeError> {
        let offset = self.offset();
        if self.peek() != Some(b'"') {
            return self.int32();
        }
        let text = self.string()?;
        let known = text.strip_prefix(prefix).and_then(|name| names.iter().position(|known| *known == name));
        if let Some(number) = known.and_then(|number| i32::try_from(number).ok()) {
            return Ok(number);
        }
        text.parse().map_err(|_| {
            let first = names.first().copied().unwrap_or_default();
            DecodeError::item(format!("expected a number or a name, as in \"{prefix}{first}\"")).at(offset)
        })
    }

    fn string(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        let start = self.at + 1;
        let escaped = self.skip_string()?;
        let inner = self.bytes.get(start..self.at.saturating_sub(1)).unwrap_or_default();
        let text = str::from_utf8(inner).map_err(|_| DecodeError::item("text that is not UTF-8").at(start))?;
        if escaped { unescape(text).map(Cow::Owned).map_err(|what| self.wrong(what)) } else { Ok(Cow::Borrowed(text)) }
    }

    /// Goes behind a string; says whether there are escapes in it. What is behind a backslash is not checked.
    fn skip_string(&mut self) -> Result<bool, DecodeError> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(byte) if *byte < 0x20 => return Err(self.wrong("a control character in text has to be escaped")),
                Some(_) => self.at += 1,
                None => return Err(DecodeError::whole("text without an end").at(start)),
            }
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at > start
    }

    fn next_is(&mut self, bytes: &[u8]) -> bool {
        let found = self.bytes.get(self.at).is_some_and(|byte| bytes.contains(byte));
        self.at += usize::from(found);
        found
    }

    fn bare_number(&mut self) -> Result<&'a str, DecodeError> {
        let start = self.at;
        self.next_is(b"-");
        // No zeros in front.
        let mut good = self.next_is(b"0") || self.digits();
        if good && self.next_is(b".") {
            good = self.digits();
        }
        if good && self.next_is(b"eE") {
            self.next_is(b"+-");
            good = self.digits();
        }
        let text = self.bytes.get(start..self.at).and_then(|bytes| str::from_utf8(bytes).ok());
        match text.filter(|_| good) {
            Some(text) => Ok(text),
            None if self.at == start => Err(self.expected("a number")),
            None => Err(self.wrong("a number that is not whole")),
        }
    }

    /// Goes behind a value, whatever it is.
    pub(crate) fn skip(&mut self) -> Result<(), DecodeError> {
        let mut open = Vec::new();
        loop {
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    if !self.eat(if bracket == b'{' { b'}' } else { b']' }) {
                        if open.len() == SKIP_DEPTH_MAX {
                            return Err(self.wrong(format!("the text is nested more than {SKIP_DEPTH_MAX} deep")));
                        }
                        open.push(bracket);
                        if bracket == b'{' {
                            self.skip_name()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => {
                    self.skip_string()?;
                }
                Some(b't' | b'f') => {
                    self.boolean()?;
                }
                Some(b'n') if self.null() => {}
                _ => {
                    self.bare_number()?;
                }
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Behind a value within a skipped one: goes on to the next, or out of as many brackets as close here.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, DecodeError> {
        while let Some(bracket) = open.last().copied() {
            if self.eat(b',') {
                if bracket == b'{' {
                    self.skip_name()?;
                }
                return Ok(false);
            }
            if !self.eat(if bracket == b'{' { b'}' } else { b']' }) {
                return Err(self.expected("a comma or a closing bracket"));
            }
            open.pop();
        }
        Ok(true)
    }

    fn skip_name(&mut self) -> Result<(), DecodeError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a name"));
        }
        self.skip_string()?;
        if self.eat(b':') { Ok(()) } else { Err(self.expected("a colon")) }
    }
}

/// An integer, however it is written.
fn whole(text: &str) -> Option<i128> {
    match text.parse::<i128>() {
        Ok(number) => Some(number),
        // 1.0 and 1e3 are integers too, for protobuf's JSON and for those who only have doubles.
        Err(_) => text.parse::<f64>().ok().filter(|number| number.fract() == 0.0).map(|number| number as i128),
    }
}

fn unescape(text: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        let character = match characters.next() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (character, behind) = unicode_escape(characters.as_str())?;
                out.push(character);
                rest = behind;
                continue;
            }
            _ => return Err("an escape that JSON does not have"),
        };
        out.push(character);
        rest = characters.as_str();
    }
    out.push_str(rest);
    Ok(out)
}

/// What is behind `\u`. Half a surrogate pair, as senders make that cut text in the middle of a character,
/// becomes U+FFFD.
fn unicode_escape(text: &str) -> Result<(char, &str), &'static str> {
    let four = |text: &str| {
        let digits = text.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let high = four(text).ok_or("an escape without its four hexadecimal digits")?;
    let behind = text.get(4..).unwrap_or_default();
    if (0xd800..0xdc00).contains(&high)
        && let Some(after) = behind.strip_prefix("\\u")
        && let Some(low) = four(after).filter(|low| (0xdc00..0xe000).contains(low))
    {
        let pair = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return Ok((char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER), after.get(4..).unwrap_or_default()));
    }
    Ok((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), behind))
}
