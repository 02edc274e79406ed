#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 120
# state.db is made anew from the log: every attested state digest comes out
# again (else the node would stop with 4), and answers are what they were.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

cluster_make
cluster_start
cluster_actors
"$DEFTER_BIN/fixture" --subjects 200 --bad 20 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
# Some of the records are bad: they are refused, the rest is taken.
feed "$cluster/records.jsonl" >"$cluster/last.txt" 2>&1
[ $? -eq 1 ] || fail "$(cat "$cluster/last.txt")"
subject=$(first_individual "$cluster/records.jsonl")
person owner "$subject" "$cluster/records.jsonl"

# What the state says, without what each start and each reading changes.
state() {
    must as owner --json section.get "subject=$subject" sections=all \
        file_number=1
    sed 's/"index":[0-9]*,//' "$cluster/last.txt"
    must as operator --json config.list
    sed 's/"index":[0-9]*,//' "$cluster/last.txt"
    must as auditor --json feed.health "as=${duty_of[auditor]}" after=0
    sed 's/"index":[0-9]*,//' "$cluster/last.txt"
}

# head: "size digest" of chain.head.
head_of_log() {
    must as auditor --json chain.head "as=${duty_of[auditor]}"
    printf '%s %s\n' "$(got size)" "$(got digest)"
}

state >"$cluster/before.txt"
cluster_stop || fail "the node ended with $?"

# Two copies of one stopped node: one with its state, one without.
cp -r "$node" "$cluster/whole"
rm -f "$node"/state.db*
cluster_start
grep -q 'replaying entries 0 to' "$cluster/node.txt" ||
    fail 'the state was not made anew'
state >"$cluster/after.txt"
cmp -s "$cluster/before.txt" "$cluster/after.txt" || {
    diff "$cluster/before.txt" "$cluster/after.txt" >&2
    fail 'the state answers otherwise'
}
head_of_log >"$cluster/head.txt"
cluster_kill

# Killed and without its state again: the digest at that size is attested by
# nothing yet, and must come out the same.
size=$(cut -d' ' -f 1 "$cluster/head.txt")
rm -f "$node"/state.db*
cluster_start
head_of_log >"$cluster/head2.txt"
[ "$(cut -d' ' -f 1 "$cluster/head2.txt")" -gt "$size" ] ||
    fail 'the log did not grow'
cluster_stop || fail "the node ended with $?"

# A state of another moment fits no more: it is made anew, or caught up.
cp "$cluster/whole/state.db" "$node/state.db"
rm -f "$node"/state.db-*
cluster_start
state >"$cluster/again.txt"
cmp -s "$cluster/before.txt" "$cluster/again.txt" ||
    fail 'an older state is not caught up'
cluster_stop || fail "the node ended with $?"
