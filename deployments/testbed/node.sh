#!/usr/bin/env bash
# A cluster of one real node: the control plane of controlplane.sh with containerd, kubelet, kube-proxy, a bridge for pods
# and CoreDNS, in a network namespace of its own that nothing leaves and nothing enters. Pods run, probes are asked,
# Services lead somewhere. What it has not: NetworkPolicies that are enforced, metrics for autoscalers, a second node.
#
#   bash deployments/testbed/node.sh able                     # says in a line why this machine cannot, and fails
#   bash deployments/testbed/node.sh up FOLDER [IMAGE.tar…]   # prints the path of a kubeconfig
#   bash deployments/testbed/node.sh run COMMAND…             # runs it where Services and the API server can be reached
#   bash deployments/testbed/node.sh volume FOLDER NAME SIZE  # prints a PersistentVolume, for a claim without a class
#   bash deployments/testbed/node.sh down FOLDER              # ends it, and undoes what it did to the machine
#
# TOOLS names the folder of the programs of tools.sh. Needs root, and a kernel with nftables. containerd, runc, the CNI
# plugins and nft are Debian's, fetched and unpacked into target/cluster/debian; nothing is installed. One at a time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
debian=${CLUSTER_DEBIAN:-$(cd "$here/../.." && pwd)/target/cluster/debian}
export NODE_NAMESPACE=highbeam-node NODE_ADDRESS=10.89.0.1
source "$here/processes.sh"
# What the kubelet sets for the whole machine.
sysctls=(vm/overcommit_memory kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes)
# Where the kubelet and containerd leave things however they are told.
strays=(/run/containerd /var/lib/kubelet /var/lib/cni /var/log/containers /var/log/pods)

fail() {
    echo "node.sh: $1" >&2
    exit 1
}

in_node() {
    "${enter[@]}" "$@"
}

cgroups() { # of pods, in each hierarchy
    find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d -name kubepods 2>/dev/null
}

able() {
    [[ $(id -u) == 0 ]] || fail "a node has to be started by root"
    for program in ip nsenter mount openssl python3; do command -v "$program" >/dev/null || fail "a node needs $program"; done
    [[ ! -e /run/netns/$NODE_NAMESPACE ]] || fail "a node is there already, or one was not taken down: /run/netns/$NODE_NAMESPACE"
    [[ -z $(cgroups) ]] || fail "another kubelet has its pods on this machine: $(cgroups | head -n 1)"
    grep -q '[[:space:]]overlay$' /proc/filesystems || fail "the kernel has no overlay file system"
    if ! ip netns add "$NODE_NAMESPACE.probe" 2>/dev/null; then fail "network namespaces cannot be made here"; fi
    ip netns del "$NODE_NAMESPACE.probe"
    find_programs
    ip netns add "$NODE_NAMESPACE.probe"
    local told
    told=$(nsenter --net="/run/netns/$NODE_NAMESPACE.probe" nft 'add table inet probe; add chain inet probe nat { type nat hook output priority 0; }' 2>&1) || true
    ip netns del "$NODE_NAMESPACE.probe"
    [[ -z $told ]] || fail "nftables cannot be used here: ${told%%$'\n'*}"
}

