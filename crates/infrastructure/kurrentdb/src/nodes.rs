//! Which node to ask. A single server is asked directly; of a cluster, its members are asked who leads.
//! What was found is kept until a call fails on it.

mod gossip;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use tonic::transport::Channel;

use crate::failure::{Failure, Kind};
use crate::protocol::ClusterInfo;
use crate::rpc::{Caller, Headers};
use crate::settings::{Address, HOSTS_MAX, NodePreference, Settings};
use crate::transport::Transport;

/// What a node is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Writes, and reads of what was just written.
    Lead,
    /// Subscriptions, by the preference of the connection string.
    Feed,
}

/// A node to ask.
#[derive(Clone)]
pub(crate) struct Node {
    channel: Channel,
    /// Tells one finding from the next.
    generation: u64,
}

/// The nodes of a server or of a cluster.
pub(crate) struct Nodes {
    settings: Settings,
    transport: Transport,
    headers: Headers,
    lead: Slot,
    feed: Slot,
}

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    /// Held by the one that looks for a node; the others take what it finds.
    search: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    node: Option<Node>,
    generation: u64,
    address: Option<Address>,
    /// Where the next node is, as the last one said.
    hint: Option<Address>,
    /// On which node a call failed last.
    failed: Option<Address>,
    /// Who was in the cluster when it was last asked.
    members: BTreeSet<Address>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes {
    pub(crate) fn new(settings: Settings, transport: Transport) -> Self {
        let headers = Headers::new(&settings);
        Self { settings, transport, headers, lead: Slot::default(), feed: Slot::default() }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The node to ask, found first if need be.
    pub(crate) async fn find(&self, role: Role) -> Result<Node, Failure> {
        let slot = self.slot(role);
        if let Some(node) = slot.state().node.clone() {
            return Ok(node);
        }
        let _search = slot.search.lock().await;
        if let Some(node) = slot.state().node.clone() {
            return Ok(node);
        }
        let hint = slot.state().hint.take();
        let address = match hint {
            Some(address) => address,
            None if self.settings.is_cluster() => self.discover(role, slot).await?,
            None => self.first_host()?,
        };
        let channel = self.channel(&address)?;
        let mut state = slot.state();
        state.generation += 1;
        state.address = Some(address);
        let node = Node { channel, generation: state.generation };
        state.node = Some(node.clone());
        Ok(node)
    }

    /// Forgets a node on which a call failed, unless another was found since. `leader` is where to go
    /// instead, if that was said.
    pub(crate) fn discard(&self, role: Role, node: &Node, leader: Option<Address>) {
        let mut state = self.slot(role).state();
        if state.generation == node.generation && state.node.is_some() {
            state.node = None;
            state.failed = state.address.take();
            state.hint = leader.filter(|leader| Some(leader) != state.failed.as_ref());
        }
    }

    pub(crate) fn caller(&self, node: &Node, role: Role, timeout: Duration) -> Caller {
        let requires_leader = role == Role::Lead || self.settings.node_preference == NodePreference::Leader;
        Caller::new(node.channel.clone(), self.headers.clone(), requires_leader, timeout)
    }

    fn slot(&self, role: Role) -> &Slot {
        match role {
            Role::Feed if self.settings.node_preference != NodePreference::Leader => &self.feed,
            Role::Lead | Role::Feed => &self.lead,
        }
    }

    fn preference(&self, role: Role) -> NodePreference {
        match role {
            Role::Lead => NodePreference::Leader,
            Role::Feed => self.settings.node_preference,
        }
    }

    fn first_host(&self) -> Result<Address, Failure> {
        let first = self.settings.hosts.first().cloned();
        first.ok_or_else(|| Failure::new(Kind::Refused, "the connection string names no host"))
    }

    fn channel(&self, address: &Address) -> Result<Channel, Failure> {
        self.transport.channel(address).map_err(|words| Failure::new(Kind::Broken, words))
    }

    /// Asks the members known and the seeds, until one names a node that will do.
    async fn discover(&self, role: Role, slot: &Slot) -> Result<Address, Failure> {
        let preference = self.preference(role);
        let mut last = None;
        for attempt in 0..self.settings.discover_attempts_max {
            if attempt > 0 {
                tokio::time::sleep(self.settings.discovery_interval).await;
            }
            let (candidates, failed) = {
                let state = slot.state();
                (state.members.clone(), state.failed.clone())
            };
            match self.ask(candidates, preference, failed.as_ref()).await {
                Ok((address, members)) => {
                    slot.state().members = members;
                    return Ok(address);
                }
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| Failure::new(Kind::NotLeader(None), "nobody was asked")))
    }

    /// All at once: a node that is down must not cost those who wait its whole timeout.
    async fn ask(
        &self,
        mut candidates: BTreeSet<Address>,
        preference: NodePreference,
        failed: Option<&Address>,
    ) -> Result<(Address, BTreeSet<Address>), Failure> {
        candidates.extend(self.seeds().await?);
        let questions = FuturesUnordered::new();
        for address in candidates.into_iter().take(2 * HOSTS_MAX) {
            questions.push(self.gossip(address));
        }
        gossip::first(questions, |info| gossip::choose(info, preference, failed, rand::random())).await
    }

    async fn gossip(&self, address: Address) -> Result<ClusterInfo, Failure> {
        let timeout = self.settings.gossip_timeout;
        let caller = Caller::new(self.channel(&address)?, self.headers.clone(), false, timeout);
        let answer = tokio::time::timeout(timeout, caller.gossip()).await;
        answer.unwrap_or_else(|_| Err(Failure::new(Kind::TimedOut, format!("no gossip within {timeout:?}"))))
    }

    async fn seeds(&self) -> Result<Vec<Address>, Failure> {
        if !self.settings.discovers {
            return Ok(self.settings.hosts.clone());
        }
        let host = self.first_host()?;
        let resolved = tokio::net::lookup_host((host.host.as_str(), host.port)).await;
        let resolved =
            resolved.map_err(|error| Failure::new(Kind::Broken, format!("{}: {error}", host.authority())))?;
        // The certificate is the name's, not the address's.
        let certificate_name = host.host.parse::<std::net::IpAddr>().is_err().then(|| host.host.clone());
        let of_ip = |address: std::net::SocketAddr| Address {
            certificate_name: certificate_name.clone(),
            ..Address::new(address.ip().to_string(), address.port())
        };
        Ok(resolved.take(HOSTS_MAX).map(of_ip).collect())
    }
}
