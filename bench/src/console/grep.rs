//! LogQL over a million lines, beside VictoriaLogs on the same lines and ripgrep on the same lines in a file: all
//! are asked the same in turns, and have to give the same answer. ripgrep has the lines as text and in the page
//! cache; the others have them compressed, and tell them by stream.
//!
//! VictoriaLogs takes JSON apart when it comes, unless it is told not to. It is measured both ways: with the lines
//! kept as they are, as the console and Loki keep them, which is what targets are about; and with their fields
//! told apart at ingest, where a query need not parse, and the lines themselves are no more.

mod lines;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use super::parties::{Kind, Party};
use super::table::{Table, Target};
use crate::client::{Connection, get};
use lines::Lines;

const TURNS: usize = 7;
/// From one time to the next where a question is asked of many, seconds.
const STEP: u64 = 10;

/// One question, as each puts it; none where somebody has nothing of the kind.
struct Question {
    what: &'static str,
    logql: &'static str,
    /// Of lines as they are.
    logsql: &'static str,
    /// Of fields that were told apart at ingest.
    logsql_of_fields: Option<&'static str>,
    ripgrep: Option<&'static [&'static str]>,
    /// Whether it is asked of every [`STEP`] of the lines' time rather than of all at once.
    is_range: bool,
    /// How far numbers may be from each other, relative to their size.
    tolerance: f64,
}

const ASKED: Question = Question {
    what: "",
    logql: "",
    logsql: "",
    logsql_of_fields: None,
    ripgrep: None,
    is_range: false,
    tolerance: 0.0,
};

const COUNTED: Question = Question {
    what: "all lines, counted",
    logql: r#"sum(count_over_time({app=~".+"}[1d]))"#,
    logsql: r"_time:1d | stats count() n",
    logsql_of_fields: Some(r"_time:1d | stats count() n"),
    ..ASKED
};

const QUESTIONS: [Question; 10] = [
    Question {
        what: "a word that is rare",
        logql: r#"sum(count_over_time({app=~".+"} |= "needle" [1d]))"#,
        logsql: r#"_time:1d "needle" | stats count() n"#,
        ripgrep: Some(&["-c", "-F", "needle"]),
        ..ASKED
    },
    Question {
        what: "a word in a third of lines",
        logql: r#"sum(count_over_time({app=~".+"} |= "POST" [1d]))"#,
        logsql: r#"_time:1d "POST" | stats count() n"#,
        ripgrep: Some(&["-c", "-F", "POST"]),
        ..ASKED
    },
    Question {
        what: "an expression",
        logql: r#"sum(count_over_time({app=~".+"} |~ "order [0-9]+7 (failed|lost)" [1d]))"#,
        logsql: r#"_time:1d ~"order [0-9]+7 (failed|lost)" | stats count() n"#,
        ripgrep: Some(&["-c", "order [0-9]+7 (failed|lost)"]),
        ..ASKED
    },
    COUNTED,
    Question {
        what: "all lines, counted by stream",
        logql: r#"sum by (app) (count_over_time({app=~".+"}[1d]))"#,
        logsql: r"_time:1d | stats by (app) count() n",
        logsql_of_fields: Some(r"_time:1d | stats by (app) count() n"),
        ..ASKED
    },
    Question {
        what: "all lines, counted in steps",
        logql: r#"sum(count_over_time({app=~".+"}[10s]))"#,
        logsql: r"* | stats count() n",
        logsql_of_fields: Some(r"* | stats count() n"),
        is_range: true,
        ..ASKED
    },
    Question {
        what: "levels in steps, as the page's histogram asks",
        logql: r#"sum by (detected_level, level) (count_over_time({app=~".+"}[10s]))"#,
        logsql: r"* | unpack_json fields (level) | stats by (level) count() n",
        logsql_of_fields: Some(r"* | stats by (level) count() n"),
        is_range: true,
        ..ASKED
    },
    Question {
        what: "json, a field filter, counted by route",
        logql: r#"sum by (route) (count_over_time({app=~".+"} | json | status >= 500 [1d]))"#,
        logsql: r"_time:1d | unpack_json fields (status, route) | filter status:>=500 | stats by (route) count() n",
        logsql_of_fields: Some(r"_time:1d status:>=500 | stats by (route) count() n"),
        ..ASKED
    },
    Question {
        what: "json, a field filter, counted in steps",
        logql: r#"sum by (route) (count_over_time({app=~".+"} | json | status >= 500 [10s]))"#,
        logsql: r"* | unpack_json fields (status, route) | filter status:>=500 | stats by (route) count() n",
        logsql_of_fields: Some(r"status:>=500 | stats by (route) count() n"),
        is_range: true,
        ..ASKED
    },
    Question {
        what: "json, a quantile of durations",
        logql: r#"quantile_over_time(0.99, {app=~".+"} | json | unwrap took [1d]) by (route)"#,
        logsql: r"_time:1d | unpack_json fields (took, route) | stats by (route) quantile(0.99, took) n",
        logsql_of_fields: Some(r"_time:1d | stats by (route) quantile(0.99, took) n"),
        // Theirs is of a sample.
        tolerance: 0.01,
        ..ASKED
    },
];

