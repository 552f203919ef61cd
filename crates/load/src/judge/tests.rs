//! Answers right and wrong, held against the contract.

use bytes::Bytes;
use hyper::{HeaderMap, header::HeaderValue};

use super::*;

const ID: &str = "0196f0a0-0000-4000-8000-000000000001";

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    Answer { status, headers: map, body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn kind(expectation: &Expectation, answer: &Answer) -> String {
    judge(expectation, answer).err().map_or("fine".to_owned(), |fault| fault.kind.to_string())
}

fn command(status: u16, body: &str) -> Answer {
    let location = format!("/api/orders/{ID}");
    answer(status, &[("etag", "\"0\""), ("x-position", "17"), ("location", &location)], body)
}

#[test]
fn a_created_order_has_an_id_and_the_promised_headers() {
    let created = Expectation::Created { same_as: None };
    let quoted = format!("\"{ID}\"");
    let learned = judge(&created, &command(201, &quoted)).unwrap();
    assert_eq!(learned.order_id.as_deref(), Some(ID));
    assert_eq!((learned.etag.as_deref(), learned.position.as_deref()), (Some("\"0\""), Some("17")));
    assert_eq!(kind(&created, &command(200, &quoted)), "unexpected_status_200");
    assert_eq!(kind(&created, &command(201, ID)), "malformed_body");
    assert_eq!(kind(&created, &command(201, "\"7\"")), "malformed_body");
    assert_eq!(kind(&created, &answer(201, &[], &quoted)), "contract_headers");
}

#[test]
fn a_retry_must_replay() {
    let quoted = format!("\"{ID}\"");
    let replay = |id: &str| Expectation::Created { same_as: Some(id.to_owned()) };
    assert_eq!(kind(&replay(ID), &command(201, &quoted)), "fine");
    assert_eq!(kind(&replay("other"), &command(201, &quoted)), "contract_idempotency");
    let running = answer(409, &[], "{\"status\":409}");
    assert_eq!(kind(&Expectation::CreatedOrRunning, &running), "fine");
    assert_eq!(kind(&replay(ID), &running), "unexpected_status_409");
}

#[test]
fn a_command_answers_about_its_order() {
    let changed = Expectation::Changed { id: ID.to_owned() };
    assert_eq!(kind(&changed, &command(200, &format!("\"{ID}\""))), "fine");
    assert_eq!(kind(&changed, &command(200, "\"other\"")), "contract_wrong_id");
    assert_eq!(kind(&changed, &answer(500, &[], "oops")), "unexpected_status_500");
}

#[test]
fn an_order_is_there_right_after_it_was_written() {
    let read = |check| Expectation::Order { id: ID.to_owned(), check };
    let lost = answer(404, &[], "{\"status\":404}");
    assert_eq!(kind(&read(OrderCheck::AfterWrite), &lost), "contract_read_after_write");
    assert_eq!(kind(&read(OrderCheck::IdOnly), &lost), "unexpected_status_404");
    let unchanged = answer(304, &[], "");
    assert_eq!(kind(&read(OrderCheck::MayBeUnchanged), &unchanged), "fine");
    assert_eq!(kind(&read(OrderCheck::AfterWrite), &unchanged), "unexpected_status_304");
    let other = answer(200, &[], "{\"id\":\"x\"}");
    assert_eq!(kind(&read(OrderCheck::AfterWrite), &other), "contract_wrong_id");
}

#[test]
fn a_fresh_read_shows_every_write_and_the_exact_total() {
    let check = OrderCheck::Fresh { progress: Progress { paid: true, ..Progress::default() }, total: Cents(1250) };
    let expectation = Expectation::Order { id: ID.to_owned(), check };
    let order = |rest: &str| answer(200, &[], &format!("{{\"id\":\"{ID}\",{rest}}}"));
    assert_eq!(kind(&expectation, &order("\"paid\":true,\"totalPrice\":12.5")), "fine");
    assert_eq!(kind(&expectation, &order("\"paid\":true,\"totalPrice\":12.50")), "fine");
    assert_eq!(kind(&expectation, &order("\"totalPrice\":12.5")), "contract_min_position");
    for wrong in ["12.51", "12.500000001", "\"12.50\"", "null"] {
        let body = order(&format!("\"paid\":true,\"totalPrice\":{wrong}"));
        assert_eq!(kind(&expectation, &body), "contract_total_price", "{wrong}");
    }
}

#[test]
fn a_page_has_its_pagination_and_no_more_than_asked_for() {
    let pagination = "\"pagination\":{\"totalCount\":2,\"totalPages\":1,\"page\":1,\"size\":1,\"hasMore\":false}";
    let page = |orders: &str| answer(200, &[], &format!("{{{pagination},\"orders\":[{orders}]}}"));
    let expectation = Expectation::Page { size: 1 };
    let learned = judge(&expectation, &page("{\"id\":\"a\"}")).unwrap();
    assert_eq!(learned.found.as_deref(), Some("a"));
    assert_eq!(judge(&expectation, &page("")).unwrap().found, None);
    assert_eq!(kind(&expectation, &page("{\"id\":\"a\"},{\"id\":\"b\"}")), "malformed_body");
    assert_eq!(kind(&expectation, &answer(200, &[], "{\"orders\":[]}")), "malformed_body");
}

#[test]
fn a_refusal_must_be_the_right_one_and_say_so() {
    let refused = Expectation::Refused(422);
    assert_eq!(kind(&refused, &answer(422, &[], "{\"status\":422}")), "fine");
    assert_eq!(kind(&refused, &answer(400, &[], "{\"status\":400}")), "unexpected_status_400");
    assert_eq!(kind(&refused, &answer(422, &[], "{\"status\":400}")), "malformed_body");
    assert_eq!(kind(&refused, &answer(422, &[], "no")), "malformed_body");
}

#[test]
fn an_excerpt_is_short_and_on_one_line() {
    let long = answer(500, &[], &"ä\n".repeat(1_000));
    let fault = judge(&Expectation::Json, &long).unwrap_err();
    assert!(fault.detail.chars().count() < 260 && !fault.detail.contains('\n'));
    assert_eq!(kind(&Expectation::Json, &answer(200, &[], " [1]")), "fine");
    assert_eq!(kind(&Expectation::Json, &answer(200, &[], "1")), "malformed_body");
}
