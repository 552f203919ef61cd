# The image of `highbeam`, for every role: one static program, the certificates that it trusts, and nothing else.
#
#   docker build --tag highbeam:local .
#
# It runs as 65532 and writes nowhere but /data, so `--read-only --volume NAME:/data` is all it needs. Works with
# BuildKit and with the classic builder. Where a registry of one's own has the bases, the build arguments name them.
ARG NODE_IMAGE=node:24.20.0-bookworm-slim@sha256:ba849c60be29959425b8734d57b8b4b7d56f98edd9504c9af091d5281095a71e
ARG RUST_IMAGE=rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082
ARG RUNTIME_IMAGE=scratch

# The console's pages. Packages first: they change less often than the sources.
FROM ${NODE_IMAGE} AS pages
WORKDIR /src/web/console
COPY web/console/package.json web/console/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY web/console ./
RUN npm run --silent build

# What dependencies are built from: the manifests, with an empty library or program where sources would be. This
# stage runs on each change, and what it leaves is the same as long as no manifest changed, so the next one need not run.
FROM ${RUST_IMAGE} AS manifests
WORKDIR /all
COPY . .
# The first of a pipe may fail: packages without tests have no folder of that name.
# hadolint ignore=DL4006
RUN mkdir /plan && cp Cargo.toml Cargo.lock /plan/ \
    && find crates bench xtask -name Cargo.toml -not -path '*/target/*' | while read -r manifest; do \
         package=$(dirname "$manifest") && mkdir -p "/plan/$package/src" && cp "$manifest" "/plan/$package/" || exit 1; \
         if [ -e "$package/src/lib.rs" ]; then : > "/plan/$package/src/lib.rs"; fi; \
         if [ -e "$package/src/main.rs" ]; then echo 'fn main() {}' > "/plan/$package/src/main.rs"; fi; \
         { sed -n 's/^path = "\(.*\.rs\)"$/\1/p' "$manifest"; \
           find "$package/tests" "$package/benches" "$package/examples" -name '*.rs' 2>/dev/null | sed "s|^$package/||"; } \
         | while read -r target; do \
           mkdir -p "/plan/$package/$(dirname "$target")" && echo 'fn main() {}' > "/plan/$package/$target" || exit 1; \
         done || exit 1; \
       done \
    && find /plan -exec touch --date=@0 {} +

# A static program, so that it needs no base, and none has to be patched. Relocations are packed, which takes glibc 2.36
# or newer, and 1 MB off. `--build-arg PROFILE=start` builds sooner, for trying things out.
FROM ${RUST_IMAGE} AS dependencies
WORKDIR /src
# Writes into the program which crates it is made of: what Syft, Trivy and `docker buildx build --sbom` look for.
RUN cargo install --quiet --locked --root /usr/local --version 0.7.7 cargo-auditable
ENV CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never \
    RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
ARG PROFILE=image
COPY --from=manifests /plan ./
# A target that is named keeps the flags above away from build scripts and macros, which cannot be static. Without one,
# because rustc failed, cargo fails, too.
# hadolint ignore=DL4006
RUN cargo auditable build --locked --profile "${PROFILE}" --package highbeam --target "$(rustc -vV | sed -n 's/^host: //p')"

FROM dependencies AS build
ARG PROFILE=image
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY observability observability
COPY semconv semconv
COPY --from=pages /src/web/console/dist web/console/dist
# A copy keeps the time of its original, and the empty sources were compiled later than that.
# hadolint ignore=DL4006
RUN find crates -type f -exec touch {} + \
    && target=$(rustc -vV | sed -n 's/^host: //p') \
    && cargo auditable build --locked --profile "${PROFILE}" --package highbeam --target "$target" \
    && mkdir -p /image/data /image/usr/local/bin \
    && cp "target/$target/${PROFILE}/highbeam" /image/usr/local/bin/ \
    && strip /image/usr/local/bin/highbeam \
    && if ldd /image/usr/local/bin/highbeam 2>&1 | grep "=>"; then echo "highbeam is not static" >&2; exit 1; fi

FROM ${RUNTIME_IMAGE}
ARG VERSION=local
ARG REVISION=unknown
LABEL org.opencontainers.image.title="highbeam" \
      org.opencontainers.image.description="Order delivery and its observability in one program" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=dependencies /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /image/data /data
COPY --from=build /image/usr/local/bin/highbeam /usr/local/bin/highbeam
# A container's network is its own: what may reach it is decided by what is published. A folder that is not a volume
# would fill the container.
ENV BIND_ADDRESS=0.0.0.0 DATA_DIR=/data
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
# The API, or the operations routes of a projector; the console; OTLP over gRPC and HTTP.
EXPOSE 5007 5017 4317 4318
STOPSIGNAL SIGTERM
# Whether the process lives. Whether its engines do is another question (`health --ready`), and no reason to end it.
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=6 \
    CMD ["/usr/local/bin/highbeam", "health"]
ENTRYPOINT ["/usr/local/bin/highbeam"]
CMD ["up"]
