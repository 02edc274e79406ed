#!/usr/bin/env bash
# ctest-timeout: 90
# The examples do, against a node, what they say.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

cluster_make
cluster_start
cluster_actors
"$DEFTER_BIN/fixture" --subjects 50 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
must feed "$cluster/records.jsonl"
subject=$(first_individual "$cluster/records.jsonl")
person owner "$subject" "$cluster/records.jsonl"

must "$DEFTER_BIN/examples/own_sections" "$cluster/c/cluster.conf" \
    "$keys/owner.key" "$subject"
wanted=$(grep -c "\"subject\":\"$subject\"" "$cluster/records.jsonl")
[ "$(grep -c '^S[01][0-9] version 1 of organisation 2' \
    "$cluster/last.txt")" -eq "$wanted" ] || {
    cat "$cluster/last.txt" >&2
    fail "not the $wanted sections of $subject"
}

# Another's key sees nothing of it.
"$DEFTER_BIN/examples/own_sections" "$cluster/c/cluster.conf" \
    "$keys/owner.key" 1400057421 >"$cluster/last.txt" 2>&1 &&
    fail 'somebody read what is not his own'

must "$DEFTER_BIN/examples/watch_journal" "$cluster/c/cluster.conf" \
    "$keys/auditor.key" "${duty_of[auditor]}" 20
[ "$(grep -c '^entry ' "$cluster/last.txt")" -ge 20 ] &&
    grep -q '^entry 0 ' "$cluster/last.txt" || {
    cat "$cluster/last.txt" >&2
    fail 'not every entry came'
}
cluster_stop || fail "the node ended with $?"
