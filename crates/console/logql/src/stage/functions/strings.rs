//! Texts in templates. Arguments stand in the order that makes pipelines read well: the text last.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use console_template::{Functions, Text, Value, go};

use super::Arguments;
use crate::regexp;
use crate::value::parse_bytes;

/// Columns and repetitions that a template may ask for.
const COUNT_MAX: usize = 10_000;
/// Bytes of what becomes of a text where something is put in at many places.
const REPLACED_BYTES_MAX: usize = 1 << 20;

pub(super) fn add(functions: &mut Functions) {
    of_one_text(functions);
    of_two_texts(functions);
    with_a_number(functions);
    older_names(functions);
    expressions(functions);
    functions.add("replace", 3..=3, |arguments, _| {
        let arguments = Arguments(arguments);
        replaced(&arguments.text(2), &arguments.text(0), &arguments.text(1), usize::MAX)
    });
    functions.add("default", 2..=2, |arguments, _| {
        let arguments = Arguments(arguments);
        Ok(if arguments.get(1).is_true() { arguments.get(1).clone() } else { arguments.get(0).clone() })
    });
    functions.add("fromJson", 1..=1, |arguments, _| {
        let json = serde_json::from_str(&Arguments(arguments).text(0));
        Ok(json.map_or_else(|_| Value::from(""), from_json))
    });
    functions.add("bytes", 1..=1, |arguments, _| {
        let bytes = parse_bytes(&Arguments(arguments).text(0))?;
        Ok(Value::Float(bytes as f64))
    });
}

