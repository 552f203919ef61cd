#!/bin/sh
# A dump of MongoDB as of one moment: with the oplog of while it took. The password is in a file of memory, not on the
# command line. MEMBERS and BACKUP_PASSWORD say from whom, copies go to BACKUPS.
set -eu
: "${MEMBERS:?}" "${BACKUP_PASSWORD:?}" "${BACKUPS:?}"
name=$(date -u +%Y%m%dT%H%M%SZ).archive.gz
umask 077
# A secondary does as well, and has nothing else to do.
printf 'uri: "mongodb://backup:%s@%s/?authSource=admin&replicaSet=rs0&readPreference=secondaryPreferred"\n' "$BACKUP_PASSWORD" "$MEMBERS" >/tmp/from.yaml
mongodump --config=/tmp/from.yaml --oplog --gzip --archive="$BACKUPS/$name.part"
[ -s "$BACKUPS/$name.part" ]
(cd "$BACKUPS" && sha256sum "$name.part" | sed 's/\.part$//' >"$name.sum")
sync
mv "$BACKUPS/$name.part" "$BACKUPS/$name"
echo "dumped $(wc -c <"$BACKUPS/$name") bytes to $name"
