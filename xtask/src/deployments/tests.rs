//! Every rule is seen to find what it is for: one thing in a bundle that has nothing wrong is broken, and told.

use std::collections::BTreeSet;

use super::tables::{Digest, Exception, External, Tables, Unpinned, questions};
use super::*;

const GOOD: &str = include_str!("tests/good.yaml");
const EDGES: &str = "\
peers:
  gateway: {namespace: istio-system, labels: {gateway: highbeam}, serviceAccount: istio-system/gateway}
  collector: {namespace: monitoring, labels: {app.kubernetes.io/name: collector}, policies: true}
  dns: {namespace: kube-system, labels: {k8s-app: kube-dns}}
everyone: [{to: dns, ports: [UDP/53]}]
edges:
  - {from: gateway, to: api, port: 5007}
  - {from: api, to: eventstore, port: 2113, setting: EVENTSTORE_CONFIG_CONNECTION_STRING}
  - {from: api, to: collector, port: 4318, setting: OTEL_EXPORTER_OTLP_ENDPOINT}
  - {from: copy, to: eventstore, port: 2113, optional: true}
  - {from: nobody, to: eventstore, port: 2113, optional: true}
";

fn tables() -> Tables {
    let external = |kind: &str, namespace: &str, name: &str, ports: &[u16]| External {
        kind: kind.into(),
        name: name.into(),
        namespace: namespace.into(),
        keys: Vec::new(),
        ports: ports.to_vec(),
        by: "somebody".into(),
    };
    Tables {
        edges: serde_saphyr::from_str(EDGES).unwrap(),
        external: vec![
            external("ClusterSecretStore", "", "store", &[]),
            external("Secret", "monitoring", "gateway-tls", &[]),
            external("Service", "monitoring", "collector", &[4318]),
        ],
        unpinned: vec![Unpinned { image: "somewhere/highbeam".into(), why: "it is ours".into() }],
        digests: vec![Digest { image: "store:1.0".into(), platform: None, seen_in: "one".into() }],
        exceptions: vec![Exception {
            workload: "DaemonSet monitoring/reader".into(),
            faults: vec!["may run as root".into()],
            why: "it reads what is root's".into(),
        }],
        charts: Vec::new(),
        matrix: questions("developers get pods prod allow\ndevelopers get secrets prod deny").unwrap(),
    }
}

fn known() -> Vec<String> {
    ["PORT", "BIND_ADDRESS", "EVENTSTORE_CONFIG_CONNECTION_STRING", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .map(str::to_owned)
        .to_vec()
}

fn found(yaml: &str, tables: &Tables) -> Vec<String> {
    let bundle = Bundle::read(yaml).unwrap();
    let given = Given { bundle: &bundle, tables, known_settings: &known() };
    let of = |(name, rule): &(&str, Rule)| rule(&given).into_iter().map(|f| format!("{name}: {f}")).collect::<Vec<_>>();
    RULES.iter().flat_map(of).collect()
}

/// The good bundle with one text for another, wherever it stands; there has to be one.
fn broken(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "there is nothing to break: {from}");
    found(&GOOD.replace(from, to), &tables())
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(GOOD, &tables()), Vec::<String>::new());
}

