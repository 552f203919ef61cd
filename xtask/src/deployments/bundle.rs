//! The objects of a rendered overlay, and the pods that come of them. Knows no rule.

use serde_json::Value;

use super::values::{at, labels, list, text};

/// One object.
pub struct Object(pub Value);

impl Object {
    pub fn kind(&self) -> &str {
        text(&self.0, "kind")
    }

    pub fn name(&self) -> &str {
        text(&self.0, "metadata/name")
    }

    /// Empty for what belongs to the cluster.
    pub fn namespace(&self) -> &str {
        text(&self.0, "metadata/namespace")
    }

    /// How findings name it.
    pub fn id(&self) -> String {
        match self.namespace() {
            "" => format!("{} {}", self.kind(), self.name()),
            namespace => format!("{} {namespace}/{}", self.kind(), self.name()),
        }
    }

    pub fn labels(&self) -> Vec<(String, String)> {
        labels(&self.0, "metadata/labels")
    }

    /// What its pods are made of, if it makes some.
    pub fn template(&self) -> Option<&Value> {
        match self.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => at(&self.0, "spec/template"),
            "CronJob" => at(&self.0, "spec/jobTemplate/spec/template"),
            "Pod" => Some(&self.0),
            _ => None,
        }
    }

    pub fn pod_labels(&self) -> Vec<(String, String)> {
        self.template().map(|template| labels(template, "metadata/labels")).unwrap_or_default()
    }

    /// Its containers, those that run first and then end included.
    pub fn containers(&self) -> impl Iterator<Item = Container<'_>> {
        let of = |path: &'static str, is_init: bool| {
            let containers = self.template().map(|template| list(template, path)).unwrap_or_default();
            containers.iter().map(move |value| Container { owner: self, value, is_init })
        };
        of("spec/initContainers", true).chain(of("spec/containers", false))
    }

    /// Whether a container listens there: a port by its name or its number.
    pub fn has_port(&self, port: &str) -> bool {
        self.containers().any(|container| container.port(port).is_some())
    }
}

/// A container, and whose it is.
pub struct Container<'a> {
    pub owner: &'a Object,
    pub value: &'a Value,
    pub is_init: bool,
}

impl Container<'_> {
    pub fn id(&self) -> String {
        format!("{}, container {}", self.owner.id(), text(self.value, "name"))
    }

    pub fn image(&self) -> &str {
        text(self.value, "image")
    }

    /// The number of a port, by its name or its number.
    pub fn port(&self, port: &str) -> Option<u64> {
        let number = |value: &Value| at(value, "containerPort").and_then(Value::as_u64);
        let is_it =
            |value: &&Value| text(value, "name") == port || number(value).is_some_and(|n| n.to_string() == port);
        list(self.value, "ports").iter().find(is_it).and_then(number)
    }
}

/// Everything that an overlay makes.
pub struct Bundle {
    pub objects: Vec<Object>,
}

impl Bundle {
    /// Reads what Kustomize prints.
    pub fn read(yaml: &str) -> Result<Self, String> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).map_err(|error| error.to_string())?;
        let objects = documents.into_iter().filter(|value| !value.is_null()).map(Object).collect();
        Ok(Self { objects })
    }

    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.kind() == kind)
    }

    pub fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.of_kind(kind).find(|object| object.namespace() == namespace && object.name() == name)
    }

    /// What makes pods.
    pub fn workloads(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| object.template().is_some())
    }

    /// What makes pods with these labels in a namespace.
    pub fn selected(&self, namespace: &str, wanted: &[(String, String)]) -> Vec<&Object> {
        let is_it =
            |object: &&Object| object.namespace() == namespace && super::values::has_all(&object.pod_labels(), wanted);
        self.workloads().filter(is_it).collect()
    }
}
