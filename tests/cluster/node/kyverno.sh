# Kyverno's admission controller as a pod, and every case of policies.json asked of it: the policies as they are, but for
# the namespace that they look at. For tests/cluster/node.sh.
module=$(cd deployments/testbed/kyverno-admission && GOWORK=off go mod download -json github.com/kyverno/kyverno | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
python3 tests/cluster/node/kyverno.py "$module/config/install-latest-testing.yaml" testbed.invalid/kyverno:1 >"$folder/kyverno.json"
began=$SECONDS
kubectl apply --server-side --force-conflicts -f "$folder/kyverno.json" >"$folder/told" 2>&1 || fail "Kyverno is not taken: $(grep -i error "$folder/told" | head -n 3)"
ready kyverno deployment/kyverno-admission-controller

# Beside the API server's own rule about namespaces, which would refuse first.
kubectl delete --ignore-not-found validatingadmissionpolicybinding highbeam-namespaces >/dev/null
kubectl create namespace judged --dry-run=client -o yaml | kubectl apply -f - >/dev/null
for account in own default; do kubectl -n judged create serviceaccount "$account" --dry-run=client -o yaml | kubectl apply -f - >/dev/null 2>&1; done
kubectl create clusterrolebinding role-maker --clusterrole cluster-admin --group role-maker --dry-run=client -o yaml | kubectl apply -f - >/dev/null
kubectl create --dry-run=client -o json -k deployments/policies/kyverno/deny | sed 's/"prod"/"judged"/' >"$folder/policies.json"
(await "Kyverno to take policies" kubectl apply --server-side -f "$folder/policies.json" >/dev/null) || exit 1
printf '#!/bin/sh\nexec bash deployments/testbed/node.sh run "%s" "$@"\n' "$tools/kubectl" >"$folder/kubectl"
chmod +x "$folder/kubectl"
by_kyverno() {
    says "an image needs a version" bash -c "'$folder/kubectl' -n judged run a --image a:latest --dry-run=server 2>&1 || true" | grep -o 'admission webhook "[^"]*kyverno[^"]*" denied'
}
(await "Kyverno to refuse an image without a version" by_kyverno >/dev/null) || exit 1
judge() {
    KUBECTL=$folder/kubectl python3 tests/cluster/policies.py compare "$folder/policies.json" judged
}
told=$(await "Kyverno to judge every case as it should" judge) || exit 1
echo "ok: Kyverno's admission controller, as a pod, ready after $((SECONDS - began)) s, keeps the policies: $told"