/// What is broken, and how the finding that tells of it begins.
const BROKEN: &[(&str, &str, &str)] = &[
    // Scope.
    (
        "metadata: {name: read}",
        "metadata: {name: read, namespace: prod}",
        "scope: ClusterRole prod/read belongs to the cluster",
    ),
    (
        "metadata: {name: settings, namespace: prod}",
        "metadata: {name: settings}",
        "scope: ConfigMap settings has no namespace",
    ),
    (
        "metadata: {name: settings, namespace: prod}",
        "metadata: {name: settings, namespace: prd}",
        "scope: ConfigMap prd/settings is in a namespace that is not declared",
    ),
    ("kind: DestinationRule", "kind: Surprise", "scope: Surprise prod/api: say in"),
    (
        "kind: ServiceAccount\nmetadata: {name: eventstore,",
        "kind: ServiceAccount\nmetadata: {name: api,",
        "scope: ServiceAccount prod/api is there twice",
    ),
    // What an operator makes, and what is about several namespaces.
    (
        "secrets: [gateway-tls]",
        "secrets: [gateway]",
        "references: Prometheus monitoring/watcher: the Secret monitoring/gateway is nowhere",
    ),
    (
        "targetPort: 9090,",
        "targetPort: 9091,",
        "selectors: Service monitoring/watcher: port web leads to 9091, where Prometheus monitoring/watcher does not",
    ),
    (
        "podMetricsEndpoints: [{port: http}]",
        "podMetricsEndpoints: [{port: web}]",
        "selectors: PodMonitor prod/watched: no",
    ),
    (
        "values: [dev, prod]}]}",
        "values: [dev]}]}",
        "selectors: NetworkPolicy monitoring/collector: nobody in dev has app.kubernetes.io/name=api",
    ),
    ("port: 4318 }", "port: 4319 }", "policies: NetworkPolicies, ingress lack api → collector:4318"),
    (
        "metadata: {name: default-deny, namespace: monitoring}\nspec: {podSelector: {}",
        "metadata: {name: default-deny, namespace: monitoring}\nspec: {podSelector: {matchLabels: {app: a}}",
        "policies: no NetworkPolicy denies by default in monitoring",
    ),
    (
        "metadata: {name: reader,",
        "metadata: {name: writer,",
        "containers: DaemonSet monitoring/writer: may run as root",
    ),
    (
        "metadata: {name: watcher, namespace: monitoring}\nspec: {image: \"store:1.0@",
        "metadata: {name: watcher, namespace: monitoring}\nspec: {image: \"store:2.0\", a: \"@",
        "pins: Prometheus monitoring/watcher: store:2.0 has no digest",
    ),
    // What runs once.
    (
        "restartPolicy: Never",
        "restartPolicy: Always",
        "containers: CronJob prod/copy, container copy: has no readinessProbe",
    ),
    (
        "claimName: store-eventstore-0",
        "claimName: store-eventstore-1",
        "references: CronJob prod/copy: the PersistentVolumeClaim prod/store-eventstore-1 is nowhere",
    ),
    (
        "metadata: {name: copy, namespace: prod}\nspec:\n  jobTemplate",
        "metadata: {name: copier, namespace: prod}\nspec:\n  jobTemplate",
        "policies: NetworkPolicies, egress let copy → eventstore:2113, which edges.yaml does not",
    ),
    // References.
    (
        "configMapRef: {name: settings}",
        "configMapRef: {name: setings}",
        "references: Deployment prod/api: the ConfigMap prod/setings is nowhere",
    ),
    (
        "secretKeyRef: {name: connections, key: events}",
        "secretKeyRef: {name: connections, key: event}",
        "references: Deployment prod/api: the Secret connections has no key event",
    ),
    (
        "target: {name: connections}",
        "target: {name: other}",
        "references: Deployment prod/api: the Secret prod/connections is nowhere",
    ),
    (
        "items: [{key: ca.crt,",
        "items: [{key: ca.pem,",
        "references: Deployment prod/api: the Secret tls has no key ca.pem",
    ),
    (
        "serviceAccountName: api",
        "serviceAccountName: nobody",
        "references: Deployment prod/api: the ServiceAccount prod/nobody is nowhere",
    ),
    (
        "serviceName: eventstore",
        "serviceName: nodes",
        "references: StatefulSet prod/eventstore: the Service prod/nodes is nowhere",
    ),
    (
        "kind: Deployment, name: api}}",
        "kind: Deployment, name: app}}",
        "references: HorizontalPodAutoscaler prod/api: the Deployment prod/app is nowhere",
    ),
    (
        "roleRef: {kind: ClusterRole, name: read}",
        "roleRef: {kind: ClusterRole, name: reed}",
        "references: RoleBinding prod/developers-read: the ClusterRole reed is nowhere",
    ),
    (
        "issuerRef: {kind: Issuer, name: issuer}",
        "issuerRef: {kind: Issuer, name: other}",
        "references: Certificate prod/tls: the Issuer prod/other is nowhere",
    ),
    (
        "kind: ClusterSecretStore, name: store",
        "kind: ClusterSecretStore, name: other",
        "references: ExternalSecret prod/connections: the ClusterSecretStore other is nowhere",
    ),
    (
        "{kind: Gateway, name: way-in,",
        "{kind: Gateway, name: way-out,",
        "references: HTTPRoute prod/api: the Gateway monitoring/way-out is nowhere",
    ),
    (
        "{kind: Secret, name: gateway-tls}",
        "{kind: Secret, name: none}",
        "references: Gateway monitoring/way-in: the Secret monitoring/none is nowhere",
    ),
    (
        "volumeMounts: [{name: data,",
        "volumeMounts: [{name: date,",
        "references: Deployment prod/api mounts date, which is no volume",
    ),
    (
        "[{name: data, emptyDir: {}},",
        "[{name: data, emptyDir: {}}, {name: idle, emptyDir: {}},",
        "references: Deployment prod/api has the volume idle",
    ),
    // Selectors.
    (
        "spec:\n  selector: {app.kubernetes.io/name: api}",
        "spec:\n  selector: {app.kubernetes.io/name: app}",
        "selectors: Service prod/api: no pod has app.kubernetes.io/name=app",
    ),
    ("targetPort: http,", "targetPort: web,", "selectors: Service prod/api: port http leads to web"),
    ("targetPort: 2113,", "targetPort: 2114,", "selectors: Service prod/eventstore: port grpc leads to 2114"),
    (", appProtocol: grpc", "", "selectors: Service prod/eventstore: port grpc does not say by appProtocol"),
    (
        "endpoints: [{port: http}]",
        "endpoints: [{port: web}]",
        "selectors: ServiceMonitor prod/api: no Service that it selects has a port web",
    ),
    (
        "spec: {selector: {matchLabels: {app.kubernetes.io/name: api}}, endpoints",
        "spec: {selector: {matchLabels: {app: api}}, endpoints",
        "selectors: ServiceMonitor prod/api: no Service has app=api",
    ),
    (
        "maxUnavailable: 1, selector: {matchLabels: {app.kubernetes.io/name: api}}",
        "maxUnavailable: 1, selector: {matchLabels: {app: api}}",
        "selectors: PodDisruptionBudget prod/api: no pod has app=api",
    ),
    (
        "- labelSelector: {matchLabels: {app.kubernetes.io/name: api}}",
        "- labelSelector: {matchLabels: {app: api}}",
        "selectors: Deployment prod/api: is spread by app=api",
    ),
    (
        "spec:\n  selector: {matchLabels: {app.kubernetes.io/name: api}}\n  template",
        "spec:\n  selector: {matchLabels: {app: api}}\n  template",
        "selectors: Deployment prod/api: its selector is not among",
    ),
    (
        "clusterIP: None",
        "clusterIP: ''",
        "selectors: StatefulSet prod/eventstore: Service prod/eventstore is not headless",
    ),
    ("spec: {host: api}", "spec: {host: app}", "selectors: DestinationRule prod/api: no Service app"),
    (
        "{kind: Service, name: api, port: 5007}",
        "{kind: Service, name: api, port: 80}",
        "selectors: HTTPRoute prod/api: Service prod/api has no such port",
    ),
    (
        "sectionName: https",
        "sectionName: http",
        "selectors: HTTPRoute prod/api: Gateway monitoring/way-in has no listener http",
    ),
    (
        "podSelector: {matchLabels: {gateway: highbeam}}",
        "podSelector: {matchLabels: {gateway: other}}",
        "selectors: NetworkPolicy prod/api: nobody in istio-system has gateway=other",
    ),
    (
        "[istio-system/gateway]",
        "[istio-system/other]",
        "selectors: AuthorizationPolicy prod/api: the ServiceAccount istio-system/other is nowhere",
    ),
    // Containers.
    (
        "          readinessProbe: {httpGet: {path: /livez, port: http}}\n",
        "",
        "containers: Deployment prod/api, container api: has no readinessProbe",
    ),
    (
        "livenessProbe: {httpGet: {path: /livez, port: http}}",
        "livenessProbe: {httpGet: {path: /livez, port: web}}",
        "containers: Deployment prod/api, container api: its livenessProbe asks a port",
    ),
    (
        "requests: {cpu: 1, memory: 1Gi}",
        "requests: {cpu: 1}",
        "containers: Deployment prod/api, container api: has no resources/requests/memory",
    ),
    (
        "limits: {cpu: 1, memory: 1Gi}",
        "limits: {cpu: 1}",
        "containers: Deployment prod/api, container api: has no resources/limits/memory",
    ),
    (
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "containers: Deployment prod/api, container api: may write to its image",
    ),
    (
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
        "containers: Deployment prod/api, container api: may gain privileges",
    ),
    (
        "capabilities: {drop: [ALL]}",
        "capabilities: {drop: [KILL]}",
        "containers: Deployment prod/api, container api: keeps capabilities",
    ),
    ("runAsNonRoot: true", "runAsNonRoot: false", "containers: Deployment prod/api: may run as root"),
    (
        "seccompProfile: {type: RuntimeDefault}",
        "seccompProfile: {type: Unconfined}",
        "containers: Deployment prod/api: has no seccompProfile",
    ),
    ("      automountServiceAccountToken: false\n", "", "containers: Deployment prod/api: mounts a token"),
    (
        "{name: data, emptyDir: {}}",
        "{name: data, hostPath: {path: /}}",
        "containers: Deployment prod/api: mounts a folder of its node",
    ),
    ("fsGroup: 1000, ", "", "containers: StatefulSet prod/eventstore: has volumes and no fsGroup"),
    // Settings.
    ("PORT: \"5007\"", "PROT: \"5007\"", "settings: Deployment prod/api, container api sets PROT"),
    ("PORT: \"5007\"", "PORT: \"5000\"", "settings: Deployment prod/api, container api listens on 5000"),
    (
        "BIND_ADDRESS: 0.0.0.0",
        "BIND_ADDRESS: 127.0.0.1",
        "settings: Deployment prod/api, container api listens on loopback",
    ),
    (
        "http://collector.monitoring.svc:4318",
        "http://collector.monitoring.svc:4319",
        "settings: Deployment prod/api, container api: OTEL_EXPORTER_OTLP_ENDPOINT leads to",
    ),
    // Access.
    ("kind: RoleBinding", "kind: Surprise", "access: ClusterRole read is bound to nobody"),
    ("resources: [pods], verbs: [get]", "resources: [pods], verbs: ['*']", "access: ClusterRole read has a wildcard"),
    (
        "resources: [pods], verbs: [get]",
        "resources: [pods, secrets], verbs: [get]",
        "access: ClusterRole read reads secrets",
    ),
    (
        "resources: [pods], verbs: [get]",
        "resources: [pods], verbs: [get, impersonate]",
        "access: ClusterRole read may impersonate",
    ),
    (
        "resources: [pods], verbs: [get]",
        "resources: [pods, pods/proxy], verbs: [get]",
        "access: ClusterRole read reaches pods/proxy",
    ),
    (
        "highbeam:developers",
        "highbeam:developer",
        "access: RoleBinding prod/developers-read is for highbeam:developer, a group that nobody is in",
    ),
    // The matrix.
    (
        "resources: [pods], verbs: [get]",
        "resources: [pods], verbs: [list]",
        "matrix: developers may not get pods in prod",
    ),
    (
        "resources: [pods], verbs: [get]",
        "resources: [pods, secrets], verbs: [get]",
        "matrix: developers may get secrets in prod",
    ),
    // Policies.
    (
        "policyTypes: [Ingress, Egress]}",
        "policyTypes: [Ingress]}",
        "policies: no NetworkPolicy denies by default in prod",
    ),
    (
        "- to: [{podSelector: {matchLabels: {app.kubernetes.io/name: eventstore}}}]\n      ports: [{protocol: TCP, port: 2113}]\n",
        "- to: []\n",
        "policies: NetworkPolicies, egress lack api → eventstore:2113",
    ),
    ("port: 4318}]", "port: 4317}]", "policies: NetworkPolicies, egress let api → collector:4317"),
    (
        "- from: [{podSelector: {matchLabels: {app.kubernetes.io/name: api}}}]",
        "- from: [{podSelector: {matchLabels: {app.kubernetes.io/name: eventstore}}}]",
        "policies: NetworkPolicies, ingress let eventstore → eventstore:2113",
    ),
    (
        "{protocol: UDP, port: 53}",
        "{protocol: UDP, port: 54}",
        "policies: the NetworkPolicy everyone lack everyone → dns:UDP/53",
    ),
    (
        "serviceAccounts: [api]",
        "serviceAccounts: [eventstore]",
        "policies: AuthorizationPolicies lack api → eventstore:2113",
    ),
    ("      to: [{operation: {ports: [\"2113\"]}}]\n", "", "policies: AuthorizationPolicies let api → eventstore:any"),
    (
        "spec: {}",
        "spec: {action: ALLOW, rules: [{}]}",
        "policies: no AuthorizationPolicy allows nothing by default in prod",
    ),
    ("- {name: EVENTSTORE_CONFIG_CONNECTION_STRING,", "- {name: PORT,", "policies: edges.yaml lets api ask eventstore"),
    // Pins.
    (
        "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "",
        "pins: StatefulSet prod/eventstore, container server: store:1.0 has no digest",
    ),
    (
        "store:1.0@sha256:aaaa",
        "store:1.0@sha256:",
        "pins: StatefulSet prod/eventstore, container server: store:1.0@sha256:",
    ),
    (
        "somewhere/highbeam:0.1.0",
        "somewhere/highbeam:latest",
        "pins: Deployment prod/api, container api: somewhere/highbeam:latest is whatever is newest",
    ),
    (
        "somewhere/highbeam:0.1.0",
        "somewhere/highbeam",
        "pins: Deployment prod/api, container api: somewhere/highbeam is whatever is newest",
    ),
];

