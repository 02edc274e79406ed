#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 180
# A primary that only its clients reach: it sends them away as soon as another
# one may lead, and does not let them wait until their patience ends; what it
# had taken is answered as unknown and is no second entry.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh
cluster3_patience=1

another_leads() {
    local now
    now=$(cluster3_primary)
    [ -n "$now" ] && [ "$now" != "$old" ]
}

cluster3_make etcd 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
cluster3_load --clients 4 --pace 20 --patience 100000
cluster3_await_acked 50
old=$(cluster3_primary)
cluster3_isolate "$old"
wait_for 20 cluster3_line_of "$old" 'commands are answered 600' ||
    fail "$old does not say that it is cut off"
wait_for 30 another_leads || fail "nobody leads when $old is cut off"
# They are on the old one still, unless it told them.
cluster3_await_acked 50 10
cluster3_heal_all
wait_for 60 cluster3_serves || fail "$old does not come back"
cluster3_await_acked 50
cluster3_load_end
cluster3_finish
