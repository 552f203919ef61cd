#!/bin/sh
# Copies KurrentDB's files while it runs, in the order that its documentation gives: what points at data before the data,
# so that a copy never points at what it does not hold. Folders are DATA and INDEX (read only), copies go to BACKUPS.
# Nothing else may rewrite chunks meanwhile: no scavenge at this hour.
set -eu
: "${DATA:?}" "${INDEX:?}" "${BACKUPS:?}"
name=$(date -u +%Y%m%dT%H%M%SZ)
part=$BACKUPS/$name.part
mkdir -p "$part/data" "$part/index"

copy() { # folder to test…: files of a folder that find takes, with the folders that they are in
    from=$1 to=$2
    shift 2
    (cd "$from" && find . -type f "$@" -print) | while IFS= read -r file; do
        mkdir -p "$to/$(dirname "$file")"
        cp -p "$from/$file" "$to/$file"
    done
}

copy "$INDEX" "$part/index" -name '*.chk'
copy "$INDEX" "$part/index" ! -name '*.chk'
copy "$DATA" "$part/data" -name '*.chk'
copy "$DATA" "$part/data" -name 'chunk-*'

# A database has both, always.
[ -s "$part/data/chaser.chk" ] && [ -n "$(find "$part/data" -name 'chunk-*' -print | head -n 1)" ] || {
    echo "failed: $DATA has no chaser.chk or no chunks, so it is no database of KurrentDB" >&2
    exit 1
}
(cd "$part" && find . -type f ! -name sums -exec sha256sum {} + >sums)
sync
# Whole, or not there.
mv "$part" "$BACKUPS/$name"
echo "copied $(find "$BACKUPS/$name/data" -name 'chunk-*' | wc -l) chunks to $name"
