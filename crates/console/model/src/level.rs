//! How severe a line is: as OTLP numbers it, as its labels or attributes say, or as the line itself does. Whoever
//! shows or counts levels asks here, so that all of them mean the same.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::{Labels, LogRecord};

/// How much of a line is looked at for a key that names its level, bytes.
const KEYED_BYTES: usize = 1_024;
/// How much of a line is looked at for a word that is a level, bytes.
const PLAIN_BYTES: usize = 128;

/// How severe a line is. Its number is what is kept, so that none may ever change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is the level of that name")]
pub enum Level {
    /// Nothing tells.
    #[default]
    Unknown = 0,
    Trace = 1,
    Debug = 2,
    Info = 3,
    Warn = 4,
    Error = 5,
    Critical = 6,
    Fatal = 7,
}

impl Level {
    /// Labels and attributes that say the level themselves, the first first.
    pub const TOLD_BY: [&str; 6] = ["level", "LEVEL", "Level", "severity", "SEVERITY", "lvl"];

    const ALL: [Self; 8] =
        [Self::Unknown, Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical, Self::Fatal];

    /// Its name, in lowercase.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Fatal => "fatal",
        }
    }

    /// The one with this number; none if no level has it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The level of a record of a stream, whose line is given apart, for a body need not be text.
    pub fn of(record: &LogRecord, stream: &Labels, line: &str) -> Self {
        if let Some(level) = Self::of_severity(record.severity_number) {
            return level;
        }
        let told = std::iter::once(record.severity_text.as_str())
            .chain(Self::TOLD_BY.iter().filter_map(|name| record.attributes.text(name)))
            .chain(Self::TOLD_BY.iter().filter_map(|name| stream.get(name)))
            .find(|word| !word.is_empty());
        match told {
            Some(word) => Self::of_word(word),
            None => Self::in_line(line),
        }
        .unwrap_or_default()
    }

    /// <https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber>
    const fn of_severity(number: i32) -> Option<Self> {
        Some(match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            9..=12 => Self::Info,
            13..=16 => Self::Warn,
            17..=20 => Self::Error,
            21..=24 => Self::Fatal,
            _ => return None,
        })
    }

    /// The level that a word stands for.
    fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 17] = [
            ("trace", Level::Trace),
            ("trc", Level::Trace),
            ("debug", Level::Debug),
            ("dbg", Level::Debug),
            ("info", Level::Info),
            ("inf", Level::Info),
            ("information", Level::Info),
            ("notice", Level::Info),
            ("warn", Level::Warn),
            ("wrn", Level::Warn),
            ("warning", Level::Warn),
            ("error", Level::Error),
            ("err", Level::Error),
            ("critical", Level::Critical),
            ("crit", Level::Critical),
            ("fatal", Level::Fatal),
            ("panic", Level::Fatal),
        ];
        WORDS.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
    }

    /// The level that a line of JSON or logfmt names, or the first word in its beginning that is one.
    fn in_line(line: &str) -> Option<Self> {
        // Each line that comes in is asked, so that what searches is made once.
        static KEYS: LazyLock<[Finder<'static>; 6]> = LazyLock::new(|| {
            ["\"level\":", "level=", "\"severity\":", "severity=", "\"lvl\":", "lvl="].map(Finder::new)
        });
        let head = line.get(..line.floor_char_boundary(KEYED_BYTES)).unwrap_or(line);
        let is_letter = |character: char| character.is_ascii_alphabetic();
        for key in KEYS.iter() {
            let behind = key.find(head.as_bytes()).and_then(|at| head.get(at + key.needle().len()..));
            if let Some(behind) = behind {
                let word = behind.trim_start_matches([' ', '"']);
                let end = word.find(|character| !is_letter(character)).unwrap_or(word.len());
                if let Some(level) = word.get(..end).and_then(Self::of_word) {
                    return Some(level);
                }
            }
        }
        let start = head.get(..head.floor_char_boundary(PLAIN_BYTES)).unwrap_or(head);
        start.split(|character| !is_letter(character)).filter(|word| word.len() > 2).find_map(Self::of_word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Attribute;

    fn of(number: i32, stream: &Labels, line: &str) -> &'static str {
        let record = LogRecord { severity_number: number, ..LogRecord::default() };
        Level::of(&record, stream, line).name()
    }

    #[test]
    fn the_level_is_what_the_number_the_labels_or_the_line_say() {
        let none = Labels::default();
        assert_eq!(of(9, &none, "error"), "info");
        assert_eq!(of(0, &Labels::from_pairs([("level", "WARN")]), "error"), "warn");
        assert_eq!(of(0, &none, r#"{"level":"debug","msg":"error"}"#), "debug");
        assert_eq!(of(0, &none, r#"{"level": "Information","msg":"error"}"#), "info");
        assert_eq!(of(0, &none, "ts=1 level=critical msg=x"), "critical");
        assert_eq!(of(0, &none, "2024-01-01 [ERROR] boom"), "error");
        assert_eq!(of(0, &none, "nothing of it"), "unknown");
        assert_eq!(of(99, &none, ""), "unknown");
        // A key whose value is no level leaves it to the next.
        assert_eq!(of(0, &none, "level=7 severity=warn"), "warn");
    }

    #[test]
    fn what_the_sender_says_goes_before_what_the_line_says() {
        let mut record = LogRecord { severity_text: "dbg".into(), ..LogRecord::default() };
        assert_eq!(Level::of(&record, &Labels::default(), "level=error"), Level::Debug);
        record.severity_text = "".into();
        record.attributes = [Attribute::new("severity", "Fatal")].into_iter().collect();
        assert_eq!(Level::of(&record, &Labels::default(), "level=error"), Level::Fatal);
        // A word that is no level is what the sender says all the same.
        record.severity_text = "loud".into();
        assert_eq!(Level::of(&record, &Labels::default(), "level=error"), Level::Unknown);
    }

    #[test]
    fn numbers_stand_for_the_same_level_for_ever() {
        let names: Vec<&str> = (0..9).filter_map(Level::from_number).map(Level::name).collect();
        assert_eq!(names, ["unknown", "trace", "debug", "info", "warn", "error", "critical", "fatal"]);
        assert!((0..8).all(|number| Level::from_number(number).is_some_and(|level| level as u8 == number)));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "(level=|\"lvl\": \"|é|err|[a-z ]){0,80}") {
            let _ = of(0, &Labels::default(), &line);
        }
    }
}