/// Numbers by the values of their labels and by time; 0 where all time is one.
type Numbers = BTreeMap<(String, u64), f64>;

impl Question {
    fn expression(&self, kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Console => Some(self.logql),
            Kind::VictoriaLogs => Some(self.logsql),
            Kind::VictoriaLogsFields => self.logsql_of_fields,
            _ => None,
        }
    }

    fn path(&self, kind: Kind, expression: &str, lines: &Lines) -> String {
        let query: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let (from, to) = (lines.begin_ns / 1_000_000_000, lines.end_ns() / 1_000_000_000);
        let (from, to) = (from / STEP * STEP, to.next_multiple_of(STEP));
        match (kind, self.is_range) {
            (Kind::Console, false) => format!("/loki/api/v1/query?query={query}&time={to}"),
            // Their windows end at a step, the others' begin there.
            (Kind::Console, true) => {
                format!("/loki/api/v1/query_range?query={query}&start={}&end={to}&step={STEP}", from + STEP)
            }
            (_, false) => format!("/select/logsql/stats_query?query={query}&time={to}"),
            (_, true) => {
                format!("/select/logsql/stats_query_range?query={query}&start={from}&end={to}&step={STEP}s")
            }
        }
    }

    /// What the party answers, and how long that takes, in milliseconds.
    async fn ask(&self, party: &Party, lines: &Lines) -> (Numbers, f64) {
        let expression = self.expression(party.kind).unwrap();
        let request = get(&self.path(party.kind, expression, lines));
        let mut connection = Connection::open(party.query).await.unwrap();
        let begun = Instant::now();
        let answer = connection.send(&request).await.unwrap();
        let took_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        let text = || String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
        assert_eq!(answer.status, 200, "{}: {expression}: {}", party.kind.name(), text());
        let before = if party.kind == Kind::Console && self.is_range { STEP } else { 0 };
        (numbers(&answer.body, self.is_range, before), took_ms)
    }

    /// The same of ripgrep, which counts.
    fn grep(arguments: &[&str], file: &std::path::Path) -> (Numbers, f64) {
        let begun = Instant::now();
        let output = Command::new("rg").args(arguments).arg(file).output().unwrap();
        let took_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        let count = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        (Numbers::from([((String::new(), 0), count)]), took_ms)
    }

    fn target(&self) -> Target {
        if self.ripgrep.is_some() {
            Target::NotAboveTimes(2.0, Kind::Ripgrep)
        } else {
            Target::NotAbove(Kind::VictoriaLogs)
        }
    }

    /// What is to be said of all answers to it.
    fn judge(&self, answers: &[(Kind, Numbers)]) -> String {
        let Some(((_, own), others)) = answers.split_first() else { return String::new() };
        let mut farthest = 0.0_f64;
        for (kind, theirs) in others {
            if own.is_empty() || !own.keys().eq(theirs.keys()) {
                return format!("ANSWERS DIFFER: {} of {} numbers are {}'s", own.len(), theirs.len(), kind.name());
            }
            let apart = own.values().zip(theirs.values()).map(|(a, b)| (a - b).abs() / a.abs().max(b.abs()).max(1e-9));
            farthest = apart.fold(farthest, f64::max);
        }
        match (others.is_empty(), farthest) {
            (true, _) => "nobody to compare with".to_owned(),
            (_, 0.0) => format!("same answer, {} numbers", own.len()),
            (_, far) if far <= self.tolerance => format!("answers within {:.2} %, {} numbers", far * 100.0, own.len()),
            (_, far) => format!("ANSWERS DIFFER by {:.2} %", far * 100.0),
        }
    }
}

