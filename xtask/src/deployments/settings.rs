//! The variables of our containers are those that the program reads, with values that make sense in a pod.

use super::bundle::{Bundle, Container};
use super::values::{at, list, scalar, text};
use super::{Given, Tables};
use crate::Findings;

/// How our own image is called, whatever registry it comes from.
const IMAGE: &str = "highbeam";

/// A variable of a container: its name, and its value where manifests hold it.
pub struct Variable {
    pub name: String,
    pub value: Option<String>,
}

/// Whether a container runs our program.
pub fn is_ours(container: &Container<'_>) -> bool {
    let path = container.image().split(['@', ':']).next().unwrap_or_default();
    path.rsplit('/').next() == Some(IMAGE)
}

/// Everything in a container's environment, from wherever.
pub fn environment(bundle: &Bundle, container: &Container<'_>) -> Vec<Variable> {
    let mut variables = Vec::new();
    for source in list(container.value, "envFrom") {
        let name = text(source, "configMapRef/name");
        let map = bundle.find("ConfigMap", container.owner.namespace(), name);
        let data = map.and_then(|map| at(&map.0, "data")?.as_object());
        variables.extend(
            data.into_iter()
                .flatten()
                .map(|(name, value)| Variable { name: name.clone(), value: value.as_str().map(str::to_owned) }),
        );
    }
    variables.extend(list(container.value, "env").iter().map(|variable| Variable {
        name: text(variable, "name").to_owned(),
        value: at(variable, "value").and_then(|value| value.as_str()).map(str::to_owned),
    }));
    variables
}

pub fn check(given: &Given<'_>) -> Findings {
    let mut findings = Findings::new();
    for workload in given.bundle.workloads() {
        for container in workload.containers().filter(is_ours) {
            let variables = environment(given.bundle, &container);
            findings.extend(unknown(given, &container, &variables));
            findings.extend(ports(&container, &variables));
            findings.extend(addresses(given.bundle, given.tables, &container, &variables));
        }
    }
    findings
}

fn unknown(given: &Given<'_>, container: &Container<'_>, variables: &[Variable]) -> Findings {
    let unknown = variables.iter().filter(|variable| !given.known_settings.contains(&variable.name));
    unknown
        .map(|variable| format!("{} sets {}, which the program does not read", container.id(), variable.name))
        .collect()
}

/// The port that it is told is the one that is declared, and it listens where others can reach it.
fn ports(container: &Container<'_>, variables: &[Variable]) -> Findings {
    let value = |name: &str| variables.iter().find(|variable| variable.name == name).and_then(|v| v.value.as_deref());
    let mut findings = Findings::new();
    let port = value("PORT").unwrap_or("5007");
    if container.port(port).is_none() {
        findings.push(format!("{} listens on {port}, which it does not declare", container.id()));
    }
    if value("BIND_ADDRESS") != Some("0.0.0.0") {
        findings.push(format!("{} listens on loopback: set BIND_ADDRESS to 0.0.0.0", container.id()));
    }
    findings
}

/// URLs that manifests hold lead to a Service that is there, or external, and has that port.
fn addresses(bundle: &Bundle, tables: &Tables, container: &Container<'_>, variables: &[Variable]) -> Findings {
    let mut findings = Findings::new();
    for variable in variables {
        let url = variable.value.as_deref().unwrap_or_default();
        let Some((_, rest)) = url.split_once("://") else { continue };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let Some((host, port)) = authority.rsplit_once(':') else {
            findings.push(format!("{}: {} names no port", container.id(), variable.name));
            continue;
        };
        let mut labels = host.split('.');
        let name = labels.next().unwrap_or_default();
        let namespace = labels.next().unwrap_or(container.owner.namespace());
        let has_port = |value: &serde_json::Value| at(value, "port").and_then(scalar).as_deref() == Some(port);
        let ours =
            bundle.find("Service", namespace, name).is_some_and(|s| list(&s.0, "spec/ports").iter().any(has_port));
        let theirs = tables.external.iter().any(|external| {
            let is_it = external.kind == "Service" && external.name == name && external.namespace == namespace;
            is_it && external.ports.iter().any(|number| number.to_string() == port)
        });
        if !ours && !theirs {
            findings.push(format!("{}: {} leads to {host}:{port}, where no Service is", container.id(), variable.name));
        }
    }
    findings
}
