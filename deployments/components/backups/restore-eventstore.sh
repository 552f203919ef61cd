#!/bin/sh
# Puts a copy that eventstore.sh made where KurrentDB looks, while no node runs: checks every file by its sum first, then
# empties DATA and INDEX, copies, and has the node begin at what its copy ends with (truncate.chk). COPY names the copy in
# BACKUPS.
set -eu
: "${DATA:?}" "${INDEX:?}" "${BACKUPS:?}" "${COPY:?}"
from=$BACKUPS/$COPY
[ -s "$from/sums" ] || {
    echo "failed: there is no copy $COPY; there are: $(ls "$BACKUPS" | tr '\n' ' ')" >&2
    exit 1
}
(cd "$from" && sha256sum --check --quiet sums) || {
    echo "failed: $COPY is not what was copied; nothing was changed" >&2
    exit 1
}
find "$DATA" "$INDEX" -mindepth 1 -delete
cp -rp "$from/data/." "$DATA/"
cp -rp "$from/index/." "$INDEX/"
cp -p "$DATA/chaser.chk" "$DATA/truncate.chk"
sync
echo "restored $COPY: $(find "$DATA" -name 'chunk-*' | wc -l) chunks"
