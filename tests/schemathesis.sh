#!/usr/bin/env bash
# Holds the running program against its own OpenAPI description with schemathesis: every operation, with
# data that fits the description and data that does not. Everything it needs and leaves is in target/.
#
# Without python3 or the package it says "skipped: ..." and succeeds, unless SCHEMATHESIS_REQUIRED=1.
# SCHEMATHESIS_EXAMPLES sets how many requests an operation gets in each phase.
required=${SCHEMATHESIS_REQUIRED:-0}
source "$(dirname "$0")/common.sh"
need python3
version=4.32.5
examples=${SCHEMATHESIS_EXAMPLES:-100}
venv=$target/venv-schemathesis
if [[ ! -x $venv/bin/schemathesis ]]; then
    python3 -m venv "$venv" >/dev/null || skip "python3 cannot make a virtual environment"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version" ||
        skip "schemathesis cannot be installed"
fi

find_program
begin_folder schemathesis
"$program" up --no-traffic --no-console --port 0 --data-dir "$folder/data" \
    --ready-file "$folder/ready.json" >/dev/null 2>"$folder/log" &
server=$!
processes+=("$server")
url=$(await "the server" ready_url "$folder/ready.json" api) || fail "it says: $(tail -n 3 "$folder/log")"

# watchOrder never ends by design, and the client waits for the end of an answer; the Rust tests cover it.
status=0
"$venv/bin/schemathesis" --config-file tests/schemathesis.toml run "$url/openapi.json" --checks all --exclude-operation-id watchOrder \
    --max-examples "$examples" --generation-database none --continue-on-failure --no-color "$@" || status=$?

# Whatever was sent, the server must have taken it well.
# A 503 without a cause in the log is a position that was not reached in time.
server_errors=$(grep -cE '"http.response.status_code":50[0124-9]|"message":"request could not be served"' "$folder/log" || true)
if ! kill -0 "$server" 2>/dev/null; then
    echo "failed: the server ended"
    exit 1
fi
echo "schemathesis ended with status $status; $server_errors server errors in the log"
[[ $server_errors == 0 ]] || status=1
exit "$status"
