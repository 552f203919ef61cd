#!/usr/bin/env bash
# Holds the MongoDB adapter against an engine that speaks MongoDB's protocol: the contract suites of its
# ports over the real wire. MongoDB itself is in no package registry, so the engine is FerretDB 1 on SQLite,
# which shows that the driver, the connection string, indexes, single writes, cursors and error codes are
# used as they should be; and then the whole program, with a proxy before the engine that cuts, stalls,
# slows and resets. It is no judge of what happens at the same time: it loses updates, and has no
# replica sets and no transactions. What rests on a guard is tested against a model as well, in the crate.
#
# TEST_MONGODB_URL (mongodb://user:password@host:27017/database) names another engine. Where this one cannot be had the
# script says "skipped: ..." and succeeds, unless MONGODB_REQUIRED=1. Arguments, KEEP and FETCH_ONLY: see common.sh.
variable=TEST_MONGODB_URL package=mongodb-adapter cases=mongodb required=${MONGODB_REQUIRED:-0}
source "$(dirname "$0")/common.sh"
run_if_named "$@"

need go python3
version=v1.24.2
built=$engines/ferretdb-$version
if [[ ! -x $built ]]; then
    mkdir -p "$engines"
    source=$engines/ferretdb-source
    log=$engines/ferretdb.log
    module=$(cd "$engines" && GOFLAGS=-mod=mod go mod download -json "github.com/FerretDB/FerretDB@$version" 2>"$log" |
        sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p') || true
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
end_if_fetched

begin_folder ferretdb
port=$(free_port)
mkdir "$folder/data"
"$built" --handler=sqlite --sqlite-url="file:$folder/data/?_pragma=synchronous(off)" --state-dir="$folder" --listen-addr="127.0.0.1:$port" \
    --debug-addr=- --telemetry=disable --log-level=error >"$folder/output" 2>&1 &
processes+=($!)
await_engine "FerretDB $version" 30 python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)"
run_on "mongodb://127.0.0.1:$port/highbeam-test" "$@"
