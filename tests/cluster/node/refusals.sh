# What the cluster does not let happen, with everything running. For tests/cluster/node.sh.
as_developer() {
    kubectl --as somebody --as-group highbeam:developers --as-group system:authenticated "$@"
}
refused() { # why command…
    local why=$1
    shift
    if told=$("$@" 2>&1); then fail "not refused: $*"; fi
    grep -qi -- "$why" <<<"$told" || fail "refused, and not for \"$why\": $* said $told"
}
kubectl create namespace elsewhere --dry-run=client -o yaml | kubectl apply -f - >/dev/null
refused "not in elsewhere" kubectl -n elsewhere create deployment somewhere --image docker.io/library/highbeam:0.1.0
refused 'violates PodSecurity "restricted' kubectl -n dev run mighty --image docker.io/library/highbeam:0.1.0 --privileged
kubectl -n prod create secret generic probe --from-literal key=value >/dev/null
refused forbidden as_developer -n prod get secret probe
refused forbidden as_developer -n prod run reader --image docker.io/library/highbeam:0.1.0
refused forbidden as_developer -n monitoring exec deploy/jaeger -- /bin/true
kubectl -n prod delete secret probe >/dev/null
as_developer -n dev logs deployment/api --tail 1 >/dev/null || fail "developers see no logs in dev"
[[ -z $(kubectl -n elsewhere get pods -o name) ]] || fail "something runs where nothing may"
echo "ok: a Deployment outside of the listed namespaces, a privileged pod, a developer's look at a secret and exec are refused; logs are shown"
