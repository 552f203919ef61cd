#!/usr/bin/env bash
# A control plane of Kubernetes on loopback: etcd and kube-apiserver, with certificates made for it. No kubelet runs, so
# pods are admitted and never start; what the API server decides by itself is real: schemas, admission, access.
#
#   bash deployments/testbed/controlplane.sh up FOLDER      # prints the path of a kubeconfig, for the administrator
#   bash deployments/testbed/controlplane.sh down FOLDER    # ends what it started there
#
# TOOLS names the folder of the programs (deployments/testbed/tools.sh), PORT the API server's port; etcd has the next two.
set -euo pipefail
action=${1:?up or down}
mkdir -p "${2:?names a folder of its own}"
folder=$(cd "$2" && pwd)
port=${PORT:-26443}
etcd=http://127.0.0.1:$((port + 1))

fail() {
    echo "controlplane.sh: $1" >&2
    exit 1
}

start() { # name command…
    local name=$1
    shift
    setsid "$@" >"$folder/$name.log" 2>&1 </dev/null &
    echo $! >"$folder/$name.pid"
}

stop() { # name
    local pid
    pid=$(cat "$folder/$1.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$folder/$1.pid"
}

# An authority, and certificates for the server and for whoever administers it.
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
    certificate apiserver /CN=kube-apiserver DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1
    certificate administrator /O=system:masters/CN=administrator
    openssl genrsa -out accounts.key 2048 2>/dev/null
    openssl rsa -in accounts.key -pubout -out accounts.pub 2>/dev/null
    cat >kubeconfig <<CONFIG
apiVersion: v1
kind: Config
clusters: [{name: testbed, cluster: {server: "https://127.0.0.1:$port", certificate-authority: "$folder/ca.crt"}}]
users: [{name: administrator, user: {client-certificate: "$folder/administrator.crt", client-key: "$folder/administrator.key"}}]
contexts: [{name: testbed, context: {cluster: testbed, user: administrator}}]
current-context: testbed
CONFIG
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
        start apiserver "$tools/kube-apiserver" --etcd-servers "$etcd" --secure-port "$port" \
            --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --endpoint-reconciler-type none \
            --cert-dir "$folder" --tls-cert-file "$folder/apiserver.crt" --tls-private-key-file "$folder/apiserver.key" \
            --client-ca-file "$folder/ca.crt" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
            --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range 10.97.0.0/16 \
            --service-account-key-file "$folder/accounts.pub" --service-account-signing-key-file "$folder/accounts.key"
        for _ in $(seq 300); do
            kill -0 "$(cat "$folder/apiserver.pid")" 2>/dev/null || fail "kube-apiserver ended: $(tail -n 3 "$folder/apiserver.log")"
            if "$tools/kubectl" --kubeconfig "$folder/kubeconfig" get --raw /readyz >/dev/null 2>&1; then
                echo "$folder/kubeconfig"
                exit 0
            fi
            sleep 0.2
        done
        fail "kube-apiserver is not ready after a minute: $(tail -n 3 "$folder/apiserver.log")"
        ;;
    down)
        stop apiserver
        stop etcd
        ;;
    *) fail "knows up and down, not $action" ;;
esac
