//! Clients that go on whatever happens, and what was acknowledged to them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Service, agent, order, send, wait_for};

/// Clients at once.
const CLIENTS: usize = 3;

/// An acknowledged command.
struct Entry {
    order: String,
    revision: u64,
    /// Text that no other command has.
    mark: String,
}

/// What was acknowledged so far.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    /// The newest position that was acknowledged.
    position: Mutex<u64>,
}

impl Ledger {
    /// Commands at work until `body` is done with it; a client waits for `pause` between its orders.
    pub(crate) fn filled_during<V>(&self, service: &Service, pause: Duration, body: impl FnOnce() -> V) -> V {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let is_over = &is_over;
                scope.spawn(move || {
                    for number in 0.. {
                        if is_over.load(Ordering::SeqCst) {
                            return;
                        }
                        self.command(&service.url, &format!("{client}-{number}"));
                        std::thread::sleep(pause);
                    }
                });
            }
            // The clients end as well when the body panics.
            let _over = Over(&is_over);
            body()
        })
    }

    /// An order, and a change of it: neither needs the read side.
    fn command(&self, url: &str, number: &str) {
        let agent = agent();
        let marks = [format!("first {number}"), format!("second {number}")];
        let created = send(&agent, url, "POST", "/api/orders", &[], Some(&order(&marks[0]))).unwrap().expect(201);
        let id = created.json().as_str().unwrap().to_owned();
        let path = format!("/api/orders/address/{id}");
        let body = json!({ "deliveryAddress": marks[1] });
        let changed = send(&agent, url, "PUT", &path, &[], Some(&body)).unwrap();
        assert!(changed.status < 300, "{changed:?}");
        let mut newest = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = (*newest).max(changed.position().parse().unwrap());
        let answers = [created, changed].into_iter().zip(marks);
        let both = answers.map(|(answer, mark)| Entry { order: id.clone(), revision: answer.revision(), mark });
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).extend(both);
    }

    /// The newest position that was acknowledged.
    pub(crate) fn position(&self) -> u64 {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds the program to all that it acknowledged: in its history, in the lists and in the search. How many
    /// commands that are.
    pub(crate) fn check(&self, service: &Service) -> usize {
        let entries = self.entries.lock().unwrap();
        let reached = format!("minPosition={}&waitMs=10000", self.position());
        // An engine that is slow has more to catch up with than one request waits for.
        for side in ["/api/orders?limit=1", "/api/orders/search?search=cast+ir"] {
            wait_for(|| (service.get(&format!("{side}&{reached}")).status == 200).then_some(()));
        }
        for pair in entries.chunks(2) {
            let [created, changed] = pair else { panic!("two entries for each order") };
            let id = &created.order;
            let history = service.get(&format!("/api/orders/{id}/events")).expect(200).json();
            let marks: Vec<_> = history["events"].as_array().unwrap().iter().map(address).collect();
            assert_eq!(marks, [created.mark.as_str(), changed.mark.as_str()], "{id}");
            assert_eq!((created.revision, changed.revision), (0, 1));
            let read = service.get(&format!("/api/orders/{id}?{reached}")).expect(200);
            assert_eq!((read.revision(), read.json()["deliveryAddress"].as_str()), (1, Some(changed.mark.as_str())));
        }
        let orders = entries.len() / 2;
        let found = service.get(&format!("/api/orders/search?search=cast+ir&{reached}")).expect(200).json();
        assert_eq!(found["pagination"]["totalCount"], orders);
        let (mut listed, mut cursor) = (0, String::new());
        loop {
            let page = service.get(&format!("/api/orders?limit=100&{reached}{cursor}")).expect(200).json();
            listed += page["orders"].as_array().unwrap().len();
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(listed, orders);
        wait_for(|| service.get("/metrics").body.contains("\nsearch_divergence_orders 0\n").then_some(()));
        entries.len()
    }
}

fn address(event: &Value) -> &str {
    event["data"]["deliveryAddress"].as_str().unwrap()
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
