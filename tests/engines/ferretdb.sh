#!/usr/bin/env bash
# Holds the MongoDB adapter against an engine that speaks MongoDB's protocol: the contract suites of its
# ports over the real wire. MongoDB itself is in no package registry, so the engine is FerretDB 1 on SQLite,
# which shows that the driver, the connection string, indexes, single writes, cursors and error codes are
# used as they should be; and then the whole program, with a proxy before the engine that cuts, stalls,
# slows and resets. It is no judge of what happens at the same time: it loses updates, and has no
# replica sets and no transactions. What rests on a guard is tested against a model as well, in the crate.
#
# With TEST_MONGODB_URL set (mongodb://user:password@host:27017/database) nothing is built or started: the
# same tests run there, in collections of their own, and fail when it cannot be reached. Arguments choose
# among the adapter's tests; the program's are left out then. Where the engine cannot be had it says
# "skipped: ..." and succeeds, unless MONGODB_REQUIRED=1. KEEP=1 leaves the engine running until Ctrl-C and
# runs no tests; FETCH_ONLY=1 does not even start it.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=v1.24.2
target=${CARGO_TARGET_DIR:-$PWD/target}
built=$target/engines/ferretdb-$version

skip() {
    echo "skipped: $1"
    [[ ${MONGODB_REQUIRED:-0} == 1 ]] && exit 1
    exit 0
}

run_tests() {
    cargo test --quiet --locked --package mongodb-adapter --test engine -- "$@"
    if (($# == 0)); then
        cargo test --quiet --locked --package highbeam --test engines -- --nocapture --test-threads=1 mongodb
    fi
}

if [[ -n ${TEST_MONGODB_URL:-} ]]; then
    echo "the engine is the one that TEST_MONGODB_URL names"
    run_tests "$@"
    exit
fi

for tool in go python3; do
    command -v "$tool" >/dev/null || skip "$tool is not there"
done
if [[ ! -x $built ]]; then
    mkdir -p "$target/engines"
    source=$target/engines/ferretdb-source
    log=$target/engines/ferretdb.log
    module=$(cd "$target/engines" && GOFLAGS=-mod=mod go mod download -json "github.com/FerretDB/FerretDB@$version" 2>"$log" |
        sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
    [[ -n $module ]] || skip "FerretDB $version cannot be fetched ($log says why)"
    rm -rf "$source"
    cp -r "$module" "$source"
    chmod -R u+w "$source"
    # It reads its version from a file that the module has empty, and ends at the start without one.
    echo "$version" >"$source/build/version/version.txt"
    (cd "$source" && CGO_ENABLED=0 go build -o "$built" ./cmd/ferretdb) >>"$log" 2>&1 ||
        skip "FerretDB $version cannot be built ($log says why)"
    rm -rf "$source"
fi
[[ ${FETCH_ONLY:-0} == 0 ]] || exit 0

folder=$(mktemp -d "${TMPDIR:-/tmp}/ferretdb.XXXXXX")
process=
stop() {
    if [[ -n $process ]] && kill "$process" 2>/dev/null; then
        wait "$process" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap stop EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$folder/data"
"$built" --handler=sqlite --sqlite-url="file:$folder/data/?_pragma=synchronous(off)" --state-dir="$folder" --listen-addr="127.0.0.1:$port" \
    --debug-addr=- --telemetry=disable --log-level=error >"$folder/output" 2>&1 &
process=$!
deadline=$((SECONDS + 30))
until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; do
    if ! kill -0 "$process" 2>/dev/null || ((SECONDS > deadline)); then
        tail -n 30 "$folder/output" >&2
        echo "failed: FerretDB $version did not become ready" >&2
        exit 1
    fi
    sleep 0.2
done
echo "FerretDB $version answers"

export TEST_MONGODB_URL=mongodb://127.0.0.1:$port/highbeam-test
if [[ ${KEEP:-0} == 1 ]]; then
    echo "export TEST_MONGODB_URL=$TEST_MONGODB_URL"
    wait "$process"
else
    run_tests "$@"
fi
