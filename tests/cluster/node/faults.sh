# Pods and engines are killed, and the node is drained, while orders are placed; everything acknowledged is there
# afterwards. For tests/cluster/node.sh.
bash deployments/testbed/node.sh run python3 tests/stack/orders.py place "$api" "$folder/acknowledged" Ledgertea >"$folder/refused" &
writer=$!
taken() {
    wc -l <"$folder/acknowledged"
}
# More orders than there were.
goes_on() { # than
    (($(taken) > $1))
}
await "orders to be placed" goes_on 3 >/dev/null

# Ends a pod as a machine that fails would, and waits for the next one.
kill_pod() { # namespace workload selector
    local name began=$SECONDS count
    name=$(kubectl -n "$1" get pods -l "app.kubernetes.io/name=$3" -o jsonpath='{.items[0].metadata.name}')
    kubectl -n "$1" delete pod "$name" --grace-period=0 --force >/dev/null 2>&1
    ready "$1" "$2"
    # Whoever is gone comes back under another name, or under another identity.
    kubectl -n "$1" wait --for condition=Ready pod -l "app.kubernetes.io/name=$3" --timeout 120s >/dev/null || fail "$2 does not come back"
    count=$(taken)
    (await "orders after $name was killed" goes_on "$count" >/dev/null) || exit 1
    echo "ok: $name is killed, ready again after $((SECONDS - began)) s"
}
kill_pod dev deployment/api api
kill_pod dev deployment/orders-projector orders-projector
kill_pod dev statefulset/eventstore eventstore
kill_pod dev statefulset/mongodb mongodb
kill_pod dev statefulset/elasticsearch elasticsearch

began=$SECONDS
kubectl drain node --ignore-daemonsets --delete-emptydir-data --force --timeout 180s >"$folder/told" 2>&1 || fail "the node cannot be drained: $(tail -n 3 "$folder/told")"
left=$(kubectl -n dev get pods --field-selector status.phase=Running -o name)
[[ -z $left ]] || fail "pods are left on a drained node: $left"
drained=$((SECONDS - began))
kubectl uncordon node >/dev/null
all_ready
count=$(taken)
(await "orders after the node was drained" goes_on "$count" >/dev/null) || exit 1
sleep 2
kill "$writer" && wait "$writer" || true
writer=
found=$(orders find "$api" "$folder/acknowledged" Ledgertea) || exit 1
echo "ok: the node is drained in $drained s and everything is back $((SECONDS - began - drained)) s later; $found orders were acknowledged meanwhile, all are in the store, the list and the search; $(cat "$folder/refused")"
