#!/usr/bin/env bash
# Holds `deployments/` against a real API server: kube-apiserver and etcd, built from their Go modules and run on loopback
# (deployments/testbed). Everything is applied with strict validation, custom resources included; a second time nothing
# changes; the table of who may do what is asked; policies refuse. Pods are admitted there and never start: that they run
# is what tests/cluster/node.sh shows afterwards, on a real node. NODE=0 leaves it out.
#
# Before that, what can be said without a server: cluster/static.sh (STATIC chooses of it), cluster/backups.sh.
#
# Cold it builds for some six minutes on 2 cores, for half an hour with the node, and for twenty minutes more what reads
# the mesh and policies (STATIC="schemas values checkov alerts dashboards" leaves these out). CLUSTER_TOOLS names a folder
# of programs that are built already.
source "$(dirname "$0")/common.sh"
need go openssl python3
tools=$(bash deployments/testbed/tools.sh kubectl etcd kube-apiserver) || fail "the control plane cannot be built"
begin_folder cluster
bash tests/cluster/static.sh || exit 1
bash tests/cluster/backups.sh || exit 1
schemas=$(bash deployments/testbed/crds.sh "$folder/crds") || fail "the schemas of custom resources cannot be had"

port=$(free_port)
trap 'bash deployments/testbed/controlplane.sh down "$folder/plane"; end_folder' EXIT
begun=$SECONDS
KUBECONFIG=$(TOOLS=$tools PORT=$port bash deployments/testbed/controlplane.sh up "$folder/plane") || exit 1
export KUBECONFIG KUBECACHEDIR=$folder/cache
kubectl() { "$tools/kubectl" "$@"; }
echo "ok: $(kubectl version -o json | python3 -c 'import json,sys; print("Kubernetes", json.load(sys.stdin)["serverVersion"]["gitVersion"])') is up after $((SECONDS - begun)) s"

# --- a cluster without controllers ------------------------------------------------------------------------------------

export KUBECTL=$tools/kubectl
deploy() { CONTROLLERS=${controllers-there} TIMEOUT=${patience:-2s} bash deployments/deploy.sh "$@" 2>&1; }
if told=$(deploy up prod); then fail "nobody minds that there are no controllers"; fi
for owner in "Prometheus' operator" Istio cert-manager "the Gateway API" "the External Secrets Operator"; do
    grep -qF "of $owner" <<<"$told" || fail "it is not said that $owner is missing: $told"
done
kubectl get namespace prod >/dev/null 2>&1 && fail "something was applied all the same"
echo "ok: deploy.sh says which controllers are missing, and applies nothing"
# With charts: a helm that notes what it is asked, and brings nothing.
if told=$(controllers= HELM=$folder/no-helm deploy up dev); then fail "nobody minds that there is no helm"; fi
grep -q "is a chart, and .*no-helm is not there" <<<"$told" || fail "it is not said that helm is missing: $told"
printf '#!/bin/sh\necho "$@" >>"%s"\n' "$folder/asked" >"$folder/helm"
chmod +x "$folder/helm"
if told=$(controllers= HELM=$folder/helm deploy up dev); then fail "charts that brought nothing are taken for enough"; fi
grep -qF "of Prometheus' operator" <<<"$told" || fail "it is not said what the charts did not bring: $told"
asked=$(awk '{ print $3 }' "$folder/asked" | paste -sd ' ')
[[ $asked == "kyverno kube-prometheus-stack" ]] || fail "for dev helm was asked for $asked"
while read -r asked; do
    [[ $asked == *" --version "[0-9]*" --values "*/values.yaml" --wait "* ]] || fail "helm was asked without a version or values: $asked"
done <"$folder/asked"
echo "ok: deploy.sh has helm install what charts.tsv names for the overlay, in order, and says what is missing all the same"

# --- everything is taken ---------------------------------------------------------------------------------------------

