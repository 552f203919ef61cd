//! What selects hits something, and the ports that it names are there.

use serde_json::Value;

use super::Given;
use super::bundle::{Bundle, Object};
use super::edges::{EVERYONE, namespaces};
use super::tables::Tables;
use super::values::{at, has_all, labels, list, scalar, text, texts, walk};
use crate::Findings;

type Labels = Vec<(String, String)>;

pub fn check(given: &Given<'_>) -> Findings {
    let Given { bundle, tables, .. } = given;
    let mut findings = Findings::new();
    for object in &bundle.objects {
        let found = match object.kind() {
            "Service" => service(bundle, object),
            "ServiceMonitor" => monitor(bundle, object),
            "PodMonitor" => pod_monitor(bundle, tables, object),
            "NetworkPolicy" => network_policy(bundle, tables, object),
            "AuthorizationPolicy" => authorization_policy(bundle, tables, object),
            "PodDisruptionBudget" => budget(bundle, object),
            "DestinationRule" => destination(bundle, object),
            "HTTPRoute" => route(bundle, object),
            "Deployment" | "StatefulSet" | "DaemonSet" => workload(bundle, object),
            _ => Findings::new(),
        };
        findings.extend(found.into_iter().map(|finding| format!("{}: {finding}", object.id())));
    }
    findings
}

fn told(labels: &Labels) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

fn service(bundle: &Bundle, object: &Object) -> Findings {
    let wanted = labels(&object.0, "spec/selector");
    if wanted.is_empty() {
        return vec!["selects nothing".to_owned()];
    }
    let pods = bundle.selected(object.namespace(), &wanted);
    if pods.is_empty() {
        return vec![format!("no pod has {}", told(&wanted))];
    }
    let mut findings = Findings::new();
    for port in list(&object.0, "spec/ports") {
        let name = text(port, "name");
        let target = at(port, "targetPort").or_else(|| at(port, "port")).and_then(scalar).unwrap_or_default();
        let lacking = pods.iter().filter(|pod| !pod.has_port(&target));
        findings
            .extend(lacking.map(|pod| format!("port {name} leads to {target}, where {} does not listen", pod.id())));
        if text(port, "appProtocol").is_empty() {
            findings.push(format!("port {name} does not say by appProtocol what is spoken there"));
        }
    }
    findings
}

fn monitor(bundle: &Bundle, object: &Object) -> Findings {
    let wanted = labels(&object.0, "spec/selector/matchLabels");
    let here = |service: &&Object| service.namespace() == object.namespace() && has_all(&service.labels(), &wanted);
    let services: Vec<_> = bundle.of_kind("Service").filter(here).collect();
    if services.is_empty() || wanted.is_empty() {
        return vec![format!("no Service has {}", told(&wanted))];
    }
    let mut findings = Findings::new();
    for endpoint in list(&object.0, "spec/endpoints") {
        let port = text(endpoint, "port");
        let has = |service: &&Object| list(&service.0, "spec/ports").iter().any(|p| text(p, "name") == port);
        if !services.iter().any(has) {
            findings.push(format!("no Service that it selects has a port {port}"));
        }
    }
    findings
}

/// The port that the mesh's own container has, which is put into pods later.
const PROXY: &str = "http-envoy-prom";

fn pod_monitor(bundle: &Bundle, tables: &Tables, object: &Object) -> Findings {
    let wanted = labels(&object.0, "spec/selector/matchLabels");
    let pods = bundle.selected(object.namespace(), &wanted);
    if pods.is_empty() && tables.edges.known(object.namespace(), &wanted).is_some() {
        return Findings::new();
    }
    if pods.is_empty() || wanted.is_empty() {
        return vec![format!("no pod has {}", told(&wanted))];
    }
    let ports = list(&object.0, "spec/podMetricsEndpoints").iter().map(|endpoint| text(endpoint, "port"));
    let missing = ports.filter(|port| *port != PROXY && !pods.iter().any(|pod| pod.has_port(port)));
    missing.map(|port| format!("no pod that it selects has a port {port}")).collect()
}

/// The pods of a peer of a NetworkPolicy: those of ours, or a place that the table of edges knows.
enum Peers<'a> {
    Ours(Vec<&'a Object>),
    Known,
    Nobody(String),
}

fn peers<'a>(bundle: &'a Bundle, tables: &Tables, policy: &Object, peer: &Value) -> Peers<'a> {
    let wanted = labels(peer, "podSelector/matchLabels");
    let elsewhere = labels(peer, "namespaceSelector/matchLabels");
    let several = namespaces(peer);
    if !several.is_empty() && elsewhere.is_empty() {
        let pods: Vec<&Object> = several.iter().flat_map(|namespace| bundle.selected(namespace, &wanted)).collect();
        let nobody = format!("nobody in {} has {}", several.join(", "), told(&wanted));
        return if pods.is_empty() { Peers::Nobody(nobody) } else { Peers::Ours(pods) };
    }
    let namespace = match elsewhere.as_slice() {
        [] if at(peer, "namespaceSelector").is_none() => policy.namespace(),
        [(key, value)] if key == "kubernetes.io/metadata.name" => value.as_str(),
        _ => return Peers::Nobody("selects namespaces otherwise than by kubernetes.io/metadata.name".to_owned()),
    };
    let pods = bundle.selected(namespace, &wanted);
    match (pods.is_empty(), tables.edges.known(namespace, &wanted).is_some()) {
        (false, _) => Peers::Ours(pods),
        (true, true) => Peers::Known,
        (true, false) => Peers::Nobody(format!("nobody in {namespace} has {}", told(&wanted))),
    }
}

