#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 120
# A node alone, and its disk has little room: it answers 604 and says so, can be
# read, and takes commands when there is room.  When somebody else takes all of
# it at once, the node ends by the status of a disk.  It has lost nothing.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_NODES=A
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh
cluster3_disk_size=400M

# fill_but BYTES: somebody else leaves so much.
fill_but() {
    local room
    room=$(df --output=avail -B1 "$cluster/disk-A" | tail -n 1)
    fallocate -l $((room - $1)) "$cluster/disk-A/filler"
}

# The load is answered, or is not, and then waits and asks again.
refused() {
    as operator system.ping >"$cluster/said.txt" 2>&1 && return 1
    grep -q 'not taking writes now' "$cluster/said.txt"
}

cluster3_make manual 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
cluster3_load --clients 2 --pace 10
cluster3_await_acked 100

fill_but $((48 << 20)) || fail 'the disk was not filled'
wait_for 30 cluster3_line_of A 'commands are answered 604' ||
    fail 'no word of it'
refused || {
    cat "$cluster/said.txt" >&2
    fail 'a command is not answered 604'
}
grep -q 'going on trying' "$cluster/said.txt" || fail 'it waits and is silent'
grep -q 'defter status. says why' "$cluster/said.txt" || fail 'no hint is given'
cluster3_runs A || fail 'the node is gone'
[ -n "$(cluster3_figure A size)" ] || fail 'the node cannot be read'
as operator status >"$cluster/status.txt" 2>&1
grep -q 'read only' "$cluster/status.txt" || {
    cat "$cluster/status.txt" >&2
    fail 'the status does not say that it is read only'
}
cluster3_unfill A
wait_for 30 cluster3_line_of A 'has room again' || fail 'it does not go on'
cluster3_await_acked 100

cluster3_fill A
a_is_gone() {
    ! cluster3_runs A
}
wait_for 30 a_is_gone || cluster3_line_of A 'commands are answered 604' ||
    fail 'it goes on with a full disk'
if a_is_gone; then
    cluster3_reap A
    status=$?
    [ $status -eq 5 ] || fail "it ended with $status"
    cluster3_unfill A
    cluster3_start A
fi
cluster3_unfill A
cluster3_await_acked 100
cluster3_load_end
cluster3_finish
