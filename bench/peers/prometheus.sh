#!/usr/bin/env bash
# Fetches Prometheus 3.5 as Debian's newest suite packages it, and unpacks it without installing anything:
# the suite's index is read into a folder of its own, so that the machine's apt knows nothing of it. promtool
# comes beside it. PROMETHEUS names a program of that version that is there already.
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

need apt-get "or let PROMETHEUS name a Prometheus $wanted"
need dpkg "or let PROMETHEUS name a Prometheus $wanted"
# The mirror that this machine uses for its own packages.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' | sed -n 's/^Debian //p' | grep -v security | head -n 1)
[[ -n $mirror ]] || fail "apt knows no mirror of Debian (apt-get update may help), or let PROMETHEUS name a Prometheus $wanted"
build=$peers/build/prometheus
mkdir -p "$build"/{lists/partial,cache/archives/partial}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$build/sources.list"
# As root, apt would fetch as another user, who cannot write here.
apt=(apt-get -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$build/sources.list" -o Dir::Etc::sourceparts=-
    -o Dir::State::lists="$build/lists" -o Dir::Cache="$build/cache")
cd "$build"
"${apt[@]}" update >apt.log 2>&1 && "${apt[@]}" download prometheus promtool >>apt.log 2>&1 ||
    fail "Debian's prometheus cannot be fetched: $(tail -n 3 apt.log)"
for package in ./*.deb; do dpkg -x "$package" unpacked; done
version=$(version_of unpacked/usr/bin/prometheus) || fail "Debian's prometheus cannot be run here"
[[ $version == "$wanted".* ]] ||
    fail "Debian has version $version, wanted is $wanted: let PROMETHEUS name a Prometheus $wanted, or measure beside $version and say so"
cp unpacked/usr/bin/{prometheus,promtool} "$peers/bin/"
cd "$peers" && rm -rf "$build"
done_with "$version"
