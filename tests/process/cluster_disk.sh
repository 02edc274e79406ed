#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 240
# Three nodes, and the backup's disk: it is full, a bit of it flips, it is gone.
# The others go on, and the backup gets back from them what it lacks.  Then the
# disk of the primary is full: the backup leads.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh
cluster3_disk_size=400M
cluster3_timers+=' scrub_ms=50'

serves() {
    wait_for 60 cluster3_serves && return
    as operator status >&2
    tail -n 5 "$cluster/B.txt" >&2
    fail "$1"
}

first_segment() {
    echo "$(cluster3_dir "$1")/log/00000000000000000000.seg"
}

repaired() {
    grep -q 'entry [0-9]* was repaired from another node' "$cluster/B.txt" &&
        cmp -s -n 65536 "$(first_segment A)" "$(first_segment B)"
}

cluster3_make etcd 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
cluster3_load --clients 4 --pace 10
cluster3_await_acked 200
[ "$(cluster3_primary)" = A ] || fail 'A does not lead'

# Full: it may end, and is started again by whoever watches over it.
cluster3_fill B
cluster3_await_acked 200
cluster3_unfill B
cluster3_runs B || {
    cluster3_reap B
    cluster3_start B
}
serves 'B does not come back when its disk has room'

# One bit of an old entry: found by reading, mended by a peer.
python3 - "$(first_segment B)" <<'END'
import sys
with open(sys.argv[1], "r+b") as segment:
    segment.seek(20000)
    byte = segment.read(1)[0]
    segment.seek(20000)
    segment.write(bytes([byte ^ 1]))
END
wait_for 60 repaired || {
    tail -n 5 "$cluster/B.txt" >&2
    fail 'the entry is not repaired'
}
grep -q 'entry [0-9]* is damaged on this disk' "$cluster/B.txt" ||
    fail 'it does not say what is damaged'

# loses FILE...: the backup, while it is down.  It knows that it lost what it
# had acknowledged, and counts for nothing until it has that again.
loses() {
    local file
    cluster3_kill B
    for file in "$@"; do
        rm -rf "$(cluster3_dir B)/$file"*
    done
    cluster3_await_acked 50
    mv "$cluster/B.txt" "$cluster/B.before.txt"
    cluster3_start B
    wait_for 60 grep -q 'this node is now lost' "$cluster/B.txt" ||
        fail "B does not know that it lost what it held: $*"
    wait_for 60 grep -q 'had lost is here again' "$cluster/B.txt" ||
        fail "B does not get back what it lost: $*"
    serves 'B is not a member again'
    cluster3_await_acked 50
}

# The log and its folder; all but its keys.
loses log
loses log mark meta state.db keyring.db

# The disk of the one that leads is full: it ends, which lets B lead.
cluster3_fill A
a_is_gone() {
    ! cluster3_runs A
}
wait_for 60 a_is_gone || fail 'A goes on with a full disk'
cluster3_reap A
status=$?
[ $status -eq 5 ] || {
    tail -n 5 "$cluster/A.txt" >&2
    fail "A ended with $status when its disk was full"
}
grep -q 'failure: .*its disk is full; nothing that was ack' "$cluster/A.txt" ||
    fail 'A does not say why it ends'
b_leads() {
    [ "$(cluster3_primary)" = B ]
}
wait_for 60 b_leads || fail 'B does not lead when the disk of A is full'
cluster3_await_acked 100
cluster3_unfill A
cluster3_start A
serves 'A does not come back when its disk has room'
cluster3_await_acked 50
cluster3_load_end
cluster3_finish
