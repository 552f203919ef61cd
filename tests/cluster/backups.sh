#!/usr/bin/env bash
# The scripts of components/backups on files of this machine: what is copied comes back to the bit, a copy that has changed
# is refused before anything is touched, old ones go, and a check of snapshots fails when it has to. MongoDB's tools and
# Elasticsearch are stood in for by what notes or answers what they would be asked. Part of `tests/cluster.sh`.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need python3 sha256sum
scripts=deployments/components/backups
begin_folder backups
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null; end_folder' EXIT

# --- KurrentDB's files -----------------------------------------------------------------------------------------------

export DATA=$folder/data INDEX=$folder/index BACKUPS=$folder/backups
mkdir -p "$DATA" "$INDEX/streams" "$BACKUPS"
for file in chunk-000000.000000 chunk-000001.000002; do head -c 70000 /dev/urandom >"$DATA/$file"; done
for file in writer.chk chaser.chk epoch.chk proposal.chk; do head -c 8 /dev/urandom >"$DATA/$file"; done
head -c 4000 /dev/urandom >"$INDEX/1c0e"
head -c 8 /dev/urandom >"$INDEX/indexmap"
head -c 8 /dev/urandom >"$INDEX/streams/checkpoint.chk"
told=$(sh "$scripts/eventstore.sh") || fail "nothing was copied: $told"
copy=$(cd "$BACKUPS" && ls)
[[ $told == "copied 2 chunks to $copy" ]] || fail "it is told otherwise: $told"
cp -r "$DATA" "$folder/was"
# What came after the copy is not in it.
echo more >>"$DATA/chunk-000001.000002"
touch "$DATA/chunk-000002.000000" "$INDEX/later"

