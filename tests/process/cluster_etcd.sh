#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 240
# Three nodes and a real etcd: the primary is killed under load, another one
# leads, clients go on with the same bytes, the old one comes back; every copy
# holds what was acknowledged.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

cluster3_make etcd 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
cluster3_load --clients 4 --pace 10
cluster3_await_acked 100

old=$(cluster3_primary)
cluster3_resend_begin
cluster3_kill "$old"
wait_for 60 cluster3_leads || fail 'nobody leads'
new=$(cluster3_primary)
[ "$new" != "$old" ] || fail 'a dead node leads'
cluster3_await_acked 100
cluster3_resend_end

cluster3_start "$old"
wait_for 60 cluster3_in_sync "$old" || fail "$old is not a member again"
[ "$(cluster3_primary)" = "$new" ] || fail "$old took the lead from $new"
cluster3_await_acked 100

# Planned, this time: the tool says when it is done.
cluster3_switchover "$old" >"$cluster/said.txt" 2>&1 || {
    cat "$cluster/said.txt" >&2
    fail "$old did not take over"
}
grep -q '^It leads' "$cluster/said.txt" || fail 'it is not said who leads'
leads_again() {
    [ "$(cluster3_primary)" = "$old" ]
}
wait_for 5 leads_again || fail "$old does not lead, as was said"
cluster3_await_acked 50
cluster3_load_end
cluster3_finish
