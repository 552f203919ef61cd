#!/usr/bin/env bash
# Has KurrentDB's own clients for Python, Node.js and Java judge the test server that the adapter is tested on:
# append, repeat, conflict, read both ways, follow with filter and checkpoints, delete, on one server and on
# a cluster of three whose leader has to be found. Then the adapter's own suites run on the same server.
#
#   tests/kurrentdb_clients.sh            builds and starts the test server
#   tests/kurrentdb_clients.sh URL        asks a server that runs, such as a genuine one
#
# Everything it needs and leaves is in target/kurrentdb. A client that cannot be had is said with the reason
# and left out, unless KURRENTDB_CLIENTS_REQUIRED=1.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
folder=$target/kurrentdb
mkdir -p "$folder"
ran=0

skip() {
    echo "skipped: $1"
    [[ ${KURRENTDB_CLIENTS_REQUIRED:-0} == 1 ]] && exit 1
    return 1
}

install_python() {
    command -v python3 >/dev/null || skip "python: python3 is not there" || return 1
    cmp -s tests/kurrentdb/requirements.txt "$folder/python.pins" && return
    rm -rf "$folder/python"
    python3 -m venv "$folder/python" >/dev/null || skip "python: cannot make a virtual environment" || return 1
    "$folder/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        -r tests/kurrentdb/requirements.txt || skip "python: its packages cannot be installed" || return 1
    cp tests/kurrentdb/requirements.txt "$folder/python.pins"
}

install_node() {
    command -v npm >/dev/null && command -v node >/dev/null || skip "node: npm or node is not there" || return 1
    mkdir -p "$folder/node"
    if ! cmp -s tests/kurrentdb/package-lock.json "$folder/node.pins"; then
        cp tests/kurrentdb/{package,package-lock}.json "$folder/node/"
        (cd "$folder/node" && npm ci --silent --ignore-scripts) || skip "node: its packages cannot be installed" || return 1
        cp tests/kurrentdb/package-lock.json "$folder/node.pins"
    fi
    cp tests/kurrentdb/client.js "$folder/node/"
}

install_java() {
    command -v javac >/dev/null || skip "java: javac is not there" || return 1
    if ! cmp -s tests/kurrentdb/java/jars.sha256 "$folder/java.pins"; then
        command -v mvn >/dev/null || skip "java: mvn is not there" || return 1
        rm -rf "$folder/java"
        mvn --quiet --batch-mode -f tests/kurrentdb/java/pom.xml dependency:copy-dependencies \
            -DoutputDirectory="$folder/java/jars" >/dev/null || skip "java: its packages cannot be installed" || return 1
        (cd "$folder/java/jars" && sha256sum --quiet --strict -c -) <tests/kurrentdb/java/jars.sha256 ||
            skip "java: its packages are not those of jars.sha256" || return 1
        cp tests/kurrentdb/java/jars.sha256 "$folder/java.pins"
    fi
    javac -encoding UTF-8 -d "$folder/java/classes" -cp "$folder/java/jars/*" tests/kurrentdb/java/*.java ||
        skip "java: the program cannot be compiled"
}

# Starts the test server and waits for its connection string.
start() {
    "$target/debug/kurrentdb-testserver" "$@" >"$folder/url" &
    servers+=("$!")
    for _ in $(seq 100); do
        [[ -s $folder/url ]] && break
        sleep 0.05
    done
    url=$(<"$folder/url")
    [[ -n $url ]] || { echo "failed: the test server does not start" >&2; exit 1; }
}

judge() {
    local what=$1
    if install_python; then
        timeout 120 "$folder/python/bin/python3" tests/kurrentdb/client.py "$url" || exit 1
        ran=$((ran + 1))
        echo "passed: python's kurrentdbclient on $what"
    fi
    if install_node; then
        timeout 120 node "$folder/node/client.js" "$url" || exit 1
        ran=$((ran + 1))
        echo "passed: node's @kurrent/kurrentdb-client on $what"
    fi
    if install_java; then
        timeout 120 java -XX:TieredStopAtLevel=1 -cp "$folder/java/classes:$folder/java/jars/*" Main "$url" || exit 1
        ran=$((ran + 1))
        echo "passed: java's kurrentdb-client on $what"
    fi
}

servers=()
trap 'for server in "${servers[@]}"; do kill "$server" 2>/dev/null && wait "$server" || true; done' EXIT
if [[ $# -eq 1 ]]; then
    url=$1
    judge "the server named"
elif [[ $# -eq 0 ]]; then
    cargo build --locked --quiet --package kurrentdb-testserver
    start --port 0 --max-append-size 4194304
    judge "one test server"
    # A shared server, with events of others in it: what TEST_KURRENTDB_URL is for.
    TEST_KURRENTDB_URL="$url" cargo test --locked --quiet --package kurrentdb --test contract
    # Below 32768: Java's client takes no other port of a gossip seed.
    start --port $((20000 + RANDOM % 10000)) --nodes 3
    judge "a cluster of three"
else
    echo "usage: tests/kurrentdb_clients.sh [URL], as kurrentdb://127.0.0.1:2113?tls=false" >&2
    exit 2
fi
echo "$ran passed"
