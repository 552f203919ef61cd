# Starting and stopping programs of the test bed, each with a log and its process's number in $folder; read with `source`.
# They run in the network namespace $NODE_NAMESPACE, if that is set; "${enter[@]}" before a command has it run there, too.
enter=()
[[ -z ${NODE_NAMESPACE:-} ]] || enter=(nsenter --net="/run/netns/$NODE_NAMESPACE")

start() { # name command…
    local name=$1
    shift
    setsid "${enter[@]}" "$@" >"$folder/$name.log" 2>&1 </dev/null &
    echo $! >"$folder/$name.pid"
}

stop() { # name
    local pid
    pid=$(cat "$folder/$1.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$folder/$1.pid"
}
