//! Who talks to whom is the same in four places: the table, NetworkPolicies in both directions, AuthorizationPolicies,
//! and the settings of the containers that open the connections.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Given;
use super::bundle::{Bundle, Object};
use super::settings::{environment, is_ours};
use super::tables::{Edges, Tables};
use super::values::{at, labels, list, scalar, text, texts};
use crate::Findings;

/// What stands for the name of a workload in selectors.
const NAME: &str = "app.kubernetes.io/name";
/// The policy that lets everybody ask for names and for the mesh's configuration.
pub const EVERYONE: &str = "everyone";

/// From, to, port.
type Edge = (String, String, String);

pub fn check(given: &Given<'_>) -> Findings {
    let Given { bundle, tables, .. } = given;
    let edges = &tables.edges;
    let there = |edge: &&super::tables::Edge| !edge.optional || bundle.workloads().any(|made| made.name() == edge.from);
    let lines = edges.edges.iter().filter(there);
    let table: BTreeSet<Edge> = lines.map(|e| (e.from.clone(), e.to.clone(), e.port.to_string())).collect();
    let ours = |name: &String| !edges.peers.contains_key(name);
    let policed = |name: &String| edges.peers.get(name).is_none_or(|peer| peer.policies);
    let mut findings = Findings::new();
    let policies: Vec<&Object> = bundle.of_kind("NetworkPolicy").collect();
    if !policies.is_empty() {
        let (ingress, egress) =
            (network(edges, &policies, "ingress", "from"), network(edges, &policies, "egress", "to"));
        let answered: BTreeSet<Edge> = table.iter().filter(|edge| policed(&edge.1)).cloned().collect();
        let asked: BTreeSet<Edge> = table.iter().filter(|edge| policed(&edge.0)).cloned().collect();
        findings.extend(compare("NetworkPolicies, ingress", &answered, &ingress));
        findings.extend(compare("NetworkPolicies, egress", &asked, &egress));
        findings.extend(denied_by_default(bundle));
        findings.extend(compare("the NetworkPolicy everyone", &everyone(edges), &everyone_found(edges, &policies)));
    }
    let policies: Vec<&Object> =
        bundle.of_kind("AuthorizationPolicy").filter(|policy| text(&policy.0, "spec/action") == "ALLOW").collect();
    if !policies.is_empty() {
        let answered: BTreeSet<Edge> = table.iter().filter(|edge| ours(&edge.1)).cloned().collect();
        findings.extend(compare("AuthorizationPolicies", &answered, &authorized(edges, &policies)));
        findings.extend(allowed_nothing_else(bundle, &policies));
    }
    findings.extend(opened(given, tables));
    findings
}

fn compare(place: &str, table: &BTreeSet<Edge>, found: &BTreeSet<Edge>) -> Findings {
    let missing =
        table.difference(found).map(|(from, to, port)| format!("{place} lack {from} → {to}:{port} of edges.yaml"));
    let beyond = found
        .difference(table)
        .map(|(from, to, port)| format!("{place} let {from} → {to}:{port}, which edges.yaml does not"));
    missing.chain(beyond).collect()
}

/// The namespaces that a peer's selector lists by name: `kubernetes.io/metadata.name In […]`, and nothing else of it.
pub fn namespaces(peer: &Value) -> Vec<&str> {
    match list(peer, "namespaceSelector/matchExpressions") {
        [one] if text(one, "key") == "kubernetes.io/metadata.name" && text(one, "operator") == "In" => {
            texts(one, "values")
        }
        _ => Vec::new(),
    }
}

