//! The recorded form: golden payloads of both versions, refusals, and that reading undoes writing.

use proptest::prelude::*;

use super::*;

fn item(price: i64) -> ShopItem {
    ShopItem {
        id: "7".into(),
        title: "Tea".into(),
        description: "Green".into(),
        quantity: 2,
        price: Money::from_minor(price).unwrap(),
    }
}

#[test]
fn version_1_prices_are_rounded_half_to_even_and_it_is_said() {
    let decoded = decode(
        "SHOPPING_CART_UPDATED",
        br#"{"shopItems":[{"id":"1","title":"a","quantity":1,"price":19.989999999999998},{"price":2.5}]}"#,
        None,
    )
    .unwrap();
    let Event::CartUpdated { shop_items } = decoded.event else { panic!("wrong event") };
    assert_eq!(shop_items.iter().map(|item| item.price.minor()).collect::<Vec<_>>(), [1999, 250]);
    assert_eq!(decoded.adjustments, ["shopItems/0/price rounded half to even from 19.989999999999998 to 19.99"]);
}

#[test]
fn version_1_leaves_out_what_is_empty_and_writes_the_year_1_for_no_time() {
    let created = decode("ORDER_CREATED", br#"{"shopItems":null,"accountEmail":"a@b.co"}"#, None).unwrap();
    assert_eq!(
        created.event,
        Event::Created { shop_items: vec![], account_email: "a@b.co".into(), delivery_address: String::new() }
    );
    let paid = decode("ORDER_PAID", br#"{"paymentID":"p","timestamp":"0001-01-01T00:00:00Z"}"#, None).unwrap();
    assert_eq!(paid.event, Event::Paid(Payment { payment_id: "p".into(), timestamp: None }));
    let completed =
        decode("ORDER_COMPLETED", br#"{"deliveryTimestamp":"2021-06-24T18:27:53.51+02:00"}"#, None).unwrap();
    assert_eq!(completed.event, Event::Completed { delivered_at: Some("2021-06-24T16:27:53.51Z".parse().unwrap()) });
}

#[test]
fn version_2_is_read_strictly() {
    for payload in [&br#"{"shopItems":[{"price":1.005}]}"#[..], b"{}"] {
        assert!(matches!(decode("SHOPPING_CART_UPDATED", payload, Some(2)), Err(Error::Malformed { .. })));
    }
    assert!(matches!(decode("ORDER_CANCELED", b"{}", Some(2)), Err(Error::Malformed { .. })));
}

#[test]
fn what_cannot_be_read_is_refused_without_its_values() {
    assert_eq!(decode("ORDER_SHIPPED", b"{}", None), Err(Error::UnknownType("ORDER_SHIPPED".into())));
    assert_eq!(decode("ORDER_PAID", b"{}", Some(3)), Err(Error::TooNew(3)));
    let error = decode("ORDER_CREATED", br#"{"accountEmail":{"secret":"jane@example.com"}}"#, None).unwrap_err();
    assert!(!error.to_string().contains("jane"), "{error}");
    for payload in
        [&b""[..], b"null", b"[]", b"\xff", br#"{"shopItems":[{"price":"1"}]}"#, br#"{"shopItems":[{"quantity":-1}]}"#]
    {
        assert!(decode("ORDER_CREATED", payload, None).is_err(), "{payload:?}");
    }
}

/// One file for each event and version. A file is never changed once released: add another.
#[test]
fn golden_payloads_stay_readable() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events");
    let mut seen = 0;
    for version in [1, 2] {
        for name in Event::NAMES {
            let file = folder.join(format!("v{version}/{name}.json"));
            let payload = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let decoded =
                decode(name, &payload, Some(version)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert_eq!(decoded.event.name(), name);
            if version == SCHEMA_VERSION {
                assert_eq!(
                    encode(&decoded.event),
                    payload.trim_ascii_end(),
                    "{} is what we write today",
                    file.display()
                );
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 14);
}

fn any_event() -> impl Strategy<Value = Event> {
    let text = "\\PC{0,20}";
    let time = (0_i64..4_000_000_000, 0_i32..1_000_000_000).prop_map(|(s, n)| Timestamp::new(s, n).unwrap());
    let items = prop::collection::vec((0_i64..1_000_000_000).prop_map(item), 0..4);
    prop_oneof![
        (items.clone(), text, text).prop_map(|(shop_items, account_email, delivery_address)| Event::Created {
            shop_items,
            account_email,
            delivery_address
        }),
        (text, prop::option::of(time.clone()))
            .prop_map(|(payment_id, timestamp)| Event::Paid(Payment { payment_id, timestamp })),
        Just(Event::Submitted),
        prop::option::of(time).prop_map(|delivered_at| Event::Completed { delivered_at }),
        text.prop_map(|cancel_reason| Event::Canceled { cancel_reason }),
        items.prop_map(|shop_items| Event::CartUpdated { shop_items }),
        text.prop_map(|delivery_address| Event::AddressChanged { delivery_address }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(event in any_event()) {
        let decoded = decode(event.name(), &encode(&event), Some(SCHEMA_VERSION)).unwrap();
        prop_assert_eq!(decoded, Decoded { event, adjustments: vec![] });
    }

    #[test]
    fn any_bytes_are_answered(index in 0..7_usize, data in prop::collection::vec(any::<u8>(), 0..200), version in prop::option::of(0..4_u32)) {
        let _ = decode(Event::NAMES[index], &data, version);
    }
}
