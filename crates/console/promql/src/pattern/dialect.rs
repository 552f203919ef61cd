//! Go's syntax of regular expressions in that of the library `regex`. What is wrong in both is left as it is, for the
//! library to find.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use super::words::wrong;

/// The longest name of a class that is looked for.
const NAME_CHARS_MAX: usize = 64;

const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// Repetitions beyond it are refused, as Go does.
const REPEATS_MAX: u32 = 1_000;

/// The same pattern in our library's syntax.
///
/// # Errors
/// What our library has and Go's has not.
pub(super) fn translated(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        pattern,
        rest: pattern.char_indices().peekable(),
        out: String::with_capacity(pattern.len()),
        repeated: None,
    };
    while let Some((at, character)) = translator.rest.next() {
        match character {
            '\\' => translator.escape(at)?,
            '[' => translator.class()?,
            '{' => translator.brace(at)?,
            '(' => translator.group(at)?,
            '*' | '+' | '?' => translator.repetition(at, 1)?,
            other => translator.out.push(other),
        }
    }
    Ok(translator.out)
}

struct Translator<'p> {
    pattern: &'p str,
    rest: Peekable<CharIndices<'p>>,
    out: String,
    /// Where the last repetition stands.
    repeated: Option<Range<usize>>,
}

/// What stands in brackets.
enum Member {
    /// A character, which is still to be written.
    Character(char),
    /// A character by its code, which is written already.
    Code,
    /// A class, which is written already.
    Class,
}

impl<'p> Translator<'p> {
    /// The place of what has not been read.
    fn place(&mut self) -> usize {
        self.rest.peek().map_or(self.pattern.len(), |(at, _)| *at)
    }

