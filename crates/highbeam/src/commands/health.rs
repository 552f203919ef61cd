//! `highbeam health`: asks a running process whether it lives, or whether it can serve, for container engines, which
//! ask by running a program inside of the container and look at its exit status. What is well is decided by the
//! process; here is only how it is asked and told.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::Method;
use serde_json::Value;

use super::{Error, say};
use crate::cli::Health;
use crate::client::{self, Answer, exchange};
use crate::ready::base_url;

/// Asks, and says on one line what came of it.
pub async fn run(arguments: &Health) -> Result<(), Error> {
    let within = Duration::from_secs(arguments.timeout.into());
    let asked = ask(arguments, within);
    // Two places may be asked, in the time of one.
    let answered = tokio::time::timeout(within.saturating_add(Duration::from_millis(200)), asked).await;
    let (url, answer) = answered.map_err(|_| Error::Failed(format!("no answer within {} s", within.as_secs())))??;
    let told = parts(&answer);
    if !answer.status.is_success() {
        let reason = if told.is_empty() { format!("the answer is {}", answer.status) } else { told };
        let verdict = if arguments.ready { "is not ready" } else { "is not well" };
        return Err(Error::Failed(format!("{url} {verdict}: {reason}")));
    }
    let verdict = if arguments.ready { "is ready" } else { "lives" };
    let but = if told.is_empty() { told } else { format!(", but {told}") };
    Ok(say(&format!("{url} {verdict}{but}"))?)
}

/// The answer, and where it is from.
async fn ask(arguments: &Health, within: Duration) -> Result<(String, Answer), Error> {
    let path = if arguments.ready { "/readyz" } else { "/livez" };
    let mut first = None;
    for url in addresses(arguments)? {
        match exchange(Method::GET, &url, path, None, within).await {
            Ok(answer) => return Ok((url, answer)),
            Err(error @ client::Error::Unreachable { .. }) => {
                first.get_or_insert(error.to_string());
            }
            Err(error) => return Err(Error::Failed(error.to_string())),
        }
    }
    let chosen =
        || "PORT is 0, so the process chose its port: name it, for example --url http://127.0.0.1:5007".to_owned();
    Err(Error::Failed(first.unwrap_or_else(chosen)))
}

/// Where the process may listen, by its settings: roles have PORT, and the console alone, which lives as well, has
/// CONSOLE_PORT.
fn addresses(arguments: &Health) -> Result<Vec<String>, Error> {
    if let Some(url) = &arguments.url {
        return Ok(vec![url.clone()]);
    }
    // Wrong settings are a reason like others, and exit statuses above 1 are not for health checks.
    let settings = super::settings(&arguments.settings)
        .map_err(|error| Error::Failed(error.to_string().replace('\n', "; ").replace(":; ", ": ")))?;
    // Where both are in one process, the console listens first, and says nothing about the order service.
    let console = (!arguments.ready).then_some(settings.console.port);
    let ports = [Some(settings.port), console].into_iter().flatten().filter(|port| *port != 0);
    Ok(ports.map(|port| base_url(SocketAddr::new(settings.bind_address, port))).collect())
}

/// What is not well, part by part, on one line; nothing if all of it is.
fn parts(answer: &Answer) -> String {
    let Some(checks) = answer.body.get("checks").and_then(Value::as_array) else {
        return if answer.status.is_success() { String::new() } else { answer.line.clone() };
    };
    let text = |check: &Value, field: &str| check.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let unwell = checks.iter().filter(|check| text(check, "status") != "up");
    let told: Vec<String> = unwell
        .map(|check| {
            let (name, detail) = (text(check, "name"), text(check, "detail"));
            format!("{name} {}", if detail.is_empty() { text(check, "status") } else { detail })
        })
        .collect();
    if told.is_empty() && !answer.status.is_success() { "it is shutting down".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use serde_json::json;

    use super::*;

    fn told(status: StatusCode, body: Value, line: &str) -> String {
        parts(&Answer { status, body, line: line.to_owned() })
    }

    #[test]
    fn what_is_not_well_is_told_part_by_part() {
        let checks = json!({ "status": "down", "checks": [
            { "name": "event store", "status": "up" },
            { "name": "search", "status": "down", "detail": "unavailable" },
            { "name": "orders projection", "status": "degraded", "detail": "events are parked", "parkedEvents": 2 },
        ] });
        let unwell = "search unavailable, orders projection events are parked";
        assert_eq!(told(StatusCode::SERVICE_UNAVAILABLE, checks, ""), unwell);
        let well = json!({ "status": "up", "checks": [{ "name": "event store", "status": "up" }] });
        assert_eq!(told(StatusCode::OK, well.clone(), ""), "");
        assert_eq!(told(StatusCode::SERVICE_UNAVAILABLE, well, ""), "it is shutting down");
    }

    #[test]
    fn an_answer_without_parts_tells_what_it_says() {
        assert_eq!(told(StatusCode::OK, Value::Null, "live"), "");
        assert_eq!(
            told(StatusCode::SERVICE_UNAVAILABLE, Value::Null, "the disk takes nothing"),
            "the disk takes nothing"
        );
        assert_eq!(told(StatusCode::OK, json!([1, "x"]), ""), "", "somebody else's answer does no harm");
    }
}
