# The images that tests/cluster/node.sh runs, made of what this machine has or package registries give, without a daemon
# (deployments/testbed/image.py); read with `source` after tests/common.sh and tests/stack/tools.sh. They stay in
# target/cluster/images for the next time, until what they are made of is newer.
images=$PWD/target/cluster/images

# What a shell script needs, beside the program that it starts.
shell=(bash cat chmod cp curl cut dirname basename env false grep head id ls mkdir mv readlink rm sed sleep sort test touch tr true uname)

# Makes an archive unless it is newer than all that it is made of.
image() { # name reference newest-source arguments…
    local archive=$images/$1.tar reference=$2 newest=$3
    shift 3
    archives+=("$archive")
    [[ ! $archive -nt $newest || ! $archive -nt tests/cluster/images.sh ]] || return 0
    python3 deployments/testbed/image.py "$reference" "$archive" "$@" >"$folder/image.log" 2>&1 || {
        reason="$reference cannot be made: $(tail -n 1 "$folder/image.log")"
        return 1
    }
}

# The order service, statically linked as the Dockerfile does it, in the profile that is built soonest; $program is its
# path. HIGHBEAM_STATIC names one that is built already, KURRENTDB_TESTSERVER the test server.
build_programs() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    program=${HIGHBEAM_STATIC:-$target/$host/start/highbeam}
    testserver=${KURRENTDB_TESTSERVER:-$target/$host/start/kurrentdb-testserver}
    reason="the program cannot be linked statically"
    [[ -n ${HIGHBEAM_STATIC:-} && -n ${KURRENTDB_TESTSERVER:-} ]] ||
        RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --locked --profile start --target "$host" \
            --package highbeam --package kurrentdb-testserver
}

# Elasticsearch's own image turns settings and the password into files; so does this one.
elasticsearch_entrypoint() {
    cat <<'ENTRYPOINT'
#!/bin/bash
set -euo pipefail
cd /usr/share/elasticsearch
# On a disk that is nine tenths full it gives no place to new indexes, however much that leaves.
options=(-Ecluster.routing.allocation.disk.threshold_enabled=false)
while IFS='=' read -r name value; do
    # What it is built without, it does not take settings of.
    case $name in
        xpack.ml.*) ;;
        [a-z]*.*) options+=("-E$name=$value") ;;
    esac
done < <(env)
printf '%s' "$ELASTIC_PASSWORD" | bin/elasticsearch-keystore add --force --stdin bootstrap.password
exec bin/elasticsearch "${options[@]}"
ENTRYPOINT
}

# What the collector's pod starts in place of its own program.
collector_entrypoint() {
    cat <<'ENTRYPOINT'
#!/bin/bash
set -euo pipefail
sed 's|otlp_grpc/|otlp/|g; s|otlp_http/loki|debug|g; /endpoint: http:\/\/loki/d; s|health_check|healthcheckv2|g; s|sampling_percentage: 10|sampling_percentage: 100|' \
    /etc/otel-collector/config.yaml >/tmp/config.yaml
exec /usr/local/bin/jaeger --config=file:/tmp/config.yaml
ENTRYPOINT
}

# Puts the paths of all archives into $archives; says in $reason what is missing.
make_images() {
    local java engines=$target/engines made=$folder/made programs=(--link bin/sh=bash --link usr/bin/env=/bin/env) word elasticsearch
    archives=()
    elasticsearch=$engines/elasticsearch-8.19.21
    reason="Java is not there"
    java=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")") || return 1
    have "$elasticsearch" env FETCH_ONLY=1 bash tests/engines/elasticsearch.sh &&
        have "$engines/ferretdb-v1.24.2" env FETCH_ONLY=1 bash tests/engines/ferretdb.sh &&
        have "$peers/bin/prometheus" bash bench/peers/prometheus.sh &&
        have "$peers/alertmanager" bash bench/peers/alertmanager.sh &&
        have "$peers/bin/jaeger" bash bench/peers/jaeger.sh || return 1
    mkdir -p "$images" "$made"
    for word in "${shell[@]}"; do programs+=("$(type -P "$word")=/bin/$word"); done
    image highbeam docker.io/library/highbeam:0.1.0 "$program" --user 65532:65532 --env BIND_ADDRESS=0.0.0.0 --env DATA_DIR=/data \
        --entrypoint /usr/local/bin/highbeam --command up "$program=/usr/local/bin/highbeam" &&
        image relay testbed.invalid/relay:1 "$tools/relay" --entrypoint /relay "$tools/relay=/relay" &&
        image ferretdb testbed.invalid/ferretdb:1.24.2 "$engines/ferretdb-v1.24.2" --entrypoint /ferretdb "$engines/ferretdb-v1.24.2=/ferretdb" &&
        image prometheus testbed.invalid/prometheus:1 "$peers/bin/prometheus" --entrypoint /usr/local/bin/prometheus "$peers/bin/prometheus=/usr/local/bin/prometheus" &&
        image alertmanager testbed.invalid/alertmanager:1 "$peers/bin/alertmanager" --entrypoint /usr/local/bin/alertmanager \
            "$peers/bin/alertmanager=/usr/local/bin/alertmanager" "$peers/alertmanager=/usr/share/prometheus/alertmanager" || return 1
    [[ " $only " != *" kyverno "* ]] || image kyverno testbed.invalid/kyverno:1 "$tools/kyverno-admission" --entrypoint /kyverno \
        "$tools/kyverno-admission=/kyverno" || return 1
    collector_entrypoint >"$made/collector" && elasticsearch_entrypoint >"$made/elasticsearch" && chmod 755 "$made"/*
    image jaeger testbed.invalid/jaeger:1 "$peers/bin/jaeger" --entrypoint /usr/local/bin/jaeger \
        "$made/collector=/usr/local/bin/collector" "$peers/bin/jaeger=/usr/local/bin/jaeger" "${programs[@]}" || return 1
    if [[ ! $images/elasticsearch.tar -nt tests/cluster/images.sh ]]; then
        cp -r "$elasticsearch" "$made/home" && add_security_analysis "$made/home" || return 1
        # All of Java but what it compiles with.
        mkdir "$made/java" && cp -rL "$java"/{bin,conf,lib,release} "$made/java/" 2>/dev/null || true
        rm -f "$made"/java/lib/{src.zip,ct.sym}
    fi
    image elasticsearch testbed.invalid/elasticsearch:8.19.21 tests/stack/elasticsearch/SecurityAnalysis.java \
        --entrypoint /usr/local/bin/elasticsearch --env ES_JAVA_HOME=/usr/lib/jvm/java --env LIBFFI_TMPDIR=/tmp \
        "$made/elasticsearch=/usr/local/bin/elasticsearch" "$made/home=/usr/share/elasticsearch" "$made/java=/usr/lib/jvm/java" "${programs[@]}"
}
