# What the order service's container is on the node: who it runs as, and what it may. For tests/cluster/node.sh.
process_of() { # role
    local process
    for process in /proc/[0-9]*; do
        if [[ $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") == "/usr/local/bin/highbeam serve --role $1 " ]]; then
            echo "$process"
            return
        fi
    done
    return 1
}
for role in api orders-projector search-projector; do
    process=$(process_of "$role") || fail "no process of $role runs"
    [[ $(sed -n 's/^Uid:\t//p' "$process/status") == 65532*65532*65532*65532 ]] || fail "$role runs as $(grep Uid "$process/status")"
    for line in 'CapEff:0000000000000000' 'CapBnd:0000000000000000' NoNewPrivs:1 Seccomp:2; do
        tr -d '\t' <"$process/status" | grep -qx "$line" || fail "$role: $line is not so: $(grep "^${line%%:*}" "$process/status")"
    done
    awk '$5 == "/"' "$process/mountinfo" | grep -q ' ro[, ]' || fail "the root of $role can be written to"
    address=$(kubectl -n dev get pods -l "app.kubernetes.io/name=$role" -o jsonpath='{.items[0].status.podIP}')
    (await "/readyz of $role" in_node curl -sSf --max-time 5 "http://$address:5007/readyz" >/dev/null) || exit 1
    (await "$role to count itself as ready" kubectl -n dev exec "deployment/$role" -- /usr/local/bin/highbeam health --ready >/dev/null) || exit 1
done
[[ $(ldd "$program" 2>&1) != *"=>"* ]] || fail "the program is not static"
echo "ok: the image of $(($(stat -c %s "$images/highbeam.tar") / 1000)) kB runs as 65532 without capabilities, with seccomp, on a read-only root, and /readyz answers"
