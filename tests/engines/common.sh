# What the scripts of this folder share that hold an adapter against an engine; they read it with `source` after they
# have set
#
#   variable   the name of the variable that says where the engine is, for the tests
#   package    the adapter's package
#   cases      what the names of the program's tests with this engine have in common
#   required   1 if it is a failure that the engine cannot be had
#
# With the variable set nothing is fetched or started: the tests run there, in places of their own, and fail when the
# engine cannot be reached. Arguments choose among the adapter's tests; the program's are left out then. KEEP=1 leaves
# the engine running until Ctrl-C and runs no tests; FETCH_ONLY=1 does not even start it.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
engines=$target/engines

# Both packages are named each time: features depend on which are, and what has others is built again.
run_tests() {
    cargo test --quiet --locked --package "$package" --package highbeam --test engine -- "$@"
    if (($# == 0)); then
        cargo test --quiet --locked --package "$package" --package highbeam --test engines -- --nocapture --test-threads=1 "$cases"
    fi
}

# Ends the script after the tests where somebody has named an engine.
run_if_named() {
    [[ -n ${!variable:-} ]] || return 0
    echo "the engine is the one that $variable names"
    run_tests "$@"
    exit
}

end_if_fetched() {
    [[ ${FETCH_ONLY:-0} == 0 ]] || exit 0
}

# Waits until a command succeeds, as long as what was started last runs and so many seconds have not gone by.
await_engine() {
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        if ! kill -0 "${processes[-1]}" 2>/dev/null || ((SECONDS > deadline)); then
            tail -n 30 "$folder/output" >&2
            fail "$what did not become ready"
        fi
        sleep 0.2
    done
    echo "$what answers after $SECONDS s"
}

# The tests on the engine at this address; with KEEP=1 nothing but the engine.
run_on() {
    export "$variable=$1"
    shift
    if [[ ${KEEP:-0} == 1 ]]; then
        echo "export $variable=${!variable}"
        wait "${processes[-1]}"
    else
        run_tests "$@"
    fi
}
