#!/usr/bin/env bash
# Holds what `deployments/` renders to against the tools that know Kubernetes, the mesh, policies and alerts without a
# cluster: kubeconform, istioctl, Kyverno's CLI, checkov, promtool, amtool. No finding, or one with its reason in
# static/waivers.yaml. Each is seen to fail on a broken copy.
#
# Part of `tests/cluster.sh`; alone: bash tests/cluster/static.sh. Cold it builds istioctl and Kyverno's CLI, some twenty
# minutes on 2 cores; STATIC="schemas values checkov alerts dashboards mesh policies" chooses what is looked at.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need go python3
chosen=${STATIC:-schemas values checkov alerts dashboards mesh policies}
tools=$(bash deployments/testbed/tools.sh kubectl) || fail "kubectl cannot be built"
here=tests/cluster/static
begin_folder static

# Python packages that Debian's Python lacks, in an environment of their own.
python=$target/cluster/python
if [[ ! -x $python/bin/checkov || $(cat "$python/made-of" 2>/dev/null) != "$(cat "$here/requirements.txt")" ]]; then
    rm -rf "$python"
    python3 -m venv "$python" && "$python/bin/pip" install --quiet --requirement "$here/requirements.txt" || fail "checkov cannot be installed"
    cp "$here/requirements.txt" "$python/made-of"
fi
python() { "$python/bin/python" "$@"; }

for overlay in dev dev-promtail prod prod-ambient; do
    "$tools/kubectl" kustomize "deployments/overlays/$overlay" >"$folder/$overlay.yaml" || fail "overlays/$overlay does not render"
done
for actions in deny audit; do
    "$tools/kubectl" kustomize "deployments/policies/kyverno/$actions" >"$folder/kyverno-$actions.yaml" || fail "policies/kyverno/$actions does not render"
done

# A copy with one text for another, which has to be there.
broken() { # file sed-expression
    sed "$2" "$1" >"$folder/broken.yaml"
    if cmp -s "$1" "$folder/broken.yaml"; then fail "nothing to break in $1 by $2"; fi
}

