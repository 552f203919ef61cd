//! Settings: the command line, the environment and the settings file.
//!
//! An input has three parts, each ended by an empty line: arguments, one a line; variables, as
//! `NAME=value`; and the text of the settings file. It proves:
//!
//! - Any input is answered: read, or refused with faults that each name a setting and an example of right.
//! - No fault repeats a value, no usage error repeats the value of a secret's flag, and no printed settings
//!   hold a secret. Tried with [`MARK`] put before and behind every value.
//! - What is read is within the bounds that the settings promise, and no two stores share a file.
//! - What the settings file says can be written with quotes and read as the same.
#![no_main]

use std::collections::{HashMap, HashSet};

use clap::Parser;
use fuzz::MARK;
use highbeam::cli::{Action, Cli, Flags};
use highbeam::settings::table::{SETTINGS, find};
use highbeam::settings::{Engine, Faults, Settings, Source, file};
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret;

const SECRETS: [&str; 3] = ["ADMIN_TOKEN", "CURSOR_SECRET", "MONGO_INITDB_ROOT_PASSWORD"];

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    let mut parts = input.splitn(3, "\n\n");
    let mut part = || parts.next().unwrap_or_default();
    let (arguments, environment, file) = (part(), part(), part());

    let flags = read_arguments(arguments);
    let environment = environment.lines().filter_map(|line| line.split_once('='));
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let source = Source { flags, environment, file: read_file(file), ..Source::default() };

    match Settings::read(&source) {
        Ok(settings) => check_bounds(&settings),
        Err(faults) => check_faults(&faults),
    }
    check_silence(&source);
});

fn read_arguments(text: &str) -> HashMap<String, String> {
    let arguments: Vec<_> = text.lines().collect();
    if arguments.is_empty() {
        return HashMap::new();
    }
    // A secret that has been taken as such stays one, whatever else is wrong with the command line.
    let (command, rest) = arguments.split_first().unwrap_or((&"", &[]));
    for secret in [vec![format!("--admin-token={MARK}")], vec!["--cursor-secret".to_owned(), MARK.to_owned()]] {
        let arguments = ["highbeam", command].into_iter().chain(secret.iter().map(String::as_str));
        if let Err(error) = Cli::try_parse_from(arguments.chain(rest.iter().copied())) {
            assert!(!error.to_string().contains(MARK), "{error}");
        }
    }
    match Cli::try_parse_from(["highbeam"].iter().chain(&arguments)).map(|cli| cli.command) {
        Ok(Action::Up(up)) => checked(up.settings),
        Ok(Action::Serve(serve)) => checked(serve.settings),
        Ok(Action::Check(check)) => checked(check.settings),
        Ok(_) => HashMap::new(),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            HashMap::new()
        }
    }
}

fn checked(Flags(flags): Flags) -> HashMap<String, String> {
    assert!(flags.keys().all(|name| find(name).is_some()));
    flags
}

fn read_file(text: &str) -> HashMap<String, String> {
    let values = match file::parse(text) {
        Ok(values) => values,
        Err(malformed) => {
            assert!((1..=text.lines().count()).contains(&malformed.line));
            return HashMap::new();
        }
    };
    for (name, value) in &values {
        if let Some(quote) = ['"', '\''].into_iter().find(|quote| !value.contains(*quote)) {
            let line = format!("export {name} = {quote}{value}{quote} # and a comment");
            assert_eq!(file::parse(&line).as_ref().map(|values| &values[name]), Ok(value));
        }
    }
    values
}

fn check_faults(faults: &Faults) {
    assert!(!faults.0.is_empty());
    for fault in &faults.0 {
        let setting = find(fault.name).expect("a fault names a setting");
        assert_eq!(fault.example, setting.example);
        assert!(!fault.detail.is_empty() && fault.to_string().starts_with(fault.name));
    }
    assert_eq!(faults.to_string().lines().count(), faults.0.len());
}

fn check_bounds(settings: &Settings) {
    let path = &settings.base_path;
    assert!(path.is_empty() || (path.starts_with('/') && !path.ends_with('/') && !path.contains("//")), "{path}");
    assert!(settings.subscriptions.partitions.get() <= 256);
    assert!((1..=3_600).contains(&settings.shutdown_grace.as_secs()));
    assert!((1..=600).contains(&settings.request_timeout.as_secs()));
    for secret in [&settings.admin_token, &settings.cursor_secret].into_iter().flatten() {
        assert!(secret.expose_secret().chars().count() >= 16);
    }
    let names = [&settings.subscriptions.orders_checkpoint, &settings.subscriptions.search_checkpoint];
    assert!(names.iter().all(|name| (1..=64).contains(&name.len()) && !name.contains(['/', '.'])));
    assert_ne!(names[0], names[1]);

    let file = |engine: &Engine, name: &str| engine.file(&settings.data_dir, &format!("{name}.db"));
    let files = [
        file(&settings.event_store, "events"),
        file(&settings.read_model, names[0]),
        file(&settings.search, names[1]),
        // Beside the events, when these are in a file.
        file(&Engine::Sqlite(None), "idempotency").filter(|_| settings.event_store != Engine::Memory),
    ];
    let files: Vec<_> = files.into_iter().flatten().collect();
    assert_eq!(files.iter().collect::<HashSet<_>>().len(), files.len(), "{files:?}");
}

fn check_silence(source: &Source) {
    for (before, behind) in [(MARK, ""), ("", MARK)] {
        let marked = |is_marked: fn(&str) -> bool| {
            let mark = |(name, value): (&String, &String)| {
                let value = if is_marked(name) { format!("{before}{value}{behind}") } else { value.clone() };
                (name.clone(), value)
            };
            Source {
                flags: source.flags.iter().map(mark).collect(),
                environment: source.environment.iter().map(mark).collect(),
                file: source.file.iter().map(mark).collect(),
                ..Source::default()
            }
        };
        if let Err(faults) = Settings::read(&marked(|_| true)) {
            assert!(!faults.to_string().contains(MARK), "{faults}");
        }
        let mut secret = marked(|name| SECRETS.contains(&name));
        // The faults of others would be all that there is to print.
        for values in [&mut secret.flags, &mut secret.environment, &mut secret.file] {
            values.retain(|name, _| SECRETS.contains(&name.as_str()) || !SETTINGS.iter().any(|one| one.name == *name));
        }
        let printed = format!("{:?}", Settings::read(&secret));
        assert!(!printed.contains(MARK), "{printed}");
    }
}
