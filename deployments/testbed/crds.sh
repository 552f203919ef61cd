#!/usr/bin/env bash
# Collects the schemas of custom resources that crds.tsv names into a folder, one file for each, and prints how many.
#
#   bash deployments/testbed/crds.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:?names the folder to put them into}
mkdir -p "$folder"

fail() {
    echo "crds.sh: $1" >&2
    exit 1
}

# Outside of any module, so that `go mod download` takes what it is told.
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
while read -r module version sum files; do
    [[ -n $module && $module != \#* ]] || continue
    told=$(cd "$outside" && GOWORK=off go mod download -json "$module@$version") || fail "$module $version cannot be fetched: $told"
    grep -qF "\"Sum\": \"$sum\"" <<<"$told" || fail "$module $version is not what crds.tsv says: $(grep '"Sum"' <<<"$told")"
    directory=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$told")
    found=0
    for file in "$directory"/$files; do
        # Beside resources there are a kustomization, and policies about them that are for whoever installs the rest.
        grep -q '^kind: CustomResourceDefinition' "$file" || continue
        install -m 644 "$file" "$folder/$(basename "$module")-$(basename "$file")"
        found=$((found + 1))
    done
    [[ $found -gt 0 ]] || fail "$module $version has no $files"
done <"$here/crds.tsv"
cat "$folder"/*.yaml | grep -c '^kind: CustomResourceDefinition'
