#!/usr/bin/env bash
# Builds the Dockerfile and runs size two in a Docker engine: the image is small, runs as nobody and writes to /data
# alone; `make stack` returns when everything is healthy; an order goes from the API through both projections, into
# metrics and traces; each engine is killed while orders go on, and everything acknowledged is there afterwards;
# `make stack-down` leaves nothing.
#
# Where there is a registry, `make stack` needs none of this. Here bases and engines are images made of what this
# machine has or package registries give: see tests/stack/stand-ins.yaml. The Docker engine is Debian's, unpacked, with
# folders and a socket of its own, and ends with this script. What it made stays in target/stack, some 6 GB, for the
# next time: building the image takes a quarter of an hour on 2 cores, nine minutes when only sources have changed.
#
# ONLY="image stack" chooses. PROFILE is what the image is built with; with `start`, it is not held to its size.
# DOCKER_SOCKET names an engine that runs already. STACK_REQUIRED=1 makes a failure of what is skipped.
source "$(dirname "$0")/../common.sh"
source tests/stack/tools.sh
only=${ONLY:-image stack}
PROMETHEUS_REQUIRED=${STACK_REQUIRED:-0}
[[ $(id -u) == 0 ]] || skip "a Docker engine has to be started by root"
need python3 curl make tar objcopy
writer=
begin_folder stack-engine
trap end EXIT
# Others than root look into what is mounted.
chmod 755 "$folder"

# Whatever happened: nobody places orders, no container runs, and the engine ends before its folder goes.
end() {
    [[ -z $writer ]] || kill "$writer" 2>/dev/null || true
    [[ ! -d $folder/stack ]] || stack --profile load down --volumes --timeout 5 >/dev/null 2>&1 || true
    end_engine
    end_folder
}

export PROFILE=${PROFILE:-image}
compose=$(find_compose) || skip "Docker Compose cannot be had"
find_engine || skip "Debian's Docker engine cannot be had"
start_engine
make_bases || skip "the image cannot be built: $reason"

# A copy, for passwords are made in it; and the same one for each build, which only then finds what the other one made.
mkdir "$folder/stack"
tar --create --exclude=./target --exclude=./.git --exclude=node_modules --exclude=./deployments/compose/secrets . |
    tar --extract --directory "$folder/stack"
export COMPOSE_FILE=compose.yaml:tests/stack/stand-ins.yaml

stack() {
    (cd "$folder/stack" && "$docker" compose "$@")
}

inspect() {
    "$docker" inspect --format "$2" "$1"
}

is_healthy() {
    [[ $(inspect "$1" '{{.State.Health.Status}}') == healthy ]]
}

# --- the image --------------------------------------------------------------------------------------------------------

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
image=highbeam:$version

