# Makes the account of the order service in Elasticsearch, and a role with no more than it needs (docs/engines.md);
# run again, it makes them as they are. Passwords go by standard input, not by the command line.
set -euo pipefail

put() {
  curl --fail --silent --show-error --output /dev/null --max-time 30 \
    --config <(printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD") \
    --request PUT --header 'content-type: application/json' --data @- "http://localhost:9200/$1"
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
