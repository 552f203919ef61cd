//! Scripts: loads, evals and what they expect.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use console_model::Labels;
use regex::Regex;

use crate::notation::{Value, duration_ms, series, values};

macro_rules! regex {
    ($pattern:expr) => {
        LazyLock::new(|| Regex::new($pattern).unwrap())
    };
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Commands and the lines they begin at.
    pub(crate) commands: Vec<(usize, Command)>,
}

#[derive(Debug)]
pub(crate) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) step_ms: i64,
    pub(crate) with_nhcb: bool,
    pub(crate) series: Vec<(Labels, Vec<Value>)>,
}

/// What a message must be.
#[derive(Debug)]
pub(crate) enum Text {
    Any,
    Is(String),
    Matches(Regex),
}

impl Text {
    pub(crate) fn fits(&self, message: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(text) => text == message,
            Self::Matches(regex) => regex.is_match(message),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    Instant(i64),
    /// Start, end and step.
    Range(i64, i64, i64),
}

#[derive(Debug)]
pub(crate) struct Eval {
    pub(crate) query: String,
    pub(crate) when: When,
    pub(crate) fails: Vec<Text>,
    pub(crate) warns: Vec<Text>,
    pub(crate) infos: Vec<Text>,
    pub(crate) no_warn: bool,
    pub(crate) no_info: bool,
    pub(crate) ordered: bool,
    pub(crate) string: Option<String>,
    /// Start, end and step of a range vector.
    pub(crate) matrix: Option<(i64, i64, i64)>,
    pub(crate) scalar: Option<f64>,
    pub(crate) series: Vec<(Labels, Vec<Value>)>,
}

impl Script {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let lines: Vec<&str> =
            text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).collect();
        let gaps: Vec<bool> = text.lines().map(|line| line.trim().is_empty()).collect();
        let mut script = Self::default();
        let mut at = 0;
        while at < lines.len() {
            let line = lines[at];
            let begin = at + 1;
            at += 1;
            if line.is_empty() {
                continue;
            }
            let wrong = |error: String| format!("line {begin}: {error}");
            // What belongs to a command follows it without an empty line; a comment is none.
            let mut body = Vec::new();
            while at < lines.len() && !gaps[at] && !is_command(lines[at]) {
                body.extend(Some(lines[at]).filter(|line| !line.is_empty()));
                at += 1;
            }
            let command = match line.split_whitespace().next() {
                Some("clear") => {
                    at = begin;
                    Command::Clear
                }
                Some(word) if word.starts_with("load") => Command::Load(load(line, &body).map_err(wrong)?),
                Some(word) if word.starts_with("eval") => Command::Eval(Box::new(eval(line, &body).map_err(wrong)?)),
                _ => return Err(wrong(format!("unknown command: {line}"))),
            };
            script.commands.push((begin, command));
        }
        Ok(script)
    }
}

fn is_command(line: &str) -> bool {
    line == "clear" || ["eval ", "eval_", "load ", "load_"].iter().any(|word| line.starts_with(word))
}

fn load(line: &str, body: &[&str]) -> Result<Load, String> {
    let (word, step) = line.split_once(char::is_whitespace).ok_or("a load needs a step")?;
    let series = body.iter().map(|line| series(line)).collect::<Result<_, _>>()?;
    Ok(Load { step_ms: duration_ms(step.trim())?, with_nhcb: word.ends_with("_with_nhcb"), series })
}

fn eval(line: &str, body: &[&str]) -> Result<Eval, String> {
    static INSTANT: LazyLock<Regex> = regex!(r"^eval(?:_(\w+))?\s+instant\s+(?:at\s+(\S+)\s+)?(.+)$");
    static RANGE: LazyLock<Regex> =
        regex!(r"^eval(?:_(\w+))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$");
    let (old, when, query) = if let Some(found) = RANGE.captures(line) {
        let ms = |at: usize| duration_ms(found.get(at).unwrap().as_str());
        (found.get(1).map(|word| word.as_str()), When::Range(ms(2)?, ms(3)?, ms(4)?), found[5].to_owned())
    } else if let Some(found) = INSTANT.captures(line) {
        let at = found.get(2).map_or(Ok(0), |at| duration_ms(at.as_str()))?;
        (found.get(1).map(|word| word.as_str()), When::Instant(at), found[3].to_owned())
    } else {
        return Err(format!("no eval: {line}"));
    };
    let mut eval = Eval {
        query,
        when,
        fails: Vec::new(),
        warns: Vec::new(),
        infos: Vec::new(),
        no_warn: false,
        no_info: false,
        ordered: old == Some("ordered"),
        string: None,
        matrix: None,
        scalar: None,
        series: Vec::new(),
    };
    match old {
        Some("fail") => eval.fails.push(Text::Any),
        Some("warn") => eval.warns.push(Text::Any),
        Some("info") => eval.infos.push(Text::Any),
        _ => {}
    }
    for line in body {
        if let Some(expectation) = line.strip_prefix("expect ") {
            expect(&mut eval, expectation.trim())?;
        } else if line.starts_with("expected_fail_message") {
            let text = line.trim_start_matches("expected_fail_message").trim().to_owned();
            eval.fails = vec![Text::Is(text)];
        } else if line.starts_with("expected_fail_regexp") {
            let text = line.trim_start_matches("expected_fail_regexp").trim();
            eval.fails = vec![Text::Matches(Regex::new(text).map_err(|error| error.to_string())?)];
        } else if !line.starts_with(|c: char| c == '{' || c.is_alphabetic() || c == '_') || is_number(line) {
            let all = values(line)?;
            match all.as_slice() {
                [Value::Float(value)] => eval.scalar = Some(*value),
                _ => eval.series.push((Labels::default(), all)),
            }
        } else {
            eval.series.push(series(line)?);
        }
    }
    Ok(eval)
}

