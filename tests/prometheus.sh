#!/usr/bin/env bash
# Has a genuine Prometheus scrape the running program, with exemplars, and asks it for what it has got:
# the target is up, nothing was left out, and the exemplar of a request names the trace that its client was
# told. promtool reads the older text format. Everything it needs and leaves is in target/; nothing is
# installed or left running.
#
# PROMETHEUS and PROMTOOL name the programs; without them, those on the path are taken, or
# bench/peers/prometheus.sh fetches Debian's. CONSOLE_BINARY names a program that is built already. Without
# a Prometheus it says "skipped: ..." and succeeds, unless PROMETHEUS_REQUIRED=1.
source "$(dirname "$0")/common.sh"
need python3 curl
find_any_prometheus
find_program
begin_folder prometheus

"$program" up --no-traffic --no-console --port 0 --data-dir "$folder/data" \
    --ready-file "$folder/ready.json" >/dev/null 2>"$folder/log" &
processes+=($!)
url=$(await "the program" ready_url "$folder/ready.json" api) || fail "it says: $(tail -n 3 "$folder/log")"
trace=$(curl -s -D - -o /dev/null "$url/api/orders" | sed -n 's/^traceresponse: 00-\([0-9a-f]*\)-.*/\1/p')
[[ -n $trace ]] || fail "the answer names no trace"

cat >"$folder/prometheus.yml" <<CONFIG
global: {scrape_interval: 1s}
scrape_configs: [{job_name: highbeam, static_configs: [{targets: ["${url#http://}"]}]}]
CONFIG
port=$(free_port)
"$prometheus" --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/tsdb" \
    --enable-feature=exemplar-storage --web.listen-address="127.0.0.1:$port" >"$folder/prometheus.log" 2>&1 &
processes+=($!)
api=http://127.0.0.1:$port/api/v1

await "a target that is up" says '"health":"up"' curl -sf "$api/targets" >/dev/null
echo "ok: scraped and up"
query=http_server_request_duration_seconds_bucket
await "an exemplar of $trace" says "$trace" curl -sf --data-urlencode "query=$query" --data "start=$(($(date +%s) - 600))&end=$(($(date +%s) + 600))" \
    "$api/query_exemplars" >/dev/null
echo "ok: an exemplar names trace $trace"
await "a rate" says '"value"' curl -sf --data-urlencode 'query=sum(rate(process_cpu_seconds_total[1m])) >= 0' "$api/query" >/dev/null
echo "ok: counters have rates"

# promtool tells style from faults by its words only: names that are node_exporter's own are style.
notes=$(curl -s -H 'accept: text/plain' "$url/metrics" | "$promtool" check metrics 2>&1 | grep -v '^node_' || true)
[[ -z $notes ]] || fail "promtool says: $notes"
echo "ok: promtool has nothing to say but about node_exporter's names"