/// What an answer says: Loki's and VictoriaLogs' have the same form.
fn numbers(body: &[u8], is_range: bool, before: u64) -> Numbers {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let series = answer.pointer("/data/result").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let mut numbers = Numbers::new();
    for one in &series {
        let labels = one["metric"].as_object().into_iter().flatten().filter(|(name, _)| *name != "__name__");
        let labels: Vec<&str> = labels.filter_map(|(_, value)| value.as_str()).collect();
        let key = labels.join(",");
        let points = match one["values"].as_array() {
            Some(points) => points.clone(),
            None => vec![one["value"].clone()],
        };
        for point in points {
            let time = if is_range { point[0].as_f64().unwrap_or_default() as u64 - before } else { 0 };
            let value = point[1].as_str().and_then(|value| value.parse().ok()).unwrap_or(f64::NAN);
            numbers.insert((key.clone(), time), value);
        }
    }
    numbers
}

pub async fn measure(table: &mut Table) {
    for (kind, how) in [(Kind::VictoriaLogs, "bench/peers/victorialogs.sh"), (Kind::Ripgrep, "apt-get install ripgrep")]
    {
        if !kind.is_there() {
            println!("{} is not there to be measured beside: {how}", kind.name());
        }
    }
    let lines = Lines::new();
    let folder = tempfile::tempdir_in(".").unwrap();
    let file = folder.path().join("lines.txt");
    lines.write(&file);
    let mut parties = Vec::new();
    for kind in [Kind::Console, Kind::VictoriaLogs, Kind::VictoriaLogsFields].into_iter().filter(|kind| kind.is_there())
    {
        let party = kind.start().await;
        let seconds = lines.send(&party).await;
        let figure = table.figure(
            "1 M lines in Loki's push, one sender, until all are found",
            "s",
            Target::NotAbove(Kind::VictoriaLogs),
        );
        figure.add(kind, seconds);
        figure.note("rate", format!("{:.0} MB of lines", lines.bytes() as f64 / 1e6));
        parties.push(party);
    }
    // Both write down what they hold in memory within some seconds.
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    memory(table, "memory with 1 M lines loaded", &parties);
    for question in &QUESTIONS {
        put(table, question, &parties, &lines, &file).await;
    }
    memory(table, "memory after LogQL over 1 M lines", &parties);
    for party in &parties {
        let figure = table.figure("disk for 1 M lines", "MiB", Target::None);
        figure.add(party.kind, party.bytes_on_disk() as f64 / f64::from(1 << 20));
    }
}

/// Puts one question to everyone, in turns.
async fn put(table: &mut Table, question: &Question, parties: &[Party], lines: &Lines, file: &std::path::Path) {
    let what = format!("LogQL over 1 M lines: {}", question.what);
    let ripgrep = question.ripgrep.filter(|_| Kind::Ripgrep.is_there());
    let mut answers = Vec::new();
    for turn in 0..=TURNS {
        let mut told = Vec::new();
        for party in parties.iter().filter(|party| question.expression(party.kind).is_some()) {
            let (answer, took_ms) = question.ask(party, lines).await;
            told.push((party.kind, answer, took_ms));
        }
        if let Some(arguments) = ripgrep {
            let (answer, took_ms) = Question::grep(arguments, file);
            told.push((Kind::Ripgrep, answer, took_ms));
        }
        for (kind, answer, took_ms) in told {
            if turn == 0 {
                // The first is for warming up, and for looking at.
                answers.push((kind, answer));
            } else {
                table.figure(&what, "ms", question.target()).add(kind, took_ms);
            }
        }
    }
    let figure = table.figure(&what, "ms", question.target());
    figure.note("answer", question.judge(&answers));
    if let Some(took_ms) = figure.of(Kind::Console) {
        figure.note("rate", format!("{:.2} GB/s", lines.bytes() as f64 / 1e6 / took_ms));
    }
}

fn memory(table: &mut Table, what: &str, parties: &[Party]) {
    for party in parties {
        let figure = table.figure(what, "MiB RSS", Target::NotAbove(Kind::VictoriaLogs));
        figure.add(party.kind, party.resident_mib());
        let (peak, own) = (party.resident_peak_mib(), party.resident_anonymous_mib());
        figure.note(
            party.kind.name(),
            format!("{}: {own:.0} without files' pages, at most {peak:.0}", party.kind.name()),
        );
    }
}
