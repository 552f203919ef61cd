//! Engines that are not well, played by a server of ten lines: full queues, requests too large, no answer,
//! wrong passwords. What is asked of it is as real as it gets; what it answers is made up, in the engine's
//! documented forms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contract_tests::away::{self, Adapter, told};
use contract_tests::orders::view;
use contract_tests::progress::Reader;
use delivery::queries::SearchOrders;
use delivery::repository::{Batch, Generation, OrderSearch as _, ProjectionStore};
use elasticsearch::{Address, Config, Name, OrderSearch};
use eventsourcing::Position;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What was asked: method and path, and the body.
type Asked = (String, String);

/// An engine that answers bulk requests from a list, and everything else as if all were well.
struct Engine {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// An answer to a bulk request; `None` is never to answer.
type Bulk = Option<(u16, Value)>;

fn search(authority: &str) -> OrderSearch {
    let address = Address::parse(&format!("http://{authority}")).unwrap();
    OrderSearch::open(&Config { address, name: Name::new("orders").unwrap() }).unwrap()
}

impl Engine {
    async fn start(bulk: impl IntoIterator<Item = Bulk>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let bulk = Arc::new(Mutex::new(bulk.into_iter().collect::<VecDeque<_>>()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let engine = Self { address, asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (bulk, asked) = (Arc::clone(&bulk), Arc::clone(&asked));
                let service = service_fn(move |request| answer(request, Arc::clone(&bulk), Arc::clone(&asked)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        engine
    }

    fn search(&self, user_info: &str) -> OrderSearch {
        search(&format!("{user_info}{}", self.address))
    }

    fn bulks(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(what, _)| what.contains("/_bulk")).map(|(_, body)| body.clone()).collect()
    }

    fn asked_for(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked.contains(what)).count()
    }
}

async fn answer(
    request: Request<Incoming>,
    bulk: Arc<Mutex<VecDeque<Bulk>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let what = format!("{} {}", request.method(), request.uri());
    let authorization = request.headers().get("authorization").cloned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    asked.lock().unwrap().push((what.clone(), String::from_utf8_lossy(&body).into_owned()));
    let (status, answer) = if authorization.is_some_and(|header| header == "Basic dTpzM2NyZXQ=") {
        let told = json!({"type": "security_exception", "reason": "unable to authenticate user [u]"});
        (401, json!({"error": told, "status": 401}))
    } else if what.contains("/_bulk") {
        let next = bulk.lock().unwrap().pop_front().unwrap_or(Some((200, json!({"errors": false, "items": []}))));
        match next {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    } else if what.contains("/_alias") {
        (200, json!({"orders.v000001": {"aliases": {"orders": {}, "orders.g1": {}}}}))
    } else {
        (200, json!({}))
    };
    Ok(Response::builder().status(status).body(Full::new(answer.to_string().into())).unwrap())
}

fn items(statuses: &[u16]) -> Bulk {
    let item = |status: &u16| match status {
        200 => json!({"index": {"status": 200}}),
        429 => json!({"index": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}}),
        other => json!({"index": {"status": other, "error": {"type": "document_parsing_exception",
            "reason": "failed to parse field [x]: 'jane@example.com'"}}}),
    };
    Some((200, json!({"errors": true, "items": statuses.iter().map(item).collect::<Vec<_>>()})))
}

fn batch(orders: u64) -> Batch {
    Batch { upserts: (1..=orders).map(view).collect(), checkpoint: Some(Position(orders)), ..Batch::default() }
}

fn lines(body: &str) -> usize {
    body.lines().count() / 2
}

#[tokio::test]
async fn items_that_found_no_room_are_sent_again_and_the_others_are_not() {
    let engine = Engine::start([items(&[200, 429, 200, 429]), items(&[429, 200]), None]).await;
    let search = engine.search("");
    let commit = search.commit(Generation(1), batch(4));
    // The third request is never answered.
    assert!(tokio::time::timeout(Duration::from_secs(1), commit).await.is_err());
    let bulks = engine.bulks();
    assert_eq!(bulks.iter().map(|body| lines(body)).collect::<Vec<_>>(), [4, 2, 1]);
    let last = bulks[2].lines().next().unwrap();
    assert!(bulks[0].contains(last) && bulks[1].contains(last), "it is one of the first four");
    assert_eq!(engine.asked_for("_doc/checkpoint"), 0, "the checkpoint waits for the documents");
}

#[tokio::test]
async fn a_full_engine_is_waited_for_and_the_checkpoint_comes_last() {
    let full = || Some((429, json!({"error": {"type": "es_rejected_execution_exception"}, "status": 429})));
    let engine = Engine::start([full(), full()]).await;
    engine.search("").commit(Generation(1), batch(3)).await.unwrap();
    assert_eq!(engine.bulks().len(), 3);
    let asked = engine.asked.lock().unwrap();
    assert!(asked.last().unwrap().0.contains("_doc/checkpoint?version=3&version_type=external"), "{asked:?}");
}

#[tokio::test]
async fn a_request_that_is_too_large_goes_in_halves() {
    let engine = Engine::start([Some((413, Value::Null))]).await;
    engine.search("").commit(Generation(1), batch(8)).await.unwrap();
    let sizes: Vec<_> = engine.bulks().iter().map(|body| lines(body)).collect();
    assert!(sizes[0] == 8 && sizes[1] < 8 && sizes[1..].iter().sum::<usize>() == 8, "{sizes:?}");
    assert_eq!(engine.asked_for("_refresh"), 1, "readers are shown all of it at once, at the end");
}

#[tokio::test]
async fn a_refused_document_is_told_without_what_is_in_it_and_the_checkpoint_stays() {
    let engine = Engine::start([items(&[200, 400])]).await;
    let error = engine.search("").commit(Generation(1), batch(2)).await.unwrap_err();
    assert_eq!(
        told(&error),
        "order search is unavailable: writing a batch: the engine answered 400 document_parsing_exception"
    );
    assert_eq!(engine.asked_for("_doc/checkpoint"), 0);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let engine = Engine::start([]).await;
    let query = SearchOrders { text: "tea".to_owned(), page: 1, size: 10 };
    let error = engine.search("u:s3cret@").search(&query).await.unwrap_err();
    let told = told(&error);
    assert!(told.ends_with("the engine answered 401 security_exception: unable to authenticate user [u]"), "{told}");
    assert!(!told.contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{error:?}");
}

fn adapter(authority: &str) -> Adapter {
    let search = Arc::new(search(authority));
    Adapter { reader: Reader::Search(Arc::<OrderSearch>::clone(&search)), store: search }
}

#[tokio::test]
async fn nobody_there_is_told_at_once_with_the_address() {
    let told = away::nobody_there(adapter, Duration::from_secs(2)).await;
    assert!(told.contains("http://127.0.0.1:") && told.contains(" cannot be reached"), "{told}");
}

#[tokio::test]
async fn an_engine_that_takes_a_connection_and_says_nothing_is_given_up_in_time() {
    let told = away::nobody_who_answers(adapter, Duration::from_secs(4)).await;
    assert!(told.contains("did not answer within 2000 ms"), "{told}");
}
