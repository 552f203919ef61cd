# What each role uses at 10 and at 1,000 orders a second, and as many as are answered: requests and limits come from it
# (deployments/README.md). For tests/cluster/node.sh. Load, engines and roles share the machine. FerretDB takes up a few
# orders a second and would keep its projector waiting, so that projects into a store of its own here, which costs it more
# than sending does.
names=(api orders-projector search-projector elasticsearch jaeger otel-collector stand-in-prometheus)

# Who is where: a pod may have been made anew.
pods() {
    local name namespace
    for name in "${names[@]}"; do
        namespace=dev
        [[ " api orders-projector search-projector elasticsearch " == *" $name "* ]] || namespace=monitoring
        echo "$name=$(kubectl -n "$namespace" get pods -l "app.kubernetes.io/name=$name" --field-selector status.phase=Running -o jsonpath='{.items[0].metadata.uid}')"
    done
}

created() { # report
    python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
create, total = report["operations"]["create"], report["total"]
rate = (create["answered"] - create["failed"]) / report["elapsedSeconds"]
print("%.0f orders/s in truth, p99 %.0f ms, %d of %d requests failed, %d dropped" % (
    rate, create["latencyMs"]["p99"], total["failed"], total["sent"], total["dropped"]))' "$1"
}

usage() { # title load-argument…
    local title=$1 load
    shift
    if [[ $# -gt 0 ]]; then
        bash deployments/testbed/node.sh run "$program" load --target "$api/api" --mix abandon=100 --duration 30s --warm-up 5s --quiet \
            --report "$folder/usage.json" "$@" >"$folder/load" 2>&1 &
        load=$!
        sleep 6
    fi
    python3 tests/cluster/usage.py 28 "${measured[@]}" >"$folder/usage"
    [[ -z ${load:-} ]] || wait "$load" || fail "the load failed: $(tail -n 3 "$folder/load")"
    echo "$title${load:+ ($(created "$folder/usage.json"))}:"
    sed 's/^/    /; s/$/ MiB/' "$folder/usage"
}

kubectl -n dev set env deployment/orders-projector MONGO_URI=sqlite:/data/orders.db >/dev/null
ready dev deployment/orders-projector
mapfile -t measured < <(pods)
echo "usage of each, in processors, and at most in MiB of RSS and of working set, on $(nproc) processors:"
usage "without orders"
# Whoever abandons an order has placed it, and every other one has changed the cart: three requests for two orders.
usage "at 10 orders/s" --rate 15
usage "at 1,000 orders/s" --rate 1500 --max-in-flight 512
usage "as fast as it answers" --closed --concurrency 64
