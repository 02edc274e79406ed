#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# T_R_8_2_2, scenario 14, on three nodes: what an act destroys is on no disk of
# any of them, and each has confirmed with an entry of its own; a node that is
# killed while it happens comes after; one that joins later takes a snapshot
# from its peers, and no key.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh

disks() {
    local name
    for name in "${cluster3_nodes[@]}"; do
        cluster3_dir "$name"
        echo
    done
}
all_disks() {
    local list
    mapfile -t list < <(disks)
    nothing_left "${list[@]}"
}
# find_keys VOEN: of the three nodes, each of which wraps them by itself.
find_keys() {
    local name
    : >"$cluster/wanted.txt"
    for name in "${cluster3_nodes[@]}"; do
        erasure_find_keys "$(cluster3_dir "$name")" "$1"
    done
}
await_confirmed() {
    wait_for 60 destroy_is_confirmed || {
        tail -n 3 "$cluster"/?.txt >&2
        fail "not confirmed: $(cat "$cluster/act.txt")"
    }
}

# destroyed HOLDERS
destroyed() {
    await_confirmed
    grep -q "\"holders\":$1" "$cluster/act.txt" || fail "not $1 holders"
    [ "$(grep -o '"snapshot":"[0-9a-f]*"' "$cluster/act.txt" | sort -u |
        wc -l)" -eq 1 ] || fail 'the nodes did not come to one state'
    all_disks
}

cluster3_make manual 'commands_per_second_person = 1000000'
# B comes when something has been destroyed.
cluster3_nodes=(A Z)
cluster3_begin
cluster_actors
erasure_actors
"$DEFTER_BIN/fixture" --subjects 40 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
must feed "$cluster/records.jsonl"
mapfile -t subjects < <(sed -n 's/.*"subject":"\([0-9]*\)".*/\1/p' \
    "$cluster/records.jsonl" | sort -u | head -n 4)
cluster3_await 60 || fail 'the nodes did not come together'
find_keys "${subjects[0]}"
destroy "${subjects[0]}" record+evidence
destroyed 2

cluster3_nodes=(A B Z)
cluster3_start B
wait_for 60 grep -q 'a snapshot of .* came from another node' \
    "$cluster/B.txt" || {
    tail -n 12 "$cluster/B.txt" >&2
    fail 'B fetches no snapshot'
}
wait_for 60 cluster3_added B || {
    tail -n 5 "$cluster/add-B.txt" >&2
    fail 'B does not become a member'
}
cluster3_enrol B
cluster3_await 60 || fail 'B does not come to the same'
grep -q 'from the snapshot' "$cluster/B.txt" || fail 'B did not use it'
all_disks

# All are there; B applies what is attested, and an act after that.
find_keys "${subjects[1]}"
destroy "${subjects[1]}" record+evidence
destroyed 3

# A backup is killed as the act is ordered: it destroys when it is back.
find_keys "${subjects[2]}"
destroy "${subjects[2]}" record+evidence
cluster3_kill B
cluster3_start B
destroyed 3

# So is the primary: its next start goes on.
find_keys "${subjects[3]}"
destroy "${subjects[3]}" record+evidence
cluster3_kill A
cluster3_start A
wait_for 60 cluster3_leads || fail 'A does not lead again'
destroyed 3

for name in "${cluster3_nodes[@]}"; do
    cluster3_stop "$name" || fail "$name ended with $?"
    "$DEFTER_BIN/defter" verify "$(cluster3_dir "$name")" \
        >"$cluster/verify.txt" 2>&1
    status=$?
    # The last checkpoint may not have reached all of them.
    [ $status -eq 0 ] || [ $status -eq 2 ] ||
        fail "$name: $(head -n 5 "$cluster/verify.txt")"
done
all_disks
