//! `highbeam projections`: looks after the projections of a running process, through its operations
//! routes.

use std::fmt::Write as _;

use hyper::Method;
use serde_json::Value;

use super::{Error, say};
use crate::cli::{Projections, ProjectionsAction};
use crate::client::{self, ask};

/// Does what was typed and tells what became of it.
pub async fn run(arguments: &Projections) -> Result<(), Error> {
    let token = std::env::var("ADMIN_TOKEN").ok().filter(|token| !token.is_empty());
    let call = async |method, path: String| {
        ask(method, &arguments.url, &path, token.as_deref()).await.map_err(|error| Error::Failed(explain(&error)))
    };
    let path = |name: &str, rest: &str| format!("/admin/projections/{}{rest}", encode(name));
    match &arguments.action {
        ProjectionsAction::Status => {
            let answer = call(Method::GET, "/admin/projections".to_owned()).await?;
            say(status(&answer).trim_end())?;
        }
        ProjectionsAction::Rebuild { name, manual } => {
            let promote = if *manual { "manual" } else { "auto" };
            let answer = call(Method::POST, path(name, &format!("/rebuild?promote={promote}"))).await?;
            let next = if *manual {
                "promote it when `projections status` shows it at the head"
            } else {
                "it becomes live by itself"
            };
            say(&format!("generation {} is being built; {next}", text(&answer, "generation")))?;
        }
        ProjectionsAction::Promote { name } => {
            call(Method::POST, path(name, "/promote")).await?;
            say("promoted")?;
        }
        ProjectionsAction::Discard { name } => {
            call(Method::POST, path(name, "/discard")).await?;
            say("discarded")?;
        }
        ProjectionsAction::Parked { name } => {
            let answer = call(Method::GET, path(name, "/parked")).await?;
            say(parked(&answer).trim_end())?;
        }
        ProjectionsAction::Replay { name, position } => {
            call(Method::POST, path(name, &format!("/parked/{position}/replay"))).await?;
            say("replayed")?;
        }
        ProjectionsAction::Skip { name, position } => {
            call(Method::POST, path(name, &format!("/parked/{position}/skip"))).await?;
            say("skipped")?;
        }
    }
    Ok(())
}

fn explain(error: &client::Error) -> String {
    match error {
        client::Error::Refused { status, .. } if status.as_u16() == 401 || status.as_u16() == 403 => {
            format!("{error}; from another machine, set ADMIN_TOKEN to the server's")
        }
        _ => error.to_string(),
    }
}

/// A name typed by a person becomes one segment of a path.
fn encode(name: &str) -> String {
    name.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn text(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// The list that an answer is, or holds under a key of this name.
fn list<'a>(answer: &'a Value, key: &str) -> &'a [Value] {
    let list = answer.as_array().or_else(|| answer.get(key).and_then(Value::as_array));
    list.map_or(&[], Vec::as_slice)
}

fn status(answer: &Value) -> String {
    let mut lines = String::new();
    for projection in list(answer, "projections") {
        let lag = projection.get("lagEvents").map_or_else(|| "-".to_owned(), Value::to_string);
        let _ = writeln!(
            lines,
            "{}: {}, head {}, {lag} events behind, {} restarts",
            text(projection, "name"),
            text(projection, "state"),
            text(projection, "head"),
            text(projection, "restarts"),
        );
        if let Some(error) = projection.get("lastError").and_then(Value::as_str) {
            let _ = writeln!(lines, "  last error: {error}");
        }
        for generation in list(projection, "generations") {
            let _ = writeln!(
                lines,
                "  generation {}: {}, checkpoint {}, {} orders, {} parked",
                text(generation, "generation"),
                text(generation, "state"),
                text(generation, "checkpoint"),
                text(generation, "orders"),
                text(generation, "parked"),
            );
        }
    }
    if lines.is_empty() { "this process runs no projection".to_owned() } else { lines }
}

fn parked(answer: &Value) -> String {
    let mut lines = String::new();
    for event in list(answer, "parked") {
        let _ = writeln!(
            lines,
            "{} {} {} revision {}, tried {} times: {}",
            text(event, "position"),
            text(event, "stream"),
            text(event, "type"),
            text(event, "revision"),
            text(event, "attempts"),
            text(event, "error"),
        );
    }
    if lines.is_empty() { "no event is parked".to_owned() } else { lines }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_fits_on_a_few_lines() {
        let answer = json!([{
            "name": "orders", "state": "backing_off", "head": 12, "lagEvents": 2, "restarts": 1, "lastError": "disk full",
            "generations": [{ "generation": 1, "state": "live", "checkpoint": 10, "orders": 4, "parked": 0 }]
        }]);
        assert_eq!(
            status(&answer),
            "orders: backing_off, head 12, 2 events behind, 1 restarts\n  last error: disk full\n  \
             generation 1: live, checkpoint 10, 4 orders, 0 parked\n"
        );
        assert_eq!(status(&json!([])), "this process runs no projection");
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        assert_eq!(encode("../x?y=ä"), "..%2Fx%3Fy%3D%C3%A4");
    }
}
