#!/usr/bin/env bash
# Fetches Prometheus 3.5 as Debian's newest suite packages it. promtool comes beside it. PROMETHEUS names a program of
# that version that is there already.
peer=prometheus
source "$(dirname "$0")/common.sh"
wanted=3.5

version_of() {
    "$1" --version 2>&1 | sed -n 's/^prometheus, version \([^ +]*\).*/\1/p'
}

if [[ -n ${PROMETHEUS:-} ]]; then
    version=$(version_of "$PROMETHEUS") || fail "$PROMETHEUS (from PROMETHEUS) cannot be run"
    [[ $version == "$wanted".* ]] || fail "$PROMETHEUS is version $version, wanted is $wanted"
    ln -sf "$(realpath "$PROMETHEUS")" "$peers/bin/prometheus"
    done_with "$version"
    exit 0
fi
[[ -x $peers/bin/promtool && $(cat "$peers/prometheus.version" 2>/dev/null) == "$wanted".* ]] && is_there "$(cat "$peers/prometheus.version")" && exit 0

from_debian "or let PROMETHEUS name a Prometheus $wanted" prometheus promtool
version=$(version_of unpacked/usr/bin/prometheus) || fail "Debian's prometheus cannot be run here"
[[ $version == "$wanted".* ]] ||
    fail "Debian has version $version, wanted is $wanted: let PROMETHEUS name a Prometheus $wanted, or measure beside $version and say so"
cp unpacked/usr/bin/{prometheus,promtool} "$peers/bin/"
cd "$peers" && rm -rf "$build"
done_with "$version"
