//! Generations as the engine knows them: an index each, told apart by aliases, so that one request of the
//! engine switches readers, projector and bookkeeping at once, whatever fails around it.
//!
//! - The index with the alias `NAME` is live; the one with `NAME.building` is being built; one with neither
//!   was given up half-way and is removed by the next rebuild.
//! - A number is claimed in a document of the live generation before its index is made, so that of two who
//!   begin one is first and no number is used again. After a promotion the live number itself is the
//!   highest that was used.

use std::collections::HashMap;
use std::time::Duration;

use delivery::repository::{Error, Generation};
use hyper::Method;
use progress::Live;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::OrderSearch;
use crate::documents::CLAIM;
use crate::failure::Failure;
use crate::schema::{refresh_interval, template};
use crate::transport::{Body, Limit};

/// How long somebody who claimed a number may take to make its index; after that the claim is void.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);
const CLAIM_TICK: Duration = Duration::from_millis(50);
/// How often what somebody else changed meanwhile is looked at again.
const ROUNDS: usize = 20;

/// The indexes there are.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) live: Option<Generation>,
    pub(crate) building: Option<Generation>,
    /// Neither.
    given_up: Vec<Generation>,
    highest: u32,
}

#[derive(Deserialize)]
struct Aliases {
    aliases: HashMap<String, Value>,
}

/// What the live generation knows about rebuilds.
#[derive(Debug, Default, Deserialize)]
struct Claim {
    /// The highest number that was claimed.
    last: u32,
    /// The number that is claimed now.
    building: Option<u32>,
}

#[derive(Deserialize)]
struct ClaimDocument {
    claim: Claim,
}

/// A claim, and the state of its document to be replaced.
struct Claimed {
    claim: Claim,
    /// Sequence number and primary term; `None` while there is no document.
    version: Option<(u64, u64)>,
}

impl OrderSearch {
    /// The generations, with a live one: the first is made where there is none.
    pub(crate) async fn ensured(&self) -> Result<(Listed, Generation), Failure> {
        for _ in 0..ROUNDS {
            let listed = self.listed().await?;
            if let Some(live) = listed.live {
                return Ok((listed, live));
            }
            let Ok(_making) = self.making.try_lock() else {
                // Somebody of this process is at it: look again once he is done.
                drop(self.making.lock().await);
                continue;
            };
            self.put_template().await?;
            // Whoever is second is told that the index is there, and looks again.
            self.make(Generation(listed.highest + 1), true).await?;
        }
        Err(Failure::Damaged(format!("alias {} does not appear on an index made with it", self.name)))
    }

    pub(crate) async fn listed(&self) -> Result<Listed, Failure> {
        let path = format!("/{}/_alias", self.name.pattern());
        let indexes: HashMap<String, Aliases> = self.client.ask(Limit::READ, Method::GET, &path, Body::Nothing).await?;
        let mut listed = Listed::default();
        let mut building = Vec::new();
        for (index, Aliases { aliases }) in indexes {
            let Some(generation) = self.name.generation(&index) else { continue };
            listed.highest = listed.highest.max(generation.0);
            if aliases.contains_key(self.name.live()) {
                if let Some(other) = listed.live.replace(generation) {
                    let [one, other] = [generation, other].map(|generation| self.name.index(generation));
                    let what = format!("alias {} is on {one} and {other}: remove it from one of them", self.name);
                    return Err(Failure::Damaged(what));
                }
            } else if aliases.contains_key(&self.name.building()) {
                building.push(generation);
            } else {
                listed.given_up.push(generation);
            }
        }
        // Somebody who lost a claim and has not yet removed what he made.
        listed.building = building.into_iter().max();
        Ok(listed)
    }

    async fn put_template(&self) -> Result<(), Failure> {
        let path = format!("/_index_template/{}", self.name);
        self.client.tell(Limit::MANAGE, Method::PUT, &path, template(&self.name)).await
    }

