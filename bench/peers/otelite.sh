#!/usr/bin/env bash
# Installs otelite, a receiver and viewer of OTLP for one machine, from its crate.
peer=otelite
source "$(dirname "$0")/common.sh"
version=0.1.156
is_there "$version" && exit 0

need cargo "the Rust toolchain"
cd "$peers"
cargo install --quiet --locked --root "$peers" --target-dir "$peers/build/otelite" --version "$version" otelite ||
    fail "the build failed"
rm -rf "$peers/build/otelite"
done_with "$version"