/// How a peer of a policy is called in the table; what is not known there is told as it stands.
fn peer_name(edges: &Edges, here: &str, peer: &Value) -> String {
    let by_name = |map: &'_ Value| map.get("kubernetes.io/metadata.name").and_then(Value::as_str).map(str::to_owned);
    let namespace = at(peer, "namespaceSelector/matchLabels").and_then(by_name).unwrap_or_default();
    let wanted = labels(peer, "podSelector/matchLabels");
    let own = at(peer, "namespaceSelector").is_none();
    if let Some(name) = edges.known(if own { here } else { &namespace }, &wanted) {
        return name.clone();
    }
    // One of ours: in the same namespace, or in whichever of several it is.
    let anywhere = namespace.is_empty() && (at(peer, "namespaceSelector").is_none() || !namespaces(peer).is_empty());
    match wanted.as_slice() {
        [(key, value)] if key == NAME && anywhere => value.clone(),
        _ => scalar(peer).unwrap_or_else(|| peer.to_string()),
    }
}

/// Whom a policy is about, as the table calls it.
fn subject(edges: &Edges, policy: &Object, path: &str) -> String {
    let wanted = labels(&policy.0, path);
    if let Some(name) = edges.known(policy.namespace(), &wanted) {
        return name.clone();
    }
    match wanted.as_slice() {
        [(key, value)] if key == NAME => value.clone(),
        [] => "all pods".to_owned(),
        _ => format!("{wanted:?}"),
    }
}

/// What NetworkPolicies let through in one direction.
fn network(edges: &Edges, policies: &[&Object], side: &str, key: &str) -> BTreeSet<Edge> {
    let mut found = BTreeSet::new();
    for policy in policies.iter().filter(|policy| policy.name() != EVERYONE) {
        let subject = subject(edges, policy, "spec/podSelector/matchLabels");
        for rule in list(&policy.0, &format!("spec/{side}")) {
            // Without peers or ports, a rule is about all of them.
            let everybody = [Value::String("anybody".to_owned())];
            let peers = if list(rule, key).is_empty() { &everybody[..] } else { list(rule, key) };
            let mut ports: Vec<_> =
                list(rule, "ports").iter().filter_map(|port| at(port, "port").and_then(scalar)).collect();
            if ports.is_empty() {
                ports.push("any".to_owned());
            }
            for (peer, port) in peers.iter().flat_map(|peer| ports.iter().map(move |port| (peer, port))) {
                let peer = peer_name(edges, policy.namespace(), peer);
                let (from, to) = if key == "from" { (peer, subject.clone()) } else { (subject.clone(), peer) };
                found.insert((from, to, port.clone()));
            }
        }
    }
    found
}

/// Each namespace with workloads and policies denies what no policy names.
fn denied_by_default(bundle: &Bundle) -> Findings {
    let namespaces: BTreeSet<&str> = bundle.of_kind("NetworkPolicy").map(Object::namespace).collect();
    let denies = |policy: &Object| {
        let types = texts(&policy.0, "spec/policyTypes");
        let selects_all = labels(&policy.0, "spec/podSelector/matchLabels").is_empty();
        let lets = !list(&policy.0, "spec/ingress").is_empty() || !list(&policy.0, "spec/egress").is_empty();
        selects_all && !lets && types.contains(&"Ingress") && types.contains(&"Egress")
    };
    let open = namespaces.into_iter().filter(|namespace| {
        !bundle.of_kind("NetworkPolicy").any(|policy| policy.namespace() == *namespace && denies(policy))
    });
    open.map(|namespace| format!("no NetworkPolicy denies by default in {namespace}, both ways")).collect()
}

/// What every pod may ask, and who may ask every pod: those are of namespaces of workloads only.
fn everyone(edges: &Edges) -> BTreeSet<Edge> {
    let asks = edges.everyone.iter().flat_map(|line| line.ports.iter().map(move |port| (line, port)));
    let asked = edges.asked.iter().flat_map(|line| line.ports.iter().map(move |port| (line, port)));
    let asks = asks.map(|(line, port)| (EVERYONE.to_owned(), line.to.clone(), port.clone()));
    asks.chain(asked.map(|(line, port)| (line.from.clone(), EVERYONE.to_owned(), port.clone()))).collect()
}

