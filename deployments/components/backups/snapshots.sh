# Has Elasticsearch take a snapshot each night and keep two weeks of them, and makes the account that may ask how they
# went; run again, it makes all of it as it is. Passwords go by standard input, not by the command line.
set -euo pipefail

put() {
  curl --fail --silent --show-error --output /dev/null --max-time 60 \
    --config <(printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD") \
    --request PUT --header 'content-type: application/json' --data @- "http://localhost:9200/$1"
}

put _security/role/backup <<'JSON'
{"cluster": ["read_slm"]}
JSON
put _security/user/backup <<JSON
{"password": "$BACKUP_PASSWORD", "roles": ["backup"]}
JSON
put _snapshot/highbeam <<'JSON'
{"type": "fs", "settings": {"location": "/usr/share/elasticsearch/snapshots", "compress": true}}
JSON
put _slm/policy/highbeam <<'JSON'
{
  "schedule": "0 37 3 * * ?",
  "name": "<highbeam-{now/d}>",
  "repository": "highbeam",
  "config": {"indices": ["orders-search*"], "include_global_state": false},
  "retention": {"expire_after": "14d", "min_count": 3, "max_count": 30}
}
JSON
