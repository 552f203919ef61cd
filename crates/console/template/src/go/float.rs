//! `strconv.FormatFloat`.

/// A number as Go writes it for the verb `e`, `E`, `f`, `g` or `G`; without a precision, with as few digits
/// as tell it from all others. Other verbs are taken for `g`.
pub fn format_float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // As many digits as a number can have, and some; Rust writes no more than 65,535.
    let precision = precision.map(|precision| precision.min(1_100));
    match (verb, precision) {
        ('f' | 'F', Some(precision)) => format!("{value:.precision$}"),
        ('f' | 'F', None) => format!("{value}"),
        ('e', Some(precision)) => exponent(&format!("{value:.precision$e}"), 'e'),
        ('e', None) => exponent(&format!("{value:e}"), 'e'),
        ('E', Some(precision)) => exponent(&format!("{value:.precision$e}"), 'E'),
        ('E', None) => exponent(&format!("{value:e}"), 'E'),
        (verb, precision) => general(value, if verb == 'G' { 'E' } else { 'e' }, precision),
    }
}

/// Rust writes `1.5e2` where Go writes `1.5e+02`.
fn exponent(text: &str, letter: char) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}{letter}{sign}{exponent:0>2}")
}

fn general(value: f64, letter: char, precision: Option<usize>) -> String {
    let wanted = precision.map(|precision| precision.max(1));
    let scientific = match wanted {
        Some(digits) => format!("{value:.*e}", digits - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let as_i32 = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let threshold = match wanted {
        None => 6,
        Some(wanted) if wanted > digits && as_i32(digits) > power => as_i32(digits),
        Some(wanted) => as_i32(wanted),
    };
    if power < -4 || power >= threshold {
        return exponent(&format!("{mantissa}e{power}"), letter);
    }
    let decimals = usize::try_from(as_i32(digits) - 1 - power).unwrap_or(0);
    format!("{value:.decimals$}")
}
