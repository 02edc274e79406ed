#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 240
# A node loses its power again and again under load, with what it had not
# synced torn or gone; every receipt that a sender holds names an entry that is
# still in the log.  LOSSES=N and SEED=N for another run.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/amnesia.sh
. tests/lib/amnesia.sh

SEED=${SEED:-$RANDOM}
echo "seed $SEED (SEED=$SEED repeats what is lost, not when)"

start_node() {
    rm -f "$cluster/node.txt"
    amnesia_env "$node" "$1"
    env "${amnesia_words[@]}" "${@:2}" AMNESIA_REPORT="$cluster/report" \
        "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/node.txt" 2>&1 &
    cluster_pid=$!
    wait_for 60 node_has_said 'serving on' && ! node_is_gone && return
    cat "$cluster/node.txt" >&2
    fail "the node does not serve (seed $SEED, before loss $1)"
}

size_of_receipts() {
    stat -c %s "$cluster/receipts" 2>/dev/null || echo 0
}

have_grown() {
    [ "$(size_of_receipts)" -gt $((before + 20 * 392)) ]
}

cluster_make 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
amnesia_config "$node/defterd.conf"
# lose SEED NAME=VALUE...: one node under load until its power goes.
lose() {
    start_node "$@"
    before=$(size_of_receipts)
    as operator --receipts "$cluster/receipts" \
        bench --receipts --sessions 4 --seconds 30 >"$cluster/bench.txt" 2>&1 &
    sender=$!
    cluster_pids=("$sender")
    wait_for 30 have_grown || fail 'no receipts came'
    amnesia_lose "$cluster_pid"
    cluster_wait
    status=$?
    [ $status -eq "$amnesia_exit" ] || {
        cat "$cluster/node.txt" >&2
        fail "the node ended with $status"
    }
    kill "$sender" 2>/dev/null
    wait "$sender" 2>/dev/null
    cluster_pids=()
}

# Whether the log holds what every receipt says.
holds() {
    local words='"verdict":"\(good\|incomplete\)"'
    head -c $(($(size_of_receipts) / 392 * 392)) "$cluster/receipts" \
        >"$cluster/receipts.all"
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" --json \
        verify "$node" --receipts "$cluster/receipts.all" \
        >"$cluster/verify.json" 2>&1
    [ $? -le 2 ] && grep -q "$words" "$cluster/verify.json"
}

for loss in $(seq "${LOSSES:-20}"); do
    lose $((SEED + loss))
done
cluster_start
cluster_stop || fail "the node ended with $?"

[ "$(grep -c '^power lost' "$cluster/report")" -eq "${LOSSES:-20}" ] ||
    fail 'some losses took nothing'
holds || {
    cat "$cluster/verify.json" >&2
    fail "an acknowledged entry is not in the log (seed $SEED)"
}
sed 's/.*sectors/sectors/' "$cluster/report" | sort | uniq -c | sort -rn |
    head -n 3
echo "${LOSSES:-20} power losses," \
    "$(($(stat -c %s "$cluster/receipts.all") / 392)) receipts, all in the log"

# The same on a disk that says it has synced and has not: seen at once.
caught=0
for loss in 1 2 3 4 5 6; do
    rm -rf "$cluster"
    cluster_make 'connections_per_person = 100' \
        'commands_per_second_person = 1000000'
    amnesia_config "$node/defterd.conf"
    lose $((SEED + loss)) AMNESIA_DEAF=1
    holds || caught=$((caught + 1))
    [ $caught -eq 0 ] || break
done
[ $caught -gt 0 ] || fail "a lying disk was not noticed (seed $SEED)"
echo 'and a disk that lies is noticed'
