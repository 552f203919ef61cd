//! Full-text search: a customer's text on its way into a query language, and the texts that are searched.
//!
//! An input is the title and description of an order's first item, those of its second one, each on a line
//! of its own, and the text to search for. It proves, of the SQLite adapter:
//!
//! - Any text is answered, so none is read as query syntax, and pages are within their bounds.
//! - Whatever is written in an item is found by writing the same.
//! - In ASCII, where there is no doubt about what a word is, the answer is that of the reference adapter:
//!   no operator, no phrase from one item to the next.
#![no_main]

use std::sync::LazyLock;

use delivery::aggregate::Order;
use delivery::models::{Money, OrderId, ShopItem};
use delivery::projections::OrderView;
use delivery::queries::{SearchOrders, SearchPage};
use delivery::repository::{Batch, Generation, OrderSearch, ProjectionStore};
use eventsourcing::{Position, Revision};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// Orders that are there whatever the input says.
const ORDERS: [[&str; 4]; 3] = [
    ["Green tea", "Loose leaf, 250 g", "Pot", "of iron"],
    ["salt AND pepper", "NOT near", "title:x* \"quoted\"", "(a OR b) ^c -d"],
    ["Café crème", "Чай зелёный 绿茶", "", ""],
];
/// The number of the order that the input describes.
const OWN: u64 = 4;

static PLACE: LazyLock<Place> = LazyLock::new(Place::new);

struct Place {
    runtime: Runtime,
    sqlite: sqlite::OrderSearch,
    _folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let sqlite = sqlite::OrderSearch::open(&folder.path().join("search.db")).expect("a new file");
        Self { runtime, sqlite, _folder: folder }
    }
}

fuzz_target!(|input: &[u8]| {
    let [title, description, title_2, description_2, query] = &fuzz::text(input);
    let own = [title, description, title_2, description_2].map(String::as_str);
    let place = &*PLACE;
    place.runtime.block_on(async {
        let revision = commit(&place.sqlite, own).await;
        let found = search(&place.sqlite, query).await;

        for text in own.into_iter().filter(|text| text.contains(|one: char| one.is_ascii_alphanumeric())) {
            let found = search(&place.sqlite, text).await;
            let itself = found.orders.iter().find(|view| view.id == id(OWN)).map(|view| view.revision);
            assert_eq!(itself, Some(revision), "{text:?}");
        }
        if own.into_iter().chain([query.as_str()]).all(str::is_ascii) {
            let memory = memory::OrderSearch::default();
            commit_at(&memory, own, revision).await;
            assert_eq!(positions(&search(&memory, query).await), positions(&found), "{query:?}");
        }
    });
});

/// Writes the input's order over that of the input before.
async fn commit(search: &sqlite::OrderSearch, own: [&str; 4]) -> Revision {
    let before = search.load(Generation(1), &[id(OWN)]).await.expect("a whole file");
    let revision = before.first().map_or(Revision::FIRST, |view| view.revision.next());
    commit_at(search, own, revision).await;
    revision
}

async fn commit_at(search: &impl ProjectionStore, own: [&str; 4], revision: Revision) {
    let others = (1..).zip(ORDERS).map(|(number, texts)| view(number, texts, Revision::FIRST));
    let upserts = others.chain([view(OWN, own, revision)]).collect();
    search.commit(Generation(1), Batch { upserts, ..Batch::default() }).await.expect("a whole file");
}

async fn search(search: &impl OrderSearch, text: &str) -> SearchPage {
    let all = SearchOrders { text: text.to_owned(), page: 1, size: 100 };
    let found = search.search(&all).await.expect("any text is answered");
    assert_eq!(found.total_count, found.orders.len() as u64);
    assert!(found.orders.is_sorted_by(|one, next| one.created_position > next.created_position));

    let second = search.search(&SearchOrders { page: 2, size: 1, ..all }).await.expect("any text is answered");
    assert_eq!(second.total_count, found.total_count);
    assert_eq!(second.orders.first(), found.orders.get(1));
    assert!(second.orders.len() <= 1);
    found
}

fn positions(found: &SearchPage) -> Vec<Position> {
    found.orders.iter().map(|view| view.created_position).collect()
}

fn id(number: u64) -> OrderId {
    OrderId(Uuid::from_u128(number.into()))
}

fn view(number: u64, [title, description, title_2, description_2]: [&str; 4], revision: Revision) -> OrderView {
    let item = |title: &str, description: &str| ShopItem {
        id: String::new(),
        title: title.to_owned(),
        description: description.to_owned(),
        quantity: 1,
        price: Money::ZERO,
    };
    OrderView {
        id: id(number),
        revision,
        created_position: Position(number),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        order: Order {
            created: true,
            shop_items: vec![item(title, description), item(title_2, description_2)],
            ..Order::default()
        },
    }
}
