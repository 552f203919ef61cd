//! LogQL over a million lines, beside ripgrep on the same lines in a file. ripgrep has the lines as text and in
//! the page cache; the console has them compressed, and tells them by stream.

use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::parties::Kind;
use super::table::{Table, Target};
use super::template::{mix, now_ns};
use crate::client::{Connection, get, post_head};
use crate::cost::median;

const LINES: u64 = 1_000_000;
/// Lines of one request.
const BATCH: u64 = 5_000;
const TURNS: usize = 7;
const STREAMS: u64 = 20;

/// What is asked, with the expression that ripgrep gets for the same; none where it has nothing of the kind.
const QUESTIONS: [(&str, &str, Option<&[&str]>); 6] = [
    ("a word that is rare", r#"sum(count_over_time({app=~".+"} |= "needle" [1d]))"#, Some(&["-c", "-F", "needle"])),
    ("a word in a third of lines", r#"sum(count_over_time({app=~".+"} |= "POST" [1d]))"#, Some(&["-c", "-F", "POST"])),
    (
        "an expression",
        r#"sum(count_over_time({app=~".+"} |~ "order [0-9]+7 (failed|lost)" [1d]))"#,
        Some(&["-c", "order [0-9]+7 (failed|lost)"]),
    ),
    ("all lines, counted", r#"sum(count_over_time({app=~".+"}[1d]))"#, Some(&["-c", ""])),
    (
        "json, a field filter, counted by route",
        r#"sum by (route) (count_over_time({app=~".+"} | json | status >= 500 [1d]))"#,
        None,
    ),
    (
        "json, a quantile of durations",
        r#"quantile_over_time(0.99, {app=~".+"} | json | unwrap took [1d]) by (route)"#,
        None,
    ),
];

/// A line as an application writes it: some 200 bytes of JSON.
fn line(number: u64) -> String {
    let chance = mix(number);
    let method = ["GET", "POST", "PUT"][(chance % 3) as usize];
    let status = [200, 200, 200, 200, 201, 404, 500][(chance >> 8) as usize % 7];
    let order = chance >> 16 & 0xf_ffff;
    let fate = ["placed", "paid", "failed", "lost"][(chance >> 40) as usize % 4];
    let word = if number.is_multiple_of(9_973) { " needle" } else { "" };
    format!(
        "{{\"level\":\"info\",\"method\":\"{method}\",\"route\":\"/api/orders/{}\",\"status\":{status},\"took\":{}.{},\"trace\":\"{:032x}\",\"msg\":\"order {order} {fate}{word}\"}}",
        chance % 12,
        chance >> 20 & 0xff,
        chance >> 30 & 7,
        u128::from(chance) << 64 | u128::from(mix(chance)),
    )
}

pub async fn measure(table: &mut Table) {
    let party = Kind::Console.start().await;
    let file = party.folder.path().join("lines.txt");
    let mut text = String::new();
    let mut connection = Connection::open(party.query).await.unwrap();
    let begin_ns = now_ns() - LINES * 1_000_000;
    for batch in 0..LINES / BATCH {
        let mut body = String::from("{\"streams\":[");
        for stream in 0..STREAMS {
            let comma = if stream > 0 { "," } else { "" };
            write!(body, "{comma}{{\"stream\":{{\"app\":\"app-{stream}\"}},\"values\":[").unwrap();
            for at in 0..BATCH / STREAMS {
                let number = batch * BATCH + at * STREAMS + stream;
                let line = line(number);
                let comma = if at > 0 { "," } else { "" };
                write!(
                    body,
                    "{comma}[\"{}\",{}]",
                    begin_ns + number * 1_000_000,
                    serde_json::Value::from(line.as_str())
                )
                .unwrap();
                text.push_str(&line);
                text.push('\n');
            }
            body.push_str("]}");
        }
        body.push_str("]}");
        let mut request = post_head("/loki/api/v1/push", "content-type: application/json\r\n", body.len());
        request.extend_from_slice(body.as_bytes());
        assert_eq!(connection.send(&request).await.unwrap().status, 204);
    }
    std::fs::write(&file, &text).unwrap();
    let has_ripgrep = Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_ripgrep {
        println!("ripgrep is not there to be measured beside: apt-get install ripgrep");
    }
    let gigabytes = text.len() as f64 / 1e9;
    for (what, query, arguments) in QUESTIONS {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/loki/api/v1/query?query={escaped}");
        let mut waits = Vec::new();
        for _ in 0..TURNS {
            let begun = Instant::now();
            let answer = connection.send(&get(&path)).await.unwrap();
            waits.push(begun.elapsed().as_secs_f64());
            assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
        }
        let figure = table.figure(&format!("LogQL over 1 M lines: {what}"), "GB/s", Target::None);
        figure.add(Kind::Console, gigabytes / median(waits.clone()));
        figure.note("time", format!("{:.0} ms", median(waits.clone()) * 1_000.0));
        if let (Some(arguments), true) = (arguments, has_ripgrep) {
            let mut theirs = Vec::new();
            for _ in 0..TURNS {
                let begun = Instant::now();
                let status = Command::new("rg").args(arguments).arg(&file).stdout(Stdio::null()).status().unwrap();
                theirs.push(begun.elapsed().as_secs_f64());
                assert!(status.success());
            }
            let ratio = median(theirs.clone()) / median(waits);
            figure.note("ripgrep", format!("ripgrep {:.2} GB/s, × {ratio:.2}", gigabytes / median(theirs)));
        }
    }
    let figure = table.figure("memory after LogQL over 1 M lines", "MiB RSS", Target::None);
    figure.add(Kind::Console, party.resident_mib());
}
