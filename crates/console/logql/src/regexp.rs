//! Regular expressions of queries: compiled within bounds, with Go's words for those that are none. Their
//! syntax is RE2's but for what no engine in linear time has.

use regex::{Captures, Regex, RegexBuilder};

/// Bytes that a compiled expression may take, and that its automaton may grow to.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// The same of an expression in a template, which is compiled for each line.
const TEMPLATE_BYTES_MAX: usize = 1 << 18;

fn build(pattern: &str, shown: &str, dot_matches_newline: bool, bytes_max: usize) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .dot_matches_new_line(dot_matches_newline)
        .size_limit(bytes_max)
        .dfa_size_limit(2 * bytes_max)
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
    build(&format!("^(?:{pattern})$"), pattern, false, COMPILED_BYTES_MAX)
}

/// Whether a matcher's expression can be compiled, and matches the empty value too. What most selectors say is known
/// without compiling it, which takes longer than many a query.
pub(crate) fn takes_empty(pattern: &str) -> Result<bool, String> {
    match pattern {
        ".+" => Ok(false),
        ".*" => Ok(true),
        _ if literal(pattern).is_some() => Ok(pattern.is_empty()),
        _ => whole(pattern).map(|regex| regex.is_match("")),
    }
}

/// One that has to match somewhere in a line; its dot matches a line's end as well.
pub(crate) fn anywhere(pattern: &str) -> Result<Regex, String> {
    build(pattern, pattern, true, COMPILED_BYTES_MAX)
}

/// The same for a template.
pub(crate) fn in_template(pattern: &str) -> Result<Regex, String> {
    build(pattern, pattern, true, TEMPLATE_BYTES_MAX)
}

/// The text that an expression stands for, where it stands for one only.
pub(crate) fn literal(pattern: &str) -> Option<&str> {
    let is_plain = |character: char| {
        !matches!(character, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$')
    };
    pattern.chars().all(is_plain).then_some(pattern)
}

/// What an expression makes of a text, or of a label's value: its matches replaced, `$1` in the replacement
/// being the first group. The error says that it would be longer than `bytes_max`: a replacement that names a
/// group often makes much of little.
pub(crate) fn replace_all(regex: &Regex, text: &str, replacement: &str, bytes_max: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let whole = captures.get_match();
        out.push_str(text.get(end..whole.start()).unwrap_or_default());
        expand(&captures, replacement, &mut out, bytes_max)?;
        end = whole.end();
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(out)
}

/// Appends a replacement with its groups put in.
pub(crate) fn expand(
    captures: &Captures<'_>,
    replacement: &str,
    out: &mut String,
    bytes_max: usize,
) -> Result<(), String> {
    // No group is longer than the whole match.
    let groups = replacement.matches('$').count().saturating_mul(captures.get_match().len());
    if groups.saturating_add(out.len() + replacement.len()) > bytes_max {
        return Err(too_long(bytes_max));
    }
    captures.expand(replacement, out);
    Ok(())
}

/// The same for texts: each `from` replaced, `most` times at most.
pub(crate) fn replace_text(text: &str, from: &str, to: &str, most: usize, bytes_max: usize) -> Result<String, String> {
    let count = text.matches(from).take(most).count();
    if count.saturating_mul(to.len()).saturating_add(text.len()) > bytes_max.saturating_add(count * from.len()) {
        return Err(too_long(bytes_max));
    }
    Ok(text.replacen(from, to, most))
}

fn too_long(bytes_max: usize) -> String {
    format!("the replaced text may have more than {bytes_max} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_without_compiling_is_what_compiling_tells() {
        for pattern in [".+", ".*", "", "api", "a|b", "a|", ".", ".?", "()", "^$", "\\.", "[a]*", " "] {
            assert_eq!(takes_empty(pattern).unwrap(), whole(pattern).unwrap().is_match(""), "{pattern}");
        }
        assert!(takes_empty("(").unwrap_err().contains("error parsing regexp"));
    }
}
