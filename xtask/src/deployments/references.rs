//! What an object refers to is there: by another object, by what makes it (certificates, external secrets), or by
//! somebody whom `external.yaml` names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Given;
use super::bundle::{Bundle, Object};
use super::tables::{External, Tables};
use super::values::{at, list, scalar, text, walk};
use crate::Findings;

/// A reference: to what, and which of its keys.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    kind: String,
    namespace: String,
    name: String,
    key: Option<String>,
}

pub fn check(given: &Given<'_>) -> Findings {
    let mut findings = Findings::new();
    for object in &given.bundle.objects {
        for reference in references(object) {
            findings.extend(
                lookup(given.bundle, given.tables, &reference).map(|fault| format!("{}: {fault}", object.id())),
            );
        }
        findings.extend(volumes(object));
    }
    findings
}

/// What `external.yaml` names and nothing refers to in any overlay.
pub fn unused(bundles: &[Bundle], tables: &Tables) -> Findings {
    let used: BTreeSet<Reference> = bundles.iter().flat_map(|b| &b.objects).flat_map(references).collect();
    let is_used = |external: &&External| {
        // Services are asked for by URL; `settings` looks there.
        external.kind == "Service"
            || used
                .iter()
                .any(|r| (&r.kind, &r.namespace, &r.name) == (&external.kind, &external.namespace, &external.name))
    };
    let unused = tables.external.iter().filter(|external| !is_used(external));
    unused.map(|e| format!("external.yaml: nothing refers to the {} {} by {}", e.kind, e.name, e.by)).collect()
}

/// Everything that an object refers to.
fn references(object: &Object) -> Vec<Reference> {
    let mut found = Vec::new();
    let here = object.namespace();
    let mut add = |kind: &str, namespace: &str, name: &str, key: Option<&str>| {
        if !name.is_empty() {
            let key = key.filter(|key| !key.is_empty()).map(str::to_owned);
            found.push(Reference { kind: kind.into(), namespace: namespace.into(), name: name.into(), key });
        }
    };
    if let Some(template) = object.template() {
        add("ServiceAccount", here, text(template, "spec/serviceAccountName"), None);
        for volume in list(template, "spec/volumes") {
            for (kind, path, name) in [("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")] {
                let Some(source) = at(volume, path) else { continue };
                add(kind, here, text(source, name), None);
                list(source, "items")
                    .iter()
                    .for_each(|item| add(kind, here, text(source, name), Some(text(item, "key"))));
            }
            add("PersistentVolumeClaim", here, text(volume, "persistentVolumeClaim/claimName"), None);
        }
    }
    match object.kind() {
        "StatefulSet" => add("Service", here, text(&object.0, "spec/serviceName"), None),
        "HorizontalPodAutoscaler" => {
            let target = "spec/scaleTargetRef";
            add(text(&object.0, &format!("{target}/kind")), here, text(&object.0, &format!("{target}/name")), None);
        }
        "ValidatingAdmissionPolicyBinding" => {
            add("ValidatingAdmissionPolicy", "", text(&object.0, "spec/policyName"), None);
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let kind = text(&object.0, "roleRef/kind");
            let namespace = if kind == "ClusterRole" { "" } else { here };
            add(kind, namespace, text(&object.0, "roleRef/name"), None);
        }
        "Certificate" => {
            let kind = text(&object.0, "spec/issuerRef/kind");
            let namespace = if kind == "ClusterIssuer" { "" } else { here };
            add(kind, namespace, text(&object.0, "spec/issuerRef/name"), None);
        }
        "Prometheus" | "Alertmanager" => {
            add("ServiceAccount", here, text(&object.0, "spec/serviceAccountName"), None);
            add("Secret", here, text(&object.0, "spec/configSecret"), Some("alertmanager.yaml"));
            super::values::texts(&object.0, "spec/secrets").iter().for_each(|name| add("Secret", here, name, None));
            for target in list(&object.0, "spec/alerting/alertmanagers") {
                add("Service", text(target, "namespace"), text(target, "name"), None);
            }
        }
        "Issuer" => add("Secret", here, text(&object.0, "spec/ca/secretName"), None),
        "ExternalSecret" => {
            let store = text(&object.0, "spec/secretStoreRef/kind");
            let namespace = if store == "ClusterSecretStore" { "" } else { here };
            add(store, namespace, text(&object.0, "spec/secretStoreRef/name"), None);
        }
        _ => {}
    }
    // By keys that mean the same wherever they stand.
    walk(&object.0, &mut |map| {
        for (field, kind) in [
            ("configMapRef", "ConfigMap"),
            ("configMapKeyRef", "ConfigMap"),
            ("secretRef", "Secret"),
            ("secretKeyRef", "Secret"),
            // tlsConfig of a monitor.
            ("secret", "Secret"),
        ] {
            let Some(source) = map.get(field).filter(|source| at(source, "name").is_some()) else { continue };
            add(kind, here, text(source, "name"), Some(text(source, "key")));
        }
        for reference in ["certificateRefs", "parentRefs", "backendRefs", "targetRefs"] {
            for target in map.get(reference).and_then(Value::as_array).into_iter().flatten() {
                let namespace = Some(text(target, "namespace")).filter(|text| !text.is_empty()).unwrap_or(here);
                add(text(target, "kind"), namespace, text(target, "name"), None);
            }
        }
    });
    found
}

