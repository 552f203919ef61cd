//! The tables beside the manifests: edges, what is external, what is not pinned, which faults are meant, who may do what. Reads them, and judges
//! nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// All of them.
#[derive(Default)]
pub struct Tables {
    pub edges: Edges,
    pub external: Vec<External>,
    pub unpinned: Vec<Unpinned>,
    pub digests: Vec<Digest>,
    pub exceptions: Vec<Exception>,
    pub charts: Vec<PinnedByVersion>,
    pub matrix: Vec<Question>,
}

/// `edges.yaml`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edges {
    pub peers: BTreeMap<String, Peer>,
    pub everyone: Vec<Everyone>,
    /// Who may ask every pod, and on which ports. What listens there is beside the pod's own containers.
    #[serde(default)]
    pub asked: Vec<Asked>,
    pub edges: Vec<Edge>,
}

impl Edges {
    /// The peer that has exactly these labels, in that namespace.
    pub fn known(&self, namespace: &str, labels: &[(String, String)]) -> Option<&String> {
        let same = |known: &BTreeMap<String, String>| {
            !known.is_empty()
                && known
                    .iter()
                    .map(|(k, v)| (k.as_str(), v.as_str()))
                    .eq(labels.iter().map(|(k, v)| (k.as_str(), v.as_str())))
        };
        self.peers.iter().find(|(_, peer)| peer.namespace == namespace && same(&peer.labels)).map(|(name, _)| name)
    }
}

/// Somebody who is not of this tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Peer {
    #[serde(default)]
    pub namespace: String,
    /// Empty for those whom no label selects.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Whether NetworkPolicies of this tree are about it, too.
    #[serde(default)]
    pub policies: bool,
    #[serde(default)]
    pub service_account: Option<String>,
}

/// What every pod may ask.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Everyone {
    pub to: String,
    pub ports: Vec<String>,
}

/// Who may ask every pod.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub from: String,
    pub ports: Vec<String>,
}

/// One line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub port: u16,
    /// Whether it is there only where its source is: of a component that not every overlay has.
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub setting: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalFile {
    external: Vec<External>,
}

/// What is referred to and brought by somebody else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub namespace: String,
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub ports: Vec<u16>,
    pub by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinsFile {
    unpinned: Vec<Unpinned>,
    charts: Vec<PinnedByVersion>,
    digests: Vec<Digest>,
}

/// An image that only a tag pins, in prod.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpinned {
    pub image: String,
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionsFile {
    exceptions: Vec<Exception>,
}

/// A fault of a workload that is meant to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// As findings begin: `KIND NAMESPACE/NAME`.
    pub workload: String,
    /// As findings end.
    pub faults: Vec<String>,
    pub why: String,
}

/// A chart that a version pins and no digest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedByVersion {
    pub release: String,
    pub why: String,
}

/// Where a digest comes from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    pub image: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the table")]
    pub platform: Option<String>,
    pub seen_in: String,
}

/// A question of who may do what, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    pub group: String,
    pub verb: String,
    /// `RESOURCE[.GROUP][/SUBRESOURCE]`.
    pub resource: String,
    /// Empty for what has no namespace.
    pub namespace: String,
    pub allowed: bool,
}

impl Tables {
    /// Reads those of a folder; the error names the file.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let pins: PinsFile = yaml(folder, "pins.yaml")?;
        let external: ExternalFile = yaml(folder, "external.yaml")?;
        let exceptions: ExceptionsFile = yaml(folder, "exceptions.yaml")?;
        let matrix = text(folder, "access.tsv")?;
        Ok(Self {
            edges: yaml(folder, "edges.yaml")?,
            external: external.external,
            unpinned: pins.unpinned,
            digests: pins.digests,
            charts: pins.charts,
            exceptions: exceptions.exceptions,
            matrix: questions(&matrix).map_err(|reason| format!("access.tsv: {reason}"))?,
        })
    }
}

fn text(folder: &Path, file: &str) -> Result<String, String> {
    std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file} cannot be read: {error}"))
}

fn yaml<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<T, String> {
    serde_saphyr::from_str(&text(folder, file)?).map_err(|error| format!("{file}: {error}"))
}

/// Lines of `group verb resource namespace allow|deny`, words by white space; `-` is no namespace, `#` begins a comment.
pub fn questions(text: &str) -> Result<Vec<Question>, String> {
    let lines = text.lines().map(str::trim).enumerate();
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(question).collect()
}

fn question((index, line): (usize, &str)) -> Result<Question, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [group, verb, resource, namespace, answer @ ("allow" | "deny")] = words[..] else {
        return Err(format!(
            "line {}: has to be GROUP VERB RESOURCE NAMESPACE allow|deny, as in `sre get pods prod allow`",
            index + 1
        ));
    };
    let namespace = if namespace == "-" { "" } else { namespace };
    let [group, verb, resource, namespace] = [group, verb, resource, namespace].map(str::to_owned);
    Ok(Question { group, verb, resource, namespace, allowed: answer == "allow" })
}
