//! Following the store. A task reads what the server sends and hands it on through a bounded channel;
//! when the connection is lost it subscribes again after what it last looked at, on whichever node leads
//! by then. Only when that fails for a while does the subscription end, and its follower hear of it.

use std::sync::Arc;

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{Position, RecordedEvent, Subscription};
use tokio::sync::mpsc::{self, Receiver, Sender, error::TryRecvError};
use tokio::task::JoinHandle;
use tonic::Streaming;

use crate::call::backoff;
use crate::convert::{self, NUMBER_MAX};
use crate::event_store::Core;
use crate::failure::{Failure, Kind};
use crate::nodes::Role;
use crate::protocol::ReadResp;
use crate::protocol::read_resp::{Checkpoint, Content};

const DOING: &str = "following the store";
/// Events that were read and not yet asked for; a server that is not taken from waits.
const BUFFER: usize = 512;
/// How often the store is subscribed to again without an event or a checkpoint in between.
const RENEWALS_MAX: u32 = 6;

pub(crate) struct Follower {
    items: Receiver<Item>,
    /// Everything up to here has been looked at.
    next: Position,
    /// The error that ends the subscription, once what came before it has been taken.
    end: Option<Error>,
    task: JoinHandle<()>,
}

enum Item {
    Event(RecordedEvent),
    LookedAt(Position),
    End(Error),
}

impl Follower {
    pub(crate) async fn new(core: Arc<Core>, after: Position, prefix: &str) -> Result<Self, Error> {
        if after.0 > NUMBER_MAX {
            return Err(Error::Invalid(format!("position {after} is not one of KurrentDB's")));
        }
        let feed = Feed { core, at: after, prefix: prefix.to_owned(), renewals: 0 };
        let answers = feed.subscribe().await.map_err(|failure| failure.into_error(DOING))?;
        let (sender, items) = mpsc::channel(BUFFER);
        let task = tokio::spawn(async move { feed.run(answers, &sender).await });
        Ok(Self { items, next: after, end: None, task })
    }

    /// Takes an item in; the event if it is one.
    fn take(&mut self, item: Item) -> Option<RecordedEvent> {
        match item {
            Item::Event(event) => {
                self.next = event.position;
                Some(event)
            }
            Item::LookedAt(position) => {
                self.next = self.next.max(position);
                None
            }
            Item::End(error) => {
                self.end = Some(error);
                None
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Subscription for Follower {
    async fn next(&mut self, max: usize) -> Result<Page, Error> {
        if max == 0 {
            return Err(Error::Invalid("a page needs room for at least one event".to_owned()));
        }
        // Whatever was received is in `self` before anything is waited for again.
        let first = loop {
            if let Some(error) = self.end.take() {
                return Err(error);
            }
            match self.items.recv().await {
                Some(item) => {
                    if let Some(event) = self.take(item) {
                        break event;
                    }
                }
                None => return Err(Error::unavailable(format!("{DOING}: the subscription is over"))),
            }
        };
        let mut events = vec![first];
        while events.len() < max && self.end.is_none() {
            match self.items.try_recv() {
                Ok(item) => events.extend(self.take(item)),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        Ok(Page { events, next: self.next })
    }
}

/// What keeps a subscription going.
struct Feed {
    core: Arc<Core>,
    at: Position,
    prefix: String,
    renewals: u32,
}

/// Why a stream of answers is no more.
enum Lost {
    /// Nobody follows any more.
    Unwanted,
    /// What came cannot be used.
    Broken(Error),
    /// It can be had again.
    Renewable(Failure),
}

impl Feed {
    async fn run(mut self, mut answers: Streaming<ReadResp>, items: &Sender<Item>) {
        loop {
            let error = match self.pump(&mut answers, items).await {
                Lost::Unwanted => return,
                Lost::Broken(error) => error,
                Lost::Renewable(failure) => match self.renew(failure).await {
                    Ok(renewed) => {
                        answers = renewed;
                        continue;
                    }
                    Err(failure) => failure.into_error(DOING),
                },
            };
            // If nobody is there to hear it, nobody is missing it.
            drop(items.send(Item::End(error)).await);
            return;
        }
    }

    /// Subscribes again, after a wait that grows as long as nothing comes.
    async fn renew(&mut self, mut failure: Failure) -> Result<Streaming<ReadResp>, Failure> {
        while failure.may_pass() && self.renewals < RENEWALS_MAX {
            self.renewals += 1;
            tokio::time::sleep(backoff(self.renewals, &failure)).await;
            match self.subscribe().await {
                Ok(answers) => return Ok(answers),
                Err(again) => failure = again,
            }
        }
        Err(failure)
    }

    async fn subscribe(&self) -> Result<Streaming<ReadResp>, Failure> {
        let request = convert::subscribe(self.at, &self.prefix);
        self.core.call(Role::Feed, |caller| caller.subscribe(request.clone())).await
    }

    async fn pump(&mut self, answers: &mut Streaming<ReadResp>, items: &Sender<Item>) -> Lost {
        loop {
            let answer = tokio::select! {
                answer = answers.message() => answer,
                () = items.closed() => return Lost::Unwanted,
            };
            let item = match answer {
                Ok(Some(answer)) => match self.item(answer) {
                    Ok(item) => item,
                    Err(error) => return Lost::Broken(error),
                },
                Ok(None) => return Lost::Renewable(Failure::new(Kind::Busy, "the server ended the subscription")),
                Err(status) => return Lost::Renewable(status.into()),
            };
            if let Some(item) = item {
                self.renewals = 0;
                if items.send(item).await.is_err() {
                    return Lost::Unwanted;
                }
            }
        }
    }

    fn item(&mut self, answer: ReadResp) -> Result<Option<Item>, Error> {
        match answer.content {
            Some(Content::Event(event)) => {
                let event = convert::recorded(event)?;
                // A server that begins too early after all does not make an event come twice.
                if event.position <= self.at {
                    return Ok(None);
                }
                self.at = event.position;
                self.core.receipts().see(event.position);
                Ok(Some(Item::Event(event)))
            }
            Some(Content::Checkpoint(Checkpoint { commit_position, .. })) if commit_position <= NUMBER_MAX => {
                self.at = self.at.max(Position(commit_position));
                Ok(Some(Item::LookedAt(self.at)))
            }
            // That it has caught up, that it fell behind, and whatever later servers tell.
            _ => Ok(None),
        }
    }
}