# Debian's programs, and the libraries that this machine may lack.
find_programs() {
    local packages=(containerd runc containernetworking-plugins nftables libnftables1 libnftnl11 libmnl0 libjansson4 libxtables12 libseccomp2) package
    if [[ ! -x $debian/usr/bin/containerd ]]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "containerd cannot be had: this is no Debian"
        rm -rf "$debian" "$debian".part
        mkdir -p "$debian.part/packages"
        (cd "$debian.part/packages" && apt-get -o APT::Sandbox::User=root download "${packages[@]}" >apt.log 2>&1) ||
            fail "containerd cannot be fetched: $(tail -n 1 "$debian.part/packages/apt.log")"
        for package in "$debian.part"/packages/*.deb; do dpkg-deb -x "$package" "$debian.part"; done
        rm -r "$debian.part/packages"
        mv "$debian.part" "$debian"
    fi
    export PATH=$debian/usr/bin:$debian/usr/sbin:$PATH
    export LD_LIBRARY_PATH=$debian/usr/lib/$(uname -m)-linux-gnu:$debian/lib/$(uname -m)-linux-gnu
}

# A device with the node's address, and a way out that leads nowhere.
make_network() {
    ip netns add "$NODE_NAMESPACE"
    ip -n "$NODE_NAMESPACE" link set lo up
    ip -n "$NODE_NAMESPACE" link add node0 type veth peer name node1
    ip -n "$NODE_NAMESPACE" link set node1 up
    ip -n "$NODE_NAMESPACE" address add "$NODE_ADDRESS/24" dev node0
    ip -n "$NODE_NAMESPACE" link set node0 up
    ip -n "$NODE_NAMESPACE" route add default via 10.89.0.254 dev node0
}

start_containerd() {
    mkdir -p "$folder"/{cni,containerd}
    cat >"$folder/cni/bridge.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "testbed", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$folder/cni/addresses"}}]}
JSON
    # Processes of containers are not put before others of the machine, which would take a right that root may lack.
    cat >"$folder/containerd.toml" <<TOML
version = 2
root = "$folder/containerd/root"
state = "$folder/containerd/state"
oom_score = 0
[grpc]
address = "$folder/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "testbed.invalid/pause:1"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "$debian/usr/lib/cni"
conf_dir = "$folder/cni"
[plugins."io.containerd.internal.v1.opt"]
path = "$folder/containerd/opt"
TOML
    start containerd containerd --config "$folder/containerd.toml"
    for _ in $(seq 150); do
        containers version >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "containerd does not answer: $(tail -n 3 "$folder/containerd.log")"
}

containers() {
    ctr --address "$folder/containerd.sock" --namespace k8s.io "$@"
}

# The images that a node needs before any other.
make_images() {
    local name
    for name in pause coredns; do
        python3 "$here/image.py" "testbed.invalid/$name:1" "$folder/$name.tar" --user 65532:65532 --entrypoint "/$name" "$TOOLS/$name=/$name"
    done
}

load_images() { # archive…
    local archive
    for archive in "$@"; do
        containers images import "$archive" >/dev/null 2>"$folder/import.$(basename "$archive").log" ||
            fail "$archive is not taken: $(tail -n 1 "$folder/import.$(basename "$archive").log")"
    done
}

# Where the machine's disk is fuller than a cluster's may be, pods would be sent away from it.
start_kubelet() {
    mkdir -p "$folder"/{manifests,logs,plugins,volumes}
    echo "nameserver 10.97.0.10" >"$folder/resolv.conf"
    cat >"$folder/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$folder/plane/ca.crt"}}
authorization: {mode: Webhook}
tlsCertFile: $folder/plane/kubelet.crt
tlsPrivateKeyFile: $folder/plane/kubelet.key
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://$folder/containerd.sock
clusterDomain: cluster.local
clusterDNS: [10.97.0.10]
resolvConf: $folder/resolv.conf
nodeStatusUpdateFrequency: 4s
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
podLogsDir: $folder/logs
staticPodPath: $folder/manifests
volumePluginDir: $folder/plugins
maxPods: 60
YAML
    start kubelet "$TOOLS/kubelet" --config "$folder/kubelet.yaml" --kubeconfig "$folder/plane/kubelet.kubeconfig" \
        --hostname-override node --node-ip "$NODE_ADDRESS" --root-dir "$folder/kubelet" --cert-dir "$folder/kubelet/pki" --oom-score-adj 0
    cat >"$folder/kube-proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: "$folder/plane/kube-proxy.kubeconfig"}
hostnameOverride: node
clusterCIDR: 10.88.0.0/16
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML
    start kube-proxy "$TOOLS/kube-proxy" --config "$folder/kube-proxy.yaml"
}

await_node() {
    local kubectl=(in_node "$TOOLS/kubectl" --kubeconfig "$folder/plane/kubeconfig")
    "${kubectl[@]}" apply --filename "$here/node/coredns.yaml" >/dev/null
    for _ in $(seq 300); do
        "${kubectl[@]}" get node node >/dev/null 2>&1 && break
        kill -0 "$(cat "$folder/kubelet.pid")" 2>/dev/null || fail "the kubelet ended: $(tail -n 3 "$folder/kubelet.log")"
        sleep 0.2
    done
    "${kubectl[@]}" wait --for condition=Ready node/node --timeout 60s >/dev/null || fail "the node is not ready: $(tail -n 3 "$folder/kubelet.log")"
    "${kubectl[@]}" -n kube-system rollout status deployment/coredns --timeout 60s >/dev/null ||
        fail "CoreDNS is not ready: $("${kubectl[@]}" -n kube-system get events --field-selector type=Warning -o jsonpath='{.items[-1:].message}')"
}

up() {
    local stray loading kubeconfig
    able
    : "${TOOLS:?names the folder of the programs of tools.sh}"
    umask 022
    # What is to be as it was afterwards, before anything changes it.
    for sysctl in "${sysctls[@]}"; do echo "$(cat "/proc/sys/$sysctl") $sysctl"; done >"$folder/sysctls"
    for stray in "${strays[@]}"; do [[ -e $stray ]] || echo "$stray"; done >"$folder/strays"
    make_network
    start_containerd
    make_images
    load_images "$folder/pause.tar" "$folder/coredns.tar"
    load_images "$@" &
    loading=$!
    kubeconfig=$(bash "$here/controlplane.sh" up "$folder/plane")
    start_kubelet
    await_node
    wait "$loading" || exit 1
    echo "$kubeconfig"
}

# Whatever has died meanwhile: no process of a pod, no mount, no name is left.
down() {
    local pid stray value sysctl
    # Each step, whatever became of the one before.
    set +eo pipefail
    for name in kube-proxy kubelet; do stop "$name"; done
    find_programs
    cgroups | while read -r cgroup; do
        find "$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null
    done | sort -u | while read -r pid; do kill -KILL "$pid" 2>/dev/null; done
    # The shims end when their tasks are gone.
    for name in $(containers tasks ls --quiet 2>/dev/null); do containers tasks rm --force "$name" >/dev/null 2>&1; done
    stop containerd
    for pid in /proc/[0-9]*; do
        if cat "$pid/cmdline" 2>/dev/null | tr '\0' ' ' | grep -q "^[^ ]*containerd-shim.* -address $folder/"; then kill -KILL "${pid##*/}" 2>/dev/null; fi
    done
    bash "$here/controlplane.sh" down "$folder/plane"
    for _ in 1 2 3; do
        cut -d ' ' -f 2 /proc/mounts | grep "^$folder/" | sort -r | while read -r mounted; do umount "$mounted" 2>/dev/null || umount -l "$mounted"; done
    done
    # Whatever was run in it, too.
    for pid in $(ip netns pids "$NODE_NAMESPACE" 2>/dev/null); do kill -KILL "$pid"; done
    ip netns del "$NODE_NAMESPACE" 2>/dev/null
    cgroups | while read -r cgroup; do
        for _ in $(seq 20); do
            find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
            [[ -d $cgroup ]] || break
            sleep 0.1
        done
    done
    if [[ -e $folder/strays ]]; then
        while read -r stray; do
            # Another engine may have come to use this one.
            if [[ $stray == /run/containerd ]]; then find "$stray" -type d -empty -delete; else rm -rf --one-file-system "$stray"; fi
        done <"$folder/strays"
        while read -r value sysctl; do echo "$value" >"/proc/sys/$sysctl"; done <"$folder/sysctls"
        rm -f "$folder/strays" "$folder/sysctls"
    fi
}

# A folder of the node. Without a claim that waits for it, it does nothing.
volume() { # name size
    mkdir -p "$folder/volumes/$1"
    chmod 777 "$folder/volumes/$1"
    cat <<YAML
apiVersion: v1
kind: PersistentVolume
metadata: {name: $1}
spec:
  capacity: {storage: $2}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  local: {path: "$folder/volumes/$1"}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node]}]}]}}
---
YAML
}

action=${1:?able, up, run, volume or down}
shift
case $action in
    able)
        able
        ;;
    up | volume | down)
        mkdir -p "${1:?names a folder of its own}"
        folder=$(cd "$1" && pwd)
        shift
        "$action" "$@"
        ;;
    # In this process's place, so that whoever ends it ends the command.
    run) exec nsenter --net="/run/netns/$NODE_NAMESPACE" "$@" ;;
    *) fail "knows able, up, run, volume and down, not $action" ;;
esac
