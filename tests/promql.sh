#!/usr/bin/env bash
# Holds the console's Prometheus API against the genuine one: both are sent the same six hours of samples and
# asked the same expressions; Prometheus' own test scripts are run against the console; promtool asks it; and a
# genuine Prometheus sends to it by remote write what it scrapes. Everything it needs and leaves is in target/;
# nothing is installed or left running.
#
# PROMETHEUS and PROMTOOL name programs of version 3.5; without them bench/peers/prometheus.sh fetches Debian's.
# RANDOM_SECONDS is how long expressions are made up (20), and RANDOM_SEED which ones. Without a Prometheus it
# says "skipped: ..." and succeeds, unless PROMETHEUS_REQUIRED=1.
source "$(dirname "$0")/common.sh"
need python3 curl
find_prometheus
find_program
begin_folder promql

# Starts a console on an empty folder; its URL is in $console.
start_console() {
    local ready=$folder/$1.json
    RETENTION_AGE=0 "$program" console --console-port 0 --otlp-grpc-port 0 --otlp-http-port 0 --data-dir "$folder/$1" \
        --ready-file "$ready" >/dev/null 2>"$folder/$1.log" &
    processes+=($!)
    console=$(await "the console" ready_url "$ready" console) || fail "it says: $(tail -n 3 "$folder/$1.log")"
}

# Starts a Prometheus with a configuration; its URL is in $genuine.
start_prometheus() {
    local port
    port=$(free_port)
    "$prometheus" --config.file="$2" --storage.tsdb.path="$folder/$1" --web.listen-address="127.0.0.1:$port" \
        --web.enable-remote-write-receiver --storage.tsdb.min-block-duration=24h --storage.tsdb.max-block-duration=24h \
        --log.level=error --enable-feature=exemplar-storage,promql-experimental-functions >"$folder/$1.log" 2>&1 &
    processes+=($!)
    genuine=http://127.0.0.1:$port
    await Prometheus answers "$genuine/-/ready"
}

differential() {
    echo '{}' >"$folder/empty.yml"
    start_prometheus genuine "$folder/empty.yml"
    start_console differential
    python3 tests/promql/differential.py "$genuine" "$console/prometheus" --random "${RANDOM_SECONDS:-20}" \
        --seed "${RANDOM_SEED:-1}" ${VERBOSE:+--verbose}
    echo "ok: the same answers as Prometheus $("$prometheus" --version 2>&1 | sed -n 's/^prometheus, version \([^ ]*\).*/\1/p')"
}

# Both give promtool the same words, in any order.
promtool_asks() {
    [[ -x $promtool ]] || { echo "left out: promtool is not there"; return; }
    local end start
    end=$(($(date +%s) / 60 * 60 - 900))
    start=$((end - 3600))
    ask() {
        local of=$1
        shift
        "$promtool" query "$@" 2>&1 | sed "s|$of||" | sort
    }
    same() {
        local what=$1
        shift
        diff <(ask "$genuine" "$what" "${@//SERVER/$genuine}") <(ask "$console/prometheus" "$what" "${@//SERVER/$console/prometheus}") ||
            fail "promtool query $what is answered differently"
    }
    same instant SERVER --time="$end" 'sum by (job) (rate(http_requests_total[5m]))'
    same instant SERVER --time="$end" 'sum('
    same range SERVER --start="$start" --end="$end" --step=1m 'histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))'
    same series --match='up' --match='build_info{job="api"}' --start="$start" --end="$end" SERVER
    # Over all the time: Prometheus tells of blocks, and the console of what is in the time.
    same labels --start="$((end - 6 * 3600))" --end="$end" SERVER job
    same labels --start="$((end - 6 * 3600))" --end="$end" SERVER __name__
    "$promtool" check healthy --url="$console/prometheus" >/dev/null || fail "promtool check healthy"
    "$promtool" check ready --url="$console/prometheus" >/dev/null || fail "promtool check ready"
    echo "ok: promtool gets the same words"
}

remote_write() {
    start_console receiver
    for version in prometheus.WriteRequest io.prometheus.write.v2.Request; do
        local job=${version##*.}
        cat >"$folder/$job.yml" <<CONFIG
global: {scrape_interval: 1s}
scrape_configs: [{job_name: $job, static_configs: [{targets: ["${console#http://}"]}]}]
remote_write: [{url: "$console/prometheus/api/v1/write", protobuf_message: $version, send_exemplars: true, metadata_config: {send_interval: 2s}}]
CONFIG
        start_prometheus "$job" "$folder/$job.yml"
        local deadline=$((SECONDS + 60)) count
        until count=$(curl -s "$console/prometheus/api/v1/query" --data-urlencode "query=count_over_time(up{job=\"$job\"}[1m])" |
            sed -n 's/.*"value":\[[^,]*,"\([0-9]*\)"\].*/\1/p') && ((${count:-0} >= 3)); do
            ((SECONDS < deadline)) || fail "nothing comes of $version"
            sleep 0.5
        done
        echo "ok: a Prometheus sends by $version"
    done
    curl -s "$console/prometheus/api/v1/metadata?metric=console_store_size_bytes" | grep -q '"type":"gauge"' ||
        fail "the metadata did not come"
    echo "ok: metadata comes with it"
}

# Prometheus' own scripts, of the version that the ledger is of; kept in the cache of Go, never here.
conformance() {
    command -v go >/dev/null || { echo "left out: go is not there to fetch Prometheus' test scripts"; return; }
    local version=${PROMETHEUS_SCRIPTS:-v0.316.0} told scripts
    told=$(cd "$folder" && GOFLAGS=-mod=mod go mod download -json "github.com/prometheus/prometheus@$version") ||
        fail "Prometheus' sources cannot be fetched: $told"
    scripts=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$told")/promql/promqltest/testdata
    python3 tests/promql/conformance.py --program "$program" --ledger tests/promql/ledger.txt "$scripts"
}

for part in ${ONLY:-differential promtool_asks remote_write conformance}; do
    "$part"
done
