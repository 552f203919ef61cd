#!/usr/bin/env bash
# Holds the console's metric queries in LogQL against a genuine Prometheus: the same lines are pushed to the
# console's Loki API and loaded as samples into Prometheus, and over two hundred pairs of questions have to get
# the same numbers. Everything it needs and leaves is in target/; nothing is installed or left running.
#
# PROMETHEUS and PROMTOOL name the programs; without them, those of `make bench-peers` or on the path are taken,
# or Debian's package is fetched and unpacked. Without any it says "skipped: ..." and succeeds, unless
# PROMETHEUS_REQUIRED=1. CONSOLE_BINARY names the console; without it, it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
unpacked=$target/prometheus

skip() {
    echo "skipped: $1"
    [[ ${PROMETHEUS_REQUIRED:-0} == 1 ]] && exit 1
    exit 0
}

command -v python3 >/dev/null || skip "python3 is not there"
peers=$PWD/target/peers/bin
find_program() {
    if [[ -x $peers/$1 ]]; then echo "$peers/$1"; else command -v "$1" || true; fi
}
prometheus=${PROMETHEUS:-$(find_program prometheus)}
promtool=${PROMTOOL:-$(find_program promtool)}
if [[ -z $prometheus || -z $promtool ]]; then
    if [[ ! -x $unpacked/usr/bin/prometheus ]]; then
        mkdir -p "$unpacked"
        # As root, apt would fetch as another user, who cannot write here.
        (cd "$unpacked" && apt-get -o APT::Sandbox::User=root download prometheus >apt.log 2>&1 &&
            dpkg -x prometheus_*.deb .) || skip "Debian's prometheus cannot be fetched (apt-get update may help)"
    fi
    prometheus=$unpacked/usr/bin/prometheus
    promtool=$unpacked/usr/bin/promtool
fi
"$prometheus" --version >/dev/null 2>&1 || skip "$prometheus cannot be run"

binary=${CONSOLE_BINARY:-}
if [[ -z $binary ]]; then
    cargo build --quiet --package highbeam
    binary=$target/debug/highbeam
fi
mkdir -p "$target"
folder=$(mktemp -d "$target/logql.XXXXXX")
trap 'rm -rf "$folder"' EXIT
python3 tests/logql_metrics.py --console "$binary" --prometheus "$prometheus" --promtool "$promtool" --folder "$folder"
