#!/bin/sh
# Keeps the newest KEEP copies of BACKUPS, and takes away what an interrupted run left there. Names begin with their time.
set -eu
: "${BACKUPS:?}" "${KEEP:?}"
cd "$BACKUPS"
# Older than a day: one of now may still be written.
find . -mindepth 1 -maxdepth 1 -name '*.part' -mmin +1440 -exec rm -rf {} +
find . -mindepth 1 -maxdepth 1 -name '[0-9]*Z*' ! -name '*.part' ! -name '*.sum' | sort -r | tail -n "+$((KEEP + 1))" | while IFS= read -r old; do
    rm -rf "$old" "$old.sum"
    echo "removed $old"
done
