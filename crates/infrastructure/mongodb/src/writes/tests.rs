//! Guarded writes against a model of an engine, since the one that can be had for tests does not keep its
//! promise: that one update of one document is atomic.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use contract_tests::orders::{at_revision, view, with_items};
use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::failure::DUPLICATE_KEY;

/// A number of an order, and a revision.
type Written = (u64, u64);

/// Does `update` commands as MongoDB documents them. An upsert finds and inserts in two steps, between which
/// others come in; the key makes its second step fail then.
#[derive(Default)]
struct Model {
    stored: HashMap<String, Document>,
    /// Whether it goes on behind a statement that failed. FerretDB 1 does not, and says `n` only without any.
    goes_on: bool,
    /// Another writer's orders, as they come in: one at each place where one may, or none.
    others: Vec<Option<Written>>,
    /// Commands that are done twice, as when an answer was lost: one word for each command.
    twice: Vec<bool>,
    commands: usize,
}

impl Model {
    fn other_comes_in(&mut self) {
        if let Some((number, revision)) = self.others.pop().flatten() {
            let upsert = Upsert::of(&at_revision(number, revision)).unwrap();
            let key = upsert.key.to_string();
            if self.revision(&key).is_none_or(|stored| stored < upsert.revision) {
                self.stored.insert(key, upsert.document);
            }
        }
    }

    fn revision(&self, key: &str) -> Option<i64> {
        self.stored.get(key).map(|stored| stored.get_i64(REVISION).unwrap())
    }

    /// What it adds to the answer's `n`, or nothing for a failure on the key.
    fn apply(&mut self, statement: &Document) -> Option<i32> {
        self.other_comes_in();
        let query = statement.get_document("q").unwrap();
        let key = query.get("_id").unwrap().to_string();
        let bound = query.get_document(REVISION).unwrap().get_i64("$lt").unwrap();
        let document = statement.get_document("u").unwrap().clone();
        if self.revision(&key).is_some_and(|stored| stored < bound) {
            self.stored.insert(key, document);
            return Some(1);
        }
        if !statement.get_bool("upsert").unwrap() {
            return Some(0);
        }
        self.other_comes_in();
        if self.stored.contains_key(&key) {
            return None;
        }
        self.stored.insert(key, document);
        Some(1)
    }

    fn command(&mut self, statements: &[Document]) -> Document {
        self.commands += 1;
        let (mut n, mut errors) = (0, Vec::new());
        for (index, statement) in (0_i32..).zip(statements) {
            if let Some(count) = self.apply(statement) {
                n += count;
            } else if self.goes_on {
                errors.push(doc! {"index": index, "code": DUPLICATE_KEY});
            } else {
                return doc! {"ok": 1.0, "writeErrors": [{"index": 0, "code": DUPLICATE_KEY}]};
            }
        }
        let mut answer = doc! {"ok": 1.0, "n": n};
        if !errors.is_empty() {
            answer.insert("writeErrors", errors);
        }
        answer
    }
}

impl Engine for Mutex<Model> {
    async fn update(&self, statements: Vec<Document>) -> Result<Answer, Failure> {
        let mut model = self.lock().unwrap_or_else(PoisonError::into_inner);
        if model.twice.pop().unwrap_or_default() {
            model.command(&statements);
        }
        Answer::read(&model.command(&statements))
    }
}

/// Writes batches one after another; what is stored then, by number.
fn stored(model: Model, batches: &[Vec<Written>], statements_max: usize) -> (HashMap<u64, OrderView>, Model) {
    let model = Mutex::new(model);
    for batch in batches {
        let views: Vec<_> = batch.iter().map(|(number, revision)| at_revision(*number, *revision)).collect();
        write(&model, &newest(&views).unwrap(), statements_max).now_or_never().unwrap().unwrap();
    }
    let model = model.into_inner().unwrap_or_else(PoisonError::into_inner);
    let views = model.stored.values().map(|document| documents::view(document.clone()).unwrap());
    (views.map(|view| (view.created_position.0, view)).collect(), model)
}

fn written() -> impl Strategy<Value = Written> {
    (1_u64..6, 0_u64..9)
}

proptest! {
    /// Whatever order they come in, however often they are sent, however many there are in a command and
    /// whoever else writes: of each order the highest revision is stored, whole.
    #[test]
    fn writes_converge(
        batches in proptest::collection::vec(proptest::collection::vec(written(), 0..8), 1..12),
        others in proptest::collection::vec(proptest::option::of(written()), 0..60),
        twice in proptest::collection::vec(any::<bool>(), 0..20),
        statements_max in 1_usize..9,
        goes_on in any::<bool>(),
    ) {
        let model = Model { others: others.clone(), twice, goes_on, ..Model::default() };
        let (stored, model) = stored(model, &batches, statements_max);
        // Those who have not come in yet have written nothing.
        let others = others[model.others.len()..].iter().flatten();
        let mut highest = HashMap::<u64, u64>::new();
        for (number, revision) in batches.iter().flatten().chain(others) {
            let known = highest.entry(*number).or_default();
            *known = (*known).max(*revision);
        }
        let expected: HashMap<_, _> =
            highest.into_iter().map(|(number, revision)| (number, at_revision(number, revision))).collect();
        prop_assert_eq!(stored, expected);
    }
}

#[test]
fn an_older_order_that_came_in_between_is_replaced() {
    for goes_on in [true, false] {
        // Nobody before it looks, and the older one before it inserts.
        let model = Model { others: vec![Some((1, 1)), None], goes_on, ..Model::default() };
        let (stored, _) = stored(model, &[vec![(1, 2)]], 500);
        assert_eq!(stored[&1], at_revision(1, 2));
    }
}

#[test]
fn what_an_engine_leaves_out_is_asked_for_again_and_only_then() {
    let batches = [vec![(1, 3), (2, 3)], vec![(1, 2), (1, 3), (2, 4), (3, 0)]];
    for (goes_on, commands) in [
        // One for each batch, and one for the order that was there.
        (true, 3),
        // And each of the second batch by itself, all of which are there: written already, or as new.
        (false, 8),
    ] {
        let (stored, model) = stored(Model { goes_on, ..Model::default() }, &batches, 500);
        assert_eq!((stored[&2].revision.0, stored[&3].revision.0), (4, 0));
        assert_eq!(model.commands, commands, "goes on: {goes_on}");
    }
}

#[test]
fn of_an_order_that_a_batch_names_twice_the_newest_is_sent() {
    let sent = newest(&[at_revision(1, 2), at_revision(2, 7), at_revision(1, 4), at_revision(1, 3)]).unwrap();
    let mut sent: Vec<_> = sent.into_iter().map(|upsert| documents::view(upsert.document).unwrap()).collect();
    sent.sort_unstable_by_key(|view| view.created_position);
    assert_eq!(sent, [at_revision(1, 4), at_revision(2, 7)]);
}

#[test]
fn commands_are_bounded_in_statements_and_bytes() {
    let small: Vec<_> = (1..=7).map(|number| Upsert::of(&view(number)).unwrap()).collect();
    assert_eq!(chunks(&small, 3).iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), [3, 3, 1]);
    let long = "x".repeat(3 << 20);
    let large = (1..=3).map(|number| Upsert::of(&with_items(view(number), &[("a", &long)])).unwrap());
    let large: Vec<_> = large.collect();
    assert_eq!(chunks(&large, 500).iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), [2, 1]);
    assert!(chunks(&[], 500).is_empty());
}
