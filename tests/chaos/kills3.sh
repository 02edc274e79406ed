#!/usr/bin/env bash
# The node that leads is killed again and again while clients go on; each time
# another one must lead, the old one come back and be as before.  At the end
# what clients saw is held against all logs: nothing acknowledged is lost.
#
#   KILLS=N bash tests/chaos/kills3.sh        ./dev chaos --kills N
#
# Real etcd decides who leads.  On 127.0.0.1; needs no root.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

readonly kills=${KILLS:-20}
leader=

# Another node than the one that was killed leads.
another_leads() {
    local now
    now=$(cluster3_primary)
    [ -n "$now" ] && [ "$now" != "$leader" ]
}

cluster3_make etcd 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
cluster3_load --clients "${CLIENTS:-4}" --pace "${PACE:-10}"
for number in $(seq "$kills"); do
    wait_for 60 cluster3_leads || fail "kill $number: nobody leads"
    leader=$(cluster3_primary)
    cluster3_await_acked 20
    cluster3_kill "$leader"
    wait_for 60 another_leads || {
        tail -n 5 "$cluster"/?.txt >&2
        fail "kill $number: nobody leads after $leader"
    }
    cluster3_await_acked 20
    cluster3_start "$leader"
    wait_for 120 cluster3_in_sync "$leader" || {
        as operator status >&2
        tail -n 5 "$cluster"/?.txt >&2
        fail "kill $number: $leader is not a member again"
    }
    [ $((number % 10)) -ne 0 ] ||
        echo "$number kills, $(cluster3_acked) acknowledged, $SECONDS s"
done
cluster3_load_end
cluster3_finish
echo "good: $kills kills of the node that led, nothing acknowledged lost"
