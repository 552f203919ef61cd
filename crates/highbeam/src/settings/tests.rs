//! Settings: precedence, forms, and that every fault is told at once and without its value.

use secrecy::ExposeSecret;

use super::*;

fn environment(values: &[(&str, &str)]) -> Source {
    let environment = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Source { environment, ..Source::default() }
}

#[test]
fn without_any_setting_everything_is_embedded_on_loopback() {
    let settings = Settings::read(&Source::default()).unwrap();
    assert_eq!((settings.bind_address.to_string().as_str(), settings.port), ("127.0.0.1", 5007));
    assert_eq!(settings.base_path, "/api");
    assert_eq!(settings.event_store, Engine::Sqlite(None));
    assert_eq!((settings.read_model, settings.search), (Engine::Sqlite(None), Engine::Sqlite(None)));
    assert_eq!(settings.request_timeout, Duration::from_secs(15));
    assert!(settings.admin_token.is_none() && settings.rate_limit.is_none());
}

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    let one = |port: &str| [("PORT".to_owned(), port.to_owned())].into();
    let mut source = Source { flags: one("1"), environment: one("2"), file: one("3") };
    assert_eq!(Settings::read(&source).unwrap().port, 1);
    source.flags.clear();
    assert_eq!(Settings::read(&source).unwrap().port, 2);
    source.environment = one(" ");
    assert_eq!(Settings::read(&source).unwrap().port, 3, "an empty value counts as not set");
}

#[test]
fn the_older_programs_forms_are_understood() {
    let settings = Settings::read(&environment(&[
        ("PORT", ":5008"),
        ("BASE_PATH", "/api/"),
        ("ELASTIC_SNIFF", "false"),
        ("ELASTIC_PRETTY", "true"),
    ]))
    .unwrap();
    assert_eq!((settings.port, settings.base_path.as_str()), (5008, "/api"));
    assert_eq!(settings.ignored, ["ELASTIC_SNIFF", "ELASTIC_PRETTY"]);
}

#[test]
fn all_faults_come_at_once_each_with_an_example_and_without_the_value() {
    let bad = [
        ("PORT", "70000"),
        ("BIND_ADDRESS", "localhost!"),
        ("BASE_PATH", "api"),
        ("LOGGER_LEVEL", "loud"),
        ("LOGGER_ENCODER", "xml"),
        ("HOST_METRICS", "maybe"),
        ("EVENTSTORE_CONFIG_CONNECTION_STRING", "esdb://admin:s3cret@host:2113"),
        ("MONGO_URI", "mongo"),
        ("SUBSCRIPTIONS_POOL_SIZE", "0"),
        ("SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME", "../x"),
        ("ADMIN_TOKEN", "s3cret"),
        ("SHUTDOWN_GRACE_SECONDS", "-1"),
        ("RATE_LIMIT_PER_SECOND", "many"),
    ];
    let faults = Settings::read(&environment(&bad)).unwrap_err();
    let mut named: Vec<_> = faults.0.iter().map(|fault| fault.name).collect();
    let mut expected: Vec<_> = bad.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    expected.sort_unstable();
    assert_eq!(named, expected);
    let text = faults.to_string();
    assert_eq!(text.lines().count(), bad.len());
    assert!(!text.contains("s3cret"), "{text}");
    assert!(faults.0.iter().all(|fault| !fault.example.is_empty()), "{text}");
}

#[test]
fn the_host_is_measured_as_told_or_as_the_command_sees_fit() {
    let read = |values: &[(&str, &str)]| Settings::read(&environment(values)).unwrap().host_metrics;
    assert_eq!((read(&[]), read(&[("HOST_METRICS", "Auto")])), (None, None));
    assert_eq!((read(&[("HOST_METRICS", "true")]), read(&[("HOST_METRICS", "off")])), (Some(true), Some(false)));
}

#[test]
fn two_ports_cannot_share_a_file() {
    let same = [("MONGO_URI", "sqlite:one.db"), ("ELASTIC_URL", "sqlite:one.db")];
    assert_eq!(Settings::read(&environment(&same)).unwrap_err().0[0].name, "ELASTIC_URL");
    let same = [("SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME", "search")];
    assert_eq!(Settings::read(&environment(&same)).unwrap_err().0.len(), 1);
}

#[test]
fn the_examples_of_the_table_are_right() {
    for setting in table::SETTINGS {
        let settings = Settings::read(&environment(&[(setting.name, setting.example)]));
        assert!(settings.is_ok(), "{}: {:?}", setting.name, settings.err());
    }
}

#[test]
fn secrets_are_kept_but_not_printed() {
    let settings = Settings::read(&environment(&[("ADMIN_TOKEN", "0123456789abcdef")])).unwrap();
    assert_eq!(settings.admin_token.as_ref().map(ExposeSecret::expose_secret), Some("0123456789abcdef"));
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
}

#[test]
fn the_file_knows_comments_and_quotes() {
    let text = "# head\n\nA=1\nexport B = 'x # y' # z\nC=\"\"\nD=a#b # c\nA=2\n";
    let values = file::parse(text).unwrap();
    assert_eq!(
        (values["A"].as_str(), values["B"].as_str(), values["C"].as_str(), values["D"].as_str()),
        ("2", "x # y", "", "a#b")
    );
    assert_eq!(file::parse("A=1\nwhat\n"), Err(file::Malformed { line: 2 }));
    assert_eq!(file::parse("A='x"), Err(file::Malformed { line: 1 }));
}
