//! Words and numbers for the severity of a log line, as OTLP numbers them. Where in a line such a word
//! stands is not known here.

/// The number of OTLP for a word in any case; 0 for a word that is none.
pub(crate) fn from_word(word: &str) -> i32 {
    const WORDS: [(&str, i32); 24] = [
        ("trace", 1),
        ("trc", 1),
        ("verbose", 1),
        ("debug", 5),
        ("dbg", 5),
        ("info", 9),
        ("inf", 9),
        ("information", 9),
        ("informational", 9),
        ("notice", 10),
        ("warn", 13),
        ("wrn", 13),
        ("warning", 13),
        ("error", 17),
        ("err", 17),
        ("eror", 17),
        ("severe", 17),
        ("fatal", 21),
        ("ftl", 21),
        ("critical", 21),
        ("crit", 21),
        ("panic", 21),
        ("alert", 22),
        ("emerg", 23),
    ];
    let found = WORDS.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(word));
    found.map_or_else(|| if word.eq_ignore_ascii_case("emergency") { 23 } else { 0 }, |(_, number)| *number)
}

/// The number of OTLP for the levels that pino and bunyan write: 30 is "info". 0 for other numbers.
pub(crate) const fn from_pino(number: i64) -> i32 {
    match number {
        10..20 => 1,
        20..30 => 5,
        30..40 => 9,
        40..50 => 13,
        50..60 => 17,
        60..70 => 21,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_case_have_the_numbers_of_otlp() {
        let numbers =
            ["TRACE", "Debug", "info", "WARNING", "err", "Critical", "emergency", "banana", ""].map(from_word);
        assert_eq!(numbers, [1, 5, 9, 13, 17, 21, 23, 0, 0]);
        assert_eq!([10, 30, 50, 60, 0, -30].map(from_pino), [1, 9, 17, 21, 0, 0]);
    }
}
