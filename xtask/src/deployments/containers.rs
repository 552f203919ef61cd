//! What every container has: probes, requests and limits, a restricted security context; and its pod's side of it.

use serde_json::Value;

use super::Given;
use super::bundle::{Bundle, Container, Object};
use super::tables::{Exception, Tables};
use super::values::{at, is_false, is_true, list, scalar, text, texts};
use crate::Findings;

pub fn check(given: &Given<'_>) -> Findings {
    let mut findings = Findings::new();
    for workload in given.bundle.workloads() {
        findings.extend(pod(workload));
        for container in workload.containers() {
            findings.extend(one(&container).into_iter().map(|fault| format!("{}: {fault}", container.id())));
        }
    }
    findings.retain(|finding| !given.tables.exceptions.iter().any(|exception| is_of(exception, finding)));
    findings
}

fn is_of(exception: &Exception, finding: &str) -> bool {
    let told = finding.strip_prefix(&exception.workload).filter(|rest| rest.starts_with([':', ',']));
    told.is_some_and(|rest| exception.faults.iter().any(|fault| rest.ends_with(&format!(": {fault}"))))
}

/// What `exceptions.yaml` excuses and no workload needs.
pub fn unused(bundles: &[Bundle], tables: &Tables) -> Findings {
    let found: Vec<String> = bundles
        .iter()
        .flat_map(|bundle| {
            let given = Given { bundle, tables: &Tables::default(), known_settings: &[] };
            check(&given)
        })
        .collect();
    let mut findings = Findings::new();
    for exception in &tables.exceptions {
        for fault in &exception.faults {
            let alone = Exception {
                workload: exception.workload.clone(),
                faults: vec![fault.clone()],
                why: exception.why.clone(),
            };
            if !found.iter().any(|finding| is_of(&alone, finding)) {
                findings.push(format!(
                    "exceptions.yaml: {} needs none for \"{fault}\" ({})",
                    exception.workload, exception.why
                ));
            }
        }
    }
    findings
}

fn one(container: &Container<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut has = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    let value = container.value;
    for path in
        ["resources/requests/cpu", "resources/requests/memory", "resources/limits/cpu", "resources/limits/memory"]
    {
        has(at(value, path).is_some(), &format!("has no {path}"));
    }
    has(is_false(value, "securityContext/allowPrivilegeEscalation"), "may gain privileges");
    has(is_true(value, "securityContext/readOnlyRootFilesystem"), "may write to its image");
    has(texts(value, "securityContext/capabilities/drop") == ["ALL"], "keeps capabilities");
    has(list(value, "securityContext/capabilities/add").is_empty(), "adds capabilities");
    has(!is_true(value, "securityContext/privileged"), "is privileged");
    has(list(value, "ports").iter().all(|port| at(port, "hostPort").is_none()), "takes a port of its node");
    // What runs once and ends is asked by nobody whether it is ready.
    let template = container.owner.template();
    let ends = template.is_some_and(|made| matches!(text(made, "spec/restartPolicy"), "Never" | "OnFailure"));
    if !container.is_init && !ends {
        has(at(value, "readinessProbe").is_some(), "has no readinessProbe");
        has(at(value, "livenessProbe").is_some(), "has no livenessProbe");
    }
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        for handler in ["httpGet", "tcpSocket", "grpc"] {
            let port = at(value, &format!("{probe}/{handler}/port")).and_then(scalar);
            has(
                port.is_none_or(|port| container.port(&port).is_some()),
                &format!("its {probe} asks a port that it does not declare"),
            );
        }
    }
    faults
}

fn pod(workload: &Object) -> Findings {
    let spec = workload.template().and_then(|template| at(template, "spec"));
    let Some(spec) = spec else { return vec![format!("{} has no pod", workload.id())] };
    let mut findings = Findings::new();
    let mut has = |holds: bool, fault: &str| {
        if !holds {
            findings.push(format!("{}: {fault}", workload.id()));
        }
    };
    has(is_true(spec, "securityContext/runAsNonRoot"), "may run as root");
    has(text(spec, "securityContext/seccompProfile/type") == "RuntimeDefault", "has no seccompProfile RuntimeDefault");
    has(is_false(spec, "automountServiceAccountToken"), "mounts a token of its service account");
    has(!matches!(text(spec, "serviceAccountName"), "" | "default"), "has no service account of its own");
    for shared in ["hostNetwork", "hostPID", "hostIPC"] {
        has(!is_true(spec, shared), &format!("has {shared}"));
    }
    let of_the_node = |volume: &Value| at(volume, "hostPath").is_some();
    has(!list(spec, "volumes").iter().any(of_the_node), "mounts a folder of its node");
    if !list(&workload.0, "spec/volumeClaimTemplates").is_empty() {
        has(at(spec, "securityContext/fsGroup").is_some(), "has volumes and no fsGroup, so it may not write to them");
    }
    findings
}
