#!/usr/bin/env bash
# Makes the account of the order service in Elasticsearch, and a role with no more than it needs (docs/engines.md).
set -euo pipefail
: "${ELASTIC_PASSWORD:?run deployments/compose/secrets.sh}" "${HIGHBEAM_PASSWORD:?run deployments/compose/secrets.sh}"
url=${ELASTICSEARCH:-http://elasticsearch:9200}

# The password goes by standard input, not by the command line, which others can see.
put() {
    curl --fail --silent --show-error --output /dev/null --retry 5 --retry-connrefused --max-time 30 \
        --config <(printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD") \
        --request PUT --header 'content-type: application/json' --data @- "$url/$1"
}

put _security/role/highbeam <<'JSON'
{
  "cluster": ["monitor", "manage_index_templates"],
  "indices": [{"names": ["orders-search", "orders-search.*"], "privileges": ["all"]}]
}
JSON
put _security/user/highbeam <<JSON
{"password": "$HIGHBEAM_PASSWORD", "roles": ["highbeam"]}
JSON
echo "the account highbeam is there"