    /// What has not been read.
    fn ahead(&mut self) -> &'p str {
        let at = self.place();
        self.pattern.get(at..).unwrap_or_default()
    }

    fn written(&self, start: usize, end: usize) -> &'p str {
        self.pattern.get(start..end).unwrap_or_default()
    }

    fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            self.rest.next();
        }
    }

    fn literal(&mut self, character: char) {
        // Our library has meanings of its own for these two behind a backslash.
        if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    /// Takes as many as are of a kind, at most so many.
    fn take(&mut self, most: usize, belongs: impl Fn(char) -> bool) -> &'p str {
        let ahead = self.ahead();
        let length = ahead.chars().take(most).take_while(|character| belongs(*character)).map(char::len_utf8).sum();
        let taken = ahead.get(..length).unwrap_or_default();
        self.skip(taken.chars().count());
        taken
    }

    /// Behind a backslash that stands `at` a place, outside brackets.
    fn escape(&mut self, at: usize) -> Result<(), String> {
        match self.rest.peek().map(|(_, character)| *character) {
            Some('Q') => {
                self.skip(1);
                let ahead = self.ahead();
                let (quoted, end) = ahead.split_once("\\E").map_or((ahead, 0), |(quoted, _)| (quoted, 2));
                quoted.chars().for_each(|character| self.literal(character));
                self.skip(quoted.chars().count() + end);
            }
            Some('b') => {
                self.skip(1);
                self.out.push_str(r"(?-u:\b)");
            }
            Some(class @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => {
                self.skip(1);
                let not = if class.is_ascii_uppercase() { "^" } else { "" };
                self.out.push_str(&format!("[{not}{}]", members(class)));
            }
            _ => self.character(at)?,
        }
        Ok(())
    }

    /// What means the same inside brackets and outside of them: one character, or a class of Unicode.
    fn character(&mut self, at: usize) -> Result<(), String> {
        let Some((_, character)) = self.rest.next() else {
            self.out.push('\\');
            return Ok(());
        };
        match character {
            '0'..='7' => {
                let more = self.take(2, |digit| matches!(digit, '0'..='7'));
                if character != '0' && more.is_empty() {
                    return Err(wrong("invalid escape sequence", self.written(at, at + 2)));
                }
                let code = u32::from_str_radix(&format!("{character}{more}"), 8).unwrap_or_default();
                self.out.push_str(&format!("\\x{{{code:x}}}"));
            }
            'u' | 'U' => return Err(wrong("invalid escape sequence", &format!("\\{character}"))),
            'p' | 'P' | 'x' => {
                self.out.extend(['\\', character]);
                let name = if self.ahead().starts_with('{') {
                    let start = self.place();
                    self.take(NAME_CHARS_MAX, |character| character != '}');
                    self.take(1, |character| character == '}');
                    let end = self.place();
                    self.written(start, end)
                } else {
                    self.take(if character == 'x' { 2 } else { 1 }, |character| character.is_ascii_alphanumeric())
                };
                self.out.push_str(name);
            }
            punctuation if punctuation.is_ascii_punctuation() => self.literal(punctuation),
            other => self.out.extend(['\\', other]),
        }
        Ok(())
    }

    /// Behind a brace that was opened `at` a place.
    fn brace(&mut self, at: usize) -> Result<(), String> {
        let ahead = self.ahead();
        let length = ahead.bytes().take(NAME_CHARS_MAX).position(|byte| byte == b'}').unwrap_or(0);
        let inner = ahead.get(..length).unwrap_or_default();
        let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            self.literal('{');
            return Ok(());
        }
        let too_many = |text: &str| !text.is_empty() && text.parse::<u32>().map_or(true, |count| count > REPEATS_MAX);
        let length = inner.len() + 2;
        if too_many(least) || too_many(most) {
            return Err(wrong("invalid repeat count", self.written(at, at + length)));
        }
        self.skip(length - 1);
        self.repetition(at, length)
    }

    /// A repetition that was read, with the mark that it is lazy. One of another is none.
    fn repetition(&mut self, at: usize, length: usize) -> Result<(), String> {
        let before = self.repeated.take().filter(|before| before.end == at);
        if let Some(before) = before {
            return Err(wrong("invalid nested repetition operator", self.written(before.start, at + length)));
        }
        self.out.push_str(self.written(at, at + length));
        if self.ahead().starts_with('?') {
            self.skip(1);
            self.out.push('?');
        }
        self.repeated = Some(at..self.place());
        Ok(())
    }

    /// Behind a parenthesis that was opened `at` a place.
    fn group(&mut self, at: usize) -> Result<(), String> {
        self.out.push('(');
        let Some(flags) = self.ahead().strip_prefix('?') else { return Ok(()) };
        if flags.starts_with("P<") || flags.starts_with('<') {
            return Ok(());
        }
        let end = flags.find([':', ')']).unwrap_or(flags.len());
        let unknown = flags.char_indices().take_while(|(place, _)| *place < end);
        let unknown = unknown.into_iter().find(|(_, flag)| !matches!(flag, 'i' | 'm' | 's' | 'U' | '-'));
        if let Some((place, flag)) = unknown {
            let shown = self.written(at, at + 2 + place + flag.len_utf8());
            return Err(wrong("invalid or unsupported Perl syntax", shown));
        }
        Ok(())
    }

    /// Behind an opened bracket.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.ahead().starts_with('^') {
            self.skip(1);
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let ahead = self.ahead();
            if ahead.is_empty() {
                return Ok(());
            }
            if ahead.starts_with(']') && !is_first {
                self.skip(1);
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            let start = self.place();
            match self.member()? {
                Member::Character(first) => self.literal(first),
                Member::Code => {}
                Member::Class => continue,
            }
            let is_range = |rest: &str| !rest.is_empty() && !rest.starts_with(']');
            if !self.ahead().strip_prefix('-').is_some_and(is_range) {
                continue;
            }
            self.skip(1);
            self.out.push('-');
            match self.member()? {
                Member::Character(last) => self.literal(last),
                Member::Code => {}
                Member::Class => {
                    let end = self.place();
                    return Err(wrong("invalid character class range", self.written(start, end)));
                }
            }
        }
    }

    /// What comes next in a bracket. Classes and escapes of codes are written at once.
    fn member(&mut self) -> Result<Member, String> {
        let ahead = self.ahead();
        if ahead.starts_with("[:")
            && let Some(end) = ahead.as_bytes().windows(2).take(NAME_CHARS_MAX).skip(2).position(|pair| pair == b":]")
        {
            let class = ahead.get(..end + 4).unwrap_or_default();
            let name = ahead.get(2..end + 2).unwrap_or_default();
            if !POSIX_CLASSES.contains(&name.trim_start_matches('^')) {
                return Err(wrong("invalid character class range", class));
            }
            self.out.push_str(class);
            self.skip(class.chars().count());
            return Ok(Member::Class);
        }
        let Some((at, character)) = self.rest.next() else { return Ok(Member::Class) };
        if character != '\\' {
            return Ok(Member::Character(character));
        }
        match self.rest.peek().map(|(_, character)| *character) {
            Some(class @ ('d' | 's' | 'w')) => {
                self.skip(1);
                self.out.push_str(members(class));
            }
            Some(class @ ('D' | 'S' | 'W')) => {
                self.skip(1);
                self.out.push_str(&format!("[^{}]", members(class)));
            }
            Some(punctuation) if punctuation.is_ascii_punctuation() => {
                self.skip(1);
                return Ok(Member::Character(punctuation));
            }
            Some('p' | 'P') => self.character(at)?,
            _ => {
                self.character(at)?;
                return Ok(Member::Code);
            }
        }
        Ok(Member::Class)
    }
}

/// What belongs to a class of Perl's: of ASCII only.
fn members(class: char) -> &'static str {
    match class.to_ascii_lowercase() {
        'd' => "0-9",
        's' => r"\t\n\x0C\r\x20",
        _ => "0-9A-Za-z_",
    }
}
