#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 240
# T_R_8_2_2 on three nodes: a password that was changed leaves
# nothing of the former one on any disk, without anybody's act; and an act about
# a person whose keys have ended destroys who he is, and his credentials.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh

all_disks() {
    local list=() name
    for name in "${cluster3_nodes[@]}"; do
        list+=("$(cluster3_dir "$name")")
    done
    nothing_left "${list[@]}"
}
# find_keys COUNT: the clerk's, on each of the nodes.
find_keys() {
    local name
    : >"$cluster/wanted.txt"
    for name in "${cluster3_nodes[@]}"; do
        erasure_find_person "$(cluster3_dir "$name")" "${key_of[clerk]}" "$1"
    done
}
# by_name PASSWORDS WORD...: the clerk logs in with the first line.
by_name() {
    local passwords=$1
    shift
    printf '%b' "$passwords" | "$DEFTER_BIN/defter" --user clerk.1 \
        --cluster "$cluster/c/cluster.conf" "$@"
}
await_confirmed() {
    wait_for 60 destroy_is_confirmed || {
        tail -n 3 "$cluster"/?.txt >&2
        fail "not confirmed: $(cat "$cluster/act.txt")"
    }
    [ "$(grep -o '"snapshot":"[0-9a-f]*"' "$cluster/act.txt" | sort -u |
        wc -l)" -eq 1 ] || fail 'the nodes did not come to one state'
}

cluster3_make manual 'commands_per_second_person = 1000000'
cluster3_begin
cluster_actors
erasure_actors
enrol clerk staff 1
must as operator actor.identity as=1 "key_id=${key_of[clerk]}" \
    surname=Quliyeva given=Nigar fin=1234567
cluster3_await 60 || fail 'the nodes did not come together'

# The first password's key is on all disks, and on none once it was changed.
as clerk password clerk.1 <<<'birinci uzun parol' >/dev/null ||
    fail 'the password was not set'
cluster3_await 60 || fail 'the nodes did not come to the same'
find_keys 2
for name in "${cluster3_nodes[@]}"; do
    python3 tests/process/_raw_search.py "$cluster/wanted.txt" \
        "$(cluster3_dir "$name")" >/dev/null &&
        fail "the search finds nothing on $name, where the keys are"
done
# His identity's key stays for now: only the last line is the credential's.
awk 'NR % 4 == 3 || NR % 4 == 0' "$cluster/wanted.txt" \
    >"$cluster/credential.txt"
cp "$cluster/wanted.txt" "$cluster/both.txt"
cp "$cluster/credential.txt" "$cluster/wanted.txt"
by_name 'birinci uzun parol\nikinci uzun parol\n' password clerk.1 >/dev/null ||
    fail 'the password was not changed'
act=1
await_confirmed
grep -q '"ground":"replaced by another"' "$cluster/act.txt" ||
    fail "another act: $(cat "$cluster/act.txt")"
grep -q '"proposed_by":0,' "$cluster/act.txt" || fail 'somebody proposed it'
all_disks
by_name 'ikinci uzun parol\n' status >/dev/null ||
    fail 'the new one does not open'
by_name 'birinci uzun parol\n' status >/dev/null 2>&1 &&
    fail 'the old password opens'

# Who still acts is not destroyed; when he has left, he is.
as officer destroy.propose "as=${duty_of[officer]}" 'keys=person+credential' \
    'ground=retention ended' "basis=$basis" \
    "subjects={subject=${person_of[clerk]}}" >"$cluster/last.txt" 2>&1 &&
    fail 'an act about somebody who still acts'
grep -q 503 "$cluster/last.txt" || fail "$(cat "$cluster/last.txt")"
cluster3_await 60 || fail 'the nodes did not come to the same'
find_keys 2
must as clerk key.revoke "key_id=${key_of[clerk]}" reason=left
destroy "${person_of[clerk]}" person+credential
# One of them is killed meanwhile: it destroys when it is back.
cluster3_kill B
cluster3_start B
await_confirmed
cat "$cluster/both.txt" >>"$cluster/wanted.txt"
all_disks
by_name 'ikinci uzun parol\n' status >/dev/null 2>&1 &&
    fail 'he logs in by his password'
as operator actor.identity as=1 "key_id=${key_of[clerk]}" surname=Quliyeva \
    given=Nigar fin=1234567 >"$cluster/last.txt" 2>&1 &&
    fail 'he is identified again'
grep -q 509 "$cluster/last.txt" || fail "$(cat "$cluster/last.txt")"

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
