//! Cases about what matches: words, phrases, and what does not count.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;

use delivery::repository::{OrderSearch, ProjectionStore};

use super::{assert_finds, find, orders, page};
use crate::orders::{view, with_items};
use crate::projection::write_live;

pub async fn an_order_is_found_by_title_and_by_description(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("Espresso machine", "Brews under pressure")], &[("Kettle", "For espresso and tea")]]).await;
    assert_finds(
        &*search,
        &[("espresso", &[2, 1]), ("machine", &[1]), ("tea", &[2]), ("pressure", &[1]), ("coffee", &[])],
    )
    .await;
}

pub async fn the_last_word_may_be_only_begun(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("Espresso machine", "Brews")]]).await;
    assert_finds(
        &*search,
        &[
            ("e", &[1]),
            ("espr", &[1]),
            ("espresso mach", &[1]),
            ("espresso machine", &[1]),
            ("espresso machines", &[]),
            ("espr machine", &[]),
            ("presso", &[]),
        ],
    )
    .await;
}

pub async fn words_have_to_follow_each_other(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("Small green tea pot", "x")]]).await;
    assert_finds(&*search, &[("green tea", &[1]), ("tea green", &[]), ("small tea", &[]), ("small green tea p", &[1])])
        .await;
}

pub async fn words_of_two_items_are_no_phrase(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("Green tea", "hot"), ("Pot", "of iron")]]).await;
    assert_finds(&*search, &[("tea pot", &[]), ("hot of", &[]), ("pot", &[1]), ("of iron", &[1])]).await;
}

pub async fn words_of_title_and_description_are_no_phrase(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("Green tea", "hot")]]).await;
    assert_finds(&*search, &[("tea hot", &[]), ("hot green", &[]), ("green tea", &[1])]).await;
}

pub async fn every_item_is_searched(search: Arc<impl OrderSearch + ProjectionStore>) {
    let items: Vec<_> = (0..50).map(|number| (format!("Title{number}"), format!("text{number}"))).collect();
    let items: Vec<_> = items.iter().map(|(title, text)| (title.as_str(), text.as_str())).collect();
    orders(&*search, &[&items]).await;
    assert_finds(&*search, &[("title0", &[1]), ("title49", &[1]), ("text49", &[1]), ("title50", &[])]).await;
}

pub async fn case_does_not_count(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("GREEN Tea", "МОСКВА Ärger")]]).await;
    assert_finds(&*search, &[("gReEn tEA", &[1]), ("москва", &[1]), ("ÄRGER", &[1])]).await;
}

pub async fn diacritics_do_not_count(search: Arc<impl OrderSearch + ProjectionStore>) {
    // The second one is written with a combining accent.
    orders(&*search, &[&[("Café noir", "x")], &[("Cafe\u{301} noir", "x")], &[("Cafe noir", "x")]]).await;
    for text in ["cafe", "café", "cafe\u{301}", "CAFÉ NOIR", "café no"] {
        assert_eq!(find(&*search, text).await, [3, 2, 1], "{text:?}");
    }
    // Inside of a word they do not end it.
    let last = with_items(view(4), &[("Crème brûlée", "cre\u{300}me")]);
    write_live(&*search, vec![last], 4).await;
    assert_finds(&*search, &[("creme brulee", &[4]), ("Cre\u{300}me bru", &[4]), ("me brulee", &[])]).await;
}

pub async fn punctuation_does_not_count(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("Rock'n'roll, e-book (2nd ed.)", "50% off; snake_case")]]).await;
    for text in
        ["rock n roll", "e book", "E-BOOK", "e.book, 2nd", "roll - e", "50 off", "50% off", "snake case", "…2nd ed!"]
    {
        assert_eq!(find(&*search, text).await, [1], "{text:?}");
    }
    assert_finds(&*search, &[("ebook", &[]), ("snakecase", &[])]).await;
}

