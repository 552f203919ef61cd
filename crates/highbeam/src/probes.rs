//! What readiness asks: each engine that the role uses, and each projection that it runs.

use std::sync::Arc;

use api::health::{Health, Level, Probe};
use async_trait::async_trait;
use delivery::repository::{self, OrderReadModel, OrderSearch};
use eventsourcing::{EventStore, store};
use projector::{Projector, RunState};

use crate::roles::Role;
use crate::wiring::Ports;

/// The probes of a role.
#[must_use]
pub(crate) fn all(role: Role, ports: &Ports, projectors: &[Projector]) -> Vec<Arc<dyn Probe>> {
    let mut probes: Vec<Arc<dyn Probe>> = vec![Arc::new(Events(Arc::clone(&ports.events)))];
    if role.serves_orders() || role.projects_orders() {
        probes.push(Arc::new(Orders(Arc::clone(&ports.orders))));
    }
    if role.serves_orders() || role.projects_search() {
        probes.push(Arc::new(Search(Arc::clone(&ports.search))));
    }
    probes.extend(projectors.iter().map(|projector| Arc::new(Projection(projector.clone())) as _));
    probes
}

struct Events(Arc<dyn EventStore>);

#[async_trait]
impl Probe for Events {
    fn name(&self) -> &'static str {
        "event store"
    }

    async fn check(&self) -> Health {
        match self.0.ping().await {
            Ok(()) => Health::plain(Level::Up),
            Err(store::Error::Corrupt { .. }) => Health::because(Level::Down, "damaged"),
            Err(_) => Health::because(Level::Down, "unavailable"),
        }
    }
}

struct Orders(Arc<dyn OrderReadModel>);

#[async_trait]
impl Probe for Orders {
    fn name(&self) -> &'static str {
        "read model"
    }

    async fn check(&self) -> Health {
        health(self.0.ping().await)
    }
}

struct Search(Arc<dyn OrderSearch>);

#[async_trait]
impl Probe for Search {
    fn name(&self) -> &'static str {
        "search"
    }

    async fn check(&self) -> Health {
        health(self.0.ping().await)
    }
}

fn health(answer: Result<(), repository::Error>) -> Health {
    match answer {
        Ok(()) => Health::plain(Level::Up),
        Err(repository::Error::Corrupt { .. }) => Health::because(Level::Down, "damaged"),
        Err(_) => Health::because(Level::Down, "unavailable"),
    }
}

/// A projection that is behind or has parked events degrades: reads go on, somebody should look.
struct Projection(Projector);

#[async_trait]
impl Probe for Projection {
    fn name(&self) -> &'static str {
        match self.0.name() {
            "orders" => "orders projection",
            _ => "search projection",
        }
    }

    async fn check(&self) -> Health {
        let health = self.0.health();
        if health.state == RunState::Stopped {
            return Health::because(Level::Down, "stopped");
        }
        let Ok(status) = self.0.status().await else {
            return Health::because(Level::Degraded, "its state cannot be read");
        };
        let parked = status.generations.iter().map(|generation| generation.parked).sum();
        let (level, detail) = match () {
            () if health.state == RunState::BackingOff => (Level::Degraded, Some("failed and starts over".to_owned())),
            () if parked > 0 => (Level::Degraded, Some("events are parked".to_owned())),
            () => (Level::Up, None),
        };
        Health {
            status: level,
            detail,
            lag_events: Some(status.lag.events),
            lag_seconds: Some(status.lag.seconds),
            parked_events: Some(parked),
        }
    }
}
