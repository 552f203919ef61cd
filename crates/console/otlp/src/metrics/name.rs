//! Names of metrics, units and labels, as Prometheus' OTLP endpoint makes them of OTLP's. Written from
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/> and from what
//! Prometheus 3.5 answers where it differs: its names of units, labels keep underscores in a row, and a unit
//! of 1 becomes a ratio for gauges only.

/// What the ending of a name depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// `_total`
    Counter,
    /// `_ratio`, if the unit is 1.
    Gauge,
    /// None.
    Other,
}

/// UCUM's abbreviations and Prometheus' words.
const UNITS: [(&str, &str); 27] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    // So Prometheus has it.
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("kBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];
/// The same behind a slash.
const PER_UNITS: [(&str, &str); 7] =
    [("s", "second"), ("m", "minute"), ("h", "hour"), ("d", "day"), ("w", "week"), ("mo", "month"), ("y", "year")];

fn translated<'a>(unit: &'a str, words: &'a [(&'a str, &'a str)]) -> &'a str {
    words.iter().find(|(abbreviation, _)| *abbreviation == unit).map_or(unit, |(_, word)| *word)
}

const fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == ':'
}

fn tokens(name: &str) -> impl Iterator<Item = &str> {
    name.split(|character| !is_letter(character)).filter(|token| !token.is_empty())
}

/// The words of a unit and of what it is per; empty ones where there is none. Braces annotate, and are none.
fn unit_words(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let word = |part: &str, words| {
        let part = part.trim();
        if part.contains(['{', '}']) { String::new() } else { translated(part, words).to_owned() }
    };
    let clean = |word: String| tokens(&word).collect::<Vec<_>>().join("_");
    let per = clean(word(per, &PER_UNITS));
    let per = if per.is_empty() { per } else { format!("per_{per}") };
    (clean(word(main, &UNITS)), per)
}

/// The unit in Prometheus' words, for metadata.
pub(super) fn unit(unit: &str) -> String {
    let (main, per) = unit_words(unit);
    let underscore = if main.is_empty() || per.is_empty() { "" } else { "_" };
    format!("{main}{underscore}{per}")
}

/// The name of a metric with its endings; empty where nothing is left of it.
pub(super) fn metric(name: &str, unit: &str, ending: Ending) -> String {
    let mut words: Vec<&str> = tokens(name).collect();
    if words.is_empty() {
        return String::new();
    }
    let (main, per) = unit_words(unit);
    for word in [&main, &per] {
        if !word.is_empty() && !words.contains(&word.as_str()) {
            words.push(word);
        }
    }
    let last = match ending {
        Ending::Counter => "total",
        Ending::Gauge if unit == "1" => "ratio",
        _ => "",
    };
    if !last.is_empty() {
        words.retain(|word| *word != last);
        words.push(last);
    }
    let joined = words.join("_");
    if joined.starts_with(|first: char| first.is_ascii_digit()) { format!("_{joined}") } else { joined }
}

/// Appends the name of a label.
pub(super) fn push_label(out: &mut String, key: &str) {
    let is_word = |character: char| character.is_ascii_alphanumeric();
    let mut characters = key.chars();
    match (characters.next(), characters.next()) {
        (Some('0'..='9'), _) => out.push_str("key_"),
        // Two underscores are reserved, and kept.
        (Some(first), second) if !is_word(first) && second.is_none_or(is_word) => out.push_str("key"),
        _ => {}
    }
    if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        out.push_str(key);
    } else {
        out.extend(key.chars().map(|character| if is_word(character) { character } else { '_' }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_as_prometheus_names_them() {
        for (name, unit, ending, expected) in [
            ("http.server.request.duration", "s", Ending::Other, "http_server_request_duration_seconds"),
            ("system.io", "By/s", Ending::Counter, "system_io_bytes_per_second_total"),
            ("requests.count", "1", Ending::Counter, "requests_count_total"),
            ("requests.total", "{request}", Ending::Counter, "requests_total"),
            ("hw.battery.charge", "1", Ending::Gauge, "hw_battery_charge_ratio"),
            ("memory.usage.bytes", "By", Ending::Gauge, "memory_usage_bytes"),
            ("network.received", "{packets}/s", Ending::Gauge, "network_received_per_second"),
            ("fuel", "foo/bar", Ending::Gauge, "fuel_foo_per_bar"),
            ("temp", "°C", Ending::Gauge, "temp_C"),
            ("a__b...c", "", Ending::Gauge, "a_b_c"),
            ("2xx.responses", "", Ending::Counter, "_2xx_responses_total"),
            ("my:rule", "%", Ending::Gauge, "my:rule_percent"),
            ("total.requests", "", Ending::Counter, "requests_total"),
            ("", "s", Ending::Counter, ""),
            ("...", "", Ending::Gauge, ""),
        ] {
            assert_eq!(metric(name, unit, ending), expected, "{name} {unit}");
        }
    }

    #[test]
    fn units_have_words() {
        for (abbreviation, expected) in
            [("s", "seconds"), ("By/s", "bytes_per_second"), ("1", ""), ("{x}", ""), ("{x}/min", "per_min")]
        {
            assert_eq!(unit(abbreviation), expected);
        }
    }

    #[test]
    fn labels_are_named_as_prometheus_names_them() {
        for (key, expected) in [
            ("http.method", "http_method"),
            ("label:with:colons", "label_with_colons"),
            ("123label", "key_123label"),
            ("_private", "key_private"),
            (".hidden", "key_hidden"),
            ("__reserved__", "__reserved__"),
            ("字符", "__"),
            ("a..b", "a__b"),
        ] {
            let mut out = String::new();
            push_label(&mut out, key);
            assert_eq!(out, expected);
        }
    }
}