kubernetes=$(cd deployments/testbed/kubernetes && go list -m -f '{{.Dir}}' k8s.io/kubernetes) || fail "the module k8s.io/kubernetes cannot be had"
# The folder of a module that a tool is built from, or whose definitions are pinned.
module() { # tool module
    (cd "deployments/testbed/$1" && go list -m -f '{{.Dir}}' "$2")
}
pinned() { # module
    local version
    version=$(awk -v module="$1" '$1 == module { print $2 }' deployments/testbed/crds.tsv)
    (cd "$folder" && GOWORK=off go mod download -json "$1@$version") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

schemas() {
    local made conform
    bash deployments/testbed/tools.sh kubeconform >/dev/null || fail "kubeconform cannot be built"
    bash deployments/testbed/crds.sh "$folder/crds" >/dev/null || fail "the schemas of custom resources cannot be had"
    made=$(python "$here/schemas.py" "$folder/schemas" "$kubernetes"/api/openapi-spec/v3/*.json --crds "$folder"/crds/*.yaml) || fail "the schemas cannot be made"
    conform=("$tools/kubeconform" -strict -summary -schema-location "$folder/schemas/{{ .ResourceKind }}{{ .KindSuffix }}.json")
    told=$("${conform[@]}" "$folder"/{kyverno-deny,kyverno-audit,dev,dev-promtail,prod-ambient,prod}.yaml 2>&1) || fail "kubeconform: $(head -n 5 <<<"$told")"
    for wrong in "s/^  maxReplicas:/  maxReplica:/" "s/randomSamplingPercentage:/randomSampling:/" "s/retentionSize:/retentionsize:/"; do
        broken "$folder/prod.yaml" "$wrong"
        if "${conform[@]}" "$folder/broken.yaml" >/dev/null 2>&1; then fail "kubeconform takes a field that nobody declared ($wrong)"; fi
    done
    echo "ok: kubeconform with $made schemas, of this Kubernetes and of the custom resources: $(sed 's/^Summary: //; s/ - Valid.*//' <<<"$told" | tail -n 1)"
}

# Charts that are in a module are asked for their own values: a key that a chart does not have is not read, silently.
values() {
    local istio
    istio=$(module istioctl istio.io/istio)/manifests/charts
    local -A charts=(
        [istio-base]=$istio/base [istiod]=$istio/istio-control/istio-discovery [istio-cni]=$istio/istio-cni [ztunnel]=$istio/ztunnel
        [kyverno]=$(module kyverno github.com/kyverno/kyverno)/charts/kyverno
        [cert-manager]=$(pinned github.com/cert-manager/cert-manager)/deploy/charts/cert-manager
        [external-secrets]=$(pinned github.com/external-secrets/external-secrets)/deploy/charts/external-secrets
    )
    local chart looked=()
    for chart in "${!charts[@]}"; do
        [[ -e deployments/charts/$chart/values.yaml ]] || continue
        told=$(python "$here/values.py" "deployments/charts/$chart/values.yaml" "${charts[$chart]}/values.yaml") || fail "charts/$chart/values.yaml: the chart does not have $told"
        looked+=("$chart")
    done
    broken deployments/charts/kyverno/values.yaml "s/admissionController:/admissionControler:/"
    if python "$here/values.py" "$folder/broken.yaml" "${charts[kyverno]}/values.yaml" >/dev/null; then fail "a key that no chart has is no finding"; fi
    echo "ok: keys of values are the charts' own: ${looked[*]} (those of kube-prometheus-stack and kiali are in no module, and were read only)"
}

checkov() {
    local overlay reports=()
    for overlay in dev prod; do
        (cd "$folder" && "$python/bin/checkov" --framework kubernetes --file "$overlay.yaml" --quiet --skip-download --output json) >"$folder/checkov-$overlay.json" 2>"$folder/told" || true
        reports+=("$folder/checkov-$overlay.json")
    done
    told=$(python "$here/checkov.py" "$here/waivers.yaml" "${reports[@]}") || fail "checkov: $told"
    broken "$folder/prod.yaml" "s/allowPrivilegeEscalation: false/allowPrivilegeEscalation: true/"
    (cd "$folder" && "$python/bin/checkov" --framework kubernetes --file broken.yaml --quiet --skip-download --output json) >"$folder/checkov-broken.json" 2>/dev/null || true
    if python "$here/checkov.py" "$here/waivers.yaml" "${reports[@]}" "$folder/checkov-broken.json" >/dev/null; then fail "checkov finds nothing in containers that gain privileges"; fi
    echo "ok: checkov: $told"
}

alerts() {
    local config receiver labels
    # Neither program is a part of any package registry but Debian's.
    if ! told=$(PROMETHEUS_REQUIRED=1 && find_any_prometheus); then
        echo "left out: alerts, for $told"
        return
    fi
    find_any_prometheus
    # What the operator would mount: the spec of each PrometheusRule.
    python - "$folder/prod.yaml" "$folder/rules" <<'PYTHON' || fail "the rules cannot be read"
import os, sys, yaml
os.makedirs(sys.argv[2])
for made in yaml.safe_load_all(open(sys.argv[1])):
    if made["kind"] == "PrometheusRule":
        yaml.safe_dump(made["spec"], open(f"{sys.argv[2]}/{made['metadata']['name']}.yaml", "w"))
    if made["kind"] == "Secret" and made["metadata"]["name"] == "alertmanager-config":
        import base64
        open(f"{sys.argv[2]}/../alertmanager.yaml", "wb").write(base64.b64decode(made["data"]["alertmanager.yaml"]))
PYTHON
    told=$("$promtool" check rules "$folder"/rules/*.yaml 2>&1) || fail "promtool says: $told"
    broken "$folder/rules/highbeam-api.yaml" "s/histogram_quantile(0.99,/histogram_quantile(/"
    if "$promtool" check rules "$folder/broken.yaml" >/dev/null 2>&1; then fail "promtool takes a rule that is none"; fi
    echo "ok: promtool takes $(grep -c 'rules found' <<<"$told") PrometheusRules"
    amtool=${AMTOOL:-$(command -v amtool || true)}
    if [[ -z $amtool ]] && bash bench/peers/alertmanager.sh >/dev/null 2>&1; then amtool=$peers/bin/amtool; fi
    if [[ -z $amtool ]]; then
        echo "left out: Alertmanager's configuration, for there is no amtool"
        return
    fi
    for config in "$folder/alertmanager.yaml" deployments/compose/alertmanager/alertmanager.yml; do
        told=$("$amtool" check-config "$config" 2>&1) || fail "amtool says of $config: $told"
        while read -r receiver labels; do
            # Words of their own: one label each.
            # shellcheck disable=SC2086
            told=$("$amtool" config routes test --config.file="$config" $labels 2>/dev/null)
            [[ $told == "$receiver" ]] || fail "$labels goes to $told, not to $receiver ($config)"
        done <"$here/routes.txt"
    done
    broken "$folder/alertmanager.yaml" "s/severity=~\"page|critical\"/severity=\"paged\"/"
    [[ $("$amtool" config routes test --config.file="$folder/broken.yaml" severity=page alertname=ApiDown 2>/dev/null) != page ]] || fail "a page goes to page by no route"
    broken "$folder/alertmanager.yaml" "s/receiver: watchdog/receiver: nowhere/"
    if "$amtool" check-config "$folder/broken.yaml" >/dev/null 2>&1; then fail "amtool takes a route to a receiver that is not there"; fi
    echo "ok: amtool takes Alertmanager's configuration, and $(grep -c . "$here/routes.txt") kinds of alerts go to whom they have to, in both sizes"
}

dashboards() {
    local known=(docs/telemetry/README.md observability/rules/*.yaml deployments/compose/prometheus/slo.yaml)
    told=$(python "$here/dashboards.py" observability/dashboards/*.json --known "${known[@]}") || fail "dashboards: $told"
    broken observability/dashboards/api-red.json "s/delivery_commands_total/delivery_command_total/"
    if python "$here/dashboards.py" "$folder/broken.yaml" --known "${known[@]}" >/dev/null; then fail "a metric that nobody tells is no finding"; fi
    for board in observability/dashboards/*.json; do
        grep -q "$(basename "$board")" observability/dashboards/kustomization.yaml || fail "$board is not among those that a cluster gets"
    done
    echo "ok: $told: each metric is one that is told, each panel has a unit and says what bad looks like"
}

mesh() {
    bash deployments/testbed/tools.sh istioctl >/dev/null || fail "istioctl cannot be built"
    local overlay istioctl=("$tools/istioctl" analyze --use-kube=false --all-namespaces --failure-threshold Info)
    for overlay in dev prod prod-ambient; do
        told=$("${istioctl[@]}" "$folder/$overlay.yaml" 2>&1) || fail "istioctl says of overlays/$overlay: $told"
        grep -q "No validation issues" <<<"$told" || fail "istioctl says of overlays/$overlay: $told"
    done
    # A mode that there is none of, and a rule that denies more than it says: by its paths alone it is about every port.
    for wrong in "s/mode: STRICT$/mode: STRICTEST/" '/^ *ports:$/{N;/"443"$/d}'; do
        broken "$folder/prod.yaml" "$wrong"
        if told=$("${istioctl[@]}" "$folder/broken.yaml" 2>&1); then fail "istioctl minds nothing of $wrong: $told"; fi
    done
    echo "ok: istioctl analyze finds nothing, and something in each broken copy"
}

policies() {
    bash deployments/testbed/tools.sh kyverno >/dev/null || fail "Kyverno's CLI cannot be built"
    told=$(python tests/cluster/kyverno.py "$tools/kyverno" "$folder/kyverno-deny.yaml" "$folder/kyverno" --mutate 2>&1) || fail "Kyverno: $(tail -n 30 <<<"$told")"
    echo "ok: Kyverno's own CLI: $told"
}

for each in $chosen; do "$each"; done
