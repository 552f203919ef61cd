//! The suite of `OrderCommands` over an event store: whatever clients do at the same time, each order
//! looks as if they had done it one after the other. The judgement is in `history`.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

pub mod history;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use delivery::aggregate::Order;
use delivery::commands::{Command, Context};
use delivery::events::codec;
use delivery::models::{AccountEmail, CancelReason, Cart, DeliveryAddress, OrderId, Payment, cart::ItemInput};
use delivery::services::OrderCommands;
use eventsourcing::{Aggregate, EventStore, Revision};
use jiff::Timestamp;
use tokio::sync::Barrier;
use uuid::Uuid;

use history::{Answer, Call, History, Operation};

/// Runs the suite. `place` makes a fresh, empty place, `open` opens a store in it.
#[macro_export]
macro_rules! order_commands_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::order_commands_contract!($place, $open, [
            concurrent_histories_are_linearizable,
            of_writers_that_expect_the_same_revision_one_wins,
            a_repeated_command_is_carried_out_once,
        ]);
    };
    ($place:expr, $open:expr, [$($case:ident),* $(,)?]) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            let place = ($place)();
            $crate::commands::$case(($open)(&place).await).await;
        }
    )*};
}

const ORDERS: u64 = 25;
const CLIENTS: u64 = 6;
const CALLS: u64 = 14;

/// Six clients do to each of 25 orders what comes to their minds, all at once.
pub async fn concurrent_histories_are_linearizable(store: Arc<dyn EventStore>) {
    let clock = Arc::new(AtomicU64::new(0));
    let mut contended = 0;
    for order in 0..ORDERS {
        let id = OrderId(Uuid::from_u128(u128::from(order) + 1));
        let commands = Arc::new(OrderCommands::new(Arc::clone(&store)));
        let create = Client::new(&store, &commands, &clock, id, order * 1_000).call(Operation::Command(create())).await;
        let mut calls = vec![create];
        let start = Arc::new(Barrier::new(usize::try_from(CLIENTS).unwrap()));
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|number| {
                let mut client = Client::new(&store, &commands, &clock, id, order * 1_000 + number);
                let start = Arc::clone(&start);
                tokio::spawn(async move {
                    start.wait().await;
                    let mut calls = Vec::new();
                    for _ in 0..CALLS {
                        let operation = client.choose();
                        calls.push(client.call(operation).await);
                    }
                    calls
                })
            })
            .collect();
        for client in clients {
            calls.extend(client.await.unwrap());
        }
        contended += history::overlaps(&calls);
        let events = store.read(&id.stream(), Revision::FIRST, 10_000).await.unwrap();
        let history = History { calls, events };
        if let Err(fault) = history.check(id) {
            panic!("{fault}\n{history:#?}");
        }
    }
    assert!(contended > ORDERS, "the clients hardly met: this run proves nothing");
}

