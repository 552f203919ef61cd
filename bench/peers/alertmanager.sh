#!/usr/bin/env bash
# Fetches Alertmanager and amtool as Debian's newest suite packages them. AMTOOL names an amtool that is there already.
peer=amtool
source "$(dirname "$0")/common.sh"
wanted=0.33

version_of() {
    "$1" --version 2>&1 | sed -n 's/^amtool, version \([^ +]*\).*/\1/p'
}

if [[ -n ${AMTOOL:-} ]]; then
    version=$(version_of "$AMTOOL") || fail "$AMTOOL (from AMTOOL) cannot be run"
    ln -sf "$(realpath "$AMTOOL")" "$peers/bin/amtool"
    done_with "$version"
    exit 0
fi
[[ -d $peers/alertmanager && $(cat "$peers/amtool.version" 2>/dev/null) == "$wanted".* ]] && is_there "$(cat "$peers/amtool.version")" && exit 0

from_debian "or let AMTOOL name an amtool $wanted" prometheus-alertmanager
version=$(version_of unpacked/usr/bin/amtool) || fail "Debian's amtool cannot be run here"
cp unpacked/usr/bin/amtool "$peers/bin/amtool"
cp unpacked/usr/bin/prometheus-alertmanager "$peers/bin/alertmanager"
# Debian's does not start without these, at /usr/share/prometheus/alertmanager.
mkdir -p "$peers/alertmanager" && cp unpacked/usr/share/prometheus/alertmanager/*.tmpl "$peers/alertmanager/"
cd "$peers" && rm -rf "$build"
done_with "$version"
