//! Rules and notifications as they run: files are looked at, groups are evaluated in step with the clock, and
//! whoever has to be is told. What each of these does is told in its own module.

mod notifying;
mod ruling;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventsourcing::Clock;
use tokio::sync::{Notify, watch};

use crate::notify::delivery::Client;
use crate::notify::{self, Dispatcher, Forwarder, Notice};
use crate::query::Ports;
use crate::rules::file::Fault;
use crate::rules::{self, Reloaded, Rules};

/// What a service is made of.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Which rules there are.
    pub rules: rules::Configuration,
    /// Who is told.
    pub notifications: notify::Configuration,
    /// Alertmanagers elsewhere, such as `http://alertmanager:9093`.
    pub alertmanagers: Vec<String>,
    /// The file in which silences and what was told outlive the process; `None` keeps nothing.
    pub kept: Option<PathBuf>,
}

/// Something that whoever looks after the machine should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A rule file is not as it has to be, or cannot be read; what was last good in it holds on.
    RuleFile(Fault),
    /// What outlived another process could not be read; it begins without.
    NotRestored(String),
    /// What should outlive this process could not be written.
    NotKept(String),
    /// A notification did not arrive; it is tried again.
    NotDelivered {
        /// To whom.
        receiver: String,
        /// Why.
        reason: String,
    },
}

/// Is told what happens. Called from any thread; it must not block.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// See the module.
pub struct Service {
    rules: Rules,
    dispatcher: Mutex<Dispatcher>,
    forwarders: Vec<Forwarder>,
    kept: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    tell: Tell,
    /// The dispatcher may have something to do sooner than it said.
    wake: Notify,
    started_at_ms: i64,
}

impl Service {
    /// One that is not running yet. Reads the files of rules, and what outlived the process before.
    pub fn new(configuration: Configuration, ports: Ports, clock: Arc<dyn Clock>, tell: Tell) -> Self {
        let Configuration { rules, notifications, alertmanagers, kept } = configuration;
        let started_at_ms = clock.now().as_millisecond();
        let service = Self {
            rules: Rules::new(rules, ports),
            dispatcher: Mutex::new(Dispatcher::new(notifications)),
            forwarders: alertmanagers.iter().map(|url| Forwarder::new(url)).collect(),
            kept,
            clock,
            tell,
            wake: Notify::new(),
            started_at_ms,
        };
        service.restore();
        service.reload();
        service
    }

    /// The rules.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Alertmanagers elsewhere.
    pub fn forwarders(&self) -> &[Forwarder] {
        &self.forwarders
    }

    /// When it was made, milliseconds since the Unix epoch.
    pub const fn started_at_ms(&self) -> i64 {
        self.started_at_ms
    }

    /// What it takes for now, milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Reads something of the dispatcher, or changes it.
    pub fn with_dispatcher<T>(&self, work: impl FnOnce(&mut Dispatcher, i64) -> T) -> T {
        let now_ms = self.now_ms();
        let done = work(&mut self.dispatcher(), now_ms);
        self.wake.notify_one();
        done
    }

    fn dispatcher(&self) -> MutexGuard<'_, Dispatcher> {
        self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the files of rules now. Blocks. Gives what is wrong now that was not before.
    pub fn reload(&self) -> Reloaded {
        let reloaded = self.rules.reload(self.now_ms());
        reloaded.faults.iter().for_each(|fault| (self.tell)(Event::RuleFile(fault.clone())));
        reloaded
    }

    /// Runs until it is told to stop. What it remembers is on disk afterwards.
    pub async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let client = Client::new();
        let ruling = tokio::spawn(Arc::clone(&self).rule(stop.clone()));
        match client {
            Ok(client) => self.notify(client, stop).await,
            Err(error) => {
                let (receiver, reason) = ("all".to_owned(), format!("no certificates to trust: {error}"));
                (self.tell)(Event::NotDelivered { receiver, reason });
            }
        }
        // One that panicked is at its end as well.
        let _ = ruling.await;
    }

    /// Takes what rules have to say.
    fn noticed(&self, notices: Vec<Notice>) {
        self.forwarders.iter().for_each(|forwarder| forwarder.push(&notices));
        self.with_dispatcher(|dispatcher, now_ms| dispatcher.notice(notices, now_ms));
    }
}