check_image() {
    local began=$SECONDS size container before status crates
    bash "$folder/stack/deployments/compose/secrets.sh" >/dev/null
    # As `make stack` does, which finds it built then.
    stack build api >"$folder/build.log" 2>&1 || fail "the image is not built: $(tail -n 20 "$folder/build.log")"
    echo "ok: the image is built in $((SECONDS - began)) s"
    size=$(inspect "$image" '{{.Size}}')
    [[ $PROFILE != image ]] || ((size < 40000000)) || fail "the image has $size bytes"
    [[ $(inspect "$image" '{{.Config.User}}') == 65532:65532 ]] || fail "the image runs as somebody else"
    container=$("$docker" run --detach --read-only --cap-drop ALL --security-opt no-new-privileges --network none \
        --memory 256m --volume /data "$image" up --no-console)
    (await "the container to be healthy" is_healthy "$container") || fail "it says: $("$docker" logs "$container" 2>&1 | tail -n 5)"
    "$docker" exec "$container" /usr/local/bin/highbeam health --ready >"$folder/health" || fail "it is not ready"
    "$docker" exec "$container" /usr/local/bin/highbeam load --rate 20 --duration 2s --warm-up 0s --quiet --slo 'errors<1%' \
        >"$folder/load" || fail "the container does not serve: $(cat "$folder/load")"
    # What it wrote is in its volume: what is beside cannot be written to.
    [[ -z $("$docker" diff "$container" | grep -vE '^. /(data|dev|etc|proc|sys)(/|$)' || true) ]] ||
        fail "it wrote to its image: $("$docker" diff "$container")"
    before=$SECONDS
    "$docker" stop --time 20 "$container" >/dev/null
    status=$(inspect "$container" '{{.State.ExitCode}}')
    [[ $status == 0 ]] || fail "it ends with $status when it is told to stop"
    "$docker" cp "$container:/usr/local/bin/highbeam" "$folder/program" >/dev/null
    crates=$(objcopy --dump-section .dep-v0="$folder/crates" "$folder/program" /dev/null && python3 -c '
import json, sys, zlib
print(len(json.loads(zlib.decompress(open(sys.argv[1], "rb").read()))["packages"]))' "$folder/crates") ||
        fail "the program does not tell which crates it is made of"
    "$docker" rm --volumes "$container" >/dev/null
    echo "ok: the image has $((size / 1000)) kB ($PROFILE), runs read-only as 65532 without capabilities, is healthy, serves, stops within $((SECONDS - before + 1)) s, and names its $crates crates"
    # Alive for the kernel is not yet alive for whoever asks.
    container=$("$docker" run --detach --read-only --network none --volume /data --health-interval 1s --health-retries 2 \
        --health-start-period 0s --health-timeout 2s "$image" up --no-console --port 5008)
    (await "a container that does not listen where it should to be unhealthy" is_unhealthy "$container") || exit 1
    "$docker" rm --force --volumes "$container" >/dev/null
    echo "ok: a container that does not answer is unhealthy"
}

is_unhealthy() {
    [[ $(inspect "$1" '{{.State.Health.Status}}') == unhealthy ]]
}

# --- the stack --------------------------------------------------------------------------------------------------------

roles=(api orders-projector search-projector)


# The URL of a port that is published on loopback.
url() {
    local address
    address=$(stack port "$1" "$2") && [[ $address == 127.0.0.1:* ]] && printf 'http://%s' "$address"
}

orders() {
    python3 tests/stack/orders.py "$@"
}

# The status of a request is this, or is within a minute. The first word is what is told otherwise.
answers_by() {
    local what=$1 expected=$2
    shift 2
    (await "$what" says "^$expected" orders ask "$api" "$@" >/dev/null) || exit 1
}

# Which role was started when, and how often: they are to recover by themselves.
lives() {
    for role in "${roles[@]}"; do
        inspect "$(stack ps --quiet "$role")" '{{.Name}} {{.State.StartedAt}} {{.RestartCount}}'
    done
}

is_up() {
    says '"value":\[[0-9.]*,"1"\]' curl -sfG "$prometheus/api/v1/query" --data-urlencode "query=up{job=\"$1\"}"
}

has_whole_trace() {
    says search-projector curl -sf "$jaeger/api/traces?service=delivery-api&limit=100"
}

# Kills an engine while orders are placed; what needs it is refused for as long as it is away, what does not goes on.
kill_engine() {
    local engine=$1 method=$2 path=$3 other_method=$4 other_path=$5 part=$6 status before=$SECONDS
    stack kill "$engine" >/dev/null 2>&1 || fail "$engine cannot be killed"
    answers_by "$method $path without $engine" "503 with Retry-After" "$method" "$path"
    answers_by "$other_method $other_path without $engine" "20[01]" "$other_method" "$other_path"
    (await "the API not to be ready" says "$part" not_ready >/dev/null) || exit 1
    stack exec -T api /usr/local/bin/highbeam health >/dev/null || fail "without $engine the API counts as dead"
    sleep 5
    stack up --detach --no-build --no-recreate --wait --wait-timeout 120 "$engine" >"$folder/up" 2>&1 ||
        fail "$engine does not come back: $(tail -n 5 "$folder/up")"
    answers_by "$method $path with $engine back" "20[01]" "$method" "$path"
    (await "the API to be healthy" is_healthy "$(stack ps --quiet api)") || exit 1
    echo "ok: $engine is killed: $method ${path%%\?*} is refused by 503 with Retry-After, $other_method ${other_path%%\?*} goes on; back after $((SECONDS - before)) s"
}

not_ready() {
    stack exec -T api /usr/local/bin/highbeam health --ready 2>&1 && return 1 || return 0
}

check_stack() {
    local began=$SECONDS before found
    make_engines || skip "the stack cannot be run: $reason"
    make --directory "$folder/stack" --silent stack >"$folder/up" 2>&1 ||
        fail "make stack fails: $(tail -n 5 "$folder/up"); $(stack logs --tail 5 2>&1 | tail -n 60)"
    grep -q 'http://localhost:9090' "$folder/up" || fail "make stack does not tell where everything is: $(tail -n 5 "$folder/up")"
    stack ps --format '{{.Service}} {{.Health}}' | grep -v ' healthy$' >"$folder/unasked" || true
    echo "ok: make stack returns after $((SECONDS - began)) s with $(stack ps --quiet | wc -l) containers, all healthy but those that nobody asks ($(tr -d '\n' <"$folder/unasked"))"
    echo "left out: Loki and Grafana, which no package registry has"
    api=$(url api 5007) && prometheus=$(url prometheus 9090) && jaeger=$(url jaeger 16686) || fail "ports are not published on loopback"

    python3 tests/stack/orders.py place "$api" "$folder/acknowledged" Ledgertea >"$folder/refused" &
    writer=$!
    for job in delivery-api orders-projector search-projector node prometheus alertmanager otel-collector jaeger; do
        (await "Prometheus to scrape $job" is_up "$job" >/dev/null) || exit 1
    done
    (await "Prometheus to know Alertmanager" says '"activeAlertmanagers":\[{"url"' curl -sf "$prometheus/api/v1/alertmanagers" \
        >/dev/null) || exit 1
    (await "the whole trace in Jaeger" has_whole_trace >/dev/null) || exit 1
    echo "ok: Prometheus scrapes the three roles and the tools, Jaeger has an order's trace from the API to the search"
    stack run --rm load load --target http://api:5007/api --rate 20 --duration 2s --warm-up 0s --quiet --slo 'errors<1%' \
        >"$folder/load" 2>&1 || fail "the load generator fails: $(tail -n 20 "$folder/load")"

    before=$(lives)
    kill_engine kurrentdb POST /api/orders GET "/api/orders?limit=1" "event store"
    kill_engine mongodb GET "/api/orders?limit=1" POST /api/orders "read model"
    kill_engine elasticsearch GET "/api/orders/search?search=tea" POST /api/orders "search"
    stack pause kurrentdb >/dev/null 2>&1
    answers_by "POST while kurrentdb hangs" "503 with Retry-After" POST /api/orders
    stack unpause kurrentdb >/dev/null 2>&1
    answers_by "POST when kurrentdb goes on" 201 POST /api/orders
    sleep 2
    kill "$writer" && wait "$writer" || true
    writer=
    found=$(orders find "$api" "$folder/acknowledged" Ledgertea) || exit 1
    [[ $before == "$(lives)" ]] || fail "a role was started again: $(lives)"
    echo "ok: kurrentdb hangs and goes on; $found orders were acknowledged meanwhile, all are in the store, the list and the search; no role was started again; $(cat "$folder/refused")"

    make --directory "$folder/stack" --silent stack-down >"$folder/down" 2>&1 || fail "make stack-down fails: $(tail -n 5 "$folder/down")"
    [[ -z $("$docker" ps --all --quiet) ]] || fail "make stack-down leaves containers: $("$docker" ps --all)"
    "$docker" volume ls --quiet | grep -q '^highbeam_mongodb$' || fail "make stack-down forgets what was kept"
    make --directory "$folder/stack" --silent stack-down ARGS=--volumes >"$folder/down" 2>&1 || fail "make stack-down fails: $(tail -n 5 "$folder/down")"
    [[ -z $("$docker" volume ls --quiet) ]] || fail "make stack-down leaves volumes: $("$docker" volume ls)"
    [[ -z $("$docker" network ls --quiet --filter type=custom) ]] || fail "make stack-down leaves networks"
    echo "ok: make stack-down leaves no container and no network, and with ARGS=--volumes nothing"
}

[[ " $only " != *" image "* ]] || check_image
[[ " $only " != *" stack "* ]] || check_stack
