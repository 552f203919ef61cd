//! An engine that is not there, or says nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::sync::Arc;
use std::time::Duration;

use contract_tests::away::{self, Adapter};
use contract_tests::progress::Reader;
use mongodb_adapter::{Config, OrderReadModel, STATEMENTS_MAX, Uri};

fn adapter(authority: &str) -> Adapter {
    let model = Arc::new(OrderReadModel::open(Config {
        uri: Uri::parse(&format!("mongodb://{authority}")).unwrap(),
        credential: None,
        database: "delivery".to_owned(),
        name: "orders".to_owned(),
        statements_max: STATEMENTS_MAX,
    }));
    Adapter { reader: Reader::Model(Arc::<OrderReadModel>::clone(&model)), store: model }
}

#[tokio::test]
async fn nobody_there_is_told_in_time() {
    away::nobody_there(adapter, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_engine_that_takes_a_connection_and_says_nothing_is_given_up_in_time() {
    away::nobody_who_answers(adapter, Duration::from_secs(6)).await;
}
