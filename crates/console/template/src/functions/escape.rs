//! Go's escapes for pages, scripts and addresses: `html`, `js`, `urlquery`.

use std::fmt::Write;

use super::Functions;
use crate::{Value, go};

pub(super) fn add(functions: &mut Functions) {
    type Escape = (&'static str, fn(&str) -> String);
    let escapes: [Escape; 3] = [("html", html), ("js", js), ("urlquery", go::query_escape)];
    for (name, escape) in escapes {
        functions.add(name, 1..=usize::MAX, move |arguments, _| Ok(Value::from(escape(&go::sprint(arguments)))));
    }
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out
}
