#!/usr/bin/env bash
# Holds rules and alerts against the genuine Prometheus: both evaluate the same rules over the same samples for
# three quarters of a minute and have to tell the same states and notifications; promtool and xtask have to come
# to the same verdict of rule files and of their tests; amtool has to get along with the console. Everything it
# needs and leaves is in target/; nothing is installed or left running.
#
# PROMETHEUS, PROMTOOL and AMTOOL name programs; without them Debian's are fetched. Without a Prometheus it says
# "skipped: ..." and succeeds, unless PROMETHEUS_REQUIRED=1.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
peers=${PEERS:-$PWD/target/peers}

skip() {
    echo "skipped: $1"
    [[ ${PROMETHEUS_REQUIRED:-0} == 1 ]] && exit 1
    exit 0
}

fail() {
    echo "failed: $1" >&2
    exit 1
}

command -v python3 >/dev/null || skip "python3 is not there"
command -v curl >/dev/null || skip "curl is not there"
if [[ -z ${PROMETHEUS:-} || -z ${PROMTOOL:-} ]]; then
    bash bench/peers/prometheus.sh >/dev/null || skip "there is no Prometheus 3.5"
fi
prometheus=${PROMETHEUS:-$peers/bin/prometheus}
promtool=${PROMTOOL:-$peers/bin/promtool}
[[ -x $promtool ]] || skip "there is no promtool"

# CONSOLE_BINARY and XTASK_BINARY name programs that are built already.
program=${CONSOLE_BINARY:-$target/debug/highbeam}
xtask=${XTASK_BINARY:-$target/debug/xtask}
[[ -n ${CONSOLE_BINARY:-} ]] || cargo build --quiet --package highbeam
[[ -n ${XTASK_BINARY:-} ]] || cargo build --quiet --package xtask
mkdir -p "$target"
folder=$(mktemp -d "$target/alerts.XXXXXX")
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

verdict() {
    "$@" >"$folder/told" 2>&1 && echo good || echo bad
}

