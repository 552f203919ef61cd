//! The order's rules, told as Given/When/Then, and the laws of its fold.

use proptest::prelude::*;

use super::*;
use crate::models::{AccountEmail, CancelReason, Cart, DeliveryAddress, ItemInput};

fn cart(quantity: i64) -> Cart {
    let item = ItemInput { id: "1".into(), title: "Tea".into(), description: String::new(), quantity, price: "2.50" };
    Cart::new(vec![item]).unwrap()
}

fn create() -> Command {
    Command::Create {
        cart: cart(1),
        account_email: AccountEmail::new("jane@example.com".into()).unwrap(),
        delivery_address: address("Main Street"),
    }
}

fn address(text: &str) -> DeliveryAddress {
    DeliveryAddress::new(text.into()).unwrap()
}

fn reason(text: &str) -> Command {
    Command::Cancel(CancelReason::new(text.into()).unwrap())
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pay(id: &str) -> Command {
    Command::Pay(Payment::new(id.into(), time(1)).unwrap())
}

fn complete() -> Command {
    Command::Complete(time(2))
}

/// The order after commands that are all accepted.
fn given(commands: &[Command]) -> Order {
    commands.iter().fold(Order::default(), |order, command| {
        let events = Order::decide(&order, command).expect("what is given is accepted");
        events.iter().fold(order, Order::evolve)
    })
}

fn when(order: &Order, command: &Command) -> Result<Vec<&'static str>, Rejection> {
    Ok(Order::decide(order, command)?.iter().map(Event::name).collect())
}

#[test]
fn given_nothing_only_create_is_accepted() {
    let order = Order::default();
    assert_eq!(when(&order, &create()), Ok(vec!["ORDER_CREATED"]));
    for command in [
        pay("p"),
        Command::Submit,
        Command::UpdateCart(cart(1)),
        reason("r"),
        complete(),
        Command::ChangeAddress(address("a")),
    ] {
        assert_eq!(when(&order, &command), Err(Rejection::NotFound), "{}", command.name());
    }
}

#[test]
fn given_an_order_create_is_refused() {
    assert_eq!(when(&given(&[create()]), &create()), Err(Rejection::AlreadyExists));
}

/// The whole transition table: one row a status, one column a command.
#[test]
fn given_a_status_then_each_command_is_accepted_or_refused_as_the_table_says() {
    let path = [create(), pay("p"), Command::Submit, complete()];
    let columns = [
        pay("p2"),
        Command::Submit,
        Command::UpdateCart(cart(2)),
        reason("r"),
        complete(),
        Command::ChangeAddress(address("b")),
    ];
    let rows = [
        (given(&path[..1]), Status::Draft, [true, false, true, true, false, true]),
        (given(&path[..2]), Status::Paid, [false, true, false, true, false, true]),
        (given(&path[..3]), Status::Submitted, [false, false, false, true, true, true]),
        (given(&path[..4]), Status::Completed, [false; 6]),
        (given(&[create(), reason("other")]), Status::Cancelled, [false; 6]),
    ];
    for (order, status, accepted) in rows {
        assert_eq!(order.status(), Some(status));
        for (command, accepted) in columns.iter().zip(accepted) {
            assert_eq!(when(&order, command).is_ok(), accepted, "{} when {}", command.name(), status.name());
        }
    }
}

#[test]
fn given_what_a_command_asks_for_then_it_is_refused_as_already_applied() {
    let draft = given(&[create()]);
    let paid = given(&[create(), pay("p")]);
    let submitted = given(&[create(), pay("p"), Command::Submit]);
    let completed = given(&[create(), pay("p"), Command::Submit, complete()]);
    let cancelled = given(&[create(), reason("r")]);
    for (order, command) in [
        (&draft, Command::UpdateCart(cart(1))),
        (&submitted, Command::ChangeAddress(address("Main Street"))),
        (&paid, pay("p")),
        (&submitted, Command::Submit),
        (&completed, Command::Complete(time(99))),
        (&cancelled, reason("r")),
    ] {
        assert_eq!(when(order, &command), Err(Rejection::AlreadyApplied { command: command.name() }));
    }
    assert_eq!(
        when(&cancelled, &reason("another")),
        Err(Rejection::IllegalTransition { command: "cancel", status: Status::Cancelled })
    );
}

#[test]
fn a_cancelled_order_still_shows_how_far_it_had_come() {
    let order = given(&[create(), pay("p"), Command::Submit, reason("r")]);
    assert!(order.submitted && order.payment.is_some() && order.canceled && !order.completed);
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(create()),
        "[a-c]".prop_map(|id| pay(&id)),
        Just(Command::Submit),
        (1_i64..4).prop_map(|quantity| Command::UpdateCart(cart(quantity))),
        "[a-b]".prop_map(|text| reason(&text)),
        Just(complete()),
        "[a-c]".prop_map(|text| Command::ChangeAddress(address(&text))),
    ]
}

proptest! {
    /// Whatever is asked in whatever order: the accepted history folds to the state that was reached
    /// live, also through its recorded form, and the status only ever moves forward.
    #[test]
    fn any_accepted_history_rebuilds_to_the_same_state(commands in prop::collection::vec(any_command(), 0..30)) {
        let (mut live, mut history) = (Order::default(), Vec::new());
        for command in &commands {
            let before = live.status();
            if let Ok(events) = Order::decide(&live, command) {
                prop_assert_eq!(events.iter().map(Event::name).collect::<Vec<_>>(), [command.leads_to()]);
                live = events.iter().fold(live, Order::evolve);
                history.extend(events);
                prop_assert!(live.status() >= before);
                let finished = [Some(Status::Completed), Some(Status::Cancelled)];
                prop_assert!(!finished.contains(&before));
            }
        }
        prop_assert_eq!(&Order::fold(&history), &live);
        let recorded: Vec<_> = history
            .iter()
            .map(|event| crate::events::codec::decode(event.name(), &crate::events::codec::encode(event), Some(2)).unwrap().event)
            .collect();
        prop_assert_eq!(Order::fold(&recorded), live);
    }
}
