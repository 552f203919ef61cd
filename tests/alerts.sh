#!/usr/bin/env bash
# Holds rules and alerts against the genuine Prometheus: both evaluate the same rules over the same samples for
# three quarters of a minute and have to tell the same states and notifications; promtool and xtask have to come
# to the same verdict of rule files and of their tests; amtool has to get along with the console. Everything it
# needs and leaves is in target/; nothing is installed or left running.
#
# PROMETHEUS, PROMTOOL and AMTOOL name programs; without them Debian's are fetched. Without a Prometheus it says
# "skipped: ..." and succeeds, unless PROMETHEUS_REQUIRED=1.
source "$(dirname "$0")/common.sh"
need python3 curl
find_prometheus
[[ -x $promtool ]] || skip "there is no promtool"

# CONSOLE_BINARY and XTASK_BINARY name programs that are built already.
find_program
xtask=${XTASK_BINARY:-$target/debug/xtask}
[[ -n ${XTASK_BINARY:-} ]] || cargo build --quiet --package xtask
begin_folder alerts

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
port=$(free_port)
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
console=$(await "the console" ready_url "$folder/ready.json" console) || fail "it says: $(tail -n 3 "$folder/console.log")"
(await Prometheus answers "http://127.0.0.1:$port/-/ready") || fail "it says: $(tail -n 3 "$folder/prometheus.log")"
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