kubectl apply --server-side -f "$folder/crds" >"$folder/told" 2>&1 || fail "$(tail -n 3 "$folder/told")"
kubectl wait --for condition=Established --timeout 60s crd --all >"$folder/told" 2>&1 || fail "$(tail -n 3 "$folder/told")"
kubectl apply --server-side -k deployments/base/namespaces >/dev/null
apply() { kubectl apply --server-side --validate=strict "$@"; }
for overlay in dev prod; do
    kubectl kustomize "deployments/overlays/$overlay" >"$folder/$overlay.yaml"
    apply --dry-run=server -f "$folder/$overlay.yaml" >"$folder/told" 2>&1 || fail "overlays/$overlay is not taken: $(grep -i error "$folder/told" | head -n 5)"
    apply -f "$folder/$overlay.yaml" >"$folder/told" 2>&1 || fail "overlays/$overlay is not taken: $(grep -i error "$folder/told" | head -n 5)"
    # Pod Security, deprecated versions, unknown annotations: whatever the server warns of.
    # Of the shipper that reads the node's files, it is meant (deployments/exceptions.yaml).
    if grep -i '^warning' "$folder/told" | grep -v '"node-logs"' >"$folder/warnings"; then fail "overlays/$overlay: $(head -n 5 "$folder/warnings")"; fi
    kubectl diff --server-side -f "$folder/$overlay.yaml" >"$folder/diff" 2>&1 ||
        fail "overlays/$overlay would change something each time: $(head -n 20 "$folder/diff")"
    echo "ok: overlays/$overlay, $(grep -c serverside-applied "$folder/told") objects with $schemas schemas of custom resources; a second time nothing changes"
done
# Strict validation can fail, in Kubernetes' schemas and in others'.
for wrong in "s/^  maxReplicas:/  maxReplica:/" "s/randomSamplingPercentage:/randomSampling:/"; do
    sed "$wrong" "$folder/prod.yaml" >"$folder/wrong.yaml"
    if cmp -s "$folder/prod.yaml" "$folder/wrong.yaml"; then fail "nothing to break by $wrong"; fi
    if apply --dry-run=server -f "$folder/wrong.yaml" >"$folder/told" 2>&1; then fail "the server takes a field that it does not know ($wrong)"; fi
    grep -qE "unknown field|not declared in schema" "$folder/told" || fail "refused for another reason: $(grep -i error "$folder/told" | head -n 2)"
done
echo "ok: a field that is not known is refused"

# --- pods as they would be made --------------------------------------------------------------------------------------

for overlay in dev prod; do
    kubectl create --dry-run=client -o json -f "$folder/$overlay.yaml" | python3 tests/cluster/pods.py >"$folder/pods.json"
    kubectl apply --dry-run=server -f "$folder/pods.json" >"$folder/told" 2>&1 || fail "a pod of overlays/$overlay is refused: $(grep -v created "$folder/told" | head -n 3)"
    if grep -i '^warning' "$folder/told" | grep -v '"node-logs"' >"$folder/warnings"; then fail "a pod of overlays/$overlay: $(head -n 3 "$folder/warnings")"; fi
    echo "ok: $(grep -c 'created' "$folder/told") pods of overlays/$overlay are admitted, without a warning of Pod Security"
done
sed 's/"allowPrivilegeEscalation": false/"privileged": true/g' "$folder/pods.json" >"$folder/wrong.json"
if kubectl apply --dry-run=server -f "$folder/wrong.json" >"$folder/told" 2>&1; then fail "privileged pods are admitted"; fi
grep -q 'violates PodSecurity "restricted' "$folder/told" || fail "privileged pods are refused for another reason: $(head -n 3 "$folder/told")"
echo "ok: a privileged pod is refused by Pod Security"

# --- who may do what -------------------------------------------------------------------------------------------------

