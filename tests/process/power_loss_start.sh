#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 300
# A node that was killed loses its power at each EVERY-th of the calls by which
# its start changes files, and again in the start after that; then it serves.
# (A very first start that is cut short may need its operator: OPERATING, C7.)
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/amnesia.sh
. tests/lib/amnesia.sh

EVERY=${EVERY:-3}
SEED=${SEED:-1}

# start CALL: runs the node until its power goes before that call; 1: it serves.
start() {
    local status
    rm -f "$cluster/node.txt"
    amnesia_env "$node" $((SEED * 1000 + $1))
    env "${amnesia_words[@]}" AMNESIA_REPORT="$cluster/report" \
        AMNESIA_AFTER="$1" \
        "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/node.txt" 2>&1 &
    cluster_pid=$!
    wait_for 60 node_has_said 'serving on' || fail 'the node hangs'
    if ! node_is_gone; then
        cluster_kill
        return 1
    fi
    cluster_wait
    status=$?
    [ $status -eq "$amnesia_exit" ] || {
        cat "$cluster/node.txt" >&2
        fail "call $1, seed $SEED: the node ended with $status"
    }
}

cluster_make
amnesia_config "$node/defterd.conf"
cluster_start
must as operator system.ping text=here
cluster_kill
cp -a "$node" "$cluster/fresh"
call=1
while :; do
    rm -rf "$node" "$node.amnesia"
    cp -a "$cluster/fresh" "$node"
    start $call || break
    start $((1 + call * 13 % 90)) # Serving already is as good.
    cluster_start
    must as operator system.ping text=here
    cluster_stop || fail "call $call: the node ended with $?"
    call=$((call + EVERY))
done
[ $call -gt 10 ] || fail "a start made only $call calls"
echo "power lost at each $EVERY. of $call calls of a start"
