#!/usr/bin/env bash
# Has the running program send one order's spans and log lines to a receiver that is made of the
# definitions that OpenTelemetry publishes for Python, over gRPC (with gzip) and over HTTP, and compares.
# Everything it needs and leaves is in target/.
#
# Without python3 or the packages it says "skipped: ..." and succeeds, unless OTLP_PEER_REQUIRED=1.
required=${OTLP_PEER_REQUIRED:-0}
source "$(dirname "$0")/common.sh"
need python3
venv=$target/venv-otlp
if [[ ! -x $venv/bin/python3 ]] || ! "$venv/bin/python3" -c 'import grpc, opentelemetry.proto' 2>/dev/null; then
    python3 -m venv "$venv" >/dev/null || skip "python3 cannot make a virtual environment"
    "$venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-proto grpcio ||
        skip "OpenTelemetry's definitions for Python cannot be installed"
fi

find_program
"$venv/bin/python3" tests/otlp_peer.py "$program"
