#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 180
# T_R_8_2_2, scenario 14: two persons destroy a subject's data by an act that
# a third one orders.  Then the keys are in no file, answers say ERASED, also
# after a restart and in a state built anew; and the log verifies as before.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh

cluster_make
cluster_start
cluster_actors
erasure_actors
enrol registrar staff 1
duty registrar REG 255
"$DEFTER_BIN/fixture" --subjects 60 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
must feed "$cluster/records.jsonl"
subject=$(first_individual "$cluster/records.jsonl")
other=$(sed -n 's/.*"subject":"\([0-9]*\)".*/\1/p' "$cluster/records.jsonl" |
    grep -v "$subject" | head -n 1)
person owner "$subject" "$cluster/records.jsonl"
line=$(grep -m 1 "\"subject\":\"$subject\",\"section\":\"S01\"" \
    "$cluster/records.jsonl")
surname=$(member surname "$line")
given=$(member given "$line")

read_as() {
    local name=$1
    shift
    as "$name" --json section.get "subject=$subject" sections=all \
        file_number=1 "$@" >"$cluster/last.txt" 2>&1
}
finds() {
    must as registrar --json subject.find "as=${duty_of[registrar]}" \
        purpose=7 file_number=1 "text=$surname $given" limit=50
    grep -q "$subject" "$cluster/last.txt"
}

read_as owner || fail 'the owner does not see his data'
grep -q "$surname" "$cluster/last.txt" || fail 'his name is not there'
finds || fail 'he is not found by his name'
cluster_stop || fail "the node ended with $?"
erasure_find_keys "$node" "$subject"
cp -r "$node" "$cluster/before"
python3 tests/process/_raw_search.py "$cluster/wanted.txt" "$cluster/before" \
    >/dev/null && fail 'the search finds nothing where the keys are'
# Names too, as they are written and as the index folds them.
printf '%s\n%s %s\n' "$surname $given" "$given" "$surname" \
    >"$cluster/names.txt"
cat "$cluster/names.txt" >>"$cluster/wanted.txt"
"$DEFTER_BIN/key_search" fold <"$cluster/names.txt" >>"$cluster/wanted.txt"
cluster_start

# One person alone cannot, whatever he is.
as officer destroy.approve "as=${duty_of[officer]}" act=1 \
    >"$cluster/last.txt" 2>&1 && fail 'the proposer approves'
destroy "$subject" record+evidence
wait_for 20 destroy_is_confirmed ||
    fail "not confirmed: $(cat "$cluster/act.txt")"
grep -q '"keys_count":2' "$cluster/act.txt" || fail 'not both keys'

# The certificate, for people and for programs.
must as officer destroy show "$act" "as=${duty_of[officer]}"
for word in 'retention ended' confirmed "$subject" "$basis"; do
    grep -q -F "$word" "$cluster/last.txt" ||
        fail "no $word in the certificate"
done
must as auditor --json destroy list "as=${duty_of[auditor]}"
grep -q '"state":"confirmed"' "$cluster/last.txt" ||
    fail 'the act is not listed'

erased() {
    read_as registrar "as=${duty_of[registrar]}" purpose=7 &&
        fail "the registrar reads $1"
    grep -q 509 "$cluster/last.txt" || fail "$1: $(cat "$cluster/last.txt")"
    read_as owner && fail "the owner reads $1"
    finds && fail "found by name $1"
    must as registrar --json section.get "subject=$other" \
        "as=${duty_of[registrar]}" sections=all purpose=7 file_number=1
    must as auditor --json access.list "as=${duty_of[auditor]}" \
        "subject=$subject" before=0 limit=50 file_number=1
    grep -q '"code":509' "$cluster/last.txt" || fail "no trace of who asked $1"
}
verifies() {
    "$DEFTER_BIN/defter" verify "$node" >"$cluster/verify.txt" 2>&1
    [ $? -eq 0 ] || fail "$1: $(head -n 5 "$cluster/verify.txt")"
}
head_of_log() {
    must as auditor --json chain.head "as=${duty_of[auditor]}"
    printf '%s %s\n' "$(got size)" "$(got digest)"
}

erased 'after the act'
nothing_left "$node"
cluster_stop || fail "the node ended with $?"
nothing_left "$node"
verifies 'after the act'
cluster_start
erased 'after a restart'
nothing_left "$node"
cluster_kill

# A node that died between the act and the burial still has the keys: the next
# start destroys them.
cp "$cluster/before/keyring.db" "$node/keyring.db"
rm -f "$node"/keyring.db-*
python3 tests/process/_raw_search.py "$cluster/wanted.txt" "$node" >/dev/null &&
    fail 'the keys are not back'
cluster_start
wait_for 10 python3 tests/process/_raw_search.py "$cluster/wanted.txt" \
    "$node" >/dev/null || fail 'the start does not destroy the keys'
erased 'with the keys from before'
cluster_stop || fail "the node ended with $?"

# The state is lost: the log alone cannot make it any more, the snapshot can.
cp -r "$node" "$cluster/whole"
rm -f "$node"/state.db*
cluster_start
grep -q 'from the snapshot' "$cluster/node.txt" || fail 'no snapshot was used'
erased 'in a state built anew'
head_of_log >"$cluster/head.txt"
cluster_stop || fail "the node ended with $?"
verifies 'after the rebuild'

# Without it the node says what is missing, and changes nothing.
rm -rf "$node"/state.db* "$node/snapshots"
cluster_expect_refusal() {
    "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/refusal.txt" 2>&1
}
cluster_expect_refusal && fail 'a node without state and snapshot serves'
grep -q 'a snapshot is needed' "$cluster/refusal.txt" ||
    fail "$(cat "$cluster/refusal.txt")"
