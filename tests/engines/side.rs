//! A side of the read model on an engine of its own, which a variable of the environment names: how the
//! program is told, how readers see it, and how what it left is removed.

use std::time::Duration;

use contract_tests::chaos::Proxy;
use uuid::Uuid;

use crate::support::agent;

/// A side, as a test needs it.
pub(crate) struct Side {
    /// In `/readyz`.
    pub(crate) part: &'static str,
    /// In `/admin/projections`.
    pub(crate) projection: &'static str,
    /// What the doctor calls it.
    pub(crate) engine: &'static str,
    /// In metrics.
    backend: &'static str,
    /// A read that nobody else can answer; its query is open for more.
    pub(crate) read: &'static str,
    /// Between two orders of a client, on an engine that is that slow.
    pub(crate) pause: Duration,
    /// Names the engine to the program.
    setting: &'static str,
    /// Names the checkpoint, and with it everything that the program makes there.
    name_setting: &'static str,
    name: String,
    url: String,
    /// Further settings.
    more: &'static [(&'static str, &'static str)],
    clear: fn(&str, &str),
}

impl Side {
    /// The search on Elasticsearch; `None`, with a word about it, where there is none.
    pub(crate) fn elasticsearch() -> Option<Self> {
        Some(Self {
            part: "search",
            projection: "search",
            engine: "search",
            backend: "elasticsearch",
            read: "/api/orders/search?search=green+te",
            pause: Duration::from_millis(25),
            setting: "ELASTIC_URL",
            name_setting: "SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME",
            name: format!("test-{}", Uuid::new_v4()),
            url: url("TEST_ELASTICSEARCH_URL")?,
            more: &[],
            clear: clear_elasticsearch,
        })
    }

    /// The read model on MongoDB; `None`, with a word about it, where there is none.
    pub(crate) fn mongodb() -> Option<Self> {
        Some(Self {
            part: "read model",
            projection: "orders",
            engine: "read model",
            backend: "mongodb",
            read: "/api/orders?limit=3",
            // FerretDB 1 reads every order for each that it writes.
            pause: Duration::from_millis(400),
            setting: "MONGO_URI",
            name_setting: "SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME",
            name: format!("test-{}", Uuid::new_v4().simple()),
            url: url("TEST_MONGODB_URL")?,
            // FerretDB 1 hangs on a command with a hundred of them.
            more: &[("MONGO_BATCH_SIZE", "50")],
            clear: clear_mongodb,
        })
    }

    /// What the program is told.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        [&[(self.setting, self.url.as_str()), (self.name_setting, self.name.as_str())], self.more].concat()
    }

    /// The same side behind a proxy; `None` where that cannot be: a certificate is for another name.
    pub(crate) fn behind(&self, start: impl FnOnce(&str) -> Proxy) -> Option<(Proxy, Self)> {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        if !matches!(scheme, "http" | "mongodb") || path.contains("tls=true") || hosts.contains(',') {
            contract_tests::skip::want("a proxy can be put before one server without TLS only");
            return None;
        }
        let proxy = start(hosts);
        let at = if user.is_empty() { "" } else { "@" };
        let url = format!("{scheme}://{user}{at}{}{path}", proxy.address());
        Some((proxy, Self { name: self.name.clone(), url, ..*self }))
    }

    /// Calls to the engine that did not go well, by what `/metrics` says.
    pub(crate) fn failures(&self, metrics: &str) -> u64 {
        let backend = format!("backend=\"{}\"", self.backend);
        let calls = metrics.lines().filter(|line| line.starts_with("readmodel_operation_duration_seconds_count{"));
        let failed = calls.filter(|line| line.contains(&backend) && !line.contains("outcome=\"ok\""));
        failed.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// Removes what the program has made there.
    pub(crate) fn clear(&self) {
        (self.clear)(&self.url, &format!("orders-{}", self.name));
    }
}

fn clear_elasticsearch(url: &str, name: &str) {
    let base = url.trim_end_matches('/');
    let agent = agent();
    let found = agent.get(format!("{base}/{name}.v*/_alias")).call().unwrap().into_body().read_to_string().unwrap();
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    for index in found.as_object().into_iter().flat_map(|found| found.keys()) {
        agent.delete(format!("{base}/{index}")).call().unwrap();
    }
    agent.delete(format!("{base}/_index_template/{name}")).call().unwrap();
}

fn clear_mongodb(url: &str, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = mongodb::Client::with_uri_str(url).await.unwrap();
        let database = client.default_database().unwrap_or_else(|| client.database("delivery"));
        for collection in database.list_collection_names().await.unwrap() {
            if collection.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')) {
                database.collection::<mongodb::bson::Document>(&collection).drop().await.unwrap();
            }
        }
    });
}

fn url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        contract_tests::skip::want(&format!("{variable} does not name an engine"));
    }
    url
}
