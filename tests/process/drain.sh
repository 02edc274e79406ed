#!/usr/bin/env bash
# ctest-label: threads
# ctest-timeout: 120
# SIGTERM under load: the node ends with 0, and every entry that it signed a
# receipt for is in the log.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly receipts_wanted=200 receipt_size=392

cluster_make commands_per_second_person=1000000
cluster_start
receipts=$cluster/receipts
# The program itself, so that it can be ended: its eight sessions are all that
# one key may have of the node that follows.
"$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    --key "$keys/operator.key" --role "${role_of[operator]}" \
    --receipts "$receipts" bench --sessions 8 --seconds 60 --receipts \
    >"$cluster/bench.txt" 2>&1 &
load=$!
cluster_pids+=("$load")

has_receipts() {
    [ -f "$receipts" ] &&
        [ "$(stat -c %s "$receipts")" -ge $((receipts_wanted * receipt_size)) ]
}
wait_for 60 has_receipts || fail 'the load does not run'
cluster_stop || fail "the node ended with $? under load"
kill "$load" 2>/dev/null
wait "$load" 2>/dev/null

"$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" verify \
    --receipts "$receipts" "$node" >"$cluster/verify.txt" 2>&1
status=$?
[ $status -eq 0 ] || [ $status -eq 2 ] || {
    cat "$cluster/verify.txt" >&2
    fail "an acknowledged entry is lost, or the log is wrong ($status)"
}

# And it goes on from there.
cluster_start
must as operator system.ping
cluster_stop || fail "the node ended with $?"
