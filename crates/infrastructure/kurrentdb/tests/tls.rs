//! Whom the store trusts, who it says it is, and what it never says in plain text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod support;

use std::path::Path;
use std::sync::Arc;

use contract_tests::away::told;
use eventsourcing::EventStore as _;
use eventsourcing::store::Error;
use kurrentdb::{EventStore, OpenError, Settings};
use kurrentdb_testserver::{Cluster, Options};
use support::append;

/// A server with a certificate of its own, and the file that makes one trust it.
fn secure(folder: &Path) -> (Cluster, String) {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, key.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = rustls::pki_types::PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let user = Some(("admin".to_owned(), "change:it@".to_owned()));
    let cluster = Cluster::start(Options { tls: Some(Arc::new(config)), user, ..Options::default() }).unwrap();
    (cluster, ca_file.display().to_string())
}

fn store(cluster: &Cluster, user: &str, options: &str) -> EventStore {
    support::store(&format!("kurrentdb://{user}127.0.0.1:{}?defaultDeadline=3000&{options}", cluster.node(0).port()))
}

const ADMIN: &str = "admin:change%3Ait%40@";

#[tokio::test]
async fn a_server_whose_authority_is_trusted_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, ca_file) = secure(folder.path());
    let store = store(&cluster, ADMIN, &format!("tlsCaFile={ca_file}"));
    append(&store, "order-1", 0).await;
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_believed_only_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, _) = secure(folder.path());
    let refused = store(&cluster, ADMIN, "").ping().await.unwrap_err();
    assert!(told(&refused).to_lowercase().contains("certificate"), "{}", told(&refused));
    append(&store(&cluster, ADMIN, "tlsVerifyCert=false"), "order-1", 0).await;
}

#[tokio::test]
async fn a_user_who_is_not_known_is_told_where_to_look_and_not_who() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, ca_file) = secure(folder.path());
    for user in ["", "admin:s3cret@", "s3cret:change%3Ait%40@"] {
        let refused = store(&cluster, user, &format!("tlsCaFile={ca_file}")).ping().await.unwrap_err();
        let words = told(&refused);
        assert!(matches!(refused, Error::Unavailable { .. }) && words.contains("connection string"), "{words}");
        assert!(!words.contains("s3cret"), "{words}");
    }
}

#[tokio::test]
async fn a_password_is_sent_over_tls_and_not_in_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let (secure, ca_file) = secure(folder.path());
    append(&store(&secure, ADMIN, &format!("tlsCaFile={ca_file}")), "order-1", 0).await;
    assert!(secure.node(0).faults().authorizations_seen() > 0);
    let plain = Cluster::start(Options::default()).unwrap();
    append(&store(&plain, ADMIN, "tls=false"), "order-1", 0).await;
    assert_eq!(plain.node(0).faults().authorizations_seen(), 0);
}

#[test]
fn files_that_are_not_what_they_should_be_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let open = |options: String| EventStore::open(Settings::parse(&format!("esdb://host?{options}")).unwrap());
    let missing = open("tlsCaFile=/nowhere/ca.pem".to_owned()).unwrap_err();
    assert!(matches!(&missing, OpenError::File { option: "tlsCaFile", .. }), "{missing}");
    let odd = open(format!("tlsCaFile={}", empty.display())).unwrap_err();
    assert!(odd.to_string().contains("certificates as PEM"), "{odd}");
}
