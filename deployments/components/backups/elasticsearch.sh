#!/bin/bash
# Whether Elasticsearch's own snapshots go well: fails when the newest that succeeded is older than a day and two hours,
# or the newest of all failed. A job that fails is an alert; a snapshot that fails is none by itself.
set -euo pipefail
: "${BACKUP_PASSWORD:?}" "${ELASTICSEARCH:?}"
# Milliseconds since 1970, or nothing.
field() { # which
  grep -o "\"$1\":{\"snapshot_name\":\"[^\"]*\"[^}]*\"time\":[0-9]*" <<<"$told" | grep -o '[0-9]*$' || true
}
told=$(curl --fail --silent --show-error --max-time 30 --config <(printf 'user = "backup:%s"\n' "$BACKUP_PASSWORD") "$ELASTICSEARCH/_slm/policy/highbeam")
succeeded=$(field last_success) failed=$(field last_failure)
now=$(date +%s)
[[ -n $succeeded ]] || { echo "failed: no snapshot has succeeded yet" >&2; exit 1; }
[[ -z $failed || $failed -lt $succeeded ]] || { echo "failed: the newest snapshot failed: GET _slm/policy/highbeam says why" >&2; exit 1; }
((now - succeeded / 1000 < 26 * 3600)) || { echo "failed: the newest snapshot is of $(date -u -d "@$((succeeded / 1000))" +%FT%TZ)" >&2; exit 1; }
echo "the newest snapshot is of $(date -u -d "@$((succeeded / 1000))" +%FT%TZ)"