#[test]
fn each_thing_that_is_broken_is_found() {
    for (from, to, expected) in BROKEN {
        let found = broken(from, to);
        assert!(
            found.iter().any(|finding| finding.starts_with(expected)),
            "{to}\nexpected: {expected}\nfound: {found:#?}"
        );
    }
}

#[test]
fn every_rule_has_something_that_it_is_seen_to_find() {
    let tried: BTreeSet<_> = BROKEN.iter().filter_map(|(_, _, expected)| expected.split(": ").next()).collect();
    assert_eq!(tried, RULES.iter().map(|(name, _)| *name).collect());
}

#[test]
fn a_setting_that_no_edge_is_for_is_found() {
    let mut tables = tables();
    tables.edges.edges.retain(|edge| edge.from != "api");
    let found = found(GOOD, &tables);
    // With no edge that names it, it is an ordinary setting; the policies beyond the table are found.
    assert!(found.contains(
        &"policies: NetworkPolicies, egress let api → eventstore:2113, which edges.yaml does not".to_owned()
    ));
    let mut tables = self::tables();
    tables.edges.edges.iter_mut().filter(|edge| edge.from == "api").for_each(|edge| edge.from = "other".into());
    assert!(
        self::found(GOOD, &tables)
            .iter()
            .any(|f| f.contains("has EVENTSTORE_CONFIG_CONNECTION_STRING, and edges.yaml no edge"))
    );
}