fn of_one_text(functions: &mut Functions) {
    type One = (&'static str, fn(&str) -> String);
    let all: [One; 8] = [
        ("lower", str::to_lowercase),
        ("upper", str::to_uppercase),
        ("title", title),
        ("trim", |text| text.trim().to_owned()),
        ("b64enc", |text| STANDARD.encode(text)),
        ("urlencode", go::query_escape),
        ("ToLower", str::to_lowercase),
        ("ToUpper", str::to_uppercase),
    ];
    for (name, function) in all {
        functions.add(name, 1..=1, move |arguments, _| Ok(Value::from(function(&Arguments(arguments).text(0)))));
    }
    functions.add("b64dec", 1..=1, |arguments, _| {
        let bytes = STANDARD.decode(Arguments(arguments).text(0)).map_err(|error| error.to_string())?;
        Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
    });
    functions.add("urldecode", 1..=1, |arguments, _| urldecode(&Arguments(arguments).text(0)).map(Value::from));
}

fn of_two_texts(functions: &mut Functions) {
    type Two = (&'static str, fn(&str, &str) -> Value);
    let all: [Two; 6] = [
        ("contains", |part, text| text.contains(part).into()),
        ("hasPrefix", |part, text| text.starts_with(part).into()),
        ("hasSuffix", |part, text| text.ends_with(part).into()),
        ("trimAll", |characters, text| text.trim_matches(|it| characters.contains(it)).into()),
        ("trimPrefix", |prefix, text| text.strip_prefix(prefix).unwrap_or(text).into()),
        ("trimSuffix", |suffix, text| text.strip_suffix(suffix).unwrap_or(text).into()),
    ];
    for (name, function) in all {
        functions.add(name, 2..=2, move |arguments, _| {
            Ok(function(&Arguments(arguments).text(0), &Arguments(arguments).text(1)))
        });
    }
}

fn with_a_number(functions: &mut Functions) {
    type Counted = (&'static str, fn(i64, &str) -> String);
    let all: [Counted; 4] = [
        ("alignLeft", |count, text| {
            let count = bounded(count);
            let shown: String = text.chars().take(count).collect();
            format!("{shown:<count$}")
        }),
        ("alignRight", |count, text| {
            let count = bounded(count);
            let skipped = text.chars().count().saturating_sub(count);
            let shown: String = text.chars().skip(skipped).collect();
            format!("{shown:>count$}")
        }),
        ("repeat", |count, text| {
            let most = COUNT_MAX.max(1 << 16) / text.len().max(1);
            text.repeat(bounded(count).min(most))
        }),
        ("trunc", |count, text| match usize::try_from(count) {
            Ok(count) => text.chars().take(count).collect(),
            Err(_) => {
                let kept = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
                text.chars().skip(text.chars().count().saturating_sub(kept)).collect()
            }
        }),
    ];
    for (name, function) in all {
        functions.add(name, 2..=2, move |arguments, _| {
            let arguments = Arguments(arguments);
            Ok(Value::from(function(arguments.int(0), &arguments.text(1))))
        });
    }
    for (name, before) in [("indent", ""), ("nindent", "\n")] {
        functions.add(name, 2..=2, move |arguments, _| {
            let arguments = Arguments(arguments);
            Ok(Value::from(format!("{before}{}", indented(arguments.int(0), &arguments.text(1))?)))
        });
    }
    functions.add("substr", 3..=3, |arguments, _| {
        let arguments = Arguments(arguments);
        let characters: Vec<char> = arguments.text(2).chars().collect();
        let place = |at: i64| usize::try_from(at).ok().filter(|at| *at <= characters.len());
        let (start, end) = (usize::try_from(arguments.int(0)).unwrap_or(0), place(arguments.int(1)));
        let end = end.unwrap_or(characters.len());
        Ok(Value::from(characters.get(start..end).unwrap_or_default().iter().collect::<String>()))
    });
}

/// Names from before there were others; their arguments are those of Go's own functions, the text first.
fn older_names(functions: &mut Functions) {
    functions.add("Replace", 4..=4, |arguments, _| {
        let arguments = Arguments(arguments);
        let (text, old, new) = (arguments.text(0), arguments.text(1), arguments.text(2));
        replaced(&text, &old, &new, usize::try_from(arguments.int(3)).unwrap_or(usize::MAX))
    });
    type Two = (&'static str, fn(&str, &str) -> Value);
    let all: [Two; 5] = [
        ("Trim", |text, characters| text.trim_matches(|it| characters.contains(it)).into()),
        ("TrimLeft", |text, characters| text.trim_start_matches(|it| characters.contains(it)).into()),
        ("TrimRight", |text, characters| text.trim_end_matches(|it| characters.contains(it)).into()),
        ("TrimPrefix", |text, prefix| text.strip_prefix(prefix).unwrap_or(text).into()),
        ("TrimSuffix", |text, suffix| text.strip_suffix(suffix).unwrap_or(text).into()),
    ];
    for (name, function) in all {
        functions.add(name, 2..=2, move |arguments, _| {
            Ok(function(&Arguments(arguments).text(0), &Arguments(arguments).text(1)))
        });
    }
    functions.add("TrimSpace", 1..=1, |arguments, _| Ok(Value::from(Arguments(arguments).text(0).trim())));
}

fn expressions(functions: &mut Functions) {
    functions.add("count", 2..=2, |arguments, _| {
        let arguments = Arguments(arguments);
        let regex = regexp::in_template(&arguments.text(0))?;
        Ok(Value::Int(i64::try_from(regex.find_iter(&arguments.text(1)).count()).unwrap_or(i64::MAX)))
    });
    functions.add("regexReplaceAll", 3..=3, |arguments, _| {
        let arguments = Arguments(arguments);
        let regex = regexp::in_template(&arguments.text(0))?;
        let (text, replacement) = (arguments.text(1), arguments.text(2));
        regexp::replace_all(&regex, &text, &replacement, REPLACED_BYTES_MAX).map(Value::from)
    });
    functions.add("regexReplaceAllLiteral", 3..=3, |arguments, _| {
        let arguments = Arguments(arguments);
        let regex = regexp::in_template(&arguments.text(0))?;
        let (text, replacement) = (arguments.text(1), arguments.text(2).replace('$', "$$"));
        regexp::replace_all(&regex, &text, &replacement, REPLACED_BYTES_MAX).map(Value::from)
    });
}

fn bounded(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0).min(COUNT_MAX)
}

fn replaced(text: &str, from: &str, to: &str, most: usize) -> Result<Value, String> {
    regexp::replace_text(text, from, to, most, REPLACED_BYTES_MAX).map(Value::from)
}

fn indented(count: i64, text: &str) -> Result<String, String> {
    let spaces = " ".repeat(bounded(count).min(1_000));
    let rest = regexp::replace_text(text, "\n", &format!("\n{spaces}"), usize::MAX, REPLACED_BYTES_MAX)?;
    Ok(spaces + &rest)
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for character in text.chars() {
        if starts {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
        starts = !(character.is_alphanumeric() || matches!(character, '_' | '\''));
    }
    out
}

fn urldecode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                let is_hexadecimal = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                u8::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| is_hexadecimal)
                    .ok_or_else(|| format!("invalid URL escape {}", go::quote(&format!("%{digits}"))))?
            }
            other => other,
        });
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A document as a template's value; Go reads every number of JSON as a float.
fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or(0.0)),
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(items) => Value::list(items.into_iter().map(from_json)),
        serde_json::Value::Object(pairs) => {
            Value::Map(Arc::new(pairs.into_iter().map(|(key, value)| (Text::from(key), from_json(value))).collect()))
        }
    }
}
