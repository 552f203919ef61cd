//! Settings: precedence, forms, and that every fault is told at once and without its value.

use secrecy::ExposeSecret;
use telemetry::export::Protocol;

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
    let mut source = Source { flags: one("1"), environment: one("2"), file: one("3"), ..Source::default() };
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
        ("CONSOLE_PORT", "http"),
        ("RETENTION_BYTES", "1MiB"),
        ("RETENTION_AGE", "for ever"),
        ("SCRAPE_TARGETS", "localhost:9100"),
        ("SCRAPE_INTERVAL", "0"),
        ("EVENTSTORE_CONFIG_CONNECTION_STRING", "esdb://admin:s3cret@host:port"),
        ("MONGO_URI", "mongo"),
        ("SUBSCRIPTIONS_POOL_SIZE", "0"),
        ("SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME", "../x"),
        ("ADMIN_TOKEN", "s3cret"),
        ("SHUTDOWN_GRACE_SECONDS", "-1"),
        ("RATE_LIMIT_PER_SECOND", "many"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "s3cret@collector:4317"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier pigeon"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=%zz"),
        ("JAEGER_HOST_PORT", "localhost"),
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
fn the_scheme_chooses_the_engine_and_its_password_is_not_printed() {
    let url = ("ELASTIC_URL", "https://user:s3cret@search:9200");
    let settings = Settings::read(&environment(&[url])).unwrap();
    assert_eq!((settings.search.backend(), settings.search_name().as_str()), ("elasticsearch", "orders-search"));
    assert!(!format!("{settings:?}").contains("s3cret"));
    let uri = ("MONGO_URI", "mongodb://user:s3cret@a:1,b:2/delivery?replicaSet=rs0");
    let settings = Settings::read(&environment(&[uri, ("MONGO_INITDB_ROOT_PASSWORD", "s3cret")])).unwrap();
    assert_eq!((settings.read_model.backend(), settings.read_model_name().as_str()), ("mongodb", "orders-orders"));
    assert!(settings.mongodb.credential.is_none(), "a password without a user is none");
    assert!(!format!("{settings:?}").contains("s3cret"));
    // Each port has its engines.
    let wrong = [("MONGO_URI", "https://user:s3cret@search:9200"), ("ELASTIC_URL", "mongodb://user:s3cret@host")];
    let faults = Settings::read(&environment(&wrong)).unwrap_err();
    assert_eq!(faults.0.len(), 2);
    assert!(faults.0[1].detail.contains("https://") && !faults.to_string().contains("s3cret"), "{faults}");
}

#[test]
fn a_name_that_elasticsearch_would_refuse_is_refused_at_start() {
    let name = ("SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME", "Search");
    assert!(Settings::read(&environment(&[name])).is_ok(), "a file takes it");
    let faults = Settings::read(&environment(&[name, ("ELASTIC_URL", "http://search:9200")])).unwrap_err();
    assert!(faults.to_string().contains("lower-case"), "{faults}");
}

#[test]
fn an_event_store_on_another_machine_is_named_by_its_connection_string() {
    let url = ("EVENTSTORE_CONFIG_CONNECTION_STRING", "kurrentdb+discover://admin:s3cret@cluster.example.com");
    let settings = Settings::read(&environment(&[url])).unwrap();
    assert_eq!(settings.event_store.backend(), "kurrentdb");
    assert!(!format!("{settings:?}").contains("s3cret"));
    // It keeps events and nothing else.
    for name in ["MONGO_URI", "ELASTIC_URL"] {
        let faults = Settings::read(&environment(&[(name, "esdb://admin:s3cret@host")])).unwrap_err();
        assert!(faults.0[0].name == name && !faults.to_string().contains("s3cret"), "{faults}");
    }
    let wrong = ("EVENTSTORE_CONFIG_CONNECTION_STRING", "esdb://host?tsl=false");
    let faults = Settings::read(&environment(&[wrong])).unwrap_err();
    assert!(faults.to_string().contains("not known, tsl"), "{faults}");
}

#[test]
fn the_examples_of_the_table_are_right() {
    // The certificate's example names a file, which need not be there.
    for setting in table::SETTINGS.iter().filter(|setting| setting.name != "OTEL_EXPORTER_OTLP_CERTIFICATE") {
        let settings = Settings::read(&environment(&[(setting.name, setting.example)]));
        assert!(settings.is_ok(), "{}: {:?}", setting.name, settings.err());
    }
}

fn endpoints(values: &[(&str, &str)]) -> [Option<(String, Protocol)>; 2] {
    let Observability { spans, logs, .. } = Settings::read(&environment(values)).unwrap().observability;
    [spans, logs].map(|signal| signal.map(|signal| (signal.endpoint.url, signal.endpoint.protocol)))
}

#[test]
fn telemetry_goes_where_the_standard_says() {
    let to = |url: &str, protocol| Some((url.to_owned(), protocol));
    assert_eq!(endpoints(&[]), [None, None], "nobody is told without being named");
    let common = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
    let (http, grpc) = (Protocol::HttpProtobuf, Protocol::Grpc);
    assert_eq!(endpoints(&[common]), [to("http://c:4318/v1/traces", http), to("http://c:4318/v1/logs", http)]);
    let is_grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    assert_eq!(endpoints(&[common, is_grpc]), [to("http://c:4318/", grpc), to("http://c:4318/", grpc)]);
    let own = [
        common,
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t:1/in"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc"),
    ];
    assert_eq!(endpoints(&own), [to("https://t:1/in", http), to("http://c:4318/", grpc)]);
    assert_eq!(endpoints(&[common, ("OTEL_TRACES_EXPORTER", "none")])[0], None);
}

#[test]
fn jaegers_settings_mean_a_collector() {
    let on = ("JAEGER_ENABLE", "true");
    let agent = [on, ("JAEGER_HOST_PORT", "jaeger:6831")];
    assert_eq!(endpoints(&agent), [Some(("http://jaeger:4317".to_owned(), Protocol::Grpc)), None]);
    let other = [on, ("JAEGER_HOST_PORT", "jaeger:9999"), ("JAEGER_SERVICE_NAME", "shop")];
    assert_eq!(endpoints(&other)[0].as_ref().unwrap().0, "http://jaeger:9999");
    assert_eq!(Settings::read(&environment(&other)).unwrap().service_name.as_deref(), Some("shop"));
    assert_eq!(endpoints(&[("JAEGER_HOST_PORT", "jaeger:6831")]), [None, None], "off unless it is turned on");
    assert_eq!(endpoints(&[on])[0].as_ref().unwrap().0, "http://localhost:4317");
}

#[test]
fn headers_and_attributes_are_decoded_and_secrets_stay_secret() {
    let values = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret, x-team = orders"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
    ];
    let settings = Settings::read(&environment(&values)).unwrap();
    assert!(!format!("{settings:?}").contains("s3cret"));
    let observability = settings.observability;
    let headers = observability.spans.unwrap().endpoint.headers;
    assert_eq!((headers[0].0.as_str(), headers[0].1.expose_secret()), ("authorization", "Bearer s3cret"));
    assert_eq!((headers[1].0.as_str(), headers[1].1.expose_secret()), ("x-team", "orders"));
    assert_eq!(observability.resource, [("deployment.environment.name".to_owned(), "staging".to_owned().into())]);
    assert_eq!(observability.sampler.to_string(), "traceidratio(0.25)");
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