ask() { # file of answers
    python3 tests/cluster/access.py questions deployments/access.tsv >"$folder/reviews.json"
    kubectl create -f "$folder/reviews.json" -o json >"$folder/answers.json" 2>"$folder/told" || fail "$(tail -n 3 "$folder/told")"
    python3 tests/cluster/access.py compare deployments/access.tsv "$folder/answers.json"
}
told=$(ask) || fail "the API server says otherwise: $told"
echo "ok: the API server answers as access.tsv does: $told"
# The table can be wrong: with one binding gone it is.
kubectl -n prod delete rolebinding highbeam:sre-operate >/dev/null
if told=$(ask); then fail "nobody minds that SRE may do nothing in prod"; fi
echo "ok: without one binding $(wc -l <<<"$told") answers differ"
apply -f "$folder/prod.yaml" >/dev/null 2>&1

# The same in earnest, as somebody of the group.
as() { # group command…
    local group=$1
    shift
    kubectl --as somebody --as-group "highbeam:$group" --as-group system:authenticated "$@"
}
refused() { # why command…
    local why=$1
    shift
    if told=$("$@" 2>&1); then fail "not refused: $*"; fi
    grep -qi -- "$why" <<<"$told" || fail "refused, and not for \"$why\": $* said $told"
}
kubectl -n prod create secret generic probe --from-literal key=value >/dev/null
refused forbidden as developers -n prod get secret probe
refused forbidden as developers -n prod create token api
refused forbidden as developers -n prod run pod --image mongo:8.0.29
refused forbidden as developers get --raw /api/v1/namespaces/prod/services/api:5007/proxy/
refused forbidden as developers -n prod create rolebinding mine --clusterrole highbeam:break-glass --group highbeam:developers
refused forbidden as sre -n prod get secret probe
as break-glass -n prod get secret probe >/dev/null || fail "break-glass reads no secret"
as sre -n prod delete secret probe >/dev/null || fail "SRE may not delete a secret"
as developers -n prod get deployment api >/dev/null || fail "developers see no Deployment in prod"
told=$(as deployers apply --server-side --force-conflicts --dry-run=server -k deployments/overlays/prod/workloads 2>&1) ||
    fail "the pipeline may not apply prod's workloads: $(grep -i forbidden <<<"$told" | head -n 3)"
refused "clusterroles.* is forbidden" as deployers apply --server-side --dry-run=server -k deployments/base/configs/access
echo "ok: developers reach no secret in prod, the pipeline applies workloads and no roles, SRE puts and takes them unread, break-glass reads"

# --- policies of the API server's own --------------------------------------------------------------------------------

kubectl create namespace elsewhere >/dev/null
deployment() { kubectl create deployment somewhere --image mongo:8.0.29 --dry-run=server "$@"; }
# A policy takes effect a moment after it was stored.
await "the rule about namespaces" says "not in elsewhere" bash -c "'$tools/kubectl' -n elsewhere create deployment a --image a:1 --dry-run=server 2>&1 || true" >/dev/null
refused "not in elsewhere" deployment -n elsewhere
refused "not in default" deployment -n default
deployment -n dev >/dev/null 2>&1 || fail "a Deployment in dev is refused"
deployment -n kube-system >/dev/null || fail "a Deployment of the system is refused"
kubectl -n default delete service kubernetes >/dev/null
await "the API server's own Service to come back" kubectl -n default get service kubernetes >/dev/null
kubectl delete validatingadmissionpolicybinding highbeam-namespaces >/dev/null
await "the rule's end" deployment -n elsewhere >/dev/null
apply --force-conflicts -k deployments/policies/native >/dev/null
echo "ok: a Deployment outside of the listed namespaces is refused, by the policy and by nothing else; the system is not"

kubectl create -f - >/dev/null <<<'{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node", "labels": {"zone": "a"}}}'
as sre patch node node -p '{"spec": {"unschedulable": true}}' >/dev/null || fail "SRE may not cordon"
refused "SRE may set spec.unschedulable" as sre label node node zone=b --overwrite
refused "SRE may set spec.unschedulable" as sre taint node node a=b:NoSchedule
refused forbidden as developers patch node node -p '{"spec": {"unschedulable": false}}'
echo "ok: SRE cordon a node and change nothing else of it"
# --- Kyverno's policies, by the API server's CEL ---------------------------------------------------------------------

