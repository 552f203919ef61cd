#!/usr/bin/env bash
# Builds programs of Kubernetes, and etcd, from their Go modules, in the versions that kubernetes/go.mod pins and
# kubernetes/go.sum holds to: no registry of images and no download of binaries is asked.
#
#   bash deployments/testbed/tools.sh kubectl                  # 2 to 3 minutes on 2 cores, cold
#   bash deployments/testbed/tools.sh etcd kube-apiserver      # what `make test-cluster` needs beside it
#
# They are left in target/cluster/VERSION/bin (CLUSTER_TOOLS names another folder), and what is there is left alone.
# Prints that folder. Needs Go, of the version in kubernetes/go.mod or newer.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)

fail() {
    echo "tools.sh: $1" >&2
    exit 1
}

[[ $# -gt 0 ]] || fail "says which to build: kubectl, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, etcd"
version=$(sed -nE 's,^(require)?[[:space:]]*k8s.io/kubernetes v,,p' "$here/kubernetes/go.mod")
[[ -n $version ]] || fail "kubernetes/go.mod requires no k8s.io/kubernetes"
tools=${CLUSTER_TOOLS:-$repository/target/cluster/$version/bin}

packages=()
for tool in "$@"; do
    case $tool in
        kubectl | kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kube-proxy) package=k8s.io/kubernetes/cmd/$tool ;;
        # Its module calls the program `server`.
        etcd) package=go.etcd.io/etcd/server/v3 ;;
        *) fail "knows no $tool" ;;
    esac
    [[ -x $tools/$tool ]] || packages+=("$package")
done
if [[ ${#packages[@]} -gt 0 ]]; then
    command -v go >/dev/null || fail "needs Go, which is not there, to build ${packages[*]}"
    mkdir -p "$tools"
    # What `kubectl version` tells, and what servers tell their clients; a release's own are set in this way, too.
    flags="-s -w"
    for name in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        flags+=" -X $name.gitVersion=v$version -X $name.gitTreeState=clean -X $name.buildDate=1970-01-01T00:00:00Z"
        flags+=" -X $name.gitMajor=${version%%.*} -X $name.gitMinor=$(cut -d. -f2 <<<"$version")"
    done
    building=$(mktemp -d "$tools/building.XXXXXX")
    trap 'rm -rf "$building"' EXIT
    cd "$here/kubernetes"
    CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags "$flags" -o "$building/" "${packages[@]}"
    [[ ! -e $building/v3 ]] || mv "$building/v3" "$building/etcd"
    [[ ! -e $building/server ]] || mv "$building/server" "$building/etcd"
    # All at once, so that an interrupted build leaves none.
    mv "$building"/* "$tools/"
fi
echo "$tools"
