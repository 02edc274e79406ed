#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 180
# A node that is killed at any moment after an act was ordered ends with the
# keys destroyed, the act confirmed once, and a log that replays.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh

readonly rounds=${ROUNDS:-10}
cluster_make
cluster_start
cluster_actors
erasure_actors
"$DEFTER_BIN/fixture" --subjects 60 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
must feed "$cluster/records.jsonl"
mapfile -t subjects < <(sed -n 's/.*"subject":"\([0-9]*\)".*/\1/p' \
    "$cluster/records.jsonl" | sort -u | head -n "$rounds")

caught=0
for i in $(seq 0 $((rounds - 1))); do
    : >"$cluster/wanted.txt"
    erasure_find_keys "$node" "${subjects[$i]}"
    destroy "${subjects[$i]}" record+evidence
    sleep "0.$((RANDOM % 7))$((RANDOM % 10))"
    cluster_kill
    python3 tests/process/_raw_search.py "$cluster/wanted.txt" "$node" \
        >/dev/null || caught=$((caught + 1))
    cluster_start
    wait_for 20 destroy_is_confirmed ||
        fail "round $i: $(cat "$cluster/act.txt" "$cluster/node.txt")"
    nothing_left "$node"
done
printf '%s of %s killed before the keys were destroyed\n' "$caught" "$rounds"
cluster_stop || fail "the node ended with $?"
cp -r "$node" "$cluster/whole"
rm -f "$node"/state.db*
cluster_start
must as officer --json destroy list "as=${duty_of[officer]}"
[ "$(grep -o '"state":"confirmed"' "$cluster/last.txt" | wc -l)" -eq \
    "$rounds" ] || fail 'a state built anew has other acts'
cluster_stop || fail "the node ended with $?"
"$DEFTER_BIN/defter" verify "$node" >"$cluster/verify.txt" 2>&1
[ $? -eq 0 ] || fail "$(head -n 5 "$cluster/verify.txt")"
