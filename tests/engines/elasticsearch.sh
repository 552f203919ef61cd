#!/usr/bin/env bash
# Holds the Elasticsearch adapter against a genuine Elasticsearch, or OpenSearch: the contract suites of
# its ports, and what only this adapter promises, over the real wire; and then the whole program, with a
# proxy before the engine that cuts, stalls, slows and resets. The engine comes from its Maven
# artifact, which is the server without its modules; it runs as nobody, on a free port, for as long as the
# tests do. Everything that it needs stays in target/, everything that it leaves goes.
#
#   bash tests/engines/elasticsearch.sh            # Elasticsearch 8
#   bash tests/engines/elasticsearch.sh opensearch # OpenSearch 2
#
# With TEST_ELASTICSEARCH_URL set (https://user:password@host:9200) nothing is fetched or started: the same
# tests run there, in indexes of their own, and fail when it cannot be reached. Arguments after the engine's
# name choose among the adapter's tests; the program's are left out then. Where the engine cannot be had it
# says "skipped: ..." and succeeds, unless ELASTICSEARCH_REQUIRED=1. KEEP=1 leaves the engine running until
# Ctrl-C and runs no tests; FETCH_ONLY=1 does not even start it.
set -euo pipefail
cd "$(dirname "$0")/../.."

engine=${1:-elasticsearch}
shift || true
case $engine in
    elasticsearch) artifact=org.elasticsearch.distribution.integ-test-zip:elasticsearch version=8.19.21 ;;
    opensearch) artifact=org.opensearch.distribution.integ-test-zip:opensearch version=2.19.6 ;;
    *) echo "usage: $0 [elasticsearch|opensearch] [TEST ARGUMENTS]" >&2 && exit 2 ;;
esac

target=${CARGO_TARGET_DIR:-$PWD/target}
kept=$target/engines/$engine-$version

skip() {
    echo "skipped: $1"
    [[ ${ELASTICSEARCH_REQUIRED:-0} == 1 ]] && exit 1
    exit 0
}

run_tests() {
    cargo test --quiet --locked --package elasticsearch --test engine -- "$@"
    if (($# == 0)); then
        cargo test --quiet --locked --package highbeam --test engines -- --nocapture --test-threads=1 elasticsearch
    fi
}

if [[ -n ${TEST_ELASTICSEARCH_URL:-} ]]; then
    echo "the engine is the one that TEST_ELASTICSEARCH_URL names"
    run_tests "$@"
    exit
fi

for tool in java mvn unzip curl; do
    command -v "$tool" >/dev/null || skip "$tool is not there"
done
if [[ ! -d $kept ]]; then
    mkdir -p "$target/engines"
    mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact="$artifact:$version:zip" -DoutputDirectory="$target/engines" \
        >"$target/engines/$engine.mvn.log" 2>&1 ||
        skip "$artifact:$version cannot be fetched ($target/engines/$engine.mvn.log says why)"
    unzip -q "$target/engines/$engine-$version.zip" -d "$target/engines"
    rm -f "$target/engines/$engine-$version.zip"
fi
[[ ${FETCH_ONLY:-0} == 0 ]] || exit 0

# Nobody may read below a home folder, so what runs is a copy elsewhere.
folder=$(mktemp -d "${TMPDIR:-/tmp}/$engine.XXXXXX")
process=
stop() {
    if [[ -n $process ]] && kill "$process" 2>/dev/null; then
        wait "$process" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap stop EXIT

cp -r "$kept" "$folder/home"
mkdir "$folder/data" "$folder/logs" "$folder/tmp"
config=$folder/home/config
{
    echo "discovery.type: single-node"
    echo "action.auto_create_index: false"
    echo "http.host: 127.0.0.1"
    echo "http.port: 0"
    echo "node.portsfile: true"
    # Else it gives no place to new indexes on a disk that is nine tenths full, however much that leaves.
    echo "cluster.routing.allocation.disk.threshold_enabled: false"
    echo "path.data: $folder/data"
    echo "path.logs: $folder/logs"
    if [[ $engine == elasticsearch ]]; then
        echo "xpack.security.enabled: false"
    fi
} >"$config/$engine.yml"
# The engine's own choice of a collector, and of a heap, is for a machine that does nothing else.
sed -i -E '/UseG1GC|G1ReservePercent|InitiatingHeapOccupancyPercent|^-Xm[sx]/d' "$config/jvm.options"
printf '%s\n' -Xms512m -Xmx512m -XX:+UseSerialGC >>"$config/jvm.options"
java_home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
as=()
if [[ $(id -u) == 0 ]]; then
    chown -R nobody "$folder"
    command -v setpriv >/dev/null || skip "it does not run as root, and setpriv is not there to change that"
    as=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
fi
# Some versions look for one name, some for the other.
ES_JAVA_HOME=$java_home OPENSEARCH_JAVA_HOME=$java_home ES_TMPDIR=$folder/tmp OPENSEARCH_TMPDIR=$folder/tmp \
    LIBFFI_TMPDIR=$folder/tmp HOME=$folder "${as[@]}" "$folder/home/bin/$engine" >"$folder/output" 2>&1 &
process=$!

deadline=$((SECONDS + 120))
until [[ -s $folder/logs/http.ports ]] &&
    url=http://$(head -n 1 "$folder/logs/http.ports") &&
    curl --silent --fail --max-time 5 "$url/_cluster/health?wait_for_status=yellow&timeout=2s" >/dev/null; do
    if ! kill -0 "$process" 2>/dev/null || ((SECONDS > deadline)); then
        tail -n 30 "$folder/output" >&2
        echo "failed: $engine $version did not become ready" >&2
        exit 1
    fi
    sleep 0.2
done
echo "$engine $version answers after ${SECONDS} s"

export TEST_ELASTICSEARCH_URL=$url
if [[ ${KEEP:-0} == 1 ]]; then
    echo "export TEST_ELASTICSEARCH_URL=$url"
    wait "$process"
else
    run_tests "$@"
fi