/// One revision after the other, four writers all want to be the next.
pub async fn of_writers_that_expect_the_same_revision_one_wins(store: Arc<dyn EventStore>) {
    let id = OrderId(Uuid::from_u128(7));
    let commands = Arc::new(OrderCommands::new(Arc::clone(&store)));
    let first = Context { command_id: Uuid::from_u128(1), ..Context::default() };
    commands.execute(id, &create(), &first).await.unwrap();
    for revision in 0..25 {
        let start = Arc::new(Barrier::new(4));
        let writers: Vec<_> = (0..4)
            .map(|writer: u128| {
                let (commands, start) = (Arc::clone(&commands), Arc::clone(&start));
                tokio::spawn(async move {
                    let context = Context {
                        command_id: Uuid::from_u128(1_000 + u128::from(revision) * 10 + writer),
                        if_match: Some(Revision(revision)),
                        ..Context::default()
                    };
                    start.wait().await;
                    commands.execute(id, &address(format!("{revision}-{writer}")), &context).await
                })
            })
            .collect();
        let mut winners = 0;
        for writer in writers {
            match writer.await.unwrap() {
                Ok(receipt) => {
                    assert_eq!(receipt.revision, Revision(revision + 1));
                    winners += 1;
                }
                Err(delivery::services::Error::PreconditionFailed { expected, current }) => {
                    assert_eq!((expected, current), (Revision(revision), Some(Revision(revision + 1))));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(winners, 1, "at revision {revision}");
    }
}

/// A client that did not hear the answer asks again, while others change the order, and itself at the
/// same time.
pub async fn a_repeated_command_is_carried_out_once(store: Arc<dyn EventStore>) {
    let id = OrderId(Uuid::from_u128(8));
    let commands = Arc::new(OrderCommands::new(Arc::clone(&store)));
    let first = Context { command_id: Uuid::from_u128(1), ..Context::default() };
    commands.execute(id, &create(), &first).await.unwrap();
    let repeats: Vec<_> = (0..12_u128)
        .map(|call| {
            let commands = Arc::clone(&commands);
            // Three commands, four times each.
            let command_id = Uuid::from_u128(100 + call % 3);
            let context = Context { command_id, may_be_retry: true, ..Context::default() };
            tokio::spawn(async move { commands.execute(id, &address(command_id.to_string()), &context).await.unwrap() })
        })
        .collect();
    let mut revisions = BTreeSet::new();
    for repeat in repeats {
        revisions.insert(repeat.await.unwrap().revision);
    }
    assert_eq!(revisions, (1..=3).map(Revision).collect(), "each repeat is told where its command took place");
    assert_eq!(store.read(&id.stream(), Revision::FIRST, 100).await.unwrap().len(), 4);
}

struct Client {
    store: Arc<dyn EventStore>,
    commands: Arc<OrderCommands>,
    clock: Arc<AtomicU64>,
    id: OrderId,
    /// What is random about it.
    state: u64,
    /// The revision that it saw last.
    seen: Option<Revision>,
}

impl Client {
    fn new(
        store: &Arc<dyn EventStore>,
        commands: &Arc<OrderCommands>,
        clock: &Arc<AtomicU64>,
        id: OrderId,
        seed: u64,
    ) -> Self {
        let state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (store, commands, clock) = (Arc::clone(store), Arc::clone(commands), Arc::clone(clock));
        Self { store, commands, clock, id, state, seen: None }
    }

    /// Xorshift: the same choices in every run, in whatever order they meet.
    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn choose(&mut self) -> Operation {
        let text = (self.random() % 1_000).to_string();
        match self.random() % 100 {
            0..35 => Operation::Command(address(text)),
            35..45 => Operation::Command(Command::UpdateCart(cart(&text))),
            45..65 => Operation::Read,
            65..80 => Operation::Command(Command::Pay(Payment::new(text, Timestamp::UNIX_EPOCH).unwrap())),
            80..90 => Operation::Command(Command::Submit),
            90..97 => Operation::Command(Command::Complete(Timestamp::UNIX_EPOCH)),
            _ => Operation::Command(Command::Cancel(CancelReason::new(text).unwrap())),
        }
    }

    async fn call(&mut self, operation: Operation) -> Call {
        let command_id = Uuid::from_u128((u128::from(self.random()) << 64) | u128::from(self.random()));
        let if_match = self.seen.filter(|_| self.random().is_multiple_of(4));
        let invoked = self.clock.fetch_add(1, Ordering::SeqCst);
        let answer = match &operation {
            Operation::Read => self.read().await,
            Operation::Command(command) => {
                let context = Context { command_id, if_match, ..Context::default() };
                Answer::of(self.commands.execute(self.id, command, &context).await)
            }
        };
        let returned = self.clock.fetch_add(1, Ordering::SeqCst);
        match &answer {
            Answer::Done(revision) => self.seen = Some(*revision),
            Answer::Read(revision, _) | Answer::PreconditionFailed(revision) => self.seen = *revision,
            Answer::Rejected(_) | Answer::GaveUp => {}
        }
        Call { invoked, returned, operation, command_id, if_match, answer }
    }

    async fn read(&self) -> Answer {
        let events = self.store.read(&self.id.stream(), Revision::FIRST, 10_000).await.unwrap();
        let revision = events.last().map(|event| event.revision);
        let order = events.iter().fold(Order::default(), |order, event| {
            Order::evolve(order, &codec::decode(&event.event_type, &event.data, None).unwrap().event)
        });
        Answer::Read(revision, order)
    }
}

fn create() -> Command {
    Command::Create {
        cart: cart("first"),
        account_email: AccountEmail::new("jane@example.com".to_owned()).unwrap(),
        delivery_address: DeliveryAddress::new("1 Main Street".to_owned()).unwrap(),
    }
}

fn address(text: String) -> Command {
    Command::ChangeAddress(DeliveryAddress::new(text).unwrap())
}

fn cart(title: &str) -> Cart {
    let (id, description) = ("1".to_owned(), String::new());
    Cart::new(vec![ItemInput { id, title: title.to_owned(), description, quantity: 1, price: "12.50" }]).unwrap()
}
