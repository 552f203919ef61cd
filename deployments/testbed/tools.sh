#!/usr/bin/env bash
# Builds what the test bed runs from Go modules, in the versions that go.mod pins and go.sum holds to: no registry of
# images and no download of binaries is asked. Programs of Kubernetes, and etcd, are those of kubernetes/go.mod. Any other
# has a folder of its own beside it, which is called as the program is: with a main.go, or a go.mod that names one `tool`.
#
#   bash deployments/testbed/tools.sh kubectl                  # 2 to 3 minutes on 2 cores, cold
#   bash deployments/testbed/tools.sh etcd kube-apiserver      # what `make test-cluster` needs beside it
#   bash deployments/testbed/tools.sh coredns                  # from coredns/go.mod
#
# They are left in target/cluster/VERSION/bin, by Kubernetes' version (CLUSTER_TOOLS names another folder), and what is
# there is left alone; one with a folder of its own is built again when that changes. Prints the folder. Needs Go, of
# the version in the go.mod or newer.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)

fail() {
    echo "tools.sh: $1" >&2
    exit 1
}

# What has a folder of its own, by name.
own_tools() {
    local module
    for module in "$here"/*/go.mod; do
        module=${module%/go.mod}
        [[ ${module##*/} == kubernetes ]] || echo "${module##*/}"
    done
}

[[ $# -gt 0 ]] || fail "says which to build: kubectl, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, etcd$(own_tools | sed 's/^/, /' | tr -d '\n')"
version=$(sed -nE 's,^(require)?[[:space:]]*k8s.io/kubernetes v,,p' "$here/kubernetes/go.mod")
[[ -n $version ]] || fail "kubernetes/go.mod requires no k8s.io/kubernetes"
tools=${CLUSTER_TOOLS:-$repository/target/cluster/$version/bin}

# What a tool with a folder of its own is built from, in one word.
sources() { # tool
    (cd "$here/$1" && cat go.mod go.sum ./*.go 2>/dev/null || true) | sha256sum | cut -d ' ' -f 1
}

packages=() own=()
for tool in "$@"; do
    case $tool in
        kubectl | kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kube-proxy) package=k8s.io/kubernetes/cmd/$tool ;;
        # Its module calls the program `server`.
        etcd) package=go.etcd.io/etcd/server/v3 ;;
        *)
            [[ $tool != kubernetes && -f $here/$tool/go.mod ]] || fail "knows no $tool"
            [[ -x $tools/$tool && $(cat "$tools/.$tool" 2>/dev/null) == "$(sources "$tool")" ]] || own+=("$tool")
            continue
            ;;
    esac
    [[ -x $tools/$tool ]] || packages+=("$package")
done
if [[ ${#packages[@]} -eq 0 && ${#own[@]} -eq 0 ]]; then
    echo "$tools"
    exit
fi

command -v go >/dev/null || fail "needs Go, which is not there, to build ${packages[*]} ${own[*]}"
export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off
mkdir -p "$tools"
# Within, so that an interrupted build leaves none: what is whole is moved.
building=$(mktemp -d "$tools/building.XXXXXX")
trap 'rm -rf "$building"' EXIT
if [[ ${#packages[@]} -gt 0 ]]; then
    # What `kubectl version` tells, and what servers tell their clients; a release's own are set in this way, too.
    flags="-s -w"
    for name in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        flags+=" -X $name.gitVersion=v$version -X $name.gitTreeState=clean -X $name.buildDate=1970-01-01T00:00:00Z"
        flags+=" -X $name.gitMajor=${version%%.*} -X $name.gitMinor=$(cut -d. -f2 <<<"$version")"
    done
    cd "$here/kubernetes"
    go build -trimpath -ldflags "$flags" -o "$building/" "${packages[@]}"
    [[ ! -e $building/v3 ]] || mv "$building/v3" "$building/etcd"
    [[ ! -e $building/server ]] || mv "$building/server" "$building/etcd"
    mv "$building"/* "$tools/"
fi
for tool in "${own[@]}"; do
    cd "$here/$tool"
    package=.
    [[ -e main.go ]] || package=$(go list tool)
    [[ -n $package && $package != *$'\n'* ]] || fail "$tool/go.mod names no tool, or more than one: go mod edit -tool=PACKAGE"
    go build -trimpath -ldflags "-s -w" -o "$building/$tool" "$package"
    mv "$building/$tool" "$tools/$tool"
    sources "$tool" >"$tools/.$tool"
done
echo "$tools"