fn is_number(line: &str) -> bool {
    line.parse::<f64>().is_ok()
}

fn expect(eval: &mut Eval, expectation: &str) -> Result<(), String> {
    let (kind, rest) = expectation.split_once(char::is_whitespace).unwrap_or((expectation, ""));
    let rest = rest.trim();
    let text = || -> Result<Text, String> {
        if let Some(text) = rest.strip_prefix("msg:") {
            return Ok(Text::Is(text.trim().to_owned()));
        }
        match rest.strip_prefix("regex:") {
            Some(text) => Ok(Text::Matches(Regex::new(text.trim()).map_err(|error| error.to_string())?)),
            None => Ok(Text::Any),
        }
    };
    match kind {
        "fail" => eval.fails.push(text()?),
        "warn" => eval.warns.push(text()?),
        "info" => eval.infos.push(text()?),
        "no_warn" => eval.no_warn = true,
        "no_info" => eval.no_info = true,
        "ordered" => eval.ordered = true,
        "string" => eval.string = Some(rest.trim_matches(['"', '`']).to_owned()),
        "range" => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let [_, _, start, _, end, _, step] = words.as_slice() else { return Err(format!("no range: {rest}")) };
            eval.matrix = Some((duration_ms(start)?, duration_ms(end)?, duration_ms(step)?));
        }
        _ => return Err(format!("no expectation: {expectation}")),
    }
    Ok(())
}

impl Eval {
    /// What a query needs: Prometheus' flags, native histograms, or neither.
    pub(crate) fn tag(&self, file: &str, histogram_names: &BTreeSet<String>) -> &'static str {
        let experimental_files = [
            "name_label_dropping.test",
            "type_and_unit.test",
            "start_timestamps.test",
            "extended_vectors.test",
            "fill-modifier.test",
            "duration_expression.test",
        ];
        static FUNCTIONS: LazyLock<Regex> = regex!(
            r"(?i)\b(double_exponential_smoothing|end|first_over_time|histogram_quantiles|info|mad_over_time|max_of|min_of|range|sort_by_label|sort_by_label_desc|start|start_timestamp|step|ts_of_(first|last|max|min)_over_time|fill|fill_left|fill_right)\s*\(|\b(anchored|smoothed|limitk|limit_ratio)\b"
        );
        static DURATIONS: LazyLock<Regex> = regex!(r"\[[^\]]*[-+*/%^(][^\]]*\]|offset\s*-?\s*(\(|\w+\()");
        static STRINGS: LazyLock<Regex> = regex!(r#""(\\.|[^"\\])*"|'(\\.|[^'\\])*'|`[^`]*`"#);
        static ENDS: LazyLock<Regex> = regex!(r"@\s*(start|end)\s*\(\s*\)");
        let bare = STRINGS.replace_all(&self.query, "\"\"").into_owned();
        let plain = ENDS.replace_all(&bare, "");
        if experimental_files.contains(&file) || FUNCTIONS.is_match(&plain) || DURATIONS.is_match(&plain) {
            return "experimental";
        }
        let native =
            self.series.iter().flat_map(|(_, values)| values).any(|value| matches!(value, Value::Histogram(_)));
        static ASKS: LazyLock<Regex> = regex!(r"\bhistogram_(avg|count|sum|fraction|stddev|stdvar)\s*\(");
        static WORD: LazyLock<Regex> = regex!(r"[a-zA-Z_:][a-zA-Z0-9_:]*");
        let mut words = WORD.find_iter(&self.query).map(|word| word.as_str());
        let named =
            words.any(|word| histogram_names.contains(word) || (!histogram_names.is_empty() && word == "__name__"));
        if native || ASKS.is_match(&bare) || named { "native-histogram" } else { "core" }
    }
}
