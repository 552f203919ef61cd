//! Reads what `/metrics` answers, in Prometheus' text format or as OpenMetrics: series, values, types.
//! As much of the formats as the two programs write; it is no validator.

use std::collections::BTreeMap;

/// By name; an empty value is the same as no label.
pub(super) type Labels = BTreeMap<String, String>;

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) value: f64,
}

#[derive(Debug, Default)]
pub(super) struct Exposition {
    pub(super) samples: Vec<Sample>,
    /// The type of each name, in OpenMetrics' words.
    pub(super) kinds: BTreeMap<String, String>,
}

impl Exposition {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut exposition = Self::default();
        // Only OpenMetrics has an end, and it declares counters without their ending.
        let open_metrics = text.ends_with("# EOF\n");
        for (index, line) in text.lines().enumerate() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, kind) = declared.split_once(' ').ok_or_else(|| format!("line {}: {line}", index + 1))?;
                let ending = if open_metrics && kind == "counter" { "_total" } else { "" };
                let kind = if kind == "untyped" { "unknown" } else { kind };
                exposition.kinds.insert(format!("{name}{ending}"), kind.to_owned());
            } else if !line.is_empty() && !line.starts_with('#') {
                exposition.samples.push(sample(line).ok_or_else(|| format!("line {}: {line}", index + 1))?);
            }
        }
        if exposition.samples.is_empty() { Err("no samples".to_owned()) } else { Ok(exposition) }
    }
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    // Behind the value there may be a time or an exemplar.
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// Labels, and what stands behind their closing bracket.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        if !value.is_empty() {
            labels.insert(name.to_owned(), value);
        }
        rest = after.get(end..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read_alike() {
        let text =
            "# HELP a A\n# TYPE a_total counter\na_total{x=\"1\",y=\"\"} 1e3 1700000000\n# TYPE b untyped\nb 2\n";
        let open = "# TYPE a counter\na_total{x=\"1\"} 1000.0 # {trace_id=\"}\"} 1.0\n# TYPE b unknown\nb 2.0\n# EOF\n";
        for text in [text, open] {
            let read = Exposition::read(text).unwrap();
            let samples: Vec<_> =
                read.samples.iter().map(|sample| (sample.name.as_str(), sample.labels.len(), sample.value)).collect();
            assert_eq!(samples, [("a_total", 1, 1000.0), ("b", 0, 2.0)]);
            let kinds: Vec<_> = read.kinds.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
            assert_eq!(kinds, [("a_total", "counter"), ("b", "unknown")]);
        }
    }

    #[test]
    fn escapes_are_undone_and_what_is_cut_off_is_an_error() {
        let read = Exposition::read("a{x=\"\\\"}\\\\\\n,\"} 1\n").unwrap();
        assert_eq!(read.samples[0].labels["x"], "\"}\\\n,");
        for text in ["", "a", "a{x=\"1\" 1", "a{x=\"1\"}", "a x", "# TYPE a\n"] {
            assert!(Exposition::read(text).is_err(), "{text:?}");
        }
    }
}
