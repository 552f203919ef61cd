#!/usr/bin/env bash
# Makes the passwords of the compose stack, one file for each container that needs some, readable by their owner
# alone and not in git. What is there is left alone: the engines keep the passwords that they were made with, so
# remove the volumes along with this folder (`docker compose down --volumes`).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ -f secrets/highbeam.env ]]; then
    exit 0
fi
umask 077
made=$(mktemp -d secrets.XXXXXX)
trap 'rm -rf "$made"' EXIT

# Letters and digits only: they stand in URLs.
password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

mongodb=$(password)
elasticsearch=$(password)
cat >"$made/mongodb.env" <<ENV
MONGO_INITDB_ROOT_PASSWORD=$(password)
HIGHBEAM_PASSWORD=$mongodb
ENV
cat >"$made/elasticsearch.env" <<ENV
ELASTIC_PASSWORD=$(password)
HIGHBEAM_PASSWORD=$elasticsearch
ENV
cat >"$made/grafana.env" <<ENV
GF_SECURITY_ADMIN_USER=admin
GF_SECURITY_ADMIN_PASSWORD=$(password)
ENV
cat >"$made/highbeam.env" <<ENV
EVENTSTORE_CONFIG_CONNECTION_STRING=esdb://kurrentdb:2113?tls=false
MONGO_URI=mongodb://highbeam:$mongodb@mongodb:27017/delivery?authSource=delivery
ELASTIC_URL=http://highbeam:$elasticsearch@elasticsearch:9200
ADMIN_TOKEN=$(password)
CURSOR_SECRET=$(password)
ENV
mkdir -p secrets
mv "$made"/{mongodb,elasticsearch,grafana}.env secrets/
# Last, for it is what counts as all of them being there.
mv "$made/highbeam.env" secrets/
echo "made passwords in deployments/compose/secrets"
