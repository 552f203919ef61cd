#!/usr/bin/env bash
# Puts back what components/backups copied, on the cluster of kubectl's current context; docs/restore.md says when to do
# which. Asks before it changes anything (YES=1 does not), stops at the first failure and says what stands still then.
#
#   bash deployments/restore.sh list prod                           # which copies there are
#   bash deployments/restore.sh eventstore prod 20261130T021700Z    # events: everything stands still meanwhile
#   bash deployments/restore.sh mongodb prod 20261130T022700Z.archive.gz
#   bash deployments/restore.sh elasticsearch prod SNAPSHOT
#   bash deployments/restore.sh projections prod                    # read models anew, from the events
#
# TIMEOUT (30m) is how long one step may take, KUBECTL the program. Needs the rights of SRE (access.tsv).
set -euo pipefail
kubectl=${KUBECTL:-kubectl}
timeout=${TIMEOUT:-30m}
usage="restore.sh list|eventstore|mongodb|elasticsearch|projections NAMESPACE [COPY]"

fail() {
    echo "failed: $1" >&2
    exit 1
}

step() {
    echo "· $1"
}

[[ $# -ge 2 && $# -le 3 ]] || fail "usage: $usage"
what=$1 namespace=$2 copy=${3:-}
case $what in
    list | projections) [[ -z $copy ]] || fail "usage: $usage" ;;
    # It stands in file names and in a request.
    eventstore | mongodb | elasticsearch) [[ $copy =~ ^[0-9A-Za-z._-]+$ ]] || fail "says no copy, as in restore.sh $what $namespace 20261130T021700Z: restore.sh list $namespace tells which there are" ;;
    *) fail "usage: $usage" ;;
esac

k() { "$kubectl" --namespace "$namespace" "$@"; }

sure() { # what will be lost
    [[ ${YES:-} != 1 ]] || return 0
    read -r -p "$1 is replaced in $namespace of $("$kubectl" config current-context). Type the namespace to go on: " answer
    [[ $answer == "$namespace" ]] || fail "nothing was changed"
}

# The image of a workload's container, so that what is run is what runs.
image() { # workload container
    k get "$1" --output "jsonpath={.spec.template.spec.containers[?(@.name==\"$2\")].image}"
}

# Runs a pod once: its name, account, image, user, command, environment, mounts, volumes (YAML), and waits for its end.
once() { # name account image uid command env mounts volumes
    k delete job "$1" --ignore-not-found --wait >/dev/null
    k create --filename - >/dev/null <<YAML
apiVersion: batch/v1
kind: Job
metadata: {name: $1, labels: {app.kubernetes.io/name: $2}}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {app.kubernetes.io/name: $2}}
    spec:
      restartPolicy: Never
      serviceAccountName: $2
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext: {runAsNonRoot: true, runAsUser: $4, runAsGroup: $4, fsGroup: $4, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: restore
          image: $3
          command: $5
          env: $6
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: "2", memory: 1Gi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          volumeMounts: $7
      volumes: $8
YAML
    local ends=$((SECONDS + $(seconds))) state
    while ((SECONDS < ends)); do
        state=$(k get job "$1" --output jsonpath='{.status.succeeded}/{.status.failed}')
        case $state in
            1/*) k logs "job/$1" 2>/dev/null || true; return 0 ;;
            */1) fail "$1: $(k logs "job/$1" 2>&1 | tail -n 3)" ;;
        esac
        sleep 2
    done
    fail "$1 did not end within $timeout: $(k describe job "$1" | tail -n 3)"
}

# TIMEOUT, in seconds.
seconds() {
    case $timeout in
        *h) echo $((${timeout%h} * 3600)) ;;
        *m) echo $((${timeout%m} * 60)) ;;
        *) echo "${timeout%s}" ;;
    esac
}

# The volume with the scripts, by the name that the jobs have it by: it ends in a hash.
scripts() {
    k get cronjob "$1" --output jsonpath='{.spec.jobTemplate.spec.template.spec.volumes[?(@.name=="scripts")].configMap.name}'
}

roles=(deployment/api deployment/orders-projector deployment/search-projector)

down() {
    step "the roles stop"
    # The autoscaler does not start what is at none.
    k scale "${roles[@]}" --replicas 0 >/dev/null
    for role in api orders-projector search-projector; do
        k wait --for delete pod --selector "app.kubernetes.io/name=$role" --timeout "$timeout" >/dev/null || fail "pods of $role are still there; the roles are stopped"
    done
}

up() {
    step "the roles start"
    k scale deployment/orders-projector deployment/search-projector --replicas 1 >/dev/null
    k scale deployment/api --replicas "$(k get horizontalpodautoscaler api --output jsonpath='{.spec.minReplicas}')" >/dev/null
    for role in "${roles[@]}"; do
        k rollout status "$role" --timeout "$timeout" >/dev/null || fail "$role is not ready after $timeout"
    done
}

projections() {
    for pair in orders:orders-projector search:search-projector; do
        step "projection ${pair%%:*} is built anew beside the one that is read"
        k exec "deployment/${pair#*:}" --container "${pair#*:}" -- /usr/local/bin/highbeam projections rebuild "${pair%%:*}" || fail "projection ${pair%%:*} cannot be rebuilt; the other one is as it was"
    done
    echo "both take over by themselves once they have caught up: highbeam projections status"
}

