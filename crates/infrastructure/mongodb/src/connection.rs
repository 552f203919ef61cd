//! The connection to the engine: made when it is needed first, since a name may have to be resolved for it,
//! and every call bounded in time. What is asked is not known here.

use std::time::Duration;

use mongodb::options::{Acknowledgment, ClientOptions, Credential, WriteConcern};
use mongodb::{Client, Collection, Database};
use secrecy::ExposeSecret;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::Config;
use crate::failure::Failure;

/// How long a connection may take, and finding a server that answers: less than any call, so that what is
/// wrong is told and not only that it took too long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const SELECTION_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a write waits for a majority of the servers.
pub(crate) const MAJORITY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at most.
const POOL_SIZE: u32 = 64;

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) Duration);

impl Limit {
    /// For what somebody waits for.
    pub(crate) const READ: Self = Self(Duration::from_secs(5));
    /// For asking whether it is there at all.
    pub(crate) const PROBE: Self = Self(Duration::from_secs(4));
    /// For what changes documents.
    pub(crate) const WRITE: Self = Self(Duration::from_secs(30));
}

/// Speaks with one engine. What is set in the connection string holds; where it says nothing, this does.
pub(crate) struct Connection {
    config: Config,
    database: OnceCell<Database>,
}

impl Connection {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, database: OnceCell::new() }
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// The database. The driver connects by itself, and again after every loss.
    pub(crate) async fn database(&self) -> Result<&Database, Failure> {
        self.database
            .get_or_try_init(|| async {
                let resolved = ClientOptions::parse(self.config.uri.parsed().clone());
                let mut options = self.within(Limit::READ, resolved).await?;
                self.complete(&mut options);
                let name = options.default_database.clone().unwrap_or_else(|| self.config.database.clone());
                Ok(Client::with_options(options)?.database(&name))
            })
            .await
    }

    fn complete(&self, options: &mut ClientOptions) {
        options.app_name.get_or_insert_with(|| "highbeam".to_owned());
        options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
        options.server_selection_timeout.get_or_insert(SELECTION_TIMEOUT);
        options.max_pool_size.get_or_insert(POOL_SIZE);
        options.retry_writes.get_or_insert(true);
        options.retry_reads.get_or_insert(true);
        // A write that a majority has is there after any failover.
        let mut concern = options.write_concern.clone().unwrap_or_default();
        concern.w.get_or_insert(Acknowledgment::Majority);
        concern.w_timeout.get_or_insert(MAJORITY_TIMEOUT);
        options.write_concern = Some(concern);
        if let (None, Some((user, password))) = (&options.credential, &self.config.credential) {
            let (user, password) = (user.clone(), password.expose_secret().to_owned());
            options.credential = Some(Credential::builder().username(user).password(password).build());
        }
    }

    /// The write concern, for commands that are written out.
    pub(crate) async fn write_concern(&self) -> Result<Option<WriteConcern>, Failure> {
        Ok(self.database().await?.write_concern().cloned())
    }

    /// A collection whose name starts like all of them.
    pub(crate) async fn collection<T: Send + Sync>(&self, suffix: &str) -> Result<Collection<T>, Failure> {
        Ok(self.database().await?.collection(&format!("{}.{suffix}", self.config.name)))
    }

    /// Bounds a call.
    pub(crate) async fn within<V>(
        &self,
        limit: Limit,
        call: impl IntoFuture<Output = mongodb::error::Result<V>>,
    ) -> Result<V, Failure> {
        match timeout(limit.0, call.into_future()).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(self.late(limit)),
        }
    }

    pub(crate) fn late(&self, limit: Limit) -> Failure {
        Failure::Late { address: self.config.uri.to_string(), limit_ms: limit.0.as_millis() }
    }
}
