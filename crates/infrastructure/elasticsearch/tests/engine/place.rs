//! A name of its own for each test on the engine of TEST_ELASTICSEARCH_URL, and the engine's own REST API to
//! look behind the adapter with.

use std::sync::Arc;

use bytes::Bytes;
use delivery::repository::OrderSearch as _;
use elasticsearch::{Address, Config, Name, OrderSearch};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use uuid::Uuid;

const VARIABLE: &str = "TEST_ELASTICSEARCH_URL";

/// Where a test keeps its indexes. They are removed when it ends.
pub(crate) struct Place {
    pub(crate) config: Config,
}

pub(crate) fn place() -> Place {
    let name = Name::new(format!("highbeam-test-{}", Uuid::new_v4())).unwrap();
    let url = std::env::var(VARIABLE).unwrap_or_default();
    if url.is_empty() {
        contract_tests::skip::want(&format!("{VARIABLE} does not name an engine"));
        return Place { config: Config { address: Address::parse("http://none.invalid").unwrap(), name } };
    }
    let address = Address::parse(&url).unwrap_or_else(|error| panic!("{VARIABLE} {error}"));
    Place { config: Config { address, name } }
}

pub(crate) async fn open(place: &Place) -> Arc<OrderSearch> {
    let search = OrderSearch::open(&place.config).unwrap();
    // Other adapters make their files when they are opened; what is tested is not how long that takes.
    search.ping().await.unwrap();
    Arc::new(search)
}

impl Place {
    /// Asks the engine itself. Only without encryption and password: the adapter's client has those.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        ask(&self.config, method, path, body).await.expect("the engine can be asked without the adapter")
    }
}

async fn ask(config: &Config, method: Method, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", config.address.base()))
        .header("content-type", "application/json")
        .body(Full::new(body))
        .ok()?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request).await.ok()?;
    let status = response.status();
    let body = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.config.address.base().ends_with(".invalid") {
            return;
        }
        let config = self.config.clone();
        // A test's own runtime does not let anybody wait in a destructor.
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let pattern = format!("/{}.v*", config.name);
                let found = ask(&config, Method::GET, &format!("{pattern}/_alias"), &Value::Null).await;
                let indexes = found.and_then(|(_, body)| body.as_object().cloned()).unwrap_or_default();
                for index in indexes.keys() {
                    ask(&config, Method::DELETE, &format!("/{index}"), &Value::Null).await;
                }
                let template = format!("/_index_template/{}", config.name);
                ask(&config, Method::DELETE, &template, &Value::Null).await;
            });
        });
        // What is left behind does the next test no harm.
        let _ = clean.join();
    }
}
