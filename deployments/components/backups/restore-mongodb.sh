#!/bin/sh
# Puts a dump that mongodb.sh made into MongoDB, in place of what is there, as of the moment it was taken. The password is
# in a file of memory, not on the command line.
set -eu
: "${MEMBERS:?}" "${MONGODB_ADMIN_PASSWORD:?}" "${BACKUPS:?}" "${COPY:?}"
[ -s "$BACKUPS/$COPY" ] || {
    echo "failed: there is no dump $COPY; there are: $(cd "$BACKUPS" && ls | grep 'gz$' | tr '\n' ' ')" >&2
    exit 1
}
(cd "$BACKUPS" && sha256sum --check --quiet "$COPY.sum") || {
    echo "failed: $COPY is not what was dumped; nothing was changed" >&2
    exit 1
}
umask 077
printf 'uri: "mongodb://admin:%s@%s/?authSource=admin&replicaSet=rs0"\n' "$MONGODB_ADMIN_PASSWORD" "$MEMBERS" >/tmp/to.yaml
# Accounts stay as they are now: their passwords are those of the Secrets.
mongorestore --config=/tmp/to.yaml --oplogReplay --drop --gzip --nsExclude='admin.*' --nsExclude='config.*' --archive="$BACKUPS/$COPY"
echo "restored $COPY"
