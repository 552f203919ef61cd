//! A target: where it is, and what its series are labelled with. How it is scraped is not known here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use console_model::{Labels, Text};
use hyper::Uri;

use super::{Endpoint, InProcess, Job};

/// What is scraped.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Http(Uri),
    InProcess(InProcess),
}

#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) job: Text,
    pub(super) url: String,
    pub(super) place: Place,
    pub(super) labels: Labels,
    pub(super) discovered: Labels,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

impl Target {
    /// What makes it the same target when a file is read again.
    pub(super) fn key(&self) -> String {
        format!("{}\n{}", self.url, self.labels.packed())
    }

    /// When it is scraped within its interval, so that targets are spread over it, and each is scraped at the
    /// same phase whenever the process starts. Nanoseconds.
    pub(super) fn phase_ns(&self) -> u64 {
        // FNV-1a: stable between versions of the standard library.
        let hash = self
            .key()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        hash % u64::try_from(self.interval.as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}

/// The target in this process.
pub(super) fn in_process(job: &Job, place: &InProcess) -> Arc<Target> {
    let url = format!("in-process:{}", place.instance);
    let discovered = BTreeMap::from([("__address__".to_owned(), place.instance.clone())]);
    build(job, url, &place.instance, &place.labels, discovered, Place::InProcess(place.clone()))
}

/// The target at this place, or what is wrong with it. Labels may say more of the place, as they do in
/// `file_sd`: `__scheme__`, `__metrics_path__`, `__param_…`.
pub(super) fn over_http(job: &Job, endpoint: &Endpoint) -> Result<Arc<Target>, String> {
    let example = "http://localhost:9100/metrics";
    let wrong = |what: &str| format!("the target {:?} of the job {:?} {what}, as in {example}", endpoint.url, job.name);
    let text = endpoint.url.trim();
    let has_scheme = text.contains("://");
    let label = |name: &str| endpoint.labels.get(name).map(String::as_str);
    let scheme = if has_scheme { "" } else { label("__scheme__").unwrap_or("http") };
    let uri: Uri = if has_scheme { text.to_owned() } else { format!("{scheme}://{text}") }
        .parse()
        .map_err(|error| wrong(&format!("is no URL ({error}): it has to be one")))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(wrong("is to be reached over https, which is not spoken here: it has to be http")),
        _ => return Err(wrong("is no URL of http: it has to be one")),
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.is_empty() || authority.contains('@') {
        return Err(wrong("has to name a host, and no user"));
    }
    let behind_host = authority.rsplit_once(']').map_or(authority, |(_, port)| port);
    if behind_host.contains(':') && uri.port_u16().is_none() {
        return Err(wrong("has a port that is no number"));
    }
    let after_authority = text.split_once("://").map_or(text, |(_, rest)| rest).contains('/');
    let path = if after_authority { uri.path() } else { label("__metrics_path__").unwrap_or("/metrics") };
    let mut query = uri.query().unwrap_or_default().to_owned();
    for (name, value) in
        endpoint.labels.iter().filter_map(|(name, value)| Some((name.strip_prefix("__param_")?, value)))
    {
        let and = if query.is_empty() { "" } else { "&" };
        query.push_str(&format!("{and}{}={}", encode(name), encode(value)));
    }
    let question = if query.is_empty() { "" } else { "?" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let url = format!("http://{authority}{slash}{path}{question}{query}");
    let uri: Uri = url.parse().map_err(|error| wrong(&format!("is no URL ({error}): it has to be one")))?;
    let discovered = BTreeMap::from([
        ("__address__".to_owned(), authority.to_owned()),
        ("__scheme__".to_owned(), "http".to_owned()),
        ("__metrics_path__".to_owned(), path.to_owned()),
    ]);
    Ok(build(job, url, authority, &endpoint.labels, discovered, Place::Http(uri)))
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

fn build(
    job: &Job,
    url: String,
    instance: &str,
    own: &BTreeMap<String, String>,
    mut discovered: BTreeMap<String, String>,
    place: Place,
) -> Arc<Target> {
    discovered.insert("job".to_owned(), job.name.clone());
    discovered.insert("__scrape_interval__".to_owned(), format!("{}ms", job.interval.as_millis()));
    discovered.insert("__scrape_timeout__".to_owned(), format!("{}ms", job.timeout.as_millis()));
    discovered.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
    // Later ones hold, so a target may name its own job and instance.
    let defaults = [("job", job.name.as_str()), ("instance", instance)];
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let own = own.filter(|(name, value)| !name.starts_with("__") && !value.is_empty());
    let labels = Labels::from_pairs(defaults.into_iter().chain(own));
    Arc::new(Target {
        job: job.name.as_str().into(),
        url,
        place,
        labels,
        discovered: Labels::from_pairs(discovered.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        interval: job.interval,
        timeout: job.timeout.min(job.interval),
    })
}
