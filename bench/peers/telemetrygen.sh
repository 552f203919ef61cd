#!/usr/bin/env bash
# Builds telemetrygen, the OpenTelemetry Collector's generator of load, from its Go module. About 100 s.
peer=telemetrygen
source "$(dirname "$0")/common.sh"
version=v0.161.0
is_there "$version" && exit 0

need go "Go 1.26 or newer"
cd "$peers"
GOFLAGS="-p=${GO_JOBS:-2}" GOBIN=$peers/bin go install -trimpath -ldflags="-s -w" \
    "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@$version" || fail "the build failed"
done_with "$version"
