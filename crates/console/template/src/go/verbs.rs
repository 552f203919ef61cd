//! `fmt.Sprintf` and its sisters, for the values that templates know. What is wrong with a format is written
//! into the text, as Go does.

use std::fmt::Write;

use super::{format_float, quote};
use crate::Value;

/// Columns that a width or a precision may ask for; Go allows a million.
const WIDTH_MAX: usize = 10_000;
/// Bytes of one result: widths multiply.
const BYTES_MAX: usize = 1 << 20;

/// What stands between `%` and its verb.
#[derive(Debug, Default, Clone, Copy)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// As `fmt.Sprint`: a space between two that are both no text.
pub fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    let mut was_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_));
        if !out.is_empty() && !is_text && !was_text {
            out.push(' ');
        }
        write_value(&mut out, value);
        was_text = is_text;
    }
    out
}

/// As `fmt.Sprintln`: a space between all, and a line's end.
pub fn sprintln(values: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        write_value(&mut out, value);
    }
    out.push('\n');
    out
}

/// As `fmt.Sprintf`, up to 1 MiB.
pub fn sprintf(format: &str, arguments: &[Value]) -> String {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    let mut next = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let (flags, after) = flags(rest, arguments, &mut next, &mut out);
        let Some(verb) = after.chars().next() else {
            out.push_str("%!(NOVERB)");
            return out;
        };
        rest = after.get(verb.len_utf8()..).unwrap_or_default();
        if verb == '%' {
            out.push('%');
        } else if let Some(argument) = arguments.get(next) {
            next += 1;
            write_verb(&mut out, verb, argument, flags);
        } else {
            let _ = write!(out, "%!{verb}(MISSING)");
        }
        if out.len() > BYTES_MAX {
            return out;
        }
    }
    out.push_str(rest);
    if let Some(extra) = arguments.get(next..).filter(|extra| !extra.is_empty()) {
        out.push_str("%!(EXTRA ");
        for (at, value) in extra.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            write_typed(&mut out, value);
        }
        out.push(')');
    }
    out
}

/// Reads flags, width and precision, which may be arguments.
fn flags<'a>(text: &'a str, arguments: &[Value], next: &mut usize, out: &mut String) -> (Flags, &'a str) {
    let mut flags = Flags::default();
    let mut rest = text;
    loop {
        match rest.as_bytes().first() {
            Some(b'+') => flags.plus = true,
            Some(b'-') => flags.minus = true,
            Some(b'#') => flags.sharp = true,
            Some(b' ') => flags.space = true,
            Some(b'0') => flags.zero = true,
            _ => break,
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut number = |rest: &'a str, what: &str| -> (Option<i64>, &'a str) {
        if let Some(after) = rest.strip_prefix('*') {
            let argument = arguments.get(*next);
            *next += 1;
            let Some(Value::Int(number)) = argument else {
                let _ = write!(out, "%!(BAD{what})");
                return (None, after);
            };
            return (Some(*number), after);
        }
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end).unwrap_or(("", rest));
        (digits.parse().ok(), after)
    };
    let bounded = |number: i64| usize::try_from(number.unsigned_abs()).unwrap_or(WIDTH_MAX).min(WIDTH_MAX);
    let (width, after) = number(rest, "WIDTH");
    rest = after;
    flags.minus |= width.is_some_and(|width| width < 0);
    flags.width = width.map(bounded);
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = number(after, "PREC");
        rest = after;
        flags.precision = Some(precision.filter(|precision| *precision >= 0).map_or(0, bounded));
    }
    flags.zero &= !flags.minus;
    (flags, rest)
}

/// As `%v`.
pub(crate) fn write_value(out: &mut String, value: &Value) {
    write_verb(out, 'v', value, Flags::default());
}

fn write_typed(out: &mut String, value: &Value) {
    match value {
        Value::Nil => out.push_str("<nil>"),
        other => {
            let _ = write!(out, "{}=", other.type_name());
            write_value(out, other);
        }
    }
}

fn write_bad(out: &mut String, verb: char, value: &Value) {
    let _ = write!(out, "%!{verb}(");
    write_typed(out, value);
    out.push(')');
}