# As a process with every right of the machine may write anywhere, a changed copy is what has to be noticed.
cp -r "$BACKUPS/$copy" "$BACKUPS/changed"
printf x | dd of="$BACKUPS/changed/data/chunk-000000.000000" bs=1 seek=100 conv=notrunc status=none
if told=$(COPY=changed sh "$scripts/restore-eventstore.sh" 2>&1); then fail "a copy that was changed is restored"; fi
grep -q "nothing was changed" <<<"$told" && [[ -e $DATA/chunk-000002.000000 ]] || fail "a copy that was changed takes what is there along: $told"
if told=$(COPY=nothing sh "$scripts/restore-eventstore.sh" 2>&1); then fail "a copy that is not there is restored"; fi
grep -q "there are: .*$copy" <<<"$told" || fail "it is not told which copies there are: $told"
told=$(COPY=$copy sh "$scripts/restore-eventstore.sh") || fail "$told"
cmp -s "$DATA/chaser.chk" "$DATA/truncate.chk" || fail "the node is not told where its copy ends"
rm "$DATA/truncate.chk"
diff -r "$folder/was" "$DATA" >"$folder/told" || fail "what came back is something else: $(head -n 3 "$folder/told")"
[[ -s $INDEX/1c0e && ! -e $INDEX/later ]] || fail "the index is not that of the copy"
rm "$DATA/chaser.chk"
if sh "$scripts/eventstore.sh" >/dev/null 2>&1; then fail "a folder without a checkpoint is taken for a database"; fi
[[ $(cd "$BACKUPS" && ls -d ./*Z 2>/dev/null | wc -l) == 1 ]] || fail "half a copy is taken for one"
echo "ok: KurrentDB's files come back to the bit; a changed copy, one that is not there, and what is no database are refused"

# --- what is kept ----------------------------------------------------------------------------------------------------

export BACKUPS=$folder/kept KEEP=2
mkdir -p "$BACKUPS"/2026010{1,2,3}T000000Z "$BACKUPS/20260104T000000Z.part"
for day in 5 6 7; do touch "$BACKUPS/2026010${day}T000000Z.archive.gz"{,.sum}; done
touch -d "2 days ago" "$BACKUPS/20260104T000000Z.part"
sh "$scripts/prune.sh" >/dev/null
[[ $(cd "$BACKUPS" && ls | tr '\n' ' ') == "20260106T000000Z.archive.gz 20260106T000000Z.archive.gz.sum 20260107T000000Z.archive.gz 20260107T000000Z.archive.gz.sum " ]] ||
    fail "kept is $(ls "$BACKUPS" | tr '\n' ' ')"
echo "ok: the newest are kept, with their sums; the others and an interrupted one go"

# --- MongoDB's tools, noted -------------------------------------------------------------------------------------------

mkdir "$folder/bin"
printf '#!/bin/sh\necho "$@" >"%s/asked"\nfor a; do case $a in --archive=*) [ -n "$RESTORE" ] || echo dump >"${a#--archive=}" ;; --config=*) cp "${a#--config=}" "%s/config" ;; esac; done\nexit ${ENDS:-0}\n' "$folder" "$folder" >"$folder/bin/mongodump"
cp "$folder/bin/mongodump" "$folder/bin/mongorestore"
chmod +x "$folder"/bin/*
export BACKUPS=$folder/dumps MEMBERS=mongodb-0.mongodb:27017 BACKUP_PASSWORD=secret-b MONGODB_ADMIN_PASSWORD=secret-a PATH="$folder/bin:$PATH"
mkdir "$BACKUPS"
sh "$scripts/mongodb.sh" >/dev/null || fail "nothing was dumped"
dump=$(cd "$BACKUPS" && ls ./*.gz)
grep -q -- "--oplog " "$folder/asked" || fail "a dump is not of one moment: $(cat "$folder/asked")"
if grep -q secret "$folder/asked"; then fail "a password is on the command line"; fi
grep -q "backup:secret-b@mongodb-0.mongodb:27017" "$folder/config" || fail "the account is another one"
if ENDS=1 sh "$scripts/mongodb.sh" >/dev/null 2>&1; then fail "a dump that failed is told as one that did not"; fi
RESTORE=1 COPY=${dump#./} sh "$scripts/restore-mongodb.sh" >/dev/null || fail "nothing was restored"
grep -q -- "--oplogReplay --drop .*--nsExclude=admin" "$folder/asked" || fail "a dump is put back otherwise: $(cat "$folder/asked")"
if grep -q secret "$folder/asked"; then fail "a password is on the command line"; fi
echo changed >>"$BACKUPS/$dump"
if RESTORE=1 COPY=${dump#./} sh "$scripts/restore-mongodb.sh" >/dev/null 2>&1; then fail "a dump that was changed is restored"; fi
rm -f /tmp/from.yaml /tmp/to.yaml
echo "ok: dumps are of one moment, passwords on no command line, a changed dump is refused"

# --- Elasticsearch's snapshots, answered ------------------------------------------------------------------------------

port=$(free_port)
python3 - "$port" "$folder/answer" <<'PYTHON' &
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(open(sys.argv[2], "rb").read())
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
PYTHON
server=$!
answer() { # hours since success, hours since failure
    python3 - "$@" >"$folder/answer" <<'PYTHON'
import json, sys, time
def told(name, hours):
    return {name: {"snapshot_name": "highbeam-1", "start_time": 1, "time": int((time.time() - float(hours) * 3600) * 1000)}} if hours != "-" else {}
print(json.dumps({"highbeam": {"version": 1, "policy": {"name": "<highbeam-{now/d}>"}, **told("last_success", sys.argv[1]), **told("last_failure", sys.argv[2])}}, separators=(",", ":")))
PYTHON
}
export ELASTICSEARCH=http://127.0.0.1:$port
answer 1 -
await "the stand-in to answer" curl -sf "$ELASTICSEARCH" >/dev/null
for case in "1 - 0" "1 5 0" "27 - 1" "- - 1" "5 1 1" "- 1 1"; do
    read -r success failure wanted <<<"$case"
    answer "$success" "$failure"
    ends=0
    told=$(bash "$scripts/elasticsearch.sh" 2>&1) || ends=1
    [[ $ends == "$wanted" ]] || fail "with a success $success and a failure $failure hours ago: $told"
done
echo "ok: the job fails when there is no snapshot of the last day, or the newest failed"
echo "not shown here: KurrentDB, MongoDB's tools and Elasticsearch themselves; see docs/restore.md"
