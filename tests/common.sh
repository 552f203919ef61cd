# What the scripts of this folder share that hold the program against others; they read it with `source`. Everything
# they need and leave is in target/; nothing is installed or left running. A script whose other program is not to be
# had says "skipped: ..." and succeeds, unless $required is 1, which is $PROMETHEUS_REQUIRED unless the script says
# otherwise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
peers=${PEERS:-$PWD/target/peers}
required=${required:-${PROMETHEUS_REQUIRED:-0}}
# What is stopped at the end.
processes=()

skip() {
    echo "skipped: $1"
    [[ $required == 1 ]] && exit 1
    exit 0
}

fail() {
    echo "failed: $1" >&2
    exit 1
}

# Skips the script unless these programs are on the path.
need() {
    local program
    for program; do
        command -v "$program" >/dev/null || skip "$program is not there"
    done
}

# The paths of Prometheus 3.5 and its promtool are in $prometheus and $promtool then; promtool may not be there.
# PROMETHEUS and PROMTOOL name them, else bench/peers/prometheus.sh fetches them.
find_prometheus() {
    if [[ -z ${PROMETHEUS:-} || -z ${PROMTOOL:-} ]]; then
        bash bench/peers/prometheus.sh >/dev/null || skip "there is no Prometheus 3.5"
    fi
    prometheus=${PROMETHEUS:-$peers/bin/prometheus}
    promtool=${PROMTOOL:-$peers/bin/promtool}
}

# The same for scripts that any version will do for: those on the path are taken too.
find_any_prometheus() {
    prometheus=${PROMETHEUS:-$(command -v prometheus || true)}
    promtool=${PROMTOOL:-$(command -v promtool || true)}
    [[ -n $prometheus && -n $promtool ]] || find_prometheus
    "$prometheus" --version >/dev/null 2>&1 || skip "$prometheus cannot be run"
    [[ -x $promtool ]] || skip "there is no promtool"
}

# The program in $program, which CONSOLE_BINARY names if it is built already.
find_program() {
    program=${CONSOLE_BINARY:-$target/debug/highbeam}
    [[ -n ${CONSOLE_BINARY:-} ]] || cargo build --quiet --package highbeam
}

# A folder of this run in $folder, named after the script, in target/ or where the second word says; it goes when the
# script ends, after what it started.
begin_folder() {
    mkdir -p "${2:-$target}"
    folder=$(mktemp -d "${2:-$target}/$1.XXXXXX")
    trap end_folder EXIT
}

end_folder() {
    local process
    for process in "${processes[@]}"; do
        if kill "$process" 2>/dev/null; then
            wait "$process" || true
        fi
    done
    rm -rf "$folder"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Runs a command until it succeeds, and prints what it says; fails after a minute. The first word is what is told then.
await() {
    local what=$1 deadline=$((SECONDS + 60)) told
    shift
    until told=$("$@" 2>&1); do
        ((SECONDS < deadline)) || fail "waited in vain for $what: ${told:0:500}"
        sleep 0.1
    done
    printf '%s' "$told"
}

answers() {
    curl -sf -o /dev/null "$1"
}

# Succeeds if a command says these words, and prints all that it says.
says() {
    local words=$1 told
    shift
    told=$("$@") && printf '%s' "$told" && grep -q -- "$words" <<<"$told"
}

# The URL of one server, in the file that the program makes when it is ready.
ready_url() {
    local url
    url=$(sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p" "$1" 2>/dev/null) && [[ -n $url ]] && printf '%s' "$url"
}
