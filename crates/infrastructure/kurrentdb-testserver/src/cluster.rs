//! A cluster: nodes with one log, of which one leads. A single server is a cluster of one.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventsourcing::Clock;
use kurrentdb::protocol::{ClusterInfo, EndPoint, MemberInfo, NodeState, Uuid};

use crate::log::{Expected, Log};
use crate::node::Node;

/// What the servers are like.
#[derive(Clone)]
pub struct Options {
    /// How many nodes; the first leads.
    pub nodes: usize,
    /// The port of the first node, those of the others follow it; 0 for free ones.
    pub port: u16,
    /// Certificate and key; without them, plain text.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Who alone may call, over TLS; without TLS nobody is asked, as in the genuine server.
    pub user: Option<(String, String)>,
    /// The most bytes of an append; the genuine server's default is 1 MiB.
    pub append_bytes_max: usize,
    /// Whether the engine writes events of its own between those of its users.
    pub has_statistics: bool,
    /// Whether reads of streams tell positions, which they do since version 22.6.
    pub tells_stream_positions: bool,
    /// What tells when events are recorded.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 1,
            port: 0,
            tls: None,
            user: None,
            append_bytes_max: 1024 * 1024,
            has_statistics: true,
            tells_stream_positions: true,
            clock: Arc::new(eventsourcing::clock::System),
        }
    }
}

/// Servers that run until it is dropped.
pub struct Cluster {
    nodes: Vec<Node>,
    shared: Arc<Shared>,
}

/// What all nodes know.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) log: Log,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    members: Vec<Member>,
    leader: Option<usize>,
}

struct Member {
    id: uuid::Uuid,
    port: u16,
    is_alive: bool,
}

/// The host of every node.
pub(crate) const HOST: &str = "127.0.0.1";

impl Cluster {
    /// Starts the servers, on the loopback address.
    ///
    /// # Errors
    /// When a port cannot be listened on.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(options: Options) -> io::Result<Self> {
        let log = Log::new(Arc::clone(&options.clock), options.has_statistics);
        let shared = Arc::new(Shared { log, state: Mutex::default(), options });
        let mut nodes = Vec::new();
        for index in 0..shared.options.nodes.max(1) {
            let offset = u16::try_from(index).unwrap_or(u16::MAX);
            let port = if shared.options.port == 0 { 0 } else { shared.options.port.saturating_add(offset) };
            let node = Node::start(Arc::clone(&shared), index, port)?;
            shared.state().members.push(Member { id: uuid::Uuid::new_v4(), port: node.port(), is_alive: true });
            nodes.push(node);
        }
        shared.state().leader = Some(0);
        Ok(Self { nodes, shared })
    }

    /// A node, by its number.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// A connection string for all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let ports = self.nodes.iter().map(Node::port).collect::<Vec<_>>();
        let hosts: Vec<_> = ports.iter().map(|port| format!("{HOST}:{port}")).collect();
        let tls = if self.shared.options.tls.is_some() { "true" } else { "false" };
        format!("kurrentdb://{}?tls={tls}", hosts.join(","))
    }

    /// Lets a node lead from now on, or none.
    pub fn elect(&self, leader: Option<usize>) {
        self.shared.state().leader = leader;
    }

    /// Deletes a stream for good, as an administrator may.
    pub fn tombstone(&self, stream: &str) {
        // One that was deleted before is as deleted as it can be.
        let _ = self.shared.log.delete(stream, Expected::Any, true);
    }

    /// Stops a node: its connections break, and its port refuses new ones.
    pub fn stop(&self, index: usize) {
        self.node(index).stop();
        self.shared.set_alive(index, false);
    }

    /// Starts a node again that was stopped, where it was.
    ///
    /// # Errors
    /// When its port has been taken meanwhile.
    pub fn restart(&self, index: usize) -> io::Result<()> {
        self.node(index).listen()?;
        self.shared.set_alive(index, true);
        Ok(())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_alive(&self, index: usize, is_alive: bool) {
        if let Some(member) = self.state().members.get_mut(index) {
            member.is_alive = is_alive;
        }
    }

    pub(crate) fn leads(&self, index: usize) -> bool {
        self.state().leader == Some(index)
    }

    /// The leader's port.
    pub(crate) fn leader_port(&self) -> Option<u16> {
        let state = self.state();
        state.leader.and_then(|leader| state.members.get(leader)).map(|member| member.port)
    }

    pub(crate) fn gossip(&self) -> ClusterInfo {
        let state = self.state();
        let member = |(index, member): (usize, &Member)| MemberInfo {
            instance_id: Some(Uuid::string(member.id)),
            time_stamp: 0,
            state: match state.leader {
                Some(leader) if leader == index => NodeState::Leader,
                Some(_) => NodeState::Follower,
                None => NodeState::Unknown,
            }
            .into(),
            is_alive: member.is_alive,
            http_end_point: Some(EndPoint { address: HOST.to_owned(), port: u32::from(member.port) }),
        };
        ClusterInfo { members: state.members.iter().enumerate().map(member).collect() }
    }
}
