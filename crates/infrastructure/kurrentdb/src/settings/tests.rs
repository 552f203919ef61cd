//! What a connection string may be, and that none of it is told to anyone.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Settings {
    Settings::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    Settings::parse(text).expect_err(text).to_string()
}

#[test]
fn a_plain_string_has_the_documented_defaults() {
    let settings = parsed("esdb://localhost");
    assert_eq!(settings.hosts, [Address::new("localhost", 2113)]);
    assert_eq!(settings.tls, Some(Tls { verifies: true, ca_file: None, user: None }));
    assert_eq!((settings.deadline, settings.gossip_timeout), (Duration::from_secs(10), Duration::from_secs(5)));
    assert_eq!(settings.keep_alive_interval, Some(Duration::from_secs(10)));
    assert_eq!(settings.node_preference, NodePreference::Leader);
    assert!(!settings.is_cluster() && settings.credentials.is_none());
}

#[test]
fn every_scheme_of_the_official_clients_is_known() {
    for scheme in ["esdb", "kurrentdb", "kurrent", "kdb"] {
        assert!(!parsed(&format!("{scheme}://node")).is_cluster());
        assert!(parsed(&format!("{scheme}+discover://node")).is_cluster());
        assert!(Settings::knows_scheme(scheme));
    }
    for other in ["sqlite:x", "http://node", "esdb:node", "esdb+dns://node", ""] {
        assert!(refused(other).contains("esdb://"), "{other}");
    }
}

#[test]
fn several_hosts_are_seeds_of_a_cluster() {
    let settings = parsed("esdb://one:2111,two,[::1]:2113/?tls=false");
    assert_eq!(settings.hosts, [Address::new("one", 2111), Address::new("two", 2113), Address::new("::1", 2113)]);
    assert!(settings.is_cluster() && settings.tls.is_none());
    assert_eq!(settings.hosts(), "one:2111,two:2113,[::1]:2113");
    for bad in ["esdb://", "esdb://a,,b", "esdb://a:0", "esdb://a:70000", "esdb://a:b", "esdb://[::1", "esdb://a/b"] {
        assert!(refused(bad).contains("hosts"), "{bad}");
    }
    assert!(refused("esdb+discover://a,b").contains("one host"));
    assert!(refused(&format!("esdb://{}", ["a"; 17].join(","))).contains("at most 16"));
}

#[test]
fn every_documented_option_is_read_whatever_its_case() {
    let settings = parsed(
        "kurrentdb://host?TLSVERIFYCERT=false&tlscafile=%2Fca.pem&userCertFile=c&userKeyFile=k&connectionName=orders\
         &nodePreference=readOnlyReplica&maxDiscoverAttempts=3&discoveryInterval=50&gossipTimeout=2\
         &defaultDeadline=2500&keepAliveInterval=5000&keepAliveTimeout=3000&dnsDiscover=true&throwOnAppendFailure=true",
    );
    let tls = settings.tls.clone().unwrap();
    assert_eq!((tls.verifies, tls.ca_file), (false, Some("/ca.pem".into())));
    assert_eq!(tls.user, Some(("c".into(), "k".into())));
    assert_eq!(settings.connection_name.as_deref(), Some("orders"));
    assert_eq!(settings.node_preference, NodePreference::ReadOnlyReplica);
    assert_eq!((settings.discover_attempts_max, settings.discovery_interval), (3, Duration::from_millis(50)));
    assert_eq!((settings.gossip_timeout, settings.deadline), (Duration::from_secs(2), Duration::from_millis(2_500)));
    assert_eq!(settings.keep_alive_interval, Some(Duration::from_secs(5)));
    assert_eq!(settings.keep_alive_timeout, Duration::from_secs(3));
    assert!(settings.is_cluster());
    assert_eq!(parsed("esdb://a?keepAliveInterval=-1").keep_alive_interval, None);
}

#[test]
fn an_option_that_is_wrong_is_told_with_its_name_and_what_is_right() {
    for (options, told) in [
        ("tsl=false", "not known, tsl; those that are: tls,"),
        ("tls=no", "true or false for tls"),
        ("tls", "NAME=VALUE"),
        ("tls=true&TLS=false", "TLS twice"),
        ("defaultDeadline=10s", "milliseconds from 100 to 600000 for defaultDeadline"),
        ("keepAliveInterval=10", "milliseconds from 1000"),
        ("gossipTimeout=5000", "seconds from 1 to 60"),
        ("nodePreference=any", "leader, follower, readOnlyReplica or random"),
        ("userCertFile=c", "both userCertFile and userKeyFile"),
        ("connectionName=%0A", "connectionName"),
        ("tlsCaFile=%zz", "bad %"),
    ] {
        let error = refused(&format!("esdb://host?{options}"));
        assert!(error.contains(told), "{options}: {error}");
    }
}

#[test]
fn a_user_is_decoded_and_never_shown() {
    let settings = parsed("esdb://ad%40min:p%3As3cret%20@host:2113?tls=true");
    let credentials = settings.credentials.as_ref().unwrap();
    assert_eq!((credentials.user.as_str(), credentials.password.expose_secret()), ("ad@min", "p:s3cret "));
    let shown = format!("{settings:?} {}", settings.hosts());
    assert!(!shown.contains("s3cret") && !shown.contains("ad@min"), "{shown}");
    for bad in [
        "esdb://s3cret@host",
        "esdb://:s3cret@host",
        "esdb://admin:s3cret%@host",
        "esdb://admin:s3cret?s3cret@host",
        "esdb://admin:s3cret/s3cret@host:s3cret",
        "esdb://admin:s3cret@host?s3cret=1",
        "esdb://admin:s3cret@host?tls=s3cret",
        "s3cret://admin:s3cret@host",
    ] {
        assert!(!refused(bad).contains("s3cret"), "{bad}: {}", refused(bad));
    }
}

proptest! {
    #[test]
    fn nothing_that_is_given_is_more_than_refused(text in "(esdb|kdb)://[ -~]{0,60}") {
        drop(Settings::parse(&text));
    }
}
