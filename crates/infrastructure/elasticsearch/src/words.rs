//! From texts to the words that are searched, and from a user's text to the phrase that is asked for. Done
//! here, once for both sides, instead of by the engine: its distributions differ in the analyzers they
//! have, and every adapter has to call the same words equal.
//!
//! A word is a run of letters and digits, without case and diacritics.

use delivery::models::ShopItem;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::schema::WORD_MAX;

/// Begins what is not the beginning of a word; no word has it.
const CONTINUED: char = '+';

/// The texts of an order's items, each as its words; those without any are left out.
pub(crate) fn texts(items: &[ShopItem]) -> Vec<String> {
    items.iter().flat_map(|item| [&item.title, &item.description]).filter_map(|text| words(text)).collect()
}

/// The words of a text with a space between them; `None` without any.
///
/// The engine keeps the beginnings of words up to [`WORD_MAX`], and would find only some of those that
/// begin with more. So longer ones are cut into pieces, which follow each other like words do; a piece
/// that is not the first says so, so that no search begins in the middle of a word.
pub(crate) fn words(text: &str) -> Option<String> {
    let folded: String =
        text.nfd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase).collect();
    let mut words = String::with_capacity(folded.len());
    for word in folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        let mut length = 0;
        for character in word.chars() {
            if length + character.len_utf16() > WORD_MAX {
                words.extend([' ', CONTINUED]);
                length = CONTINUED.len_utf16();
            }
            words.push(character);
            length += character.len_utf16();
        }
    }
    (!words.is_empty()).then_some(words)
}

/// Whether a text has the phrase, as the engine would say: both are what [`words`] made.
pub(crate) fn holds(text: &str, phrase: &str) -> bool {
    // A space before both, so that it begins where a word does; it may end within one.
    format!(" {text}").contains(&format!(" {phrase}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_without_case_diacritics_and_signs() {
        assert_eq!(words("Crème BRÛLÉE, (2nd ed.)").as_deref(), Some("creme brulee 2nd ed"));
        assert_eq!(words("cre\u{300}me e-book").as_deref(), Some("creme e book"));
        assert_eq!(words("绿茶 №5").as_deref(), Some("绿茶 5"));
        for nothing in ["", " \t", "* - ( ) :", "\u{301}", "🍵"] {
            assert_eq!(words(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_long_word_is_cut_where_the_beginnings_end() {
        let long = "0123456789abcdefghijklmnopqrstuvwxyz0123";
        assert_eq!(words(long).as_deref(), Some("0123456789abcdefghi +jklmnopqrstuvwxyz0 +123"));
        assert_eq!(words(&long[..19]).as_deref(), Some(&long[..19]));
        // Of two units each.
        assert_eq!(words(&"𐐨".repeat(10)), Some(format!("{} +𐐨", "𐐨".repeat(9))));
    }

    /// As the engine takes a phrase: pieces equal in a row, the last possibly only begun.
    fn is_found(text: &str, phrase: &str) -> bool {
        let (text, phrase) = (words(text).unwrap_or_default(), words(phrase).unwrap_or_default());
        let is_held = holds(&text, &phrase);
        let (text, phrase): (Vec<_>, Vec<_>) = (text.split(' ').collect(), phrase.split(' ').collect());
        let Some((last, first)) = phrase.split_last() else { return true };
        let is_found =
            text.windows(phrase.len()).any(|window| window.starts_with(first) && window[first.len()].starts_with(last));
        assert_eq!(is_held, is_found);
        is_found
    }

    proptest! {
        #[test]
        fn the_beginning_of_a_long_word_is_found_and_its_middle_is_not(word in "[a-z]{1,70}", cut in 1_usize..70) {
            let cut = cut.min(word.len());
            let (text, longer) = (format!("x {word} y"), format!("{word}7"));
            prop_assert!(is_found(&text, &word[..cut]));
            prop_assert!(is_found(&text, &text));
            let tail = format!("7{}", &word[cut..]);
            let with_digit = format!("{}{tail}", &word[..cut]);
            prop_assert!(!is_found(&with_digit, &tail));
            prop_assert!(!is_found(&word, &longer));
        }
    }
}
