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
