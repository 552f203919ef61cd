#!/usr/bin/env bash
# Holds the metrics of the host against those of the genuine node_exporter on the same host: both are
# scraped in turn and compared by `cargo xtask node-exporter`. What may differ is listed, with reasons, in
# tests/node_exporter.toml. Everything it needs and leaves is in target/; nothing is installed or left
# running.
#
# NODE_EXPORTER names the program; without it, the one on the path is taken, or Debian's package is fetched
# and unpacked. Without any it says "skipped: ..." and succeeds, unless NODE_EXPORTER_REQUIRED=1.
# ROUNDS sets how often each is scraped; FETCH_ONLY=1 fetches it and compares nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-5}
target=${CARGO_TARGET_DIR:-$PWD/target}
unpacked=$target/node-exporter

skip() {
    echo "skipped: $1"
    [[ ${NODE_EXPORTER_REQUIRED:-0} == 1 ]] && exit 1
    exit 0
}

# Fetches a Debian package and unpacks it, without installing it.
unpack() {
    mkdir -p "$unpacked"
    (
        cd "$unpacked"
        # As root, apt would fetch as another user, who cannot write here.
        apt-get -o APT::Sandbox::User=root download "$1" >apt.log 2>&1 && dpkg -x "$1"_*.deb .
    )
}

[[ $(uname -s) == Linux ]] || skip "node_exporter's metrics are those of Linux"
command -v curl >/dev/null || skip "curl is not there"
exporter=${NODE_EXPORTER:-$(command -v prometheus-node-exporter || command -v node_exporter || true)}
if [[ -z $exporter ]]; then
    exporter=$unpacked/usr/bin/prometheus-node-exporter
    [[ -x $exporter ]] || unpack prometheus-node-exporter ||
        skip "Debian's prometheus-node-exporter cannot be fetched (apt-get update may help)"
fi
[[ -x $exporter ]] || skip "$exporter cannot be run"
[[ ${FETCH_ONLY:-0} == 0 ]] || exit 0

cargo build --quiet --locked --package highbeam --package xtask
folder=$(mktemp -d "$target/node-exporter.XXXXXX")
server=
peer=
stop() {
    for process in $server $peer; do
        if kill "$process" 2>/dev/null; then
            wait "$process" || true
        fi
    done
    rm -rf "$folder"
}
trap stop EXIT

# Waits until a command prints something, and prints that.
await() {
    local what=$1 process=$2 log=$3 deadline=$((SECONDS + 60)) found
    shift 3
    until found=$("$@" 2>/dev/null) && [[ -n $found ]]; do
        if ! kill -0 "$process" 2>/dev/null || ((SECONDS > deadline)); then
            cat "$log" >&2
            echo "failed: $what did not become ready" >&2
            return 1
        fi
        sleep 0.1
    done
    echo "$found"
}

# Debian's build of 1.5 leaves the loopback device out unless told otherwise, and upstream's does not.
"$exporter" --web.listen-address=127.0.0.1:0 --web.disable-exporter-metrics \
    '--collector.netdev.device-exclude=^$' >"$folder/peer.log" 2>&1 &
peer=$!
"$target/debug/highbeam" up --no-traffic --no-console --host-metrics true --port 0 --data-dir "$folder/data" \
    --ready-file "$folder/ready.json" >/dev/null 2>"$folder/server.log" &
server=$!
theirs=$(await node_exporter "$peer" "$folder/peer.log" \
    sed -nE 's/.*[Ll]istening on.*address=(127\.0\.0\.1:[0-9]+).*/\1/p' "$folder/peer.log")
ours=$(await highbeam "$server" "$folder/server.log" \
    sed -nE 's/.*"api":"http:\/\/([^"]+)".*/\1/p' "$folder/ready.json")

scrape() { curl --silent --show-error --fail --max-time 30 --header "accept: $2" --output "$3" "http://$1/metrics"; }
open_metrics='application/openmetrics-text;version=1.0.0'
# The first scrape of either program starts what it remembers.
scrape "$ours" "$open_metrics" "$folder/first.txt"
scrape "$theirs" text/plain "$folder/first.txt"
scrape "$ours" "$open_metrics" "$folder/ours-0.txt"
for ((round = 0; round < rounds; round++)); do
    scrape "$theirs" text/plain "$folder/theirs-$round.txt"
    scrape "$ours" "$open_metrics" "$folder/ours-$((round + 1)).txt"
done

"$exporter" --version 2>&1 | sed -n 1p
status=0
"$target/debug/xtask" node-exporter "$folder" || status=1

# Where promtool is there, it has to read Prometheus' text format, and to find nothing but what it finds in
# node_exporter's own: names with capital letters, and bits.
promtool=${PROMTOOL:-$(command -v promtool || true)}
if [[ -z $promtool ]]; then
    # Some versions of Debian's package have it.
    promtool=$unpacked/usr/bin/promtool
    [[ -x $promtool ]] || unpack prometheus || true
fi
if [[ -x $promtool ]]; then
    scrape "$ours" text/plain "$folder/text.txt"
    "$promtool" check metrics <"$folder/text.txt" >"$folder/promtool.log" 2>&1 || true
    unexpected=$(grep -vE "^node_(memory|netstat)_[A-Za-z0-9_]+ metric names should be written in 'snake_case'|^node_entropy_[a-z_]+ use base unit \"bytes\"" "$folder/promtool.log" || true)
    echo "promtool: $(grep -c . "$folder/promtool.log" || true) notes, unexpected: ${unexpected:-none}"
    [[ -z $unexpected ]] || status=1
else
    echo "promtool is not there: the text format was not checked with it"
fi
exit "$status"
