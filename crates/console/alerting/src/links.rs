//! Paths at which a query can be seen, as Prometheus names them.

use std::fmt::Write;

/// The path of a query's graph.
pub fn graph(query: &str) -> String {
    format!("/graph?g0.expr={}&g0.tab=0", escaped(query))
}

/// The path of what a query gives now.
pub fn table(query: &str) -> String {
    format!("/graph?g0.expr={}&g0.tab=1", escaped(query))
}

/// A text as a part of a URL's query, as Go escapes it.
pub fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => written.push(char::from(byte)),
            b' ' => written.push('+'),
            other => {
                // Writing to a string does not fail.
                let _ = write!(written, "%{other:02X}");
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped_as_go_escapes_them() {
        assert_eq!(table("up{job=\"a b\"} == 0"), "/graph?g0.expr=up%7Bjob%3D%22a+b%22%7D+%3D%3D+0&g0.tab=1");
        assert_eq!(escaped("ä~"), "%C3%A4~");
    }
}
