//! Writes many orders, each under the guard of its revision, in commands of bounded size.
//!
//! A guarded upsert finds the order at an older revision and replaces it, or finds none and inserts it. An
//! order that is as new is not found either, and inserting beside it fails on the key: that is how the guard
//! shows. It shows as well when somebody else inserts an older one in the same moment, so what failed on
//! the key is tried once more as a plain guarded update, which cannot fail that way.
//!
//! Of a guarded upsert every engine has to say one of these three, so what it says is counted. One that
//! leaves statements out behind the first that failed, as FerretDB 1 does, is asked for one at a time.

mod answer;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::time::Duration;

use answer::Answer;
use delivery::projections::OrderView;
use mongodb::bson::{self, Bson, Document, doc};
use tokio::time::sleep;

use crate::OrderReadModel;
use crate::connection::Limit;
use crate::documents::{self, REVISION, saturating};
use crate::failure::Failure;

/// Bytes of a command's statements at most: the engine takes 48 MB of them, and 16 MB each.
const BYTES_MAX: usize = 8 << 20;
/// How often a command is sent while another server becomes the primary, and the wait before the second time.
const ATTEMPTS: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// What statements are sent to: in the program the engine, in tests a model of it.
trait Engine: Sync {
    /// Sends one `update` command.
    fn update(&self, statements: Vec<Document>) -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// An order to be written.
pub(crate) struct Upsert {
    key: Bson,
    revision: i64,
    document: Document,
    /// Roughly.
    bytes: usize,
}

/// The newest revision of each order, in the order of their keys.
pub(crate) fn newest(views: &[OrderView]) -> Result<Vec<Upsert>, Failure> {
    let mut views: Vec<_> = views.iter().collect();
    views.sort_unstable_by_key(|view| (view.id, Reverse(view.revision)));
    views.dedup_by_key(|view| view.id);
    views.into_iter().map(Upsert::of).collect()
}

impl Upsert {
    fn of(view: &OrderView) -> Result<Self, Failure> {
        let document = documents::order(view)?;
        let texts = |item: &delivery::models::ShopItem| item.title.len() + item.description.len() + item.id.len() + 100;
        let bytes = 500 + view.order.shop_items.iter().map(texts).sum::<usize>();
        Ok(Self { key: documents::key(view.id), revision: saturating(view.revision.0), document, bytes })
    }

    /// The statement of an `update` command.
    fn statement(&self, inserts: bool) -> Document {
        doc! {
            "q": {"_id": self.key.clone(), REVISION: {"$lt": self.revision}},
            "u": self.document.clone(),
            "upsert": inserts,
        }
    }
}

/// Parts of at most that many statements and bytes; at least one statement each, however large.
fn chunks(upserts: &[Upsert], statements_max: usize) -> Vec<&[Upsert]> {
    let mut chunks = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (index, upsert) in upserts.iter().enumerate() {
        if index > begin && (index - begin >= statements_max || bytes + upsert.bytes > BYTES_MAX) {
            chunks.push(&upserts[begin..index]);
            (begin, bytes) = (index, 0);
        }
        bytes += upsert.bytes;
    }
    if begin < upserts.len() {
        chunks.push(&upserts[begin..]);
    }
    chunks
}

/// Writes orders; when it fails, some of them may have been written.
async fn write(engine: &impl Engine, upserts: &[Upsert], statements_max: usize) -> Result<(), Failure> {
    for chunk in chunks(upserts, statements_max.max(1)) {
        if write_chunk(engine, chunk).await? {
            continue;
        }
        for one in chunk.chunks(1) {
            if !write_chunk(engine, one).await? {
                return Err(Failure::Driver("the engine does not say what became of an order".to_owned()));
            }
        }
    }
    Ok(())
}

/// Writes orders with one command, and another one for those that it found to be there; `false` when the
/// engine has left some out.
async fn write_chunk(engine: &impl Engine, chunk: &[Upsert]) -> Result<bool, Failure> {
    let answer = engine.update(chunk.iter().map(|upsert| upsert.statement(true)).collect()).await?;
    if answer.told() < chunk.len() {
        return Ok(false);
    }
    let guarded: Vec<_> = answer.guarded.iter().filter_map(|index| Some(chunk.get(*index)?.statement(false))).collect();
    if !guarded.is_empty() {
        engine.update(guarded).await?;
    }
    Ok(true)
}

/// A collection of orders.
struct Orders<'a> {
    model: &'a OrderReadModel,
    collection: &'a str,
}

impl Engine for Orders<'_> {
    async fn update(&self, statements: Vec<Document>) -> Result<Answer, Failure> {
        let connection = &self.model.connection;
        let mut command = doc! {"update": self.collection, "updates": statements, "ordered": false};
        if let Some(concern) = connection.write_concern().await? {
            let concern = bson::serialize_to_bson(&concern);
            command.insert("writeConcern", concern.map_err(|error| Failure::damaged("a write concern", error))?);
        }
        let database = connection.database().await?;
        let (mut attempt, mut wait) = (1, FIRST_WAIT);
        loop {
            let answer = connection.within(Limit::WRITE, database.run_command(command.clone())).await;
            match answer.and_then(|answer| Answer::read(&answer)) {
                // Under its guard every statement may be sent twice.
                Err(failure) if failure.is_passing() && attempt < ATTEMPTS => {
                    sleep(wait.mul_f64(rand::random_range(0.5..=1.0))).await;
                    (attempt, wait) = (attempt + 1, wait * 2);
                }
                done => return done,
            }
        }
    }
}

impl OrderReadModel {
    /// Writes orders; when it fails, some of them may have been written.
    pub(crate) async fn upsert(&self, collection: &str, upserts: &[Upsert]) -> Result<(), Failure> {
        write(&Orders { model: self, collection }, upserts, self.connection.config().statements_max).await
    }
}