for actions in deny audit; do
    kubectl apply --server-side --validate=strict -k "deployments/policies/kyverno/$actions" >"$folder/told" 2>&1 || fail "policies/kyverno/$actions are not taken: $(head -n 3 "$folder/told")"
done
kubectl delete validatingadmissionpolicybinding highbeam-namespaces >/dev/null
kubectl create namespace judged >/dev/null
# Pods need their accounts, and who makes roles has to be allowed to, and to have what the role gives.
for account in own default; do kubectl -n judged create serviceaccount "$account" >/dev/null; done
kubectl create clusterrolebinding role-maker --clusterrole cluster-admin --group role-maker >/dev/null
kubectl create --dry-run=client -o json -k deployments/policies/kyverno/deny >"$folder/kyverno.json"
python3 tests/cluster/policies.py admission "$folder/kyverno.json" judged >"$folder/admission.json"
apply -f "$folder/admission.json" >"$folder/told" 2>&1 || fail "Kyverno's policies are no policies of the API server: $(head -n 3 "$folder/told")"
judge() { KUBECTL=$tools/kubectl python3 tests/cluster/policies.py compare "$folder/kyverno.json" judged; }
await "Kyverno's rules to take effect" says "an image needs a version" bash -c "'$tools/kubectl' -n judged run a --image a:latest --dry-run=server 2>&1 || true" >/dev/null
# Each policy is stored by itself: what is asked too early is asked again.
for _ in 1 2 3 4 5; do
    if told=$(judge); then break; fi
    sleep 1
done
told=$(judge) || fail "Kyverno's policies, by the API server's CEL: $told"
echo "ok: Kyverno's policies by the API server's CEL, not by Kyverno: $told"
# --- what the program asks -------------------------------------------------------------------------------------------

find_program
told=$(python3 tests/cluster/edges.py "$program") || fail "the program and edges.yaml: $told"
grep -v "from: search-projector, to: elasticsearch" deployments/edges.yaml >"$folder/edges.yaml"
if python3 tests/cluster/edges.py "$program" "$folder/edges.yaml" >/dev/null; then fail "a table that lacks an edge is no finding"; fi
echo "ok: $(tr '\n' ';' <<<"$told")"
# --- the way back ----------------------------------------------------------------------------------------------------

# No pod runs: its jobs are told to have ended, and workloads to be ready, by what stands in for their controllers.
restore() { TIMEOUT=${patience:-60s} bash deployments/restore.sh "$@" 2>&1; }
if told=$(restore eventstore prod ../elsewhere); then fail "a copy is called by a path"; fi
if told=$(restore eventstore prod 20261130T021700Z <<<"dev"); then fail "events are replaced although nobody agreed"; fi
grep -q "nothing was changed" <<<"$told" && [[ $(kubectl -n prod get cronjob eventstore-backup -o jsonpath='{.spec.suspend}') != true ]] || fail "something was changed: $told"
while sleep 0.3; do
    for job in $(kubectl -n prod get jobs -o name 2>/dev/null); do
        kubectl -n prod patch "$job" --subresource status --type merge -p '{"status": {"succeeded": 1}}' >/dev/null 2>&1 || true
    done
    for workload in statefulset/eventstore deployment/api deployment/orders-projector deployment/search-projector; do
        read -r generation wanted <<<"$(kubectl -n prod get "$workload" -o jsonpath='{.metadata.generation} {.spec.replicas}' 2>/dev/null)"
        ready="\"observedGeneration\": $generation, \"replicas\": $wanted, \"readyReplicas\": $wanted, \"updatedReplicas\": $wanted, \"availableReplicas\": $wanted"
        [[ $workload != statefulset* ]] || ready+=', "currentRevision": "a", "updateRevision": "a"'
        kubectl -n prod patch "$workload" --subresource status --type merge -p "{\"status\": {$ready}}" >/dev/null 2>&1 || true
    done