fn everyone_found(edges: &Edges, policies: &[&Object]) -> BTreeSet<Edge> {
    let mut found = BTreeSet::new();
    for policy in policies.iter().filter(|policy| policy.name() == EVERYONE) {
        for (side, key) in [("spec/egress", "to"), ("spec/ingress", "from")] {
            for (rule, peer) in
                list(&policy.0, side).iter().flat_map(|rule| list(rule, key).iter().map(move |p| (rule, p)))
            {
                let peer = peer_name(edges, policy.namespace(), peer);
                for port in list(rule, "ports") {
                    let number = at(port, "port").and_then(scalar).unwrap_or_default();
                    let port = format!("{}/{number}", text(port, "protocol"));
                    let (from, to) = if key == "to" {
                        (EVERYONE.to_owned(), peer.clone())
                    } else {
                        (peer.clone(), EVERYONE.to_owned())
                    };
                    found.insert((from, to, port));
                }
            }
        }
    }
    found
}

/// What AuthorizationPolicies let through.
fn authorized(edges: &Edges, policies: &[&Object]) -> BTreeSet<Edge> {
    let name = |account: &str| {
        let known = edges.peers.iter().find(|(_, peer)| peer.service_account.as_deref() == Some(account));
        known.map_or_else(|| account.to_owned(), |(name, _)| name.clone())
    };
    let mut found = BTreeSet::new();
    for policy in policies {
        let to = subject(edges, policy, "spec/selector/matchLabels");
        for rule in list(&policy.0, "spec/rules") {
            let mut from: Vec<_> =
                list(rule, "from").iter().flat_map(|from| texts(from, "source/serviceAccounts")).map(name).collect();
            let mut ports: Vec<_> =
                list(rule, "to").iter().flat_map(|to| texts(to, "operation/ports")).map(str::to_owned).collect();
            // Without sources or ports, a rule is about all of them.
            if from.is_empty() {
                from.push("anybody".to_owned());
            }
            if ports.is_empty() {
                ports.push("any".to_owned());
            }
            let pairs = from.iter().flat_map(|from| ports.iter().map(move |port| (from, port)));
            found.extend(pairs.map(|(from, port)| (from.clone(), to.clone(), port.clone())));
        }
    }
    found
}

/// A policy for all pods that allows nothing, in each namespace that allows something.
fn allowed_nothing_else(bundle: &Bundle, policies: &[&Object]) -> Findings {
    let namespaces: BTreeSet<&str> = policies.iter().map(|policy| policy.namespace()).collect();
    let is_empty =
        |policy: &Object| at(&policy.0, "spec").and_then(Value::as_object).is_none_or(serde_json::Map::is_empty);
    let open = namespaces.into_iter().filter(|namespace| {
        !bundle.of_kind("AuthorizationPolicy").any(|policy| policy.namespace() == *namespace && is_empty(policy))
    });
    open.map(|namespace| format!("no AuthorizationPolicy allows nothing by default in {namespace}")).collect()
}

/// Each of our containers has a setting that opens a connection exactly where the table has the edge.
fn opened(given: &Given<'_>, tables: &Tables) -> Findings {
    let settings: BTreeSet<&String> = tables.edges.edges.iter().filter_map(|edge| edge.setting.as_ref()).collect();
    let mut findings = Findings::new();
    let unknown = settings.iter().filter(|setting| !given.known_settings.contains(**setting));
    findings.extend(unknown.map(|setting| format!("edges.yaml: the program reads no {setting}")));
    for workload in given.bundle.workloads() {
        for container in workload.containers().filter(is_ours) {
            let present: BTreeSet<String> = environment(given.bundle, &container).into_iter().map(|v| v.name).collect();
            for setting in &settings {
                let is_it = |edge: &&super::tables::Edge| {
                    edge.from == workload.name() && edge.setting.as_ref() == Some(*setting)
                };
                match (present.contains(*setting), tables.edges.edges.iter().find(is_it)) {
                    (true, None) => {
                        findings.push(format!("{} has {setting}, and edges.yaml no edge for it", container.id()))
                    }
                    (false, Some(edge)) => findings.push(format!(
                        "edges.yaml lets {} ask {}, and {} has no {setting}",
                        edge.from,
                        edge.to,
                        container.id()
                    )),
                    _ => {}
                }
            }
        }
    }
    findings
}
