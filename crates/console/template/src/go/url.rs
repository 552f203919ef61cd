//! Parts of addresses, as `net/url` escapes them.

use std::fmt::Write;

/// A text as a name or a value in an address' query, as `url.QueryEscape` writes it: a space is `+`.
pub fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => {
                // Writing to a string does not fail.
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::query_escape;

    #[test]
    fn all_but_letters_digits_and_a_few_signs_is_escaped_byte_by_byte() {
        assert_eq!(query_escape("up{job=\"a b\"} == 0"), "up%7Bjob%3D%22a+b%22%7D+%3D%3D+0");
        assert_eq!(query_escape("ä~-_."), "%C3%A4~-_.");
    }
}
