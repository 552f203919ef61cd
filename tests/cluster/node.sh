#!/usr/bin/env bash
# Runs overlays/dev as pods on a real node (deployments/testbed/node.sh): from nothing to the first order; its trace,
# metrics and log lines in the cluster's own tools; a rolling restart under load; pods and engines killed, the node
# drained, and every acknowledged order there afterwards; what the cluster refuses, by itself and by Kyverno. tests/cluster/node
# says what stands in for images that no package registry has.
#
# ONLY="order restart" chooses what is done once everything is up: order, image, refusals, restart, faults, kyverno, usage
# (usage measures requests and limits, takes minutes, and is left out otherwise). NODE_REQUIRED=1 makes a failure of what
# is skipped; KEEP=1 leaves the cluster running until Enter is pressed. Needs root, Go, Java, Rust; cold it takes half an
# hour, most of it building.
required=${NODE_REQUIRED:-0}
source "$(dirname "$0")/../common.sh"
source tests/stack/tools.sh
source tests/cluster/images.sh
only=${ONLY-order image refusals restart faults kyverno}
need go python3 openssl curl
begin_folder cluster-node
trap end EXIT
chmod 755 "$folder"

# Whatever happened: no order is placed, no pod runs, and the machine is as it was, before the folder goes.
end() {
    [[ -z ${writer:-} ]] || kill "$writer" 2>/dev/null || true
    if [[ ${#processes[@]} -gt 0 ]]; then
        kill "${processes[@]}" 2>/dev/null || true
        wait "${processes[@]}" 2>/dev/null || true
        processes=()
    fi
    [[ -z ${up:-} ]] || bash deployments/testbed/node.sh down "$folder/node" || true
    end_folder
}

tools=$(bash deployments/testbed/tools.sh kubectl etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns pause relay) ||
    fail "the cluster cannot be built"
[[ " $only " != *" kyverno "* ]] || bash deployments/testbed/tools.sh kyverno-admission >/dev/null || fail "Kyverno cannot be built"
export TOOLS=$tools
told=$(bash deployments/testbed/node.sh able 2>&1) || skip "$told"
build_programs || skip "$reason"
make_images || skip "$reason"
bash deployments/testbed/crds.sh "$folder/crds" >/dev/null || fail "the schemas of custom resources cannot be had"

in_node() {
    bash deployments/testbed/node.sh run "$@"
}

kubectl() {
    in_node "$tools/kubectl" "$@"
}

# --- from nothing ----------------------------------------------------------------------------------------------------

manifests() {
    local volume
    for volume in data-0:10Gi data-1:10Gi data-2:10Gi index-0:5Gi logs-0:2Gi; do
        bash deployments/testbed/node.sh volume "$folder/node" "${volume%:*}" "${volume#*:}"
    done
    # FerretDB knows no accounts and no replica set.
    bash deployments/secrets.sh dev | sed 's,mongodb://.*@\(mongodb-0.mongodb:27017/delivery\).*",mongodb://\1",'
    kubectl -n monitoring create configmap stand-in-prometheus-rules --dry-run=client -o yaml \
        --from-file=observability/rules --from-file=deployments/compose/prometheus/slo.yaml
    echo ---
    kubectl -n monitoring create configmap stand-in-alertmanager --dry-run=client -o yaml --from-file=deployments/compose/alertmanager
}

# The events, outside of the cluster as a disk would be, and the way to them from pods.
start_events() {
    bash deployments/testbed/node.sh run "$testserver" --port 2114 --max-append-size 4194304 >"$folder/events.log" 2>&1 &
    processes+=($!)
    bash deployments/testbed/node.sh run "$tools/relay" 2113 127.0.0.1:2114 >>"$folder/events.log" 2>&1 &
    processes+=($!)
}

# Waits until a workload is as it should be, and says what it lacks if it never is.
ready() { # namespace kind/name [timeout]
    kubectl -n "$1" rollout status "$2" --timeout "${3:-240s}" >"$folder/told" 2>&1 || fail "$2 in $1 is not ready: $(tail -n 1 "$folder/told")
$(kubectl -n "$1" get pods -l "app.kubernetes.io/name=${2#*/}" -o jsonpath='{range .items[*]}{.metadata.name} {.status.phase} {.status.containerStatuses[*].state}{"\n"}{end}')
$(kubectl -n "$1" get events --field-selector type=Warning -o jsonpath='{range .items[*]}{.involvedObject.name}: {.message}{"\n"}{end}' | grep "${2#*/}" | tail -n 5)
$(kubectl -n "$1" logs "$2" --all-containers --tail 10 2>&1)"
}

workloads=(dev:statefulset/eventstore dev:statefulset/mongodb dev:statefulset/elasticsearch monitoring:deployment/jaeger
    monitoring:deployment/otel-collector monitoring:deployment/stand-in-prometheus monitoring:deployment/stand-in-alertmanager
    dev:deployment/orders-projector dev:deployment/search-projector dev:deployment/api)

all_ready() {
    local workload
    for workload in "${workloads[@]}"; do ready "${workload%%:*}" "${workload#*:}"; done
}

# An address of a Service, from the node.
url() { # namespace service port
    printf 'http://%s:%s' "$(kubectl -n "$1" get service "$2" -o jsonpath='{.spec.clusterIP}')" "$3"
}

# An order's id: of the order that a trace begins with, if one is named.
place() { # [trace]
    in_node curl -sSf --max-time 20 "$api/api/orders" -H 'content-type: application/json' ${1:+-H "traceparent: 00-$1-00000000000000a1-01"} \
        -d '{"shopItems": [{"id": "1", "title": "Nodetea", "description": "Loose leaf", "quantity": 2, "price": 12.5}],
            "accountEmail": "jane@example.com", "deliveryAddress": "12 Main Street"}' | tr -d '"\n'
}

begun=$SECONDS
up=1
KUBECONFIG=$(bash deployments/testbed/node.sh up "$folder/node" "${archives[@]}") || exit 1
export KUBECONFIG KUBECACHEDIR=$folder/cache
start_events
cluster_seconds=$((SECONDS - begun))
# Of all that crds.tsv names, what overlays/dev has something of.
find "$folder/crds" -type f -not -name "prometheus-operator-*" -delete
kubectl apply --server-side -f "$folder/crds" >"$folder/told" 2>&1 || fail "$(tail -n 3 "$folder/told")"
kubectl wait --for condition=Established --timeout 60s crd --all >/dev/null
kubectl apply --server-side -k deployments/base/namespaces >/dev/null
manifests >"$folder/manifests.yaml"
kubectl apply --server-side --validate=strict -f "$folder/manifests.yaml" >"$folder/told" 2>&1 || fail "$(tail -n 3 "$folder/told")"
kubectl kustomize tests/cluster/node >"$folder/overlay.yaml"
kubectl apply --server-side --validate=strict -f "$folder/overlay.yaml" >"$folder/told" 2>&1 || fail "$(grep -i error "$folder/told" | head -n 3)"
all_ready
api=$(url dev api 5007)
# A pod that is ready is one that kube-proxy hears of next.
order=$(await "the first order to be taken" place) || exit 1
echo "ok: from nothing to the first order in $((SECONDS - begun)) s, $cluster_seconds of them until the cluster was there: $(kubectl get pods -A --no-headers | wc -l) pods on $(kubectl get node node -o jsonpath='{.status.nodeInfo.kubeletVersion}')"
[[ -z $(kubectl get pods -A -o jsonpath='{.items[*].status.containerStatuses[?(@.restartCount>0)].name}') ]] ||
    fail "containers were started again: $(kubectl get pods -A)"

orders() {
    in_node python3 tests/stack/orders.py "$@"
}

for part in $only; do source "tests/cluster/node/$part.sh"; done
if [[ ${KEEP:-0} == 1 ]]; then
    echo "KUBECONFIG=$KUBECONFIG; bash deployments/testbed/node.sh run $tools/kubectl get pods -A"
    read -r
fi
