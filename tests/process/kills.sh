#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 120
# The node is killed again and again under load; every receipt that a sender
# holds names an entry that is still in the log.  KILLS=N for a longer run.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

senders=()

start_senders() {
    local number
    senders=()
    for number in 1 2; do
        as operator --receipts "$cluster/receipts.$number" \
            bench --receipts --sessions 4 --seconds 30 \
            >"$cluster/bench.$number.txt" 2>&1 &
        senders+=($!)
    done
    cluster_pids=("${senders[@]}")
}

# Both senders hold more receipts than before.
have_grown() {
    local size
    size=$(cat "$cluster"/receipts.* 2>/dev/null | wc -c)
    [ "$size" -gt $((before + 100 * 392)) ]
}

cluster_make 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
for _ in $(seq "${KILLS:-4}"); do
    cluster_start
    before=$(cat "$cluster"/receipts.* 2>/dev/null | wc -c)
    start_senders
    wait_for 30 have_grown || fail 'no receipts came'
    cluster_kill
    kill "${senders[@]}" 2>/dev/null
    wait "${senders[@]}" 2>/dev/null
done
cluster_start
cluster_stop || fail "the node ended with $?"

# A killed sender may have torn its last receipt; it was never reported kept.
for file in "$cluster"/receipts.?; do
    head -c $(($(stat -c %s "$file") / 392 * 392)) "$file"
done >"$cluster/receipts.all"
count=$(($(stat -c %s "$cluster/receipts.all") / 392))
[ "$count" -gt 100 ] || fail 'too few receipts to judge by'
"$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" --json verify "$node" \
    --receipts "$cluster/receipts.all" >"$cluster/verify.json"
[ $? -le 2 ] && grep -q '"verdict":"\(good\|incomplete\)"' \
    "$cluster/verify.json" || {
    cat "$cluster/verify.json" >&2
    fail 'an acknowledged entry is not in the log'
}
echo "$count receipts, all in the log"
