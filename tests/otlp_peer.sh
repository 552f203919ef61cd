#!/usr/bin/env bash
# Has the running program send one order's spans and log lines to a receiver that is made of the
# definitions that OpenTelemetry publishes for Python, over gRPC (with gzip) and over HTTP, and compares.
# Everything it needs and leaves is in target/.
#
# Without python3 or the packages it says "skipped: ..." and succeeds, unless OTLP_PEER_REQUIRED=1.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
venv=$target/venv-otlp

skip() {
    echo "skipped: $1"
    [[ ${OTLP_PEER_REQUIRED:-0} == 1 ]] && exit 1
    exit 0
}

command -v python3 >/dev/null || skip "python3 is not there"
if [[ ! -x $venv/bin/python3 ]] || ! "$venv/bin/python3" -c 'import grpc, opentelemetry.proto' 2>/dev/null; then
    python3 -m venv "$venv" >/dev/null || skip "python3 cannot make a virtual environment"
    "$venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-proto grpcio ||
        skip "OpenTelemetry's definitions for Python cannot be installed"
fi

cargo build --quiet --package highbeam
"$venv/bin/python3" tests/otlp_peer.py "$target/debug/highbeam"
