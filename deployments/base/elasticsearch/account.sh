# Makes the account of the order service in Elasticsearch, and a role with no more than it needs (docs/engines.md);
# run again, it makes them as they are. Beside the server in a cluster, and in compose.yaml, which says where the
# server is. Passwords go by standard input, not by the command line, which others can see.
set -euo pipefail
: "${ELASTIC_PASSWORD:?the password of the user elastic}" "${HIGHBEAM_PASSWORD:?the password that the account is given}"
url=${ELASTICSEARCH:-http://localhost:9200}

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
