#!/usr/bin/env bash
# Prints the Secrets of overlays/dev with passwords made up on the spot, to be applied where they are not yet (`monitoring`
# prints those of its tools):
#
#   kubectl -n dev get secret highbeam-connections || bash deployments/secrets.sh | kubectl apply -f -
#
# Engines keep the passwords that they were made with, so do not replace them without removing the engines' volumes.
set -euo pipefail
namespace=${1:-dev}

# Letters and digits only: they stand in URLs.
password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

secret() { # name key=value…
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\ntype: Opaque\nstringData:\n' "$1" "$namespace"
    shift
    for pair in "$@"; do printf '  %s: "%s"\n' "${pair%%=*}" "${pair#*=}"; done
    printf -- '---\n'
}

# What the tools of `monitoring` need.
if [[ $namespace == monitoring ]]; then
    secret grafana-admin user=admin "password=$(password)"
    exit
fi

mongodb=$(password)
elasticsearch=$(password)
secret mongodb-accounts "admin=$(password)" "highbeam=$mongodb"
secret mongodb-keyfile "keyfile=$(password)$(password)"
secret elasticsearch-accounts "elastic=$(password)" "highbeam=$elasticsearch"
secret highbeam-connections \
    "EVENTSTORE_CONFIG_CONNECTION_STRING=esdb://eventstore:2113?tls=false" \
    "MONGO_URI=mongodb://highbeam:$mongodb@mongodb-0.mongodb:27017/delivery?authSource=delivery&replicaSet=rs0" \
    "ELASTIC_URL=http://highbeam:$elasticsearch@elasticsearch:9200" \
    "CURSOR_SECRET=$(password)" \
    "ADMIN_TOKEN=$(password)"
