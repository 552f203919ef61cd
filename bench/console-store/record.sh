#!/usr/bin/env bash
# Records what highbeam itself emits under load, for the comparison of stores: log lines, and its metrics
# once a second. Usage: bench/console-store/record.sh HIGHBEAM FOLDER
set -euo pipefail
highbeam=$1
folder=$2
port=${PORT:-5998}
mkdir -p "$folder"
rm -rf "$folder"/data "$folder"/*.prom "$folder"/lines.json
PORT=$port LOGGER_ENCODER=json LOGGER_LEVEL=debug DATA_DIR=$folder/data "$highbeam" up >/dev/null 2>"$folder/lines.json" &
server=$!
trap 'kill $server' EXIT
until curl -sf "localhost:$port/readyz" >/dev/null; do sleep 0.2; done
"$highbeam" load --quiet --target "http://127.0.0.1:$port" --rate 200 --duration 40s >/dev/null &
for second in $(seq -w 1 40); do
  curl -sf "localhost:$port/metrics" >"$folder/$second.prom"
  sleep 1
done
