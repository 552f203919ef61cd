#!/usr/bin/env bash
# Fetches Alertmanager and amtool as Debian's newest suite packages them, and unpacks them without installing
# anything, in the way of prometheus.sh. AMTOOL names an amtool that is there already.
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
[[ $(cat "$peers/amtool.version" 2>/dev/null) == "$wanted".* ]] && is_there "$(cat "$peers/amtool.version")" && exit 0

need apt-get "or let AMTOOL name an amtool $wanted"
need dpkg "or let AMTOOL name an amtool $wanted"
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' | sed -n 's/^Debian //p' | grep -v security | head -n 1)
[[ -n $mirror ]] || fail "apt knows no mirror of Debian (apt-get update may help), or let AMTOOL name an amtool $wanted"
build=$peers/build/alertmanager
mkdir -p "$build"/{lists/partial,cache/archives/partial}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$build/sources.list"
# As root, apt would fetch as another user, who cannot write here.
apt=(apt-get -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$build/sources.list" -o Dir::Etc::sourceparts=-
    -o Dir::State::lists="$build/lists" -o Dir::Cache="$build/cache")
cd "$build"
"${apt[@]}" update >apt.log 2>&1 && "${apt[@]}" download prometheus-alertmanager >>apt.log 2>&1 ||
    fail "Debian's prometheus-alertmanager cannot be fetched: $(tail -n 3 apt.log)"
dpkg -x prometheus-alertmanager_*.deb unpacked
version=$(version_of unpacked/usr/bin/amtool) || fail "Debian's amtool cannot be run here"
cp unpacked/usr/bin/amtool "$peers/bin/amtool"
cp unpacked/usr/bin/prometheus-alertmanager "$peers/bin/alertmanager"
cd "$peers" && rm -rf "$build"
done_with "$version"
