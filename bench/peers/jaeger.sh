#!/usr/bin/env bash
# Builds Jaeger v2 from its Go module: `go install` refuses it, for its go.mod has replacements. So a module
# of our own takes its go.mod and go.sum, under another name, and builds its command from there. Without the
# web page, which the module does not have. About 4 minutes on 2 cores, 121 MB.
peer=jaeger
source "$(dirname "$0")/common.sh"
version=v1.76.0
is_there "$version" && exit 0

module=$(go_module "github.com/jaegertracing/jaeger@$version")
build=$peers/build/jaeger
rm -rf "$build"
mkdir -p "$build"
sed 's|^module .*|module highbeam.test/jaeger|' "$module/go.mod" >"$build/go.mod"
cp "$module/go.sum" "$build/go.sum"
chmod u+w "$build/go.sum"
cd "$build"
go mod edit -require="github.com/jaegertracing/jaeger@$version" \
    -replace=github.com/Shopify/sarama=github.com/Shopify/sarama@v1.33.0
GOFLAGS="-p=${GO_JOBS:-2}" go build -mod=mod -trimpath -ldflags="-s -w" -o "$peers/bin/jaeger" \
    github.com/jaegertracing/jaeger/cmd/jaeger || fail "the build failed"
cd "$peers" && rm -rf "$build"
done_with "$version"
