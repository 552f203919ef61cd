//! Looks at an engine without changing anything: for somebody who wants to know why a start would fail.

use delivery::repository::Error;
use hyper::Method;
use serde::Deserialize;

use crate::transport::{Body, Limit};
use crate::{Config, OpenError, OrderSearch};

/// Why the search cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// See [`OpenError`].
    #[error("it cannot be asked")]
    Open(#[from] OpenError),
    /// It does not answer, or not well.
    #[error("it does not do what is asked")]
    Engine(#[from] Error),
    /// Some of its data cannot be reached.
    #[error("cluster {0} is red: some of its shards are not there; GET /_cluster/allocation/explain says why")]
    Red(String),
}

#[derive(Deserialize)]
struct Health {
    cluster_name: String,
    status: String,
}

/// What there is, in a line.
///
/// # Errors
/// When a start would not get any further.
pub async fn check(config: &Config) -> Result<String, CheckError> {
    let search = OrderSearch::open(config)?;
    let health: Health = search
        .client
        .ask(Limit::PROBE, Method::GET, "/_cluster/health?timeout=1s", Body::Nothing)
        .await
        .map_err(|failure| failure.while_("telling its health"))?;
    if health.status == "red" {
        return Err(CheckError::Red(health.cluster_name));
    }
    let listed = search.listed().await.map_err(|failure| failure.while_("listing generations"))?;
    let name = &config.name;
    let found = match listed.live {
        Some(live) => format!("{name} is {}", name.index(live)),
        None => format!("{name} does not exist yet and will be created"),
    };
    Ok(format!("{} answers, cluster {} is {}; {found}", config.address, health.cluster_name, health.status))
}
