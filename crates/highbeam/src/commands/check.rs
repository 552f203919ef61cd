//! `highbeam check`: the doctor. One line for each thing that a start would need, saying whether it is
//! well and, if not, what to do. It changes nothing that exists.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use console_storage::OpenError;
use eventsourcing::{EventStore as _, with_causes};

use super::{Error, say};
use crate::cli::Check;
use crate::console;
use crate::settings::{Engine, Settings};
use crate::wiring;

/// What was found out about one thing.
struct Finding {
    subject: &'static str,
    verdict: Verdict,
}

enum Verdict {
    Well(String),
    Mind(String),
    Wrong(String),
}

impl Finding {
    fn line(&self) -> String {
        let (mark, detail) = match &self.verdict {
            Verdict::Well(detail) => ("ok  ", detail),
            Verdict::Mind(detail) => ("note", detail),
            Verdict::Wrong(detail) => ("FAIL", detail),
        };
        format!("{mark} {:<13} {detail}", self.subject)
    }
}

/// Looks at everything, tells all of it, and fails when something is wrong.
pub async fn run(arguments: &Check) -> Result<(), Error> {
    let settings = super::settings(&arguments.settings)?;
    say(&format!("ok   {:<13} all can be read", "settings"))?;
    let findings = findings(&settings, arguments.full).await;
    for finding in &findings {
        say(&finding.line())?;
    }
    let wrong = findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Wrong(_))).count();
    match wrong {
        0 => Ok(()),
        1 => Err(Error::Failed("1 check failed".to_owned())),
        count => Err(Error::Failed(format!("{count} checks failed"))),
    }
}

async fn findings(settings: &Settings, full: bool) -> Vec<Finding> {
    let data_dir = &settings.data_dir;
    let name = |name: &str| format!("{name}.db");
    let engine = |engine: &Engine, default: &str, kind| match engine.file(data_dir, default) {
        Some(path) => file(&path, kind, full),
        None => Verdict::Mind("memory: everything is gone when the process ends".to_owned()),
    };
    let subscriptions = &settings.subscriptions;
    let mut findings = vec![
        Finding { subject: "data folder", verdict: folder(data_dir) },
        Finding {
            subject: "event store",
            verdict: match kurrentdb(&settings.event_store).await {
                Some(verdict) => verdict,
                None => engine(&settings.event_store, "events.db", sqlite::Kind::Events),
            },
        },
        Finding {
            subject: "read model",
            verdict: match mongodb(settings).await {
                Some(verdict) => verdict,
                None => engine(&settings.read_model, &name(&subscriptions.orders_checkpoint), sqlite::Kind::Orders),
            },
        },
        Finding {
            subject: "search",
            verdict: match elasticsearch(settings).await {
                Some(verdict) => verdict,
                None => engine(&settings.search, &name(&subscriptions.search_checkpoint), sqlite::Kind::Search),
            },
        },
        Finding { subject: "console", verdict: console_store(settings) },
        Finding { subject: "port", verdict: port(settings, settings.port, "PORT") },
        Finding { subject: "console port", verdict: port(settings, settings.console.port, "CONSOLE_PORT") },
        Finding { subject: "OTLP/gRPC", verdict: port(settings, settings.console.otlp_grpc_port, "OTLP_GRPC_PORT") },
        Finding { subject: "OTLP/HTTP", verdict: port(settings, settings.console.otlp_http_port, "OTLP_HTTP_PORT") },
    ];
    if !settings.bind_address.is_loopback() && settings.admin_token.is_none() {
        findings.push(Finding {
            subject: "admin",
            verdict: Verdict::Mind(
                "other machines can reach the API but not /admin: set ADMIN_TOKEN to change that".to_owned(),
            ),
        });
    }
    if !settings.ignored.is_empty() {
        findings.push(Finding {
            subject: "ignored",
            verdict: Verdict::Mind(format!("{}: set, but without effect in this version", settings.ignored.join(", "))),
        });
    }
    findings
}

/// What MongoDB says, where the read model is there.
async fn mongodb(settings: &Settings) -> Option<Verdict> {
    let config = wiring::mongodb_config(settings)?;
    Some(match mongodb_adapter::check(config).await {
        Ok(told) => Verdict::Well(told),
        Err(error) => Verdict::Wrong(format!("{}: look at MONGO_URI", with_causes(&error))),
    })
}