    /// Makes an index; `false` when it is there already.
    async fn make(&self, generation: Generation, is_live: bool) -> Result<bool, Failure> {
        let state = if is_live { self.name.live().to_owned() } else { self.name.building() };
        let body = json!({
            "aliases": {state: {}, self.name.of(generation): {}},
            "settings": {"index": {"refresh_interval": refresh_interval(is_live)}},
        });
        let path = format!("/{}", self.name.index(generation));
        match self.client.tell(Limit::MANAGE, Method::PUT, &path, body).await {
            Ok(()) => Ok(true),
            Err(failure) if failure.is_taken() => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Removes an index; one that is gone already is fine.
    async fn remove(&self, generation: Generation) -> Result<(), Failure> {
        let path = format!("/{}", self.name.index(generation));
        match self.client.tell(Limit::MANAGE, Method::DELETE, &path, Body::Nothing).await {
            Err(failure) if !failure.is_missing() => Err(failure),
            _ => Ok(()),
        }
    }

    async fn claimed(&self, live: Generation) -> Result<Claimed, Failure> {
        let found = self.get::<ClaimDocument>(Limit::READ, &self.name.of(live), CLAIM).await?;
        let claim = found.source.map(|document| document.claim);
        Ok(Claimed { version: claim.as_ref().and(found.version), claim: claim.unwrap_or_default() })
    }

    /// Replaces the claim; `false` when somebody else has done so.
    async fn claim(&self, live: Generation, old: &Claimed, new: &Claim) -> Result<bool, Failure> {
        let guard = match old.version {
            Some((number, term)) => format!("if_seq_no={number}&if_primary_term={term}"),
            None => "op_type=create".to_owned(),
        };
        let path = format!("/{}/_doc/{CLAIM}?{guard}&require_alias=true", self.name.of(live));
        let body = json!({"kind": "claim", "claim": {"last": new.last, "building": new.building}});
        match self.client.tell(Limit::WRITE, Method::PUT, &path, body).await {
            Ok(()) => Ok(true),
            // The live generation may have been replaced as well.
            Err(failure) if failure.is_taken() || failure.is_missing() => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    pub(crate) async fn begin(&self) -> Result<Generation, Error> {
        let failed = |failure: Failure| failure.while_("beginning a rebuild");
        self.put_template().await.map_err(failed)?;
        let mut claimed_since: Option<(u32, Instant)> = None;
        loop {
            let (listed, live) = self.ensured().await.map_err(failed)?;
            if let Some(building) = listed.building {
                return Err(Error::RebuildRunning(building));
            }
            let claimed = match self.claimed(live).await {
                Err(failure) if failure.is_missing() => continue,
                claimed => claimed.map_err(failed)?,
            };
            if let Some(building) = claimed.claim.building {
                // Either it is just being made, or whoever wanted to is gone.
                let since = claimed_since.filter(|(number, _)| *number == building);
                let (_, since) = *claimed_since.insert(since.unwrap_or((building, Instant::now())));
                if since.elapsed() < CLAIM_PATIENCE {
                    sleep(CLAIM_TICK).await;
                    continue;
                }
            }
            let number = listed.highest.max(claimed.claim.last) + 1;
            let claim = Claim { last: number, building: Some(number) };
            if !self.claim(live, &claimed, &claim).await.map_err(failed)? {
                continue;
            }
            for generation in &listed.given_up {
                self.remove(*generation).await.map_err(failed)?;
            }
            let generation = Generation(number);
            self.make(generation, false).await.map_err(failed)?;
            // Whoever was slow to make it may have lost the claim meanwhile.
            let is_ours = matches!(self.claimed(live).await, Ok(now) if now.claim.building == Some(number));
            if is_ours {
                return Ok(generation);
            }
            self.remove(generation).await.map_err(failed)?;
        }
    }

    /// Shows a generation to readers and removes the one that they saw, in one step. The alias that makes
    /// it a rebuild has to be there still, so that of those who promote or discard it one is first.
    pub(crate) async fn promoted(&self, generation: Generation) -> Result<Live, Error> {
        let failed = |failure: Failure| failure.while_("promoting a rebuild");
        let (listed, live) = self.ensured().await.map_err(failed)?;
        if listed.building != Some(generation) {
            return Err(Error::UnknownGeneration(generation));
        }
        let of_generation = |failure: Failure| {
            if failure.is_missing() { Error::UnknownGeneration(generation) } else { failed(failure) }
        };
        let alias = self.name.of(generation);
        let settings = json!({"index": {"refresh_interval": refresh_interval(true)}});
        let path = format!("/{alias}/_settings");
        self.client.tell(Limit::MANAGE, Method::PUT, &path, settings).await.map_err(of_generation)?;
        let path = format!("/{alias}/_refresh");
        self.client.tell(Limit::MANAGE, Method::POST, &path, Body::Nothing).await.map_err(of_generation)?;
        let index = self.name.index(generation);
        let actions = json!({"actions": [
            {"remove": {"index": index, "alias": self.name.building(), "must_exist": true}},
            {"add": {"index": index, "alias": self.name.live()}},
            {"remove_index": {"index": self.name.index(live)}},
        ]});
        self.client.tell(Limit::MANAGE, Method::POST, "/_aliases", actions).await.map_err(of_generation)?;
        self.live().await.map_err(failed)
    }

    pub(crate) async fn discarded(&self, generation: Generation) -> Result<(), Error> {
        let failed = |failure: Failure| failure.while_("giving a rebuild up");
        let (listed, live) = self.ensured().await.map_err(failed)?;
        if listed.building != Some(generation) {
            return Err(Error::UnknownGeneration(generation));
        }
        let actions = json!({"actions": [
            {"remove": {
                "index": self.name.index(generation), "alias": self.name.building(), "must_exist": true,
            }},
        ]});
        match self.client.tell(Limit::MANAGE, Method::POST, "/_aliases", actions).await {
            Ok(()) => {}
            Err(failure) if failure.is_missing() => return Err(Error::UnknownGeneration(generation)),
            Err(failure) => return Err(failed(failure)),
        }
        self.remove(generation).await.map_err(failed)?;
        // The claim would run out by itself; taken back, the next rebuild need not wait for that.
        let claimed = self.claimed(live).await.map_err(failed)?;
        if claimed.claim.building == Some(generation.0) {
            let free = Claim { last: claimed.claim.last, building: None };
            self.claim(live, &claimed, &free).await.map_err(failed)?;
        }
        Ok(())
    }
}
