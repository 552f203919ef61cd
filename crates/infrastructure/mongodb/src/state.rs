//! The one document that says which generations there are and how far they are. Every change of it is
//! guarded by what it changes, so that of two who want to one is first.

use std::collections::HashMap;

use delivery::repository::Generation;
use eventsourcing::Position;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use progress::Live;
use serde::{Deserialize, Serialize};

use crate::OrderReadModel;
use crate::connection::Limit;
use crate::documents::{saturating, unsigned};
use crate::failure::Failure;

/// The collection of the document, and its key.
const COLLECTION: &str = "projection";
const KEY: &str = "state";
/// How often what somebody else has changed meanwhile is looked at again.
const ROUNDS: usize = 20;

/// Which generations there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    live: i64,
    building: Option<i64>,
    /// The highest number used so far.
    last: i64,
    /// By number.
    checkpoints: HashMap<String, i64>,
}

fn generation(number: i64) -> Result<Generation, Failure> {
    let read = number.try_into().map(Generation);
    read.map_err(|error| Failure::damaged(format!("{number} is no number of a generation"), error))
}

fn checkpoint_field(generation: Generation) -> String {
    format!("checkpoints.{}", generation.0)
}

impl State {
    pub(crate) fn live(&self) -> Result<Live, Failure> {
        let generation = generation(self.live)?;
        Ok(Live { generation, checkpoint: self.checkpoint(generation) })
    }

    pub(crate) fn building(&self) -> Result<Option<Generation>, Failure> {
        self.building.map(generation).transpose()
    }

    pub(crate) fn checkpoint(&self, generation: Generation) -> Position {
        Position(self.checkpoints.get(&generation.0.to_string()).copied().map_or(0, unsigned))
    }

    pub(crate) fn has(&self, generation: Generation) -> bool {
        let number = i64::from(generation.0);
        self.live == number || self.building == Some(number)
    }

    /// Has the same generations; checkpoints may differ.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.live, self.building) == (other.live, other.building)
    }
}

impl OrderReadModel {
    async fn states(&self) -> Result<Collection<State>, Failure> {
        self.connection.collection(COLLECTION).await
    }

    /// The state; `None` before the first use.
    pub(crate) async fn found_state(&self, limit: Limit) -> Result<Option<State>, Failure> {
        let states = self.states().await?;
        self.connection.within(limit, states.find_one(doc! {"_id": KEY})).await
    }

    /// The state, made where there is none.
    pub(crate) async fn state(&self) -> Result<State, Failure> {
        for _ in 0..ROUNDS {
            if let Some(state) = self.found_state(Limit::READ).await? {
                return Ok(state);
            }
            let states: Collection<Document> = self.connection.collection(COLLECTION).await?;
            let first = doc! {
                "_id": KEY, "live": 1_i64, "building": null, "last": 1_i64, "checkpoints": {"1": 0_i64},
            };
            match self.connection.within(Limit::WRITE, states.insert_one(first)).await {
                Err(failure) if !failure.is_duplicate() => return Err(failure),
                _ => {}
            }
        }
        Err(Failure::Damaged { reason: "the state does not appear after it was written".to_owned(), source: None })
    }

    /// Changes the state, if it is as `guard` says; whether it was.
    async fn change(&self, guard: Document, change: Document) -> Result<bool, Failure> {
        let states = self.states().await?;
        let mut filter = doc! {"_id": KEY};
        filter.extend(guard);
        let changed = self.connection.within(Limit::WRITE, states.update_one(filter, change)).await?;
        Ok(changed.matched_count > 0)
    }

    /// Moves the checkpoint of a generation forward. One that is there already, or further, stays.
    pub(crate) async fn advance(&self, generation: Generation, position: Position) -> Result<(), Failure> {
        let number = i64::from(generation.0);
        let (field, position) = (checkpoint_field(generation), saturating(position.0));
        let guard = doc! {
            "$or": [{"live": number}, {"building": number}],
            &field: {"$lt": position},
        };
        self.change(guard, doc! {"$set": {field: position}}).await.map(drop)
    }

    /// Enters a generation that is being built; `false` when somebody has changed what `state` says.
    pub(crate) async fn enter(&self, state: &State, next: Generation) -> Result<bool, Failure> {
        let number = i64::from(next.0);
        let guard = doc! {"building": null, "last": state.last, "live": state.live};
        let change = doc! {"$set": {"building": number, "last": number, checkpoint_field(next): 0_i64}};
        self.change(guard, change).await
    }

    /// The number of the next generation.
    pub(crate) fn next(state: &State) -> Result<Generation, Failure> {
        generation(state.last.saturating_add(1))
    }

    /// Makes the building generation live in the place of `live`; `false` when it is not what is built.
    pub(crate) async fn switch(&self, live: Generation, to: Generation) -> Result<bool, Failure> {
        let guard = doc! {"building": i64::from(to.0), "live": i64::from(live.0)};
        let change = doc! {
            "$set": {"live": i64::from(to.0), "building": null},
            "$unset": {checkpoint_field(live): ""},
        };
        self.change(guard, change).await
    }

    /// Takes the building generation out; `false` when it is not what is built.
    pub(crate) async fn strike(&self, building: Generation) -> Result<bool, Failure> {
        let guard = doc! {"building": i64::from(building.0)};
        let change = doc! {"$set": {"building": null}, "$unset": {checkpoint_field(building): ""}};
        self.change(guard, change).await
    }
}