#[test]
fn what_tables_say_of_nothing_is_found() {
    let bundles = [Bundle::read(GOOD).unwrap()];
    let unused = |tables: &Tables| {
        [references::unused(&bundles, tables), pins::unused(&bundles, tables), containers::unused(&bundles, tables)]
            .concat()
    };
    let mut tables = tables();
    assert_eq!(unused(&tables), Findings::new());
    tables.exceptions[0].faults.push("has hostPID".into());
    tables.external[1].name = "other".into();
    tables.unpinned[0].image = "store".into();
    tables.digests[0].image = "store:2.0".into();
    assert_eq!(
        unused(&tables),
        [
            "external.yaml: nothing refers to the Secret other by somebody",
            "pins.yaml: store needs no excuse (it is ours)",
            "pins.yaml does not say where the digest of store:1.0 is from",
            "pins.yaml: no image is store:2.0, whose digest was seen in one",
            "exceptions.yaml: DaemonSet monitoring/reader needs none for \"has hostPID\" (it reads what is root's)",
        ]
    );
}

#[test]
fn a_matrix_that_asks_too_little_is_found() {
    let mut tables = tables();
    tables.matrix.push(tables.matrix[0].clone());
    assert_eq!(
        matrix::shape(&tables),
        [
            "access.tsv asks 3 questions, 150 are the least",
            "access.tsv asks twice whether developers may get pods in prod"
        ]
    );
    assert!(questions("developers get pods prod").is_err() && questions("a get pods prod perhaps").is_err());
}
