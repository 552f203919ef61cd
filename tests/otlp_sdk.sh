#!/usr/bin/env bash
# Has OpenTelemetry's own SDKs for Python, Node.js, Go and Java send known spans, log records and metrics
# (tests/sdk/content.json) over each of their transports, and compares each attribute, type and nanosecond.
#
#   tests/otlp_sdk.sh                             against a recorder: proves what the programs say they send
#   tests/otlp_sdk.sh GRPC_URL HTTP_URL CONSOLE_URL   and against a console that runs, by its /api/export
#   CONSOLE_BINARY=target/debug/highbeam tests/otlp_sdk.sh   the same, with a console of its own
#   UPDATE_GOLDEN=1 tests/otlp_sdk.sh             also keeps the requests in tests/golden/otlp
#
# ONLY="python go" chooses. Everything it needs and leaves is in target/sdk. An SDK that cannot be had is said
# with the reason and left out, unless OTLP_SDK_REQUIRED=1. Java's JVM and Go's compiler must be there.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}/sdk
only=${ONLY:-python node go java}
mkdir -p "$target"
export SDK_CONTENT=$PWD/tests/sdk/content.json
passed=0
failed=0
skipped=0

skip() {
    echo "skipped: $1"
    [[ ${OTLP_SDK_REQUIRED:-0} == 1 ]] && exit 1
    skipped=$((skipped + 1))
    return 1
}

has() {
    command -v "$1" >/dev/null || skip "$2: $1 is not there"
}

# Copies a program to where its packages are, and installs those if what pins them has changed.
is_installed() {
    cmp -s "$1" "$2"
}

install_python() {
    local pins=tests/sdk/python/requirements.txt
    if ! is_installed "$pins" "$target/python.pins"; then
        rm -rf "$target/python"
        python3 -m venv "$target/python" >/dev/null || skip "python: cannot make a virtual environment" || return 1
        "$target/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$pins" ||
            skip "python: its packages cannot be installed" || return 1
        cp "$pins" "$target/python.pins"
    fi
}

install_node() {
    has npm node || return 1
    mkdir -p "$target/node"
    if ! is_installed tests/sdk/node/package-lock.json "$target/node.pins"; then
        cp tests/sdk/node/{package,package-lock}.json "$target/node/"
        (cd "$target/node" && npm ci --silent --ignore-scripts) || skip "node: its packages cannot be installed" || return 1
        cp tests/sdk/node/package-lock.json "$target/node.pins"
    fi
    cp tests/sdk/node/main.js "$target/node/"
}

install_go() {
    has go go || return 1
    (cd tests/sdk/go && go build -trimpath -o "$target/go" .) || skip "go: the program cannot be built"
}