done &
stand_in=$!
ends=0
told=$(YES=1 restore eventstore prod 20261130T021700Z) || ends=1
kill "$stand_in" && wait "$stand_in" 2>/dev/null || true
# Where no pod runs there is none to be told to rebuild.
[[ $ends == 1 ]] && grep -q "projection orders cannot be rebuilt" <<<"$told" || fail "it ended otherwise: $told"
steps=$(grep '^·' <<<"$told" | tr '\n' ' ')
[[ $steps == "· the roles stop · the event store stops · 20261130T021700Z to eventstore-0 · 20261130T021700Z to eventstore-1 · 20261130T021700Z to eventstore-2 · the event store starts · the roles start · projection orders "* ]] ||
    fail "the steps are others: $steps"
replicas=$(kubectl -n prod get statefulset/eventstore deployment/api deployment/orders-projector -o jsonpath='{.items[*].spec.replicas}')
[[ $replicas == "3 3 1" ]] || fail "afterwards there are $replicas"
kubectl -n prod get job eventstore-restore-2 -o json | grep -q '"claimName": "data-eventstore-2"' || fail "a node is given another one's files"
echo "ok: restore.sh asks first, stops the roles and the store, restores each node from the copy, and starts them again"

# --- up and down -----------------------------------------------------------------------------------------------------

if told=$(deploy up dev); then fail "deploy.sh takes pods for ready that never ran"; fi
grep -q "statefulset/eventstore in dev is not ready after 2s" <<<"$told" || fail "deploy.sh failed at something else: $told"
password() { kubectl -n dev get secret mongodb-accounts -o jsonpath='{.data.admin}'; }
made=$(password)
# What controllers would write once pods are ready.
for workload in $(kubectl get deployment,statefulset -n dev -o name | sed "s,^,dev:,") $(kubectl get deployment,statefulset,daemonset -n monitoring -o name | sed "s,^,monitoring:,"); do
    generation=$(kubectl -n "${workload%%:*}" get "${workload#*:}" -o jsonpath='{.metadata.generation}')
    ready="\"observedGeneration\": $generation, \"replicas\": 1, \"readyReplicas\": 1, \"updatedReplicas\": 1, \"availableReplicas\": 1"
    [[ $workload != *daemonset* ]] || ready="\"observedGeneration\": $generation, \"desiredNumberScheduled\": 1, \"currentNumberScheduled\": 1, \"numberReady\": 1, \"numberAvailable\": 1, \"numberMisscheduled\": 0, \"updatedNumberScheduled\": 1"
    [[ $workload != *statefulset* ]] || ready+=', "currentRevision": "a", "updateRevision": "a", "currentReplicas": 1'
    kubectl -n "${workload%%:*}" patch "${workload#*:}" --subresource status --type merge -p "{\"status\": {$ready}}" >/dev/null
done
condition='{"type": "Available", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}'
counts='"paused": false, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "unavailableReplicas": 0'
for operated in prometheus/highbeam alertmanager/highbeam; do
    kubectl -n monitoring patch "$operated" --subresource status --type merge -p "{\"status\": {\"conditions\": [$condition], $counts}}" >/dev/null
done
told=$(deploy up dev) || fail "$told"
grep -q "overlays/dev is up" <<<"$told" && [[ $(password) == "$made" ]] || fail "a second time is not the same: $told"
told=$(patience=30s deploy down dev) || fail "$told"
[[ -z $(kubectl -n dev get deployment,statefulset,service -o name) && $(password) == "$made" ]] || fail "down takes too little or too much: $told"
kubectl get clusterrole highbeam:read >/dev/null || fail "down takes what other overlays need"
told=$(patience=30s deploy down dev --all) || fail "$told"
kubectl -n dev get secret mongodb-accounts >/dev/null 2>&1 && fail "down --all leaves passwords"
kubectl get namespace dev >/dev/null || fail "down --all takes namespaces"
echo "ok: deploy.sh waits, says what is not ready, keeps passwords, and takes away what it brought"

[[ ${NODE:-1} == 0 ]] || bash tests/cluster/node.sh
echo "not shown here: NetworkPolicies enforced, the mesh, several nodes: see deployments/README.md"
