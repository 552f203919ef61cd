# What the scripts of this folder share; they read it with `source`. Each fetches one program that `make
# bench` measures beside and leaves it in $PEERS/bin, by default target/peers/bin. A program that is there
# in the right version is left alone.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
peers=${PEERS:-$repository/target/peers}
mkdir -p "$peers/bin"

fail() {
    echo "$peer: $1" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || fail "needs $1, which is not there ($2)"
}

# Succeeds if the version that was asked for is there already.
is_there() {
    [[ -x $peers/bin/$peer && $(cat "$peers/$peer.version" 2>/dev/null) == "$1" ]] || return 1
    echo "$peer $1: $peers/bin/$peer (was there)"
}

# Notes the version last, so that an interrupted build counts as none.
done_with() {
    [[ -x $peers/bin/$peer ]] || fail "$peers/bin/$peer was not made"
    echo "$1" >"$peers/$peer.version"
    echo "$peer $1: $peers/bin/$peer"
}

# The folder of a Go module, after fetching it.
go_module() {
    need go "Go 1.26 or newer"
    local told
    told=$(cd "$peers" && GOFLAGS=-mod=mod go mod download -json "$1") || fail "the Go module $1 cannot be fetched: $told"
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$told"
}

# Fetches packages as Debian's newest suite has them, and unpacks them in $build/unpacked without installing anything:
# the suite's index is read into a folder of its own, so that the machine's apt knows nothing of it. The first word
# is what helps where that cannot be.
from_debian() {
    local otherwise=$1 mirror apt package
    shift
    need apt-get "$otherwise"
    need dpkg "$otherwise"
    # The mirror that this machine uses for its own packages.
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' | sed -n 's/^Debian //p' | grep -v security | head -n 1)
    [[ -n $mirror ]] || fail "apt knows no mirror of Debian (apt-get update may help), $otherwise"
    build=$peers/build/$peer
    mkdir -p "$build"/{lists/partial,cache/archives/partial}
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$build/sources.list"
    # As root, apt would fetch as another user, who cannot write here.
    apt=(apt-get -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$build/sources.list" -o Dir::Etc::sourceparts=-
        -o Dir::State::lists="$build/lists" -o Dir::Cache="$build/cache")
    cd "$build"
    "${apt[@]}" update >apt.log 2>&1 && "${apt[@]}" download "$@" >>apt.log 2>&1 ||
        fail "Debian's $* cannot be fetched: $(tail -n 3 apt.log)"
    for package in ./*.deb; do dpkg -x "$package" unpacked; done
}