# Rule files: those of the repository are good, and each document of bad.yaml is bad, for both.
for file in observability/rules/*.yaml tests/alerts/rules.yaml; do
    [[ $(verdict "$promtool" check rules "$file") == good ]] || fail "promtool says of $file: $(cat "$folder/told")"
    [[ $(verdict "$xtask" rules-check "$file") == good ]] || fail "xtask says of $file: $(cat "$folder/told")"
done
mkdir "$folder/bad"
awk -v folder="$folder/bad" 'BEGIN { n = 1 } /^---$/ { n++; next } { print > (folder "/" n ".yaml") }' tests/alerts/bad.yaml
for file in "$folder"/bad/*.yaml; do
    [[ $(verdict "$promtool" check rules "$file") == bad ]] || fail "promtool has nothing to say of $(cat "$file")"
    [[ $(verdict "$xtask" rules-check "$file") == bad ]] || fail "xtask has nothing to say of $(cat "$file")"
done
echo "ok: promtool and xtask agree on $(ls "$folder/bad" | wc -l) bad rule files and all good ones"

# Tests of rules: all pass for both, and none does with rules that have changed. Objectives are first made rules,
# for promtool knows none.
mkdir -p "$folder/tested"
cp -r observability/rules observability/slo "$folder/tested"
for objective in "$folder"/tested/slo/*.yaml; do
    "$xtask" slo "$objective" >"$objective.rules"
    mv "$objective.rules" "$objective"
done
[[ $(verdict "$promtool" check rules "$folder"/tested/slo/*.yaml) == good ]] || fail "promtool says: $(cat "$folder/told")"
tests=("$folder"/tested/{rules,slo}/tests/*.yaml)
for test in "${tests[@]}"; do
    [[ $(verdict "$promtool" test rules "$test") == good ]] || fail "promtool says: $(cat "$folder/told")"
    [[ $(verdict "$xtask" rules-test "$test") == good ]] || fail "xtask says: $(cat "$folder/told")"
done
sed -i -E 's/ > ([0-9])/ > 9\1/; s/for: [0-9]+m/for: 3h/; s/ == 0$/ == 7/; s/ < 0/ < 0 * 0.000/' "$folder"/tested/rules/*.yaml
sed -i -E 's/> \(([0-9.]+) \*/> (1000 * \1 */g' "$folder"/tested/slo/*.yaml
for test in "${tests[@]}"; do
    one=$(verdict "$promtool" test rules "$test")
    other=$(verdict "$xtask" rules-test "$test")
    [[ $one == bad && $other == bad ]] || fail "of $test with other rules promtool says $one, xtask $other"
done
echo "ok: promtool and xtask come to the same verdict of ${#tests[@]} test files, with the rules and with others"

# Both servers, and an Alertmanager for each, which is the script that compares.
coproc compare { python3 tests/alerts/differential.py 2>&1; }
read -r port_of_genuine port_of_own <&"${compare[0]}"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$folder/prometheus.yml" <<CONFIG
global: {evaluation_interval: 1s}
rule_files: [$PWD/tests/alerts/rules.yaml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:$port_of_genuine"]}]}]}
CONFIG
"$prometheus" --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/tsdb" --log.level=error \
    --web.listen-address="127.0.0.1:$port" --web.enable-remote-write-receiver >"$folder/prometheus.log" 2>&1 &
processes+=($!)
"$program" console --console-port 0 --otlp-grpc-port 0 --otlp-http-port 0 --data-dir "$folder/data" \
    --rule-files tests/alerts/rules.yaml --alertmanager-urls "http://127.0.0.1:$port_of_own" \
    --ready-file "$folder/ready.json" >/dev/null 2>"$folder/console.log" &
processes+=($!)
deadline=$((SECONDS + 60))
until console=$(sed -n 's/.*"console":"\([^"]*\)".*/\1/p' "$folder/ready.json" 2>/dev/null) && [[ -n $console ]] &&
    curl -sf -o /dev/null "http://127.0.0.1:$port/-/ready"; do
    ((SECONDS < deadline)) || fail "waited in vain for both servers: $(tail -n 3 "$folder"/*.log)"
    sleep 0.1
done
told=$(mktemp "$folder/told.XXXXXX")
comparing=$compare_PID
echo "http://127.0.0.1:$port $console/prometheus" >&"${compare[1]}"
cat <&"${compare[0]}" >"$told" || true
wait "$comparing" || { cat "$told" >&2; fail "states or notifications differ"; }
echo "ok: the same states and notifications as a genuine Prometheus: $(head -n 1 "$told")"

# promtool asks the console for its rules' series, amtool for its alerts, and makes a silence.
"$promtool" query instant "$console/prometheus" 'job:requests:doubled' >/dev/null || fail "promtool cannot query"
if bash bench/peers/alertmanager.sh >/dev/null 2>&1 || [[ -n ${AMTOOL:-} ]]; then
    amtool=("${AMTOOL:-$peers/bin/amtool}" --alertmanager.url="$console/alertmanager")
    "${amtool[@]}" alert add alertname=ByHand instance=amtool --annotation=summary=added || fail "amtool cannot add an alert"
    "${amtool[@]}" alert query alertname=ByHand | grep -q added || fail "amtool does not find the alert"
    silence=$("${amtool[@]}" silence add alertname=ByHand --author=me --comment=known --duration=1h)
    "${amtool[@]}" silence query | grep -q "$silence" || fail "amtool does not find the silence"
    "${amtool[@]}" alert query alertname=ByHand | grep -q added && fail "amtool shows what is silenced"
    "${amtool[@]}" alert query --silenced alertname=ByHand | grep -q added || fail "amtool does not find what is silenced"
    "${amtool[@]}" silence update "$silence" --duration=2h --comment=longer >/dev/null || fail "amtool cannot make it longer"
    "${amtool[@]}" silence expire "$silence" || fail "amtool cannot end the silence"
    "${amtool[@]}" alert query alertname=ByHand | grep -q added || fail "the silence did not end"
    "${amtool[@]}" config show >/dev/null || fail "amtool cannot read the configuration"
    echo "ok: amtool gets along with it"
else
    echo "skipped: amtool is not there"
fi
