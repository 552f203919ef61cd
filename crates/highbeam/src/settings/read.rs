//! Reads single settings and gathers what is wrong with them.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use telemetry::logging::Encoder;

use super::engine::Port;
use super::table::{IGNORED, find};
use super::{Engine, Logger, Settings};

/// Where values come from: a flag wins over the environment, the environment over the file. An empty
/// value counts as not set.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Flags, by the setting's name.
    pub flags: HashMap<String, String>,
    /// The environment.
    pub environment: HashMap<String, String>,
    /// The settings file.
    pub file: HashMap<String, String>,
    /// What a command prefers to the defaults of the table.
    pub preferences: HashMap<String, String>,
}

impl Source {
    fn get(&self, name: &str) -> Option<&str> {
        [&self.flags, &self.environment, &self.file, &self.preferences]
            .into_iter()
            .find_map(|values| values.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()))
    }
}

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable.
    pub name: &'static str,
    /// What is wrong, without the value.
    pub detail: String,
    /// An example of right.
    pub example: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; for example {}={}", self.name, self.detail, self.name, self.example)
    }
}

/// All that is wrong, one line for each fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

pub(super) struct Reader<'a> {
    source: &'a Source,
    faults: Faults,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, faults: Faults::default() }
    }

    pub(super) fn finish(self, settings: Settings) -> Result<Settings, Faults> {
        if self.faults.0.is_empty() { Ok(settings) } else { Err(self.faults) }
    }

    pub(super) fn fault(&mut self, name: &'static str, detail: impl Into<String>) {
        // Two signals may share a variable; its fault is one all the same.
        if self.faults.0.iter().any(|fault| fault.name == name) {
            return;
        }
        let example = find(name).map_or("", |setting| setting.example);
        self.faults.0.push(Fault { name, detail: detail.into(), example });
    }

    /// Takes a fault back, for a better one to be told; `false` if there is none.
    pub(super) fn retract(&mut self, name: &'static str) -> bool {
        let before = self.faults.0.len();
        self.faults.0.retain(|fault| fault.name != name);
        self.faults.0.len() < before
    }

    /// The value, or the default of the table.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        let default = find(name).map(|setting| setting.default).filter(|default| !default.is_empty());
        self.source.get(name).or(default).map(str::to_owned)
    }

    /// A parsed value; `stand_in` keeps the reading going after a fault.
    pub(super) fn value<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Option<T>, stand_in: T) -> T {
        match self.text(name).as_deref().map(parse) {
            Some(Some(value)) => value,
            Some(None) => {
                self.fault(name, "cannot be read");
                stand_in
            }
            None => stand_in,
        }
    }

    pub(super) fn parse<T: FromStr + Default>(&mut self, name: &'static str) -> T {
        self.value(name, |text| text.parse().ok(), T::default())
    }

    /// Yes, no, or `auto`, which is for the caller to decide.
    pub(super) fn automatic(&mut self, name: &'static str) -> Option<bool> {
        let auto = |text: &str| text.eq_ignore_ascii_case("auto").then_some(None);
        let before = self.faults.0.len();
        let value = self.value(name, |text| auto(text).or_else(|| flag(text).map(Some)), None);
        if self.faults.0.len() > before {
            self.faults.0.pop();
            self.fault(name, "must be auto, true or false");
        }
        value
    }

    pub(super) fn engine(&mut self, name: &'static str, port: Port) -> Engine {
        match self.text(name).as_deref().map(|text| Engine::parse(text, port)) {
            Some(Ok(engine)) => engine,
            Some(Err(detail)) => {
                self.fault(name, detail);
                Engine::Memory
            }
            None => Engine::Sqlite(None),
        }
    }

    pub(super) fn seconds(&mut self, name: &'static str, most: u64) -> Duration {
        let seconds = self.value(name, |text| text.parse().ok().filter(|seconds| (1..=most).contains(seconds)), 0);
        if seconds == 0 && self.faults.0.last().is_some_and(|fault| fault.name == name) {
            self.faults.0.pop();
            self.fault(name, format!("must be a whole number of seconds from 1 to {most}"));
        }
        Duration::from_secs(seconds)
    }

    /// A name that can be part of a file's name.
    pub(super) fn name(&mut self, name: &'static str) -> String {
        let good = |text: &str| {
            let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            (letters && (1..=64).contains(&text.len())).then(|| text.to_owned())
        };
        let before = self.faults.0.len();
        let value = self.value(name, good, String::new());
        if self.faults.0.len() > before {
            self.faults.0.pop();
            self.fault(name, "must have 1 to 64 letters, digits, hyphens or underscores");
        }
        value
    }

    /// One of a few words; the first is what a fault is read as.
    pub(super) fn word(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        let word = words.iter().copied().find(|word| *word == text);
        if word.is_none() {
            self.fault(name, format!("must be {}", words.join(" or ")));
        }
        word.or_else(|| words.first().copied())
    }

    /// `name=value,name=value`, values percent-encoded where need be, as the W3C's baggage header.
    pub(super) fn pairs(&mut self, name: &'static str) -> Vec<(String, String)> {
        let text = self.text(name).unwrap_or_default();
        let mut pairs = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let pair = part.split_once('=').filter(|(key, _)| !key.trim().is_empty());
            match pair.and_then(|(key, value)| Some((key.trim().to_owned(), percent_decoded(value.trim())?))) {
                Some(pair) => pairs.push(pair),
                None => {
                    self.fault(name, "must be name=value pairs with commas between them");
                    break;
                }
            }
        }
        pairs
    }

    pub(super) fn secret(&mut self, name: &'static str, least: usize) -> Option<SecretString> {
        let value = self.text(name)?;
        if value.chars().count() < least {
            self.fault(name, format!("must have at least {least} characters"));
        }
        Some(SecretString::from(value))
    }

    pub(super) fn logger(&mut self) -> Logger {
        let level = self.text("LOGGER_LEVEL").unwrap_or_default();
        if !["error", "warn", "info", "debug", "trace"].contains(&level.to_ascii_lowercase().as_str()) {
            self.fault("LOGGER_LEVEL", "must be error, warn, info, debug or trace");
        }
        let debug = self.value("LOGGER_DEBUG", flag, false);
        let development = self.value("DEVELOPMENT", flag, false);
        let encoder = match self.text("LOGGER_ENCODER").as_deref() {
            Some("json") => Some(Encoder::Json),
            Some("console") => Some(Encoder::Console),
            Some(_) => {
                self.fault("LOGGER_ENCODER", "must be json or console");
                None
            }
            None => development.then_some(Encoder::Console),
        };
        let filter = match level.to_ascii_lowercase() {
            level if debug && level != "trace" => "debug".to_owned(),
            level => level,
        };
        Logger { filter, encoder }
    }

    pub(super) fn ignored(&self) -> Vec<&'static str> {
        IGNORED.iter().copied().filter(|name| self.source.get(name).is_some()).collect()
    }

    /// Elasticsearch does not take every name.
    pub(super) fn check_search_name(&mut self, settings: &Settings) {
        let is_well_read = !settings.search_index.is_empty() && !settings.subscriptions.search_checkpoint.is_empty();
        if is_well_read
            && matches!(settings.search, Engine::Elasticsearch(_))
            && let Err(error) = elasticsearch::Name::new(settings.search_name())
        {
            self.fault(
                "ELASTIC_INDEXES_ORDERS",
                format!("with SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME behind it, {error}"),
            );
        }
    }

    /// Two projections in one file would overwrite each other's checkpoint.
    pub(super) fn check_distinct(&mut self, settings: &Settings) {
        let subscriptions = &settings.subscriptions;
        if !subscriptions.orders_checkpoint.is_empty()
            && subscriptions.orders_checkpoint == subscriptions.search_checkpoint
        {
            self.fault(
                "SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME",
                "must differ from SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME",
            );
        }
        let file = |engine: &Engine, name: &str| engine.file(&settings.data_dir, &format!("{name}.db"));
        let files = [
            ("EVENTSTORE_CONFIG_CONNECTION_STRING", file(&settings.event_store, "events")),
            ("MONGO_URI", file(&settings.read_model, &subscriptions.orders_checkpoint)),
            ("ELASTIC_URL", file(&settings.search, &subscriptions.search_checkpoint)),
        ];
        for (index, (name, path)) in files.iter().enumerate() {
            let taken = files.iter().take(index).any(|(_, other)| path.is_some() && other == path);
            if taken && subscriptions.orders_checkpoint != subscriptions.search_checkpoint {
                self.fault(name, "names a file that another setting uses already");
            }
        }
    }
}

/// Yes or no.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok().filter(|_| is_hex)?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// `5007` or `:5007`.
pub(super) fn port(text: &str) -> Option<u16> {
    text.strip_prefix(':').unwrap_or(text).parse().ok()
}

/// A path without its last slash; `/` and nothing are the root.
pub(super) fn base_path(text: &str) -> Option<String> {
    let path = text.trim_end_matches('/');
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let taken = ["/admin", "/swagger", "/metrics", "/livez", "/readyz", "/openapi.json"];
    (path.is_empty() || path.starts_with('/')).then_some(())?;
    (path.bytes().all(good) && !path.contains("//") && !taken.contains(&path)).then(|| path.to_owned())
}