fn network_policy(bundle: &Bundle, tables: &Tables, object: &Object) -> Findings {
    let subject = labels(&object.0, "spec/podSelector/matchLabels");
    let subjects = bundle.selected(object.namespace(), &subject);
    if subjects.is_empty() && tables.edges.known(object.namespace(), &subject).is_none() {
        return vec![format!("no pod has {}", told(&subject))];
    }
    let mut findings = Findings::new();
    // What every pod is asked, something beside its own containers answers.
    let own = object.name() != EVERYONE;
    let mut listening = |pods: &[&Object], rule: &Value| {
        for port in list(rule, "ports").iter().filter_map(|port| at(port, "port").and_then(scalar)) {
            let lacking = pods.iter().filter(|pod| !pod.has_port(&port));
            findings.extend(lacking.map(|pod| format!("names port {port}, where {} does not listen", pod.id())));
        }
    };
    for rule in list(&object.0, "spec/ingress").iter().filter(|_| own) {
        listening(&subjects, rule);
    }
    for rule in list(&object.0, "spec/egress") {
        for peer in list(rule, "to") {
            if let Peers::Ours(pods) = peers(bundle, tables, object, peer) {
                listening(&pods, rule);
            }
        }
    }
    let sides = [("spec/ingress", "from"), ("spec/egress", "to")];
    for peer in sides.iter().flat_map(|(side, key)| list(&object.0, side).iter().flat_map(move |rule| list(rule, key)))
    {
        if let Peers::Nobody(reason) = peers(bundle, tables, object, peer) {
            findings.push(reason);
        }
    }
    findings
}

fn authorization_policy(bundle: &Bundle, tables: &Tables, object: &Object) -> Findings {
    let mut findings = Findings::new();
    let wanted = labels(&object.0, "spec/selector/matchLabels");
    let pods = bundle.selected(object.namespace(), &wanted);
    if pods.is_empty() && at(&object.0, "spec/targetRefs").is_none() {
        findings.push(format!("no pod has {}", told(&wanted)));
    }
    for rule in list(&object.0, "spec/rules") {
        for port in list(rule, "to").iter().flat_map(|to| texts(to, "operation/ports")) {
            let lacking = pods.iter().filter(|pod| !pod.has_port(port));
            findings.extend(lacking.map(|pod| format!("names port {port}, where {} does not listen", pod.id())));
        }
        for account in list(rule, "from").iter().flat_map(|from| texts(from, "source/serviceAccounts")) {
            let (namespace, name) = account.split_once('/').unwrap_or((object.namespace(), account));
            let known = tables.edges.peers.values().any(|peer| peer.service_account.as_deref() == Some(account));
            if !known && bundle.find("ServiceAccount", namespace, name).is_none() {
                findings.push(format!("the ServiceAccount {account} is nowhere"));
            }
        }
    }
    findings
}

fn budget(bundle: &Bundle, object: &Object) -> Findings {
    let wanted = labels(&object.0, "spec/selector/matchLabels");
    let pods = bundle.selected(object.namespace(), &wanted);
    if pods.is_empty() { vec![format!("no pod has {}", told(&wanted))] } else { Findings::new() }
}

fn destination(bundle: &Bundle, object: &Object) -> Findings {
    let host = text(&object.0, "spec/host").split('.').next().unwrap_or_default();
    let found = bundle.find("Service", object.namespace(), host);
    if found.is_some() { Findings::new() } else { vec![format!("no Service {host} is there")] }
}

/// Routes lead to ports of Services, and hang on a listener that is there. That the objects are is for `references`.
fn route(bundle: &Bundle, object: &Object) -> Findings {
    let mut findings = Findings::new();
    for backend in list(&object.0, "spec/rules").iter().flat_map(|rule| list(rule, "backendRefs")) {
        let Some(service) = bundle.find("Service", object.namespace(), text(backend, "name")) else { continue };
        let has = |port: &Value| at(port, "port") == at(backend, "port");
        if !list(&service.0, "spec/ports").iter().any(has) {
            findings.push(format!("{} has no such port", service.id()));
        }
    }
    for parent in list(&object.0, "spec/parentRefs") {
        let Some(gateway) = bundle.find("Gateway", text(parent, "namespace"), text(parent, "name")) else { continue };
        let section = text(parent, "sectionName");
        let has = |listener: &Value| text(listener, "name") == section;
        if !list(&gateway.0, "spec/listeners").iter().any(has) {
            findings.push(format!("{} has no listener {section}", gateway.id()));
        }
    }
    findings
}

/// A workload owns its pods, its StatefulSet's Service is headless, and whatever is said about spreading is about them.
fn workload(bundle: &Bundle, object: &Object) -> Findings {
    let mut findings = Findings::new();
    let own = object.pod_labels();
    if !has_all(&own, &labels(&object.0, "spec/selector/matchLabels")) {
        findings.push("its selector is not among its pods' labels".to_owned());
    }
    let service = bundle.find("Service", object.namespace(), text(&object.0, "spec/serviceName"));
    if let Some(service) = service.filter(|service| text(&service.0, "spec/clusterIP") != "None") {
        findings.push(format!("{} is not headless (clusterIP: None)", service.id()));
    }
    let template = object.template().cloned().unwrap_or_default();
    walk(&template, &mut |map| {
        let Some(selector) = map.get("labelSelector") else { return };
        let wanted = labels(selector, "matchLabels");
        if bundle.selected(object.namespace(), &wanted).is_empty() {
            findings.push(format!("is spread by {}, which no pod has", told(&wanted)));
        }
    });
    findings
}
