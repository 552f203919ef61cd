//! Regular expressions of queries: compiled within bounds, with Go's words for those that are none. Their
//! syntax is RE2's but for what no engine in linear time has.

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled expression may take, and that its automaton may grow to.
const COMPILED_BYTES_MAX: usize = 1 << 20;

fn build(pattern: &str, shown: &str, dot_matches_newline: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .dot_matches_new_line(dot_matches_newline)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(2 * COMPILED_BYTES_MAX)
        .nest_limit(100)
        .build()
        .map_err(|error| {
            // The last line tells; those before draw the expression.
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default();
            format!("error parsing regexp: {}: `{shown}`", last.trim_start_matches("error: "))
        })
}

/// One that has to match a whole value; its dot does not match a line's end.
pub(crate) fn whole(pattern: &str) -> Result<Regex, String> {
    build(&format!("^(?:{pattern})$"), pattern, false)
}

/// One that has to match somewhere in a line; its dot matches a line's end as well.
pub(crate) fn anywhere(pattern: &str) -> Result<Regex, String> {
    build(pattern, pattern, true)
}

/// The text that an expression stands for, where it stands for one only.
pub(crate) fn literal(pattern: &str) -> Option<&str> {
    let is_plain = |character: char| {
        !matches!(character, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$')
    };
    pattern.chars().all(is_plain).then_some(pattern)
}