/// What is wrong with a reference, if anything is.
fn lookup(bundle: &Bundle, tables: &Tables, wanted: &Reference) -> Option<String> {
    let keys = keys_of(bundle, tables, wanted);
    let Some(keys) = keys else {
        let place = if wanted.namespace.is_empty() { String::new() } else { format!("{}/", wanted.namespace) };
        return Some(format!("the {} {place}{} is nowhere, nor in external.yaml", wanted.kind, wanted.name));
    };
    let key = wanted.key.as_ref().filter(|key| !keys.contains(key))?;
    Some(format!("the {} {} has no key {key}", wanted.kind, wanted.name))
}

/// The keys of what is referred to; nothing if it is not there at all.
fn keys_of(bundle: &Bundle, tables: &Tables, wanted: &Reference) -> Option<Vec<String>> {
    let Reference { kind, namespace, name, .. } = wanted;
    if let Some(object) = bundle.find(kind, namespace, name) {
        let data =
            ["data", "stringData", "binaryData"].into_iter().filter_map(|field| at(&object.0, field)?.as_object());
        return Some(data.flat_map(|map| map.keys().cloned()).collect());
    }
    // A StatefulSet makes one of each template for each of its pods.
    let makes_claim = |object: &Object| {
        let replicas = at(&object.0, "spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        let templates = list(&object.0, "spec/volumeClaimTemplates").iter();
        object.namespace() == namespace
            && templates
                .map(|made| text(made, "metadata/name"))
                .any(|made| (0..replicas).any(|pod| *name == format!("{made}-{}-{pod}", object.name())))
    };
    if kind == "PersistentVolumeClaim" && bundle.of_kind("StatefulSet").any(makes_claim) {
        return Some(Vec::new());
    }
    if kind == "Secret" {
        let target = |object: &&Object, path: &str| object.namespace() == namespace && text(&object.0, path) == name;
        if bundle.of_kind("Certificate").any(|object| target(&object, "spec/secretName")) {
            return Some(["ca.crt", "tls.crt", "tls.key"].map(str::to_owned).to_vec());
        }
        let external = bundle.of_kind("ExternalSecret").find(|object| target(object, "spec/target/name"));
        if let Some(external) = external {
            let data = list(&external.0, "spec/data").iter();
            return Some(data.filter_map(|item| scalar(at(item, "secretKey")?)).collect());
        }
    }
    let is_it = |external: &&External| (&external.kind, &external.namespace, &external.name) == (kind, namespace, name);
    tables.external.iter().find(is_it).map(|external| external.keys.clone())
}

/// What containers mount is a volume of their pod, and no volume is there for nothing.
fn volumes(object: &Object) -> Findings {
    let Some(template) = object.template() else { return Findings::new() };
    let named =
        |values: &[Value], path: &str| values.iter().map(|value| text(value, path).to_owned()).collect::<BTreeSet<_>>();
    let claims = named(list(&object.0, "spec/volumeClaimTemplates"), "metadata/name");
    let mut present = named(list(template, "spec/volumes"), "name");
    present.extend(claims);
    let mounted: BTreeSet<String> =
        object.containers().flat_map(|container| named(list(container.value, "volumeMounts"), "name")).collect();
    let missing =
        mounted.difference(&present).map(|name| format!("{} mounts {name}, which is no volume of it", object.id()));
    let idle =
        present.difference(&mounted).map(|name| format!("{} has the volume {name}, which nothing mounts", object.id()));
    missing.chain(idle).collect()
}