/// What Elasticsearch says, where the search is there.
async fn elasticsearch(settings: &Settings) -> Option<Verdict> {
    let config = match wiring::elasticsearch_config(settings) {
        Ok(config) => config?,
        Err(error) => return Some(Verdict::Wrong(error.to_string())),
    };
    Some(match elasticsearch::check(&config).await {
        Ok(told) => Verdict::Well(told),
        Err(error) => Verdict::Wrong(format!("{}: look at ELASTIC_URL", with_causes(&error))),
    })
}

/// What KurrentDB says, where the events are there.
async fn kurrentdb(engine: &Engine) -> Option<Verdict> {
    let Engine::KurrentDb(settings) = engine else { return None };
    let hosts = settings.hosts();
    let wrong = |error: &dyn std::error::Error| {
        let causes = with_causes(error);
        Verdict::Wrong(format!("{hosts}: {causes}: look at EVENTSTORE_CONFIG_CONNECTION_STRING"))
    };
    let store = match kurrentdb::EventStore::open((**settings).clone()) {
        Ok(store) => store,
        Err(error) => return Some(wrong(&error)),
    };
    // Who leads, and whether the user may read, is what the version alone does not tell.
    let told = match store.ping().await {
        Ok(()) => store.server_version().await,
        Err(error) => Err(error),
    };
    Some(match told {
        Ok(version) => Verdict::Well(format!("KurrentDB {version} at {hosts} answers")),
        Err(error) => wrong(&error),
    })
}

fn folder(path: &Path) -> Verdict {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let probe = path.join(format!(".check-{}", std::process::id()));
            match std::fs::write(&probe, b"") {
                Ok(()) => {
                    // It was only there to be written; a leftover does no harm.
                    let _ = std::fs::remove_file(&probe);
                    Verdict::Well(format!("{shown} can be written to"))
                }
                Err(error) => Verdict::Wrong(format!(
                    "{shown} cannot be written to ({error}): change its owner, or set DATA_DIR to another folder"
                )),
            }
        }
        Ok(_) => Verdict::Wrong(format!("{shown} is not a folder: set DATA_DIR to one")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Verdict::Well(format!("{shown} does not exist yet and will be created"))
        }
        Err(error) => Verdict::Wrong(format!("{shown} cannot be looked at ({error}): set DATA_DIR to another folder")),
    }
}

fn file(path: &Path, kind: sqlite::Kind, full: bool) -> Verdict {
    let shown = path.display();
    if !path.exists() {
        return Verdict::Well(format!("{shown} does not exist yet and will be created"));
    }
    match sqlite::check(path, kind, full) {
        Ok(()) if full => Verdict::Well(format!("{shown} is whole")),
        Ok(()) => Verdict::Well(format!("{shown} can be read; --full reads every page of it")),
        Err(error) => Verdict::Wrong(error.to_string()),
    }
}

/// Whether the console's folder is a store that this program can open; nothing is made where there is none.
fn console_store(settings: &Settings) -> Verdict {
    let folder = console::folder(settings);
    let shown = folder.display();
    if !folder.exists() {
        return Verdict::Well(format!("{shown} does not exist yet and will be created"));
    }
    match console_storage::Store::check(&folder) {
        Ok(()) => Verdict::Well(format!("{shown} can be opened")),
        Err(OpenError::InUse { .. }) => Verdict::Well(format!("{shown} is in use by a running process")),
        Err(error) => Verdict::Wrong(console::told(&error)),
    }
}

fn port(settings: &Settings, port: u16, setting: &str) -> Verdict {
    let address = SocketAddr::new(settings.bind_address, port);
    if port == 0 {
        return Verdict::Well("a free one will be taken".to_owned());
    }
    match TcpListener::bind(address) {
        Ok(_) => Verdict::Well(format!("{address} is free")),
        Err(error) => Verdict::Wrong(format!(
            "cannot listen on {address} ({error}): stop what listens there, or set {setting} or BIND_ADDRESS"
        )),
    }
}
