//! Roles: every one is bound, and none lets anybody get more than it says.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Given;
use super::bundle::Object;
use super::values::{list, text, texts};
use crate::Findings;

/// The groups that the identity provider tells. Others are subjects that nobody is.
const GROUPS: [&str; 4] = ["highbeam:break-glass", "highbeam:deployers", "highbeam:developers", "highbeam:sre"];
/// The one role that reads secrets.
const BREAK_GLASS: &str = "highbeam:break-glass";
/// Ways around everything else that a role says.
const VERBS: [&str; 3] = ["bind", "escalate", "impersonate"];
const RESOURCES: [&str; 8] = [
    "nodes/proxy",
    "pods/attach",
    "pods/proxy",
    "serviceaccounts/token",
    "services/proxy",
    "certificatesigningrequests/approval",
    "clusterrolebindings",
    "rolebindings",
];

pub fn check(given: &Given<'_>) -> Findings {
    let bindings: Vec<_> = given.bundle.objects.iter().filter(|object| is_binding(object)).collect();
    let bound: BTreeSet<_> =
        bindings.iter().map(|b| (text(&b.0, "roleRef/kind"), text(&b.0, "roleRef/name"))).collect();
    let mut findings = Findings::new();
    for role in given.bundle.objects.iter().filter(|object| is_role(object)) {
        if !bound.contains(&(role.kind(), role.name())) {
            findings.push(format!("{} is bound to nobody", role.id()));
        }
        for rule in list(&role.0, "rules") {
            findings.extend(faults(role, rule).into_iter().map(|fault| format!("{} {fault}", role.id())));
        }
    }
    for binding in bindings {
        for subject in list(&binding.0, "subjects") {
            let name = text(subject, "name");
            if text(subject, "kind") == "Group" && !GROUPS.contains(&name) {
                findings.push(format!("{} is for {name}, a group that nobody is in", binding.id()));
            }
            if text(subject, "kind") == "User" {
                findings.push(format!("{} is for a person", binding.id()));
            }
        }
    }
    findings
}

pub fn is_role(object: &Object) -> bool {
    matches!(object.kind(), "Role" | "ClusterRole")
}

pub fn is_binding(object: &Object) -> bool {
    matches!(object.kind(), "RoleBinding" | "ClusterRoleBinding")
}

fn faults(role: &Object, rule: &Value) -> Vec<String> {
    let [groups, resources, verbs] = ["apiGroups", "resources", "verbs"].map(|field| texts(rule, field));
    let mut faults = Vec::new();
    if [&groups, &resources, &verbs].iter().any(|words| words.iter().any(|word| word.contains('*'))) {
        faults.push("has a wildcard".to_owned());
    }
    faults.extend(verbs.iter().filter(|verb| VERBS.contains(verb)).map(|verb| format!("may {verb}")));
    faults.extend(resources.iter().filter(|r| RESOURCES.contains(r)).map(|resource| format!("reaches {resource}")));
    let reads = verbs.iter().any(|verb| matches!(*verb, "get" | "list" | "watch"));
    if role.name() != BREAK_GLASS && reads && resources.contains(&"secrets") {
        faults.push("reads secrets".to_owned());
    }
    faults
}
