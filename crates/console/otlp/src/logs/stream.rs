//! The labels of a stream of log records: those that Loki makes of a resource.
//!
//! Which attributes become labels: <https://grafana.com/docs/loki/latest/get-started/labels/>, "Default
//! labels for OpenTelemetry". All else stays with the resource and the record.

use console_model::{Attribute, Attributes, LabelSetBuilder, Labels, Resource, UNKNOWN_SERVICE, Value};

/// Attributes that become labels, and the labels' names.
const INDEXED: [(&str, &str); 18] = [
    ("cloud.availability_zone", "cloud_availability_zone"),
    ("cloud.region", "cloud_region"),
    ("container.name", "container_name"),
    ("deployment.environment", "deployment_environment"),
    ("deployment.environment.name", "deployment_environment_name"),
    ("k8s.cluster.name", "k8s_cluster_name"),
    ("k8s.container.name", "k8s_container_name"),
    ("k8s.cronjob.name", "k8s_cronjob_name"),
    ("k8s.daemonset.name", "k8s_daemonset_name"),
    ("k8s.deployment.name", "k8s_deployment_name"),
    ("k8s.job.name", "k8s_job_name"),
    ("k8s.namespace.name", "k8s_namespace_name"),
    ("k8s.pod.name", "k8s_pod_name"),
    ("k8s.replicaset.name", "k8s_replicaset_name"),
    ("k8s.statefulset.name", "k8s_statefulset_name"),
    ("service.instance.id", "service_instance_id"),
    ("service.name", SERVICE_NAME),
    ("service.namespace", "service_namespace"),
];
const SERVICE_NAME: &str = "service_name";
/// Where Loki looks for the name of a service that did not say it, in this order.
const SERVICE_ELSEWHERE: [&str; 3] = ["container.name", "k8s.container.name", "k8s.job.name"];

/// An attribute of a resource that holds a stream's labels as they are. Exports write it where the resource
/// does not lead to the labels, as it is with streams that came through Loki's push.
const MARK: &str = "highbeam.stream";

/// The labels of what this resource sends.
pub(crate) fn labels(resource: &Resource) -> Labels {
    let mut builder = LabelSetBuilder::new();
    let text = |key: &str| resource.attributes.get(key).map(Value::to_string).filter(|text| !text.is_empty());
    for (key, name) in INDEXED {
        if let Some(text) = text(key) {
            builder.push(name, &text);
        }
    }
    if text("service.name").is_none() {
        let elsewhere = SERVICE_ELSEWHERE.into_iter().find_map(text);
        builder.push(SERVICE_NAME, elsewhere.as_deref().unwrap_or(UNKNOWN_SERVICE));
    }
    builder.finish()
}

/// The mark that leads to these labels; `None` where the resource does so itself.
pub(crate) fn mark(labels_wanted: &Labels, resource: &Resource) -> Option<Attribute> {
    if resource.attributes.get(MARK).is_none() && labels(resource) == *labels_wanted {
        return None;
    }
    let pairs: Attributes = labels_wanted.iter().map(|(name, value)| Attribute::new(name, value)).collect();
    Some(Attribute::new(MARK, Value::Map(pairs)))
}

/// The labels of a resource that was read, by its mark, which is taken out, or by its attributes.
pub(crate) fn labels_and_unmark(resource: &mut Resource) -> Labels {
    let marked = match resource.attributes.0.last() {
        Some(Attribute { key, value: Value::Map(pairs) }) if key == MARK => {
            let texts: Option<Vec<_>> =
                pairs.iter().map(|pair| Some((pair.key.as_str(), pair.value.as_str()?))).collect();
            texts.map(Labels::from_pairs)
        }
        _ => None,
    };
    if let Some(labels) = marked {
        resource.attributes.0.pop();
        return labels;
    }
    labels(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(pairs: &[(&str, &str)]) -> Resource {
        let attributes = pairs.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
        Resource { attributes, ..Resource::default() }
    }

    #[test]
    fn some_attributes_become_labels_and_all_stay() {
        let sender = resource(&[
            ("service.name", "orders"),
            ("service.namespace", "shop"),
            ("k8s.pod.name", "orders-1"),
            ("host.name", "node-1"),
        ]);
        let expected = r#"{k8s_pod_name="orders-1", service_name="orders", service_namespace="shop"}"#;
        assert_eq!(labels(&sender).to_string(), expected);
    }

    #[test]
    fn a_service_without_a_name_is_looked_for() {
        assert_eq!(labels(&resource(&[])).to_string(), r#"{service_name="unknown_service"}"#);
        let named = labels(&resource(&[("container.name", "web"), ("service.name", "")]));
        assert_eq!(named.get("service_name"), Some("web"));
    }

    #[test]
    fn other_labels_are_marked_and_come_back() {
        let pushed = Labels::from_pairs([("filename", "/var/log/x"), ("job", "files")]);
        let mut sender = resource(&[("service.name", "orders"), (MARK, "a name that is taken")]);
        let before = sender.clone();
        sender.attributes.0.extend(mark(&pushed, &sender));
        assert_eq!(labels_and_unmark(&mut sender), pushed);
        assert_eq!(sender, before);
        assert_eq!(mark(&labels(&resource(&[])), &resource(&[])), None);
    }
}