pub async fn words_of_any_script_are_found(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(
        &*search,
        &[
            &[("Чай зелёный", "из Китая")],
            &[("Πράσινο τσάι", "από την Κίνα")],
            &[("绿茶 精选", "中国")],
            &[("शहद चाय", "भारत")],
            &[("شاي أخضر", "من الصين")],
            &[("Tea 🍵 cup", "№ 5")],
        ],
    )
    .await;
    assert_finds(
        &*search,
        &[
            ("чай зел", &[1]),
            ("πράσινο τσ", &[2]),
            ("绿茶 精选", &[3]),
            ("绿", &[3]),
            ("शहद चाय", &[4]),
            ("شاي أخضر", &[5]),
            ("tea cup", &[6]),
            ("5", &[6]),
        ],
    )
    .await;
}

pub async fn operators_are_plain_words(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("salt AND pepper", "x")], &[("pepper", "salt")], &[("this OR that", "NOT near")]]).await;
    assert_finds(
        &*search,
        &[
            ("salt AND pepper", &[1]),
            ("pepper AND salt", &[]),
            ("AND", &[1]),
            ("this OR that", &[3]),
            ("this OR pepper", &[]),
            ("NOT near", &[3]),
            ("NOT", &[3]),
            ("pepper NOT x", &[]),
            ("NEAR", &[3]),
            ("NEAR(salt pepper)", &[]),
            ("title:pepper", &[]),
        ],
    )
    .await;
}

pub async fn query_syntax_is_plain_text(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("green tea", "x")], &[("black tea", "x")]]).await;
    let plain = [
        "green tea",
        "\"green tea\"",
        "green\" tea",
        "green* tea*",
        "(green tea",
        "green) tea)",
        "^green tea",
        "+green +tea",
        "-green -tea",
        "{green} tea",
        "green:tea",
        "green\\tea",
        "green\0tea",
        "'green' tea;",
        "green~ tea^",
        "/green/ tea?",
        "green && tea",
        "!green || tea",
        "[green TO tea",
        "<green> tea",
        "green % tea _",
    ];
    for text in plain {
        let expected: &[u64] = if text.contains("TO") { &[] } else { &[1] };
        assert_eq!(find(&*search, text).await, expected, "{text:?}");
    }
    // A star in the middle is no wildcard, and a word left open is only the last one.
    assert_finds(&*search, &[("gre* tea", &[]), ("*een tea", &[]), ("green~2 tea", &[]), ("gr?en tea", &[])]).await;
}

/// Adapters may keep items apart by characters that nobody types; typed all the same, they do no harm.
pub async fn separators_in_texts_separate_nothing_and_join_nothing(search: Arc<impl OrderSearch + ProjectionStore>) {
    for (number, separator) in (1..).zip(['\u{e000}', '\u{f8ff}', '\u{1f}', '\u{2029}', '\u{fffd}', '\u{10fffd}']) {
        let title = format!("green{number} {separator} tea");
        let items = [(title.as_str(), "x"), ("pot", "y")];
        write_live(&*search, vec![with_items(view(number), &items)], number).await;
        assert_eq!(find(&*search, &format!("green{number}")).await, [number], "{separator:?}");
        let across = format!("tea {separator} pot");
        assert_eq!(find(&*search, &across).await, [0; 0], "{separator:?}");
    }
}

pub async fn a_text_without_words_matches_every_order(search: Arc<impl OrderSearch + ProjectionStore>) {
    assert_eq!(page(&*search, "", 1, 10).await, (0, vec![]));
    let mut without_items = view(3);
    without_items.order.shop_items.clear();
    write_live(&*search, vec![view(1), view(2), without_items], 3).await;
    for text in ["", " ", "\t\n", "...", "\"", "* - ( ) :", "\u{301}", "🍵"] {
        assert_eq!(find(&*search, text).await, [3, 2, 1], "{text:?}");
    }
    assert_eq!(page(&*search, "", 2, 2).await, (3, vec![1]));
}

pub async fn a_long_text_is_answered(search: Arc<impl OrderSearch + ProjectionStore>) {
    let words = "word ".repeat(2_000);
    orders(&*search, &[&[("Green tea", &words)]]).await;
    assert_eq!(find(&*search, &"word ".repeat(1_000)).await, [1]);
    assert_eq!(find(&*search, &"word ".repeat(2_001)).await, [0; 0]);
    assert_eq!(find(&*search, &"w".repeat(100_000)).await, [0; 0]);
}
