//! Regular expressions as Prometheus reads them, which has Go's library: its syntax put into that of ours, and its
//! words for what is wrong. What is matched with them is not known here.
//!
//! Go's braces stand for themselves unless they count, its `\d`, `\w`, `\s` and `\b` know ASCII only, and there is
//! nothing but characters and ranges in its brackets.

mod dialect;
mod words;

use regex::{Regex, RegexBuilder};

/// A compiled pattern larger than this is refused: a short text can name a huge automaton.
const PATTERN_BYTES_MAX: usize = 4 << 20;

/// A pattern that must match the whole of a text.
///
/// # Errors
/// What is wrong with it, in the words of Go's library.
pub(crate) fn whole(pattern: &str) -> Result<Regex, String> {
    let translated = dialect::translated(pattern)?;
    // By itself first: `a)(b` is none, though it becomes one between our parentheses.
    words::check(pattern, &translated)?;
    compiled(&translated).map_err(|error| words::told(pattern, &error))
}

/// The same for `label_replace`, of which Prometheus looks only at what it has between its own parentheses.
pub(crate) fn whole_unchecked(pattern: &str) -> Option<Regex> {
    compiled(&dialect::translated(pattern).ok()?).ok()
}

fn compiled(translated: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&format!("^(?s:{translated})$"))
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        whole(pattern).unwrap_or_else(|told| panic!("{pattern}: {told}")).is_match(text)
    }

    #[test]
    fn braces_that_count_nothing_stand_for_themselves() {
        assert!(matches("/orders/{id}", "/orders/{id}") && matches("a{,2}", "a{,2}") && matches("{", "{"));
        assert!(matches("a{2}", "aa") && matches("a{2,}", "aaa") && matches("a{1,2}b", "aab"));
        assert!(!matches("a{2}", "a{2}"));
        assert!(matches(r"\p{Greek}\x{41}", "αA") && matches(r"a\{2\}", "a{2}"));
    }

    #[test]
    fn classes_know_ascii_only() {
        assert!(matches(r"\d\w\s", "1a ") && !matches(r"\d", "٣") && !matches(r"\w", "é") && !matches(r"\s", "\u{a0}"));
        assert!(matches(r"\D\W\S", "٣éx") && matches(r"[^\d]", "٣") && matches(r"[\D]", "٣"));
        assert!(matches(r"[\w.]+\b", "a.b") && matches("(?i)straSSE", "STRASSE"));
    }

    #[test]
    fn brackets_hold_characters_and_ranges_alone() {
        assert!(matches("[[]", "[") && matches("[a[b]+", "a[b") && matches("[&&~~]+", "&~") && matches("[]a]+", "]a"));
        assert!(matches(r"[\w-.]+", "a-b.c") && matches("[[:alpha:]-]+", "a-b") && matches("[a-c^]+", "b^"));
        assert!(matches(r"[\x41-\x43\d-z]+", "AC9-z") && matches(r"[\p{Greek}a]+", "αa") && matches("a+?b*?", "aab"));
        assert!(matches("[^]a]", "b") && !matches("[a&&b]", "c") && matches("[+--]+", "+,-"));
    }

    #[test]
    fn what_is_quoted_stands_for_itself() {
        assert!(matches(r"\Qa.b*\E+", "a.b**") && matches(r"\Q(", "(") && matches(r"\<a\>\_", "<a>_"));
        assert!(matches(r"\101\07", "A\u{7}"));
    }

    #[test]
    fn what_is_no_pattern_is_told_in_the_words_of_go() {
        let cases = [
            ("(", "missing closing ): `(`"),
            ("a)(b", "unexpected ): `a)(b`"),
            (")", "unexpected ): `)`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("a|+b", "missing argument to repetition operator: `+`"),
            ("a|{1}", "missing argument to repetition operator: `{1}`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("x{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
            (r"[a-\d]", r"invalid character class range: `a-\d`"),
            (r"a\x", r"invalid escape sequence: `\x`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("x[a", "missing closing ]: `[a`"),
            (r"a\8", r"invalid escape sequence: `\8`"),
            (r"\y", r"invalid escape sequence: `\y`"),
            (r"\u0041", r"invalid escape sequence: `\u`"),
            ("\\", "trailing backslash at end of expression: ``"),
            (r"\pX", r"invalid character class range: `\pX`"),
            (r"a\p{Foo}", r"invalid character class range: `\p{Foo}`"),
            ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?z)", "invalid or unsupported Perl syntax: `(?z`"),
            ("a(?x)b # c", "invalid or unsupported Perl syntax: `(?x`"),
            ("a{1,0}", "invalid repeat count: `{1,0}`"),
            ("a{9999}", "invalid repeat count: `{9999}`"),
            ("(?P<n", "invalid named capture: `(?P<n`"),
            ("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"),
        ];
        let wrong = cases.into_iter().filter_map(|(pattern, told)| {
            let found = whole(pattern).err();
            (found.as_deref() != Some(&*format!("error parsing regexp: {told}"))).then_some((pattern, told, found))
        });
        assert_eq!(wrong.collect::<Vec<_>>(), []);
    }

    #[test]
    fn a_pattern_that_explodes_is_refused() {
        let told = whole("((a{100}){100}){100}").unwrap_err();
        assert!(told.starts_with("error parsing regexp: expression too large"), "{told}");
    }
}
