#!/usr/bin/env bash
# Applies an overlay to the cluster of kubectl's current context, in order, and waits until everything of it is ready;
# stops at the first failure and says why. Run again, it changes what has changed.
#
#   bash deployments/deploy.sh up dev
#   bash deployments/deploy.sh down dev         # takes the workloads away; volumes, secrets and what is shared stay
#   bash deployments/deploy.sh down dev --all   # volumes, secrets, access, policies, monitoring, charts too; not namespaces,
#                                               # and not the volumes that backups are on
#
# In this order: definitions, controllers (charts.tsv, by helm), configuration and policies, the workloads, what looks at
# them. CONTROLLERS=there leaves the charts out, for a cluster whose controllers somebody else looks after: it says whose
# are missing, and needs no helm. TIMEOUT (5m) is how long it waits for one workload or chart; KUBECTL and HELM name the
# programs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubectl=${KUBECTL:-kubectl}
helm=${HELM:-helm}
timeout=${TIMEOUT:-5m}

fail() {
    echo "failed: $1" >&2
    exit 1
}

step() {
    echo "· $1"
}

usage="deploy.sh up|down dev|prod|prod-ambient [--all]"
[[ $# -ge 2 && ($1 == up || $1 == down) && ($2 == dev || $2 == prod || $2 == prod-ambient) && ($# -eq 2 || "$1 $3" == "down --all") ]] || fail "usage: $usage"
action=$1 overlay=$2 everything=${3:-}
namespace=${overlay%-ambient}
rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT

# Who brings the kinds that Kubernetes does not have.
owner() {
    case $1 in
        monitoring.coreos.com/*) echo "Prometheus' operator" ;;
        gateway.networking.k8s.io/*) echo "the Gateway API" ;;
        *.istio.io/*) echo "Istio" ;;
        cert-manager.io/*) echo "cert-manager" ;;
        external-secrets.io/*) echo "the External Secrets Operator" ;;
        *) echo "Kubernetes, in a version that has it" ;;
    esac
}

# Every version of an API that the overlay uses is one that the cluster knows.
check_apis() {
    local known missing=() api
    known=$("$kubectl" api-versions) || fail "the cluster does not answer"
    for api in $(sed -n 's/^apiVersion: //p' "$rendered" | sort -u); do
        grep -qxF "$api" <<<"$known" || missing+=("$api of $(owner "$api")")
    done
    [[ ${#missing[@]} -eq 0 ]] || fail "the cluster does not know $(printf '%s; ' "${missing[@]}")install these first"
}

# The rows of charts.tsv for this overlay, of one stage or of all.
rows() {
    awk -v stage="${1:-}" -v overlay="$overlay" '!/^#/ && NF && (stage == "" || $1 == stage) && ($2 == "all" || $2 == overlay || $2 "-ambient" == overlay)' "$here/charts.tsv"
}

charts() { # stage
    local stage for release chart_namespace source version digest told
    [[ ${CONTROLLERS:-} != there ]] || return 0
    while read -r stage for release chart_namespace source version digest; do
        step "$stage: $release $version"
        if [[ $source == *.yaml ]]; then
            apply --filename "$source"
            continue
        fi
        command -v "$helm" >/dev/null || fail "$release is a chart, and $helm is not there: install helm, or set CONTROLLERS=there if somebody else brings what charts.tsv names"
        local chart=("$source")
        # A digest is what is asked for, where one is known; otherwise the name within its repository.
        if [[ $source == oci://* ]]; then
            [[ $digest == - ]] || chart=("$source@$digest")
        else
            chart=("${source##*/}" --repo "${source%/*}")
        fi
        local own=() extra=$here/charts/$release/$overlay.yaml
        [[ ! -e $extra ]] || own=(--values "$extra")
        told=$("$helm" upgrade --install "$release" "${chart[@]}" --version "$version" --namespace "$chart_namespace" --create-namespace \
            --values "$here/charts/$release/values.yaml" "${own[@]}" --wait --timeout "$timeout" 2>&1) || fail "the chart $release: $(tail -n 3 <<<"$told")"
    done < <(rows "$1")
}

apply() {
    local told
    told=$("$kubectl" apply --server-side --force-conflicts --validate=strict "$@" 2>&1) || fail "not taken: $(grep -i error <<<"$told" | head -n 3)"
}

# What a workload that is not ready says of itself.
why() {
    local name=${1#*/}
    "$kubectl" --namespace "$2" get pods --selector "app.kubernetes.io/name=$name" --output jsonpath='{range .items[*]}{.metadata.name}: {.status.phase} {.status.containerStatuses[*].state.waiting.reason} {.status.conditions[?(@.status=="False")].message}{"\n"}{end}' 2>/dev/null
    "$kubectl" --namespace "$2" get events --field-selector type=Warning --output jsonpath='{range .items[*]}{.involvedObject.name}: {.message}{"\n"}{end}' 2>/dev/null | grep "^$name" | tail -n 3
}

await() { # kind/name namespace
    step "waiting for $1 in $2"
    "$kubectl" --namespace "$2" rollout status "$1" --timeout "$timeout" >/dev/null 2>&1 ||
        fail "$1 in $2 is not ready after $timeout: $(why "$1" "$2" || true)"
}

case $action in
    up)
        "$kubectl" kustomize "$here/overlays/$overlay" >"$rendered" || fail "the overlay cannot be built"
        step "overlays/$overlay to $("$kubectl" config current-context)"
        # With somebody else's controllers nothing is applied until all of them are there.
        [[ ${CONTROLLERS:-} != there ]] || check_apis
        step "namespaces"
        apply --kustomize "$here/base/namespaces"
        charts crds
        charts controllers
        check_apis
        if [[ $overlay == dev ]] && ! "$kubectl" --namespace monitoring get secret grafana-admin >/dev/null 2>&1; then
            bash "$here/secrets.sh" monitoring | apply --filename -
        fi
        if [[ $overlay == dev ]] && ! "$kubectl" --namespace dev get secret highbeam-connections >/dev/null 2>&1; then
            step "secrets, made up on the spot"
            bash "$here/secrets.sh" dev | apply --filename -
        fi
        for policies in deny audit; do
            # Of somebody else's Kyverno, if there is one.
            "$kubectl" api-versions | grep -qxF policies.kyverno.io/v1 || break
            step "policies of Kyverno: $policies"
            apply --kustomize "$here/policies/kyverno/$policies"
        done
        step "everything else"
        apply --filename "$rendered"
        if [[ $namespace == prod ]]; then
            for kind in certificates.cert-manager.io externalsecrets.external-secrets.io; do
                step "waiting for $kind"
                "$kubectl" --namespace prod wait --for condition=Ready --all "$kind" --timeout "$timeout" >/dev/null 2>&1 ||
                    fail "not all of $kind are ready after $timeout: kubectl -n prod describe $kind"
            done
        fi
        # What others wait for comes first.
        for workload in statefulset/eventstore statefulset/mongodb statefulset/elasticsearch; do await "$workload" "$namespace"; done
        for workload in deployment/jaeger deployment/otel-collector statefulset/loki deployment/grafana daemonset/log-shipper; do await "$workload" monitoring; done
        for workload in prometheus/highbeam alertmanager/highbeam; do
            step "waiting for $workload in monitoring"
            "$kubectl" --namespace monitoring wait --for condition=Available "$workload" --timeout "$timeout" >/dev/null 2>&1 ||
                fail "$workload in monitoring is not available after $timeout: $("$kubectl" --namespace monitoring get "$workload" --output jsonpath='{.status.conditions[?(@.status!="True")].message}')"
        done
        for workload in deployment/orders-projector deployment/search-projector deployment/api; do await "$workload" "$namespace"; done
        charts system
        echo "overlays/$overlay is up"
        ;;
    down)
        step "overlays/$overlay from $("$kubectl" config current-context)"
        folder=$here/overlays/$namespace/workloads
        [[ -z $everything ]] || folder=$here/overlays/$overlay
        "$kubectl" kustomize "$folder" >"$rendered" || fail "the overlay cannot be built"
        # Namespaces hold what others have put there, and claims hold backups: nobody loses those by tearing down.
        awk 'BEGIN { RS = ORS = "\n---\n" } !/(^|\n)kind: (Namespace|PersistentVolumeClaim)(\n|$)/' "$rendered" >"$rendered.kept"
        mv "$rendered.kept" "$rendered"
        "$kubectl" delete --ignore-not-found --filename "$rendered" --timeout "$timeout" >/dev/null || fail "not everything could be taken away"
        if [[ -n $everything ]]; then
            for name in eventstore mongodb elasticsearch; do
                "$kubectl" --namespace "$namespace" delete persistentvolumeclaims --selector "app.kubernetes.io/name=$name" --timeout "$timeout" >/dev/null
            done
            "$kubectl" --namespace "$namespace" delete --ignore-not-found secret highbeam-connections mongodb-accounts mongodb-keyfile elasticsearch-accounts >/dev/null
            "$kubectl" --namespace monitoring delete --ignore-not-found secret grafana-admin >/dev/null
            "$kubectl" --namespace monitoring delete persistentvolumeclaims --selector app.kubernetes.io/name --timeout "$timeout" >/dev/null
            if [[ ${CONTROLLERS:-} != there ]]; then
                # The last first. Definitions stay: with them would go whatever others made of them.
                rows | grep -v '^crds' | tac | while read -r _ _ release chart_namespace _; do
                    step "$release"
                    "$helm" uninstall "$release" --namespace "$chart_namespace" --ignore-not-found --wait --timeout "$timeout" >/dev/null || fail "the chart $release could not be taken away"
                done
            fi
            echo "overlays/$overlay is gone; its namespaces are still there"
        else
            echo "the workloads of overlays/$overlay are gone; volumes, secrets and what overlays share are still there (--all takes them)"
        fi
        ;;
esac
