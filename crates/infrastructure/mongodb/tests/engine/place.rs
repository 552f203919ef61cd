//! A name of its own for each test on the engine of TEST_MONGODB_URL, and the driver to look behind the
//! adapter with.

use std::sync::Arc;

use mongodb::{Client, Database};
use mongodb_adapter::{Config, OrderReadModel, Uri};
use uuid::Uuid;

const VARIABLE: &str = "TEST_MONGODB_URL";
/// The database of tests, where the URL names none.
const DATABASE: &str = "highbeam-test";
/// FerretDB 1 hangs on a command with a hundred statements.
const STATEMENTS_MAX: usize = 50;

/// Where a test keeps its collections. They are removed when it ends.
pub(crate) struct Place {
    pub(crate) config: Config,
    url: Option<String>,
}

pub(crate) fn place() -> Place {
    let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        contract_tests::skip::want(&format!("{VARIABLE} does not name an engine"));
    }
    let uri = Uri::parse(url.as_deref().unwrap_or("mongodb://none.invalid"));
    let config = Config {
        uri: uri.unwrap_or_else(|error| panic!("{VARIABLE} {error}")),
        credential: None,
        database: DATABASE.to_owned(),
        name: format!("test-{}", Uuid::new_v4().simple()),
        statements_max: STATEMENTS_MAX,
    };
    Place { config, url }
}

pub(crate) async fn open(place: &Place) -> Arc<OrderReadModel> {
    Arc::new(OrderReadModel::open(place.config.clone()))
}

impl Place {
    pub(crate) async fn database(&self) -> Database {
        database(self.url.as_deref().unwrap()).await
    }
}

async fn database(url: &str) -> Database {
    let client = Client::with_uri_str(url).await.unwrap();
    client.default_database().unwrap_or_else(|| client.database(DATABASE))
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(url) = self.url.clone() else { return };
        let prefix = format!("{}.", self.config.name);
        // A test's own runtime does not let anybody wait in a destructor.
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let database = database(&url).await;
                let names = database.list_collection_names().await.unwrap_or_default();
                for name in names.iter().filter(|name| name.starts_with(&prefix)) {
                    let _ = database.collection::<mongodb::bson::Document>(name).drop().await;
                }
            });
        });
        // What is left behind does the next test no harm.
        let _ = clean.join();
    }
}
