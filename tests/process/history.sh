#!/usr/bin/env bash
# ctest-timeout: 120
# Clients of a node that is killed, stopped and started again write down what
# they saw, and the node's log bears every word of it.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

acked() {
    grep -c ' acked ' "$cluster/history" 2>/dev/null || true
}

have_grown() {
    [ "$(acked)" -gt $((before + 100)) ]
}

cluster_make 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster_start
enrol auditor auditor 1
duty auditor AUD 255
# load NAME OPTION...: clients in the background.
load() {
    "$DEFTER_BIN/workload" --cluster "$cluster/c/cluster.conf" \
        --key "$keys/auditor.key" --duty "${duty_of[auditor]}" \
        --history "$cluster/$1" --receipts "$cluster/receipts" "${@:2}" \
        >"$cluster/$1.txt" 2>&1 &
    cluster_pids+=("$!")
}
load history --clients 4
load hasty --clients 4 --patience 40 # These give up while the node is away.
for _ in 1 2 3; do
    before=$(acked)
    wait_for 30 have_grown || fail 'nothing is acknowledged'
    cluster_kill
    cluster_start
done
before=$(acked)
wait_for 30 have_grown || fail 'nothing is acknowledged'
kill -STOP "$cluster_pid"
sleep 1
kill -CONT "$cluster_pid"
before=$(acked)
wait_for 30 have_grown || fail 'nothing is acknowledged'
for pid in "${cluster_pids[@]}"; do
    kill -TERM "$pid"
    wait "$pid" || fail "clients ended with $?"
done
cluster_pids=()
cluster_stop || fail "the node ended with $?"
cat "$cluster/history.txt" "$cluster/hasty.txt"

"$DEFTER_BIN/log_list" A "$node" >"$cluster/log" || fail 'the log is not whole'
"$DEFTER_BIN/history_check" "$cluster/history" "$cluster/hasty" \
    "$cluster/log" ||
    fail 'the log does not bear the history'
grep -q ' chain.head .* acked 0 ' "$cluster/history" ||
    fail 'no strict read was answered'

grep -q ' - unknown ' "$cluster/hasty" || fail 'nobody gave up'

# A log without its last acknowledged entry is not that history's.
last=$(awk '/ acked / && $10 > last { last = $10 } END { print last }' \
    "$cluster/history")
head -n $((last + 1)) "$cluster/log" >"$cluster/short"
"$DEFTER_BIN/history_check" "$cluster/history" "$cluster/short" \
    >"$cluster/last.txt" && fail 'a lost entry was not noticed'
grep -q '^LOST' "$cluster/last.txt" || fail 'it was noticed as something else'
echo 'the log bears the history'