install_java() {
    has javac java || return 1
    if ! is_installed tests/sdk/java/jars.sha256 "$target/java.pins"; then
        has mvn java || return 1
        rm -rf "$target/java"
        mvn --quiet --batch-mode -f tests/sdk/java/pom.xml dependency:copy-dependencies \
            -DoutputDirectory="$target/java/jars" >/dev/null || skip "java: its packages cannot be installed" || return 1
        (cd "$target/java/jars" && sha256sum --quiet --strict -c -) <tests/sdk/java/jars.sha256 ||
            skip "java: its packages are not those of jars.sha256" || return 1
        cp tests/sdk/java/jars.sha256 "$target/java.pins"
    fi
    javac -encoding UTF-8 -d "$target/java/classes" -cp "$target/java/jars/*" tests/sdk/java/*.java ||
        skip "java: the program cannot be compiled"
}

python=$target/python/bin/python3
program_python() { "$@" "$python" tests/sdk/python/main.py; }
program_node() { "$@" node "$target/node/main.js"; }
program_go() { "$@" "$target/go"; }
program_java() { "$@" java -Xshare:auto -XX:TieredStopAtLevel=1 -cp "$target/java/classes:$target/java/jars/*" Main; }

transports() {
    echo "grpc grpc+gzip http/protobuf http/protobuf+gzip"
    [[ $1 == python || $1 == node ]] && echo "http/json"
    return 0
}

# Runs a program as a transport wants it; what follows is what to run it with.
send() {
    local sdk=$1 transport=$2
    shift 2
    # Unset for no compression: Python refuses "none" over gRPC.
    (
        unset OTEL_EXPORTER_OTLP_COMPRESSION
        [[ $transport != *+gzip ]] || export OTEL_EXPORTER_OTLP_COMPRESSION=gzip
        OTEL_EXPORTER_OTLP_PROTOCOL=${transport%+gzip} "program_$sdk" "$@"
    )
}

# A transport in a file's name.
file_of() {
    local name=${1//\//-}
    echo "${name//+/-}"
}

# Runs a comparison and counts.
count() {
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

against_recorder() {
    local sdk=$1 transport=$2 folder
    folder=$target/requests/$sdk-$(file_of "$transport")
    rm -rf "$folder"
    mkdir -p "$folder"
    OTEL_SERVICE_NAME=sdk-$sdk send "$sdk" "$transport" "$python" tests/sdk/record.py "$folder/requests" >"$folder/expected.jsonl" 2>"$folder/log" ||
        { echo "failed: $sdk over $transport:"; tail -n 5 "$folder/log"; return 1; }
    "$python" tests/sdk/compare.py requests "$folder/expected.jsonl" "$folder/requests" || return 1
    # gRPC's gzip is undone before the recorder sees the request.
    [[ -z ${UPDATE_GOLDEN:-} || $transport == grpc+gzip ]] ||
        "$python" tests/sdk/golden.py "$folder/requests" "$sdk-$(file_of "$transport")"
}

runs=0
against_console() {
    local sdk=$1 transport=$2 folder endpoint=$http_url
    folder=$target/console/$sdk-$(file_of "$transport")
    rm -rf "$folder"
    mkdir -p "$folder"
    [[ $transport == grpc* ]] && endpoint=$grpc_url
    # The console keeps no two runs apart but by these: a service, and trace ids, of their own.
    runs=$((runs + 1))
    OTEL_SERVICE_NAME=sdk-$sdk-$(file_of "$transport")-$$ OTEL_EXPORTER_OTLP_ENDPOINT=$endpoint \
        SDK_BASE_TIME_NS=$(($(date +%s) - 30))123456789 \
        SDK_RUN=$(printf '%06x%02x' $(($$ % 16777216)) $runs) \
        send "$sdk" "$transport" env >"$folder/expected.jsonl" 2>"$folder/log" ||
        { echo "failed: $sdk over $transport:"; tail -n 5 "$folder/log"; return 1; }
    "$python" tests/sdk/compare.py export "$folder/expected.jsonl" "$console_url"
}

start_console() {
    local folder deadline=$((SECONDS + 30))
    folder=$(mktemp -d "$target/console.XXXXXX")
    CONSOLE_PORT=0 OTLP_GRPC_PORT=0 OTLP_HTTP_PORT=0 "$CONSOLE_BINARY" console --data-dir "$folder/data" \
        --ready-file "$folder/ready.json" >"$target/console.log" 2>&1 &
    console=$!
    trap 'kill "$console" 2>/dev/null && wait "$console" || true; rm -rf "'"$folder"'"' EXIT
    until [[ -e $folder/ready.json ]]; do
        kill -0 "$console" 2>/dev/null && ((SECONDS < deadline)) ||
            { echo "failed: the console does not start: $(tail -n 5 "$target/console.log")" >&2; exit 1; }
        sleep 0.05
    done
    address() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" "$folder/ready.json"; }
    grpc_url=$(address otlpGrpc) http_url=$(address otlpHttp) console_url=$(address console)
}

command -v python3 >/dev/null || skip "python3 is not there, which compares" || exit 0
# Python's packages are those of the recorder and the comparison too.
install_python || exit 0
grpc_url=
if [[ $# -eq 3 ]]; then
    grpc_url=$1 http_url=$2 console_url=${3%/}
elif [[ $# -ne 0 ]]; then
    echo "usage: tests/otlp_sdk.sh [GRPC_URL HTTP_URL CONSOLE_URL], as http://127.0.0.1:4317 http://127.0.0.1:4318 http://127.0.0.1:5017" >&2
    exit 2
elif [[ -n ${CONSOLE_BINARY:-} ]]; then
    start_console
fi

for sdk in $only; do
    [[ $sdk == python ]] || "install_$sdk" || continue
    for transport in $(transports "$sdk"); do
        count against_recorder "$sdk" "$transport"
        [[ -z $grpc_url ]] || count against_console "$sdk" "$transport"
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0)) || ((skipped > 0 && failed == 0))
