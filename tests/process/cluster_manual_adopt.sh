#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 240
# The primary dies while only the archive is in sync with it: the operator lets
# the backup, which is no member, lead over the archive's log.  He may sign that
# once the backup states that it holds all of it, and not before.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

cluster3_make manual 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
backup=${cluster3_id[B]} archive=${cluster3_id[Z]}
cluster3_load --clients 4 --pace 10
cluster3_operator_exits 0 member remove "$backup"
# Nobody takes anything over.
cluster3_operator_exits 1 member adopted "$archive"
cluster3_await_acked 100

# What the backup does not have is acknowledged: A and Z hold it.
cluster3_pause B
cluster3_await_acked 100
cluster3_resend_begin
cluster3_kill A
cluster3_pause Z
cluster3_cont B
cluster3_operator_exits 1 promote "$backup"
cluster3_operator_exits 1 promote "$backup" --via "$archive"
cluster3_cont Z
cluster3_operator_exits 0 promote "$backup" --via "$archive"

wait_for 60 cluster3_line_of B "defter member adopted ${archive:0:8}" ||
    fail 'B does not say what it waits for'
cluster3_leads && fail 'it leads before that is signed'
cluster3_operator_exits 0 member adopted "$archive"
wait_for 60 cluster3_leads || fail 'nobody leads'
[ "$(cluster3_primary)" = B ] || fail 'not the promoted one leads'
cluster3_await_acked 100
cluster3_resend_end

cluster3_start A
wait_for 60 cluster3_added A || {
    cat "$cluster/add-A.txt" >&2
    fail 'A is not taken in again'
}
wait_for 60 cluster3_in_sync A || fail 'A is not a member again'
cluster3_load_end
cluster3_finish
