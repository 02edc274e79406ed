#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# Three nodes at three sites, with etcd: lines that carry one way only, and a
# primary that nobody hears, or clients only.  Nodes go on, never two of them;
# what clients saw is held against all logs.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

# Asking a node that cannot be reached costs this many seconds.
cluster3_patience=1

heals() {
    cluster3_heal_all
    wait_for 90 cluster3_serves || {
        as operator status >&2
        fail "it does not heal: $1"
    }
    cluster3_await_acked 30
}

# What the primary sends to the backup gets lost, or what it hears from it.
one_way() {
    local leader=$1 other=$2
    cluster3_cut "$leader" "$other"
    cluster3_await_acked 60
    heals "what $leader sends to $other is lost"
    cluster3_cut "$other" "$leader"
    cluster3_await_acked 60
    heals "what $other sends to $leader is lost"
}

another_leads() {
    local now
    now=$(cluster3_primary)
    [ -n "$now" ] && [ "$now" != "$old" ]
}

# isolated [clients]: the other one leads.  What the isolated one may still
# think of itself is seen by clients only, and they write it down.
isolated() {
    old=$(cluster3_primary)
    cluster3_isolate "$old" "$@"
    wait_for 90 another_leads || fail "nobody leads when $old is isolated"
    cluster3_await_acked 60
    heals "$old was isolated $*"
}

cluster3_make etcd 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
# A client that a primary keeps waiting, alone as it is, looks elsewhere then.
cluster3_load --clients 4 --pace 20 --patience 8000
cluster3_await_acked 30
one_way A B
isolated clients
isolated
cluster3_load_end
cluster3_finish
