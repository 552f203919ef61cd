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

    /// The labels of its pods. Of those that Prometheus' operator makes, the ones that it gives them.
    pub fn pod_labels(&self) -> Vec<(String, String)> {
        match operated(self.kind()) {
            Some((name, _)) => vec![("app.kubernetes.io/name".to_owned(), name.to_owned())],
            None => self.template().map(|template| labels(template, "metadata/labels")).unwrap_or_default(),
        }
    }

    /// The image that an operator is told to run, if one is.
    pub fn operated_image(&self) -> Option<&str> {
        operated(self.kind()).map(|_| text(&self.0, "spec/image"))
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
        operated(self.kind()).is_some_and(|(_, ports)| ports.contains(&port))
            || self.containers().any(|container| container.port(port).is_some())
    }
}

/// What Prometheus' operator makes of a kind: the name that its pods have, and the ports that they listen on.
fn operated(kind: &str) -> Option<(&'static str, &'static [&'static str])> {
    match kind {
        "Prometheus" => Some(("prometheus", &["web", "9090"])),
        "Alertmanager" => Some(("alertmanager", &["web", "9093", "9094"])),
        _ => None,
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
        let makes_pods = |object: &&Object| object.template().is_some() || operated(object.kind()).is_some();
        let is_it =
            |object: &&Object| object.namespace() == namespace && super::values::has_all(&object.pod_labels(), wanted);
        self.objects.iter().filter(makes_pods).filter(is_it).collect()
    }
}
