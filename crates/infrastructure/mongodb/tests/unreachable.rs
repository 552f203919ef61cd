//! An engine that is not there, or says nothing: told in time, with where it should be, without secrets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::error::Error as _;
use std::time::{Duration, Instant};

use delivery::repository::{Error, OrderReadModel as _, ProjectionStore};
use mongodb_adapter::{Config, OrderReadModel, STATEMENTS_MAX, Uri};
use tokio::net::TcpListener;

fn model(uri: &str) -> OrderReadModel {
    OrderReadModel::open(Config {
        uri: Uri::parse(uri).unwrap(),
        credential: None,
        database: "delivery".to_owned(),
        name: "orders".to_owned(),
        statements_max: STATEMENTS_MAX,
    })
}

/// An error with its causes, as the log has it.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn nobody_there_is_told_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let model = model(&format!("mongodb://u:s3cret@{address}"));
    let begun = Instant::now();
    let error = model.ping().await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(told(&error).contains(&address.to_string()) && !told(&error).contains("s3cret"), "{}", told(&error));
    assert!(!format!("{error:?}").contains("s3cret"));
    // And the projection's side.
    let begun = Instant::now();
    assert!(matches!(model.generations().await, Err(Error::Unavailable { .. })));
    assert!(begun.elapsed() < Duration::from_secs(7));
}

#[tokio::test]
async fn an_engine_that_takes_a_connection_and_says_nothing_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let model = model(&format!("mongodb://{}", listener.local_addr().unwrap()));
    let begun = Instant::now();
    assert!(matches!(model.ping().await, Err(Error::Unavailable { .. })));
    assert!(begun.elapsed() < Duration::from_secs(6));
}