fn write_verb(out: &mut String, verb: char, value: &Value, flags: Flags) {
    if out.len() > BYTES_MAX {
        return;
    }
    if verb == 'T' {
        return pad(out, if matches!(value, Value::Nil) { "<nil>" } else { value.type_name() }, flags);
    }
    match value {
        Value::Nil if verb == 'v' => pad(out, "<nil>", flags),
        Value::Nil => {
            let _ = write!(out, "%!{verb}(<nil>)");
        }
        Value::Bool(truth) if matches!(verb, 'v' | 't') => pad(out, if *truth { "true" } else { "false" }, flags),
        Value::Bool(_) => write_bad(out, verb, value),
        Value::Int(number) => write_int(out, verb, *number, flags),
        Value::Float(number) => write_float(out, verb, *number, flags),
        Value::Text(text) => write_text(out, verb, text, flags),
        Value::Opaque(opaque) => write_text(out, if verb == 'v' { 's' } else { verb }, &opaque.to_string(), flags),
        Value::List(list) => {
            out.push('[');
            for (at, value) in list.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                write_verb(out, verb, value, flags);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                write_text(out, verb, key, flags);
                out.push(':');
                write_verb(out, verb, value, flags);
            }
            out.push(']');
        }
    }
}

fn pad(out: &mut String, text: &str, flags: Flags) {
    let missing = flags.width.unwrap_or(0).saturating_sub(text.chars().count());
    let fill = if flags.zero { '0' } else { ' ' };
    if flags.minus {
        out.push_str(text);
        out.extend(std::iter::repeat_n(' ', missing));
    } else {
        out.extend(std::iter::repeat_n(fill, missing));
        out.push_str(text);
    }
}

/// Digits behind a sign: zeros that fill go between.
fn pad_number(out: &mut String, sign: &str, digits: &str, flags: Flags) {
    if flags.zero {
        let missing = flags.width.unwrap_or(0).saturating_sub(sign.len() + digits.chars().count());
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', missing));
        out.push_str(digits);
    } else {
        pad(out, &format!("{sign}{digits}"), flags);
    }
}

fn sign(is_negative: bool, flags: Flags) -> &'static str {
    match (is_negative, flags.plus, flags.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

fn write_int(out: &mut String, verb: char, number: i64, mut flags: Flags) {
    let magnitude = number.unsigned_abs();
    let (prefix, digits) = match verb {
        'v' | 'd' => ("", magnitude.to_string()),
        'b' => (if flags.sharp { "0b" } else { "" }, format!("{magnitude:b}")),
        'o' => (if flags.sharp { "0" } else { "" }, format!("{magnitude:o}")),
        'O' => ("0o", format!("{magnitude:o}")),
        'x' => (if flags.sharp { "0x" } else { "" }, format!("{magnitude:x}")),
        'X' => (if flags.sharp { "0X" } else { "" }, format!("{magnitude:X}")),
        'U' => ("U+", format!("{magnitude:04X}")),
        'c' | 'q' => {
            let character = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
            let text = match verb {
                'c' => character.to_string(),
                _ if character == '\'' => "'\\''".to_owned(),
                _ => format!("'{}'", quote(&character.to_string()).trim_matches('"')),
            };
            return pad(out, &text, flags);
        }
        other => return write_bad(out, other, &Value::Int(number)),
    };
    let digits = match flags.precision {
        Some(0) if number == 0 => String::new(),
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    };
    flags.zero &= flags.precision.is_none();
    pad_number(out, &format!("{}{prefix}", sign(number < 0, flags)), &digits, flags);
}

fn write_float(out: &mut String, verb: char, number: f64, mut flags: Flags) {
    let precision = match verb {
        'e' | 'E' | 'f' | 'F' => Some(flags.precision.unwrap_or(6)),
        'v' | 'g' | 'G' => flags.precision,
        other => return write_bad(out, other, &Value::Float(number)),
    };
    let text = format_float(number, verb, precision);
    flags.zero &= number.is_finite();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    flags.plus |= number == f64::INFINITY;
    pad_number(out, sign(is_negative, flags), digits, flags);
}

fn write_text(out: &mut String, verb: char, text: &str, flags: Flags) {
    let cut = |text: &str| match flags.precision {
        Some(precision) => text.chars().take(precision).collect::<String>(),
        None => text.to_owned(),
    };
    match verb {
        'v' if flags.sharp => pad(out, &quote(text), flags),
        'v' | 's' => pad(out, &cut(text), flags),
        'q' if flags.sharp && !text.contains(['`', '\n']) => pad(out, &format!("`{}`", cut(text)), flags),
        'q' => pad(out, &quote(&cut(text)), flags),
        'x' | 'X' => {
            let mut digits = String::with_capacity(text.len() * 2);
            for byte in text.bytes().take(flags.precision.unwrap_or(usize::MAX)) {
                let _ = if verb == 'x' { write!(digits, "{byte:02x}") } else { write!(digits, "{byte:02X}") };
            }
            pad(out, &digits, flags);
        }
        other => write_bad(out, other, &Value::from(text)),
    }
}
