//! What belongs to a namespace has one that is declared, what belongs to the cluster has none, and nothing is there twice.

use std::collections::BTreeSet;

use super::Given;
use crate::Findings;

/// Of the kinds that are used here. Another one is a finding, until it stands in one of the two.
const OF_THE_CLUSTER: [&str; 12] = [
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "CustomResourceDefinition",
    "GatewayClass",
    "Namespace",
    "PriorityClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingPolicy",
];
const OF_A_NAMESPACE: [&str; 35] = [
    "Alertmanager",
    "AuthorizationPolicy",
    "Certificate",
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "DestinationRule",
    "ExternalSecret",
    "Gateway",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Issuer",
    "Job",
    "LimitRange",
    "NetworkPolicy",
    "PeerAuthentication",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodMonitor",
    "Prometheus",
    "PrometheusRule",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "ServiceEntry",
    "ServiceMonitor",
    "Sidecar",
    "StatefulSet",
    "Telemetry",
    "VirtualService",
];

pub fn check(given: &Given<'_>) -> Findings {
    let declared: BTreeSet<&str> = given.bundle.of_kind("Namespace").map(super::bundle::Object::name).collect();
    let mut findings = Findings::new();
    let mut seen = BTreeSet::new();
    for object in &given.bundle.objects {
        let (id, namespace) = (object.id(), object.namespace());
        if OF_THE_CLUSTER.contains(&object.kind()) {
            if !namespace.is_empty() {
                findings.push(format!("{id} belongs to the cluster and carries a namespace"));
            }
        } else if OF_A_NAMESPACE.contains(&object.kind()) {
            if namespace.is_empty() {
                findings.push(format!("{id} has no namespace, and would land in whichever is current"));
            } else if !declared.contains(namespace) {
                findings.push(format!("{id} is in a namespace that is not declared"));
            }
        } else {
            findings.push(format!("{id}: say in xtask/src/deployments/scope.rs whether its kind has a namespace"));
        }
        if !seen.insert(id.clone()) {
            findings.push(format!("{id} is there twice"));
        }
    }
    findings
}
