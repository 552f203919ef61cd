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
# TEST_ELASTICSEARCH_URL (https://user:password@host:9200) names another engine. Where this one cannot be had the script
# says "skipped: ..." and succeeds, unless ELASTICSEARCH_REQUIRED=1. Arguments after the engine's name, KEEP and
# FETCH_ONLY: see common.sh.
variable=TEST_ELASTICSEARCH_URL package=elasticsearch cases=elasticsearch required=${ELASTICSEARCH_REQUIRED:-0}
source "$(dirname "$0")/common.sh"

engine=${1:-elasticsearch}
shift || true
case $engine in
    elasticsearch) artifact=org.elasticsearch.distribution.integ-test-zip:elasticsearch version=8.19.21 ;;
    opensearch) artifact=org.opensearch.distribution.integ-test-zip:opensearch version=2.19.6 ;;
    *) echo "usage: $0 [elasticsearch|opensearch] [TEST ARGUMENTS]" >&2 && exit 2 ;;
esac
run_if_named "$@"

need java mvn unzip curl
kept=$engines/$engine-$version
if [[ ! -d $kept ]]; then
    mkdir -p "$engines"
    mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact="$artifact:$version:zip" -DoutputDirectory="$engines" \
        >"$engines/$engine.mvn.log" 2>&1 ||
        skip "$artifact:$version cannot be fetched ($engines/$engine.mvn.log says why)"
    unzip -q "$engines/$engine-$version.zip" -d "$engines"
    rm -f "$engines/$engine-$version.zip"
fi
end_if_fetched

# Nobody may read below a home folder, so what runs is a copy elsewhere.
begin_folder "$engine" "${TMPDIR:-/tmp}"
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
processes+=($!)

url() { sed -n '1s,^,http://,p' "$folder/logs/http.ports"; }
is_ready() {
    [[ -s $folder/logs/http.ports ]] &&
        curl --silent --fail --max-time 5 "$(url)/_cluster/health?wait_for_status=yellow&timeout=2s"
}
await_engine "$engine $version" 120 is_ready
run_on "$(url)" "$@"
