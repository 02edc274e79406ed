#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# A destruction was carried out, and every node whose log has it is gone: the
# one that is forced has carried it out too, and its log lost it.  It starts
# from its snapshot, serves, and says that the act has to be repeated; what the
# key sealed stays ERASED.  Where an entry behind the newest snapshot needs the
# key, it says so, leads nobody and does not end.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh
# shellcheck source=tests/lib/forced.sh
. tests/lib/forced.sh

# lose_end NODE OPERATION: the last entry of it, in hexadecimal, and all behind
# it are zeros on the disk.
lose_end() {
    python3 - "$(cluster3_dir "$1")/log" "$2" <<'END'
import os, struct, sys
folder, opcode = sys.argv[1], int(sys.argv[2], 16)
path = max(os.path.join(folder, name) for name in os.listdir(folder)
           if name.endswith(".seg"))
with open(path, "r+b") as file:
    data = file.read()
    at, found = 4096, None
    while True:
        size, = struct.unpack_from("<I", data, at)
        if size == 0:
            break
        if struct.unpack_from("<H", data, at + 8 + 192)[0] == opcode:
            found = at
        at += size + 16
    file.seek(found)
    file.write(bytes(at - found))
END
}

is_lost() {
    [ "$(cluster3_figure A role)" = lost ]
}

force_named() {
    force A defter.local/log --minimum 1 && return
    cat "$cluster/said.txt" >&2
    fail 'not forced'
}

# The newest destruction is not in A's log any more, and nobody else is left.
forced_alone() {
    lose_end A 0f14
    cluster3_start A
    wait_for 60 is_lost || fail 'A does not say that it is lost'
    force_named
    said_in_time A 'begins anew in its new lineage'
}

# By A; Z is no more.
is_carried_out() {
    destroy_is_confirmed || grep -q '"confirmed":1,' "$cluster/act.txt"
}

read_of() {
    as registrar --json section.get "subject=$1" "as=${duty_of[registrar]}" \
        sections=all purpose=7 file_number=1 >"$cluster/read.txt" 2>&1
}
# Whether its state knows the act again already or not: that comes by itself.
is_erased() {
    read_of "$1" && fail "$1 is read"
    grep -q 509 "$cluster/read.txt" || fail "$1: $(cat "$cluster/read.txt")"
}
is_read() {
    read_of "$1" || fail "$1: $(cat "$cluster/read.txt")"
    grep -q '"section":"S01"' "$cluster/read.txt" || fail "$1 has no content"
}
await_confirmed() {
    wait_for 60 destroy_is_confirmed || {
        tail -n 3 "$cluster"/?.txt >&2
        fail "not confirmed: $(cat "$cluster/act.txt")"
    }
}

cluster3_make manual 'commands_per_second_person = 1000000'
cluster3_nodes=(A Z)
cluster3_begin
cluster_actors
enrol registrar staff 1
duty registrar REG 255
erasure_actors
"$DEFTER_BIN/fixture" --subjects 20 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
must feed "$cluster/records.jsonl"
mapfile -t subjects < <(sed -n 's/.*"subject":"\([0-9]*\)".*/\1/p' \
    "$cluster/records.jsonl" | sort -u | head -n 4)

# ---- The act is lost, and the snapshot is behind all that needs the key ------

destroy "${subjects[0]}" record
await_confirmed
destroy "${subjects[1]}" record
await_confirmed
cluster3_kill A
cluster3_kill Z
rm -rf "$(cluster3_dir Z)"
forced_alone
serves after
said_in_time A 'building the state from the snapshot'
said_in_time A '1 seal keys stay destroyed whose acts this log lost'
is_erased "${subjects[0]}"
is_erased "${subjects[1]}"
is_read "${subjects[2]}"
cluster3_stop A || fail 'A does not drain'
verify A
says 'FORCED       entry'
cluster3_start A
serves 'after a restart'
said_in_time A '1 seal keys stay destroyed whose acts this log lost'
is_erased "${subjects[1]}"

# ---- The act is lost, and no snapshot is left -------------------------------

# Evidence takes the snapshots from before with it.
destroy "${subjects[2]}" record+evidence
wait_for 60 is_carried_out || fail "not carried out: $(cat "$cluster/act.txt")"
cluster3_kill A
forced_alone
said_in_time A 'needs a snapshot of another one, and does not lead without'
said_in_time A 'if no node of this one has a snapshot, see OPERATING'
sleep 3
cluster3_runs A || fail 'A ended'
case $(cluster3_figure A role) in
primary | candidate | barrier) fail 'A leads without a state' ;;
esac
exit 0
