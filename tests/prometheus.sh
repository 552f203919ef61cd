#!/usr/bin/env bash
# Has a genuine Prometheus scrape the running program, with exemplars, and asks it for what it has got:
# the target is up, nothing was left out, and the exemplar of a request names the trace that its client was
# told. promtool reads the older text format. Everything it needs and leaves is in target/; nothing is
# installed or left running.
#
# PROMETHEUS and PROMTOOL name the programs; without them, those on the path are taken, or Debian's package
# is fetched and unpacked. Without any it says "skipped: ..." and succeeds, unless PROMETHEUS_REQUIRED=1.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
unpacked=$target/prometheus

skip() {
    echo "skipped: $1"
    [[ ${PROMETHEUS_REQUIRED:-0} == 1 ]] && exit 1
    exit 0
}

fail() {
    echo "failed: $1" >&2
    exit 1
}

command -v curl >/dev/null || skip "curl is not there"
prometheus=${PROMETHEUS:-$(command -v prometheus || true)}
promtool=${PROMTOOL:-$(command -v promtool || true)}
if [[ -z $prometheus || -z $promtool ]]; then
    if [[ ! -x $unpacked/usr/bin/prometheus ]]; then
        mkdir -p "$unpacked"
        # As root, apt would fetch as another user, who cannot write here.
        (cd "$unpacked" && apt-get -o APT::Sandbox::User=root download prometheus >apt.log 2>&1 &&
            dpkg -x prometheus_*.deb .) || skip "Debian's prometheus cannot be fetched (apt-get update may help)"
    fi
    prometheus=$unpacked/usr/bin/prometheus
    promtool=$unpacked/usr/bin/promtool
fi
"$prometheus" --version >/dev/null 2>&1 || skip "$prometheus cannot be run"

cargo build --quiet --package highbeam
folder=$(mktemp -d "$target/prometheus.XXXXXX")
processes=()
stop() {
    for process in "${processes[@]}"; do
        if kill "$process" 2>/dev/null; then
            wait "$process" || true
        fi
    done
    rm -rf "$folder"
}
trap stop EXIT

# Asks until the answer has these words.
await() {
    local words=$1 deadline=$((SECONDS + 60)) answer
    shift
    until answer=$("$@" 2>/dev/null) && grep -q -- "$words" <<<"$answer"; do
        ((SECONDS < deadline)) || fail "waited in vain for $words in: ${answer:0:500}"
        sleep 0.2
    done
    printf '%s' "$answer"
}

"$target/debug/highbeam" up --no-traffic --no-console --port 0 --data-dir "$folder/data" \
    --ready-file "$folder/ready.json" >/dev/null 2>"$folder/log" &
processes+=($!)
url=$(await api cat "$folder/ready.json" | sed 's/.*"api":"\([^"]*\)".*/\1/')
trace=$(curl -s -D - -o /dev/null "$url/api/orders" | sed -n 's/^traceresponse: 00-\([0-9a-f]*\)-.*/\1/p')
[[ -n $trace ]] || fail "the answer names no trace"

cat >"$folder/prometheus.yml" <<CONFIG
global: {scrape_interval: 1s}
scrape_configs: [{job_name: highbeam, static_configs: [{targets: ["${url#http://}"]}]}]
CONFIG
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$prometheus" --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/tsdb" \
    --enable-feature=exemplar-storage --web.listen-address="127.0.0.1:$port" >"$folder/prometheus.log" 2>&1 &
processes+=($!)
api=http://127.0.0.1:$port/api/v1

await '"health":"up"' curl -sf "$api/targets" >/dev/null
echo "ok: scraped and up"
query=http_server_request_duration_seconds_bucket
await "$trace" curl -sf --data-urlencode "query=$query" --data "start=$(($(date +%s) - 600))&end=$(($(date +%s) + 600))" \
    "$api/query_exemplars" >/dev/null
echo "ok: an exemplar names trace $trace"
await '"value"' curl -sf --data-urlencode 'query=sum(rate(process_cpu_seconds_total[1m])) >= 0' "$api/query" >/dev/null
echo "ok: counters have rates"

# promtool tells style from faults by its words only: names that are node_exporter's own are style.
notes=$(curl -s -H 'accept: text/plain' "$url/metrics" | "$promtool" check metrics 2>&1 | grep -v '^node_' || true)
[[ -z $notes ]] || fail "promtool says: $notes"
echo "ok: promtool has nothing to say but about node_exporter's names"
