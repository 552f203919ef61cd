# The api is rolled over while customers come. For tests/cluster/node.sh.
before=$(kubectl -n dev get pods -l app.kubernetes.io/name=api -o jsonpath='{.items[*].metadata.name}')
bash deployments/testbed/node.sh run "$program" load --target "$api/api" --rate 20 --duration 75s --warm-up 2s --quiet --mix browse=70,order=25,mistake=5 \
    --slo 'errors<=0%' --slo 'dropped<=0%' --report "$folder/load.json" >"$folder/load" 2>&1 &
load=$!
sleep 8
kubectl -n dev rollout restart deployment/api >/dev/null
ready dev deployment/api
# The new pod is ready while the old one still answers what it has taken.
for pod in $before; do kubectl -n dev wait --for delete "pod/$pod" --timeout 60s >/dev/null || fail "$pod does not go"; done
rolled=$SECONDS
wait "$load" || fail "a rolling restart of the api fails requests: $(python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
print(report["total"], report["errors"])' "$folder/load.json") $(tail -n 20 "$folder/load")"
after=$(kubectl -n dev get pods -l app.kubernetes.io/name=api -o jsonpath='{.items[*].metadata.name}')
[[ $before != "$after" ]] || fail "the api was not restarted: $after"
((SECONDS - rolled >= 3)) || fail "the restart took longer than the load"
echo "ok: a rolling restart of the api under load fails no request: $(python3 -c '
import json, sys
total = json.load(open(sys.argv[1]))["total"]
print("%d sent, %d failed, %d dropped, p99 %.0f ms" % (
    total["sent"], total["failed"], total["dropped"], total["latencyMs"]["p99"]))' "$folder/load.json")"
