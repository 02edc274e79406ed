#!/usr/bin/env bash
# ctest-timeout: 120
# Clients reach a node over a bad line that cuts, stalls and resets by a seed;
# what they saw is in the log.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

have_acked() {
    [ "$(grep -c ' acked ' "$cluster/history" 2>/dev/null)" -gt 300 ]
}

cluster_make 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster_start
address=$(sed -n 's/^address = //p' "$cluster/c/cluster.conf")
bad=127.0.0.1:$(free_port)
"$DEFTER_BIN/proxy" --listen "$bad" --to "$address" --seed "${SEED:-1}" \
    --cut 300 --delay 3 --stall 5 --stall-ms 300 --reset 15 \
    >"$cluster/line.txt" 2>&1 &
cluster_pids=("$!")
wait_for 20 grep -q ready "$cluster/line.txt" || fail 'the line is not up'
"$DEFTER_BIN/workload" --cluster "$cluster/c/cluster.conf" \
    --key "$keys/operator.key" --history "$cluster/history" \
    --address "$bad" --clients 8 >"$cluster/workload.txt" 2>&1 &
workload=$!
cluster_pids+=("$workload")
wait_for 60 have_acked || fail 'nothing is acknowledged'
kill -TERM "$workload"
wait "$workload" || {
    cat "$cluster/workload.txt" >&2
    fail 'the clients do not believe the node'
}
cluster_stop || fail "the node ended with $?"
cat "$cluster/workload.txt"
grep -q ' 0 connections lost' "$cluster/workload.txt" &&
    fail 'no connection was ever lost'
"$DEFTER_BIN/log_list" A "$node" >"$cluster/log" &&
    "$DEFTER_BIN/history_check" "$cluster/history" "$cluster/log" ||
    fail 'the log does not bear the history'
