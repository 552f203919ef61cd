# An order through the api's Service, and what the cluster's own tools have of it. For tests/cluster/node.sh.
jaeger=$(url monitoring jaeger 16686)
prometheus=$(url monitoring stand-in-prometheus 9090)

# Succeeds if Prometheus has something for a query.
has_metric() { # query
    says '"value":\[' in_node curl -sfG "$prometheus/api/v1/query" --data-urlencode "query=$1"
}

trace_services() {
    in_node curl -sf "$jaeger/api/traces/$trace" | python3 -c '
import json, sys
trace = json.load(sys.stdin)["data"][0]
names = {process["serviceName"] for process in trace["processes"].values()}
missing = {"delivery-api", "orders-projector", "search-projector"} - names
print(len(trace["spans"]), "spans of", ", ".join(sorted(names)))
sys.exit(f"{missing} are missing" if missing else 0)'
}

trace=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
order=$(place "$trace") || fail "an order is not taken"
echo "$order" >"$folder/one"
orders find "$api" "$folder/one" Nodetea >/dev/null || exit 1
found=$(await "the order's trace in the cluster's Jaeger" trace_services) || exit 1
for job in delivery-api orders-projector search-projector otel-collector jaeger prometheus alertmanager; do
    (await "Prometheus to scrape $job" has_metric "up{job=\"$job\"} == 1" >/dev/null) || exit 1
done
pod=$(kubectl -n dev get pods -l app.kubernetes.io/name=api -o jsonpath='{.items[0].metadata.name}')
(await "the order in the cluster's Prometheus" has_metric \
    "http_server_request_duration_seconds_count{job=\"delivery-api\",pod=\"$pod\",http_request_method=\"POST\",http_response_status_code=\"201\"} > 0" >/dev/null) || exit 1
(await "both projections in the cluster's Prometheus" has_metric \
    'count(count by (job) (projection_event_duration_seconds_count{job=~".*-projector"} > 0)) == 2' >/dev/null) || exit 1
(await "Prometheus to know Alertmanager" says '"activeAlertmanagers":\[{"url"' in_node curl -sf "$prometheus/api/v1/alertmanagers" >/dev/null) || exit 1
rules=$(in_node curl -sf "$prometheus/api/v1/rules?type=alert" | python3 -c 'import json, sys; print(sum(len(g["rules"]) for g in json.load(sys.stdin)["data"]["groups"]))')
has_line() {
    says "$trace" kubectl -n dev logs "$pod" --tail 200
}
(await "a log line with the order's trace" has_line >/dev/null) || exit 1
echo "ok: an order is in the store, the list and the search; its trace in Jaeger ($found), its metrics in Prometheus (by pod, $rules alerts loaded, Alertmanager known), its log line in kubectl logs"
