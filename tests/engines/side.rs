//! A side of the read model on an engine of its own, which a variable of the environment names: how the
//! program is told, how readers see it, and how what it left is removed.

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
    /// A read that nobody else can answer; its query is open for more.
    pub(crate) read: &'static str,
    /// Names the engine to the program.
    setting: &'static str,
    /// Names the checkpoint, and with it everything that the program makes there.
    name_setting: &'static str,
    name: String,
    url: String,
}

impl Side {
    /// The search on Elasticsearch; `None`, with a word about it, where there is none.
    pub(crate) fn elasticsearch() -> Option<Self> {
        Some(Self {
            part: "search",
            projection: "search",
            engine: "search",
            read: "/api/orders/search?search=green+te",
            setting: "ELASTIC_URL",
            name_setting: "SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME",
            name: format!("test-{}", Uuid::new_v4()),
            url: url("TEST_ELASTICSEARCH_URL")?,
        })
    }

    /// What the program is told.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        vec![(self.setting, &self.url), (self.name_setting, &self.name)]
    }

    /// The same side behind a proxy; `None` where that cannot be: a certificate is for another name.
    pub(crate) fn behind(&self, start: impl FnOnce(&str) -> Proxy) -> Option<(Proxy, Self)> {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        if scheme != "http" {
            contract_tests::skip::want("a proxy can be put before an engine without TLS only");
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let proxy = start(hosts);
        let at = if user.is_empty() { "" } else { "@" };
        let url = format!("{scheme}://{user}{at}{}{path}", proxy.address());
        Some((proxy, Self { name: self.name.clone(), url, ..*self }))
    }

    /// Removes what the program has made there.
    pub(crate) fn clear(&self) {
        let base = self.url.trim_end_matches('/');
        let agent = agent();
        let name = format!("orders-{}", self.name);
        let found = agent.get(format!("{base}/{name}.v*/_alias")).call().unwrap().into_body().read_to_string().unwrap();
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        for index in found.as_object().into_iter().flat_map(|found| found.keys()) {
            agent.delete(format!("{base}/{index}")).call().unwrap();
        }
        agent.delete(format!("{base}/_index_template/{name}")).call().unwrap();
    }
}

fn url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        contract_tests::skip::want(&format!("{variable} does not name an engine"));
    }
    url
}