case $what in
    list)
        mounts='[{name: backups, mountPath: /backups, readOnly: true}]'
        volumes='[{name: backups, persistentVolumeClaim: {claimName: backups}}]'
        once backups-list eventstore-backup "$(image statefulset/eventstore kurrentdb)" 1000 \
            '[sh, -c, "cd /backups && ls -d eventstore/*Z mongodb/*.gz 2>/dev/null || echo none"]' '[]' "$mounts" "$volumes"
        step "snapshots of Elasticsearch"
        k exec elasticsearch-0 --container elasticsearch -- bash -c \
            'curl -fsS --config <(printf '\''user = "elastic:%s"\n'\'' "$ELASTIC_PASSWORD") "http://localhost:9200/_cat/snapshots/highbeam?h=id,status,end_time"'
        ;;
    eventstore)
        sure "Every event"
        replicas=$(k get statefulset eventstore --output jsonpath='{.spec.replicas}')
        job=$(scripts eventstore-backup)
        [[ -n $job ]] || fail "there is no cronjob eventstore-backup, so nothing was copied here"
        image=$(image statefulset/eventstore kurrentdb)
        k patch cronjob eventstore-backup --patch '{"spec": {"suspend": true}}' >/dev/null
        down
        step "the event store stops"
        k scale statefulset/eventstore --replicas 0 >/dev/null
        k wait --for delete pod --selector app.kubernetes.io/name=eventstore --timeout "$timeout" >/dev/null || fail "nodes of the event store are still there; they and the roles are stopped"
        # Every node gets the same copy: they agree on what it ends with, and elect a leader.
        for ((node = 0; node < replicas; node++)); do
            step "$copy to eventstore-$node"
            once "eventstore-restore-$node" eventstore-backup "$image" 1000 '[sh, /scripts/restore-eventstore.sh]' \
                "[{name: DATA, value: /var/lib/kurrentdb}, {name: INDEX, value: /var/lib/kurrentdb-index}, {name: BACKUPS, value: /backups}, {name: COPY, value: \"$copy\"}]" \
                '[{name: data, mountPath: /var/lib/kurrentdb}, {name: index, mountPath: /var/lib/kurrentdb-index}, {name: backups, mountPath: /backups, subPath: eventstore, readOnly: true}, {name: scripts, mountPath: /scripts, readOnly: true}]' \
                "[{name: data, persistentVolumeClaim: {claimName: data-eventstore-$node}}, {name: index, persistentVolumeClaim: {claimName: index-eventstore-$node}}, {name: backups, persistentVolumeClaim: {claimName: backups}}, {name: scripts, configMap: {name: $job}}]"
        done
        step "the event store starts"
        k scale statefulset/eventstore --replicas "$replicas" >/dev/null
        k rollout status statefulset/eventstore --timeout "$timeout" >/dev/null || fail "the event store is not ready after $timeout; the roles are stopped"
        up
        # What was projected may be of events that are gone.
        projections
        k patch cronjob eventstore-backup --patch '{"spec": {"suspend": false}}' >/dev/null
        echo "the events are those of $copy"
        ;;
    mongodb)
        sure "The read model of orders"
        job=$(scripts mongodb-backup)
        [[ -n $job ]] || fail "there is no cronjob mongodb-backup, so nothing was dumped here"
        down
        step "$copy to MongoDB"
        once mongodb-restore mongodb-backup "$(image statefulset/mongodb mongodb)" 999 '[sh, /scripts/restore-mongodb.sh]' \
            "[{name: HOME, value: /tmp}, {name: MEMBERS, value: \"mongodb-0.mongodb:27017\"}, {name: BACKUPS, value: /backups}, {name: COPY, value: \"$copy\"}, {name: MONGODB_ADMIN_PASSWORD, valueFrom: {secretKeyRef: {name: mongodb-accounts, key: admin}}}]" \
            '[{name: backups, mountPath: /backups, subPath: mongodb, readOnly: true}, {name: scripts, mountPath: /scripts, readOnly: true}, {name: tmp, mountPath: /tmp}]' \
            "[{name: backups, persistentVolumeClaim: {claimName: backups}}, {name: scripts, configMap: {name: $job}}, {name: tmp, emptyDir: {medium: Memory, sizeLimit: 16Mi}}]"
        up
        echo "the read model is as it was at $copy, and catches up from there"
        ;;
    elasticsearch)
        sure "The search"
        step "the search's projector stops"
        k scale deployment/search-projector --replicas 0 >/dev/null
        k wait --for delete pod --selector app.kubernetes.io/name=search-projector --timeout "$timeout" >/dev/null || fail "pods of search-projector are still there; it is stopped"
        step "$copy to Elasticsearch"
        # Indices that are there are in the way of those that come.
        k exec elasticsearch-0 --container elasticsearch -- bash -c '
            set -euo pipefail
            ask() { curl -fsS --max-time 1800 --config <(printf '\''user = "elastic:%s"\n'\'' "$ELASTIC_PASSWORD") -H "content-type: application/json" "$@"; }
            ask "http://localhost:9200/_snapshot/highbeam/$0" | grep -q "\"state\":\"SUCCESS\""
            names=$(ask "http://localhost:9200/_cat/indices/orders-search*?h=index")
            for index in $names; do ask -X DELETE "http://localhost:9200/$index" >/dev/null; done
            ask -X POST "http://localhost:9200/_snapshot/highbeam/$0/_restore?wait_for_completion=true" -d "{\"indices\": \"orders-search*\", \"include_global_state\": false}"
        ' "$copy" || fail "$copy was not restored; the search is what it was, or empty: restore.sh projections $namespace builds it anew"
        step "the search's projector starts"
        k scale deployment/search-projector --replicas 1 >/dev/null
        k rollout status deployment/search-projector --timeout "$timeout" >/dev/null || fail "search-projector is not ready after $timeout"
        echo "the search is as it was at $copy, and catches up from there"
        ;;
    projections) projections ;;
esac
