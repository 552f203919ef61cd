#!/usr/bin/env bash
# A control plane of Kubernetes on loopback: etcd and kube-apiserver, with certificates made for it. No kubelet runs, so
# pods are admitted and never start; what the API server decides by itself is real: schemas, admission, access.
#
#   bash deployments/testbed/controlplane.sh up FOLDER      # prints the path of a kubeconfig, for the administrator
#   bash deployments/testbed/controlplane.sh down FOLDER    # ends what it started there
#
# TOOLS names the folder of the programs (deployments/testbed/tools.sh), PORT the API server's port; etcd has the next two.
# With NODE_NAMESPACE and NODE_ADDRESS, which node.sh sets, it is one for a node: it runs in that network namespace, pods
# reach it, kube-controller-manager and kube-scheduler run too, and there are certificates for kubelet and kube-proxy.
set -euo pipefail
action=${1:?up or down}
mkdir -p "${2:?names a folder of its own}"
folder=$(cd "$2" && pwd)
port=${PORT:-26443}
etcd=http://127.0.0.1:$((port + 1))
# What pods and Services get addresses from. The first one of the Services' is the API server's own.
services=10.97.0.0/16 api_service=10.97.0.1 pods=10.88.0.0/16
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"

fail() {
    echo "controlplane.sh: $1" >&2
    exit 1
}

# Credentials of somebody whose certificate is made, to stand in a file.
kubeconfig() { # name
    cat <<CONFIG
apiVersion: v1
kind: Config
clusters: [{name: testbed, cluster: {server: "https://127.0.0.1:$port", certificate-authority: "$folder/ca.crt"}}]
users: [{name: $1, user: {client-certificate: "$folder/$1.crt", client-key: "$folder/$1.key"}}]
contexts: [{name: testbed, context: {cluster: testbed, user: $1}}]
current-context: testbed
CONFIG
}

# An authority, and certificates for the server and for whoever administers it; with a node, for its parts too.
certificates() {
    cd "$folder"
    openssl ecparam -name prime256v1 -genkey -noout -out ca.key
    openssl req -x509 -new -key ca.key -subj /CN=testbed -days 2 -out ca.crt
    certificate() { # name subject alternative-names
        openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
        openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
        openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" -extfile <(
            printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n%s\n' "${3:+subjectAltName=$3}"
        ) 2>/dev/null
    }
    local name alternatives=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1
    [[ -z ${NODE_ADDRESS:-} ]] || alternatives+=,IP:$NODE_ADDRESS,IP:$api_service
    certificate apiserver /CN=kube-apiserver "$alternatives"
    certificate administrator /O=system:masters/CN=administrator
    kubeconfig administrator >kubeconfig
    if [[ -n ${NODE_ADDRESS:-} ]]; then
        certificate kube-controller-manager /CN=system:kube-controller-manager
        certificate kube-scheduler /CN=system:kube-scheduler
        certificate kubelet /O=system:nodes/CN=system:node:node "DNS:node,IP:127.0.0.1,IP:$NODE_ADDRESS"
        certificate kube-proxy /CN=system:kube-proxy
        for name in kube-controller-manager kube-scheduler kubelet kube-proxy; do kubeconfig "$name" >"$name.kubeconfig"; done
    fi
    openssl genrsa -out accounts.key 2048 2>/dev/null
    openssl rsa -in accounts.key -pubout -out accounts.pub 2>/dev/null
}

# What makes pods out of Deployments, and gives them to the node.
start_controllers() {
    controller() { # name flag…
        local name=$1
        shift
        start "$name" "$tools/$name" --kubeconfig "$folder/$name.kubeconfig" --authentication-kubeconfig "$folder/$name.kubeconfig" \
            --authorization-kubeconfig "$folder/$name.kubeconfig" --bind-address 127.0.0.1 --cert-dir "$folder/$name" --leader-elect=false "$@"
    }
    controller kube-controller-manager --use-service-account-credentials --service-account-private-key-file "$folder/accounts.key" \
        --root-ca-file "$folder/ca.crt" --allocate-node-cidrs --cluster-cidr "$pods" --service-cluster-ip-range "$services"
    controller kube-scheduler
}

case $action in
    up)
        tools=${TOOLS:?names the folder of etcd, kube-apiserver and kubectl}
        umask 077
        certificates
        start etcd "$tools/etcd" --name testbed --data-dir "$folder/etcd" --log-level warn --unsafe-no-fsync \
            --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
            --listen-peer-urls "http://127.0.0.1:$((port + 2))" --initial-advertise-peer-urls "http://127.0.0.1:$((port + 2))" \
            --initial-cluster "testbed=http://127.0.0.1:$((port + 2))"
        reach=(--bind-address 127.0.0.1 --advertise-address 127.0.0.1 --endpoint-reconciler-type none)
        [[ -z ${NODE_ADDRESS:-} ]] || reach=(--bind-address 0.0.0.0 --advertise-address "$NODE_ADDRESS"
            # The kubelet is asked for logs and for exec, by the address that it tells.
            --kubelet-preferred-address-types InternalIP --kubelet-certificate-authority "$folder/ca.crt"
            --kubelet-client-certificate "$folder/administrator.crt" --kubelet-client-key "$folder/administrator.key")
        start apiserver "$tools/kube-apiserver" --etcd-servers "$etcd" --secure-port "$port" "${reach[@]}" \
            --cert-dir "$folder" --tls-cert-file "$folder/apiserver.crt" --tls-private-key-file "$folder/apiserver.key" \
            --client-ca-file "$folder/ca.crt" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
            --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range "$services" \
            --service-account-key-file "$folder/accounts.pub" --service-account-signing-key-file "$folder/accounts.key"
        for _ in $(seq 300); do
            kill -0 "$(cat "$folder/apiserver.pid")" 2>/dev/null || fail "kube-apiserver ended: $(tail -n 3 "$folder/apiserver.log")"
            if "${enter[@]}" "$tools/kubectl" --kubeconfig "$folder/kubeconfig" get --raw /readyz >/dev/null 2>&1; then
                [[ -z ${NODE_ADDRESS:-} ]] || start_controllers
                echo "$folder/kubeconfig"
                exit 0
            fi
            sleep 0.2
        done
        fail "kube-apiserver is not ready after a minute: $(tail -n 3 "$folder/apiserver.log")"
        ;;
    down)
        for name in kube-scheduler kube-controller-manager apiserver etcd; do stop "$name"; done
        ;;
    *) fail "knows up and down, not $action" ;;
esac
