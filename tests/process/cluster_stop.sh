#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 180
# Three nodes and a real etcd: the primary is stopped in order.  It takes its
# sign of life away, so that the next one leads long before a silent one would
# have been followed; nothing acknowledged is lost, and it comes back.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh
# A silent primary is followed after 20 s, its sign of life lasts 16 s.
cluster3_timers='beacon_ms=100 remove_ms=600 grace_ms=20000'

# How many alive keys etcd holds.
alive_keys() {
    local from to
    to=$(printf /defter0 | base64 -w0)
    from=$(printf /defter/ | base64 -w0)
    curl -sS --max-time 5 --noproxy '*' \
        "http://$(cluster3_at B etcd 2379)/v3/kv/range" \
        -d "{\"key\":\"$from\",\"range_end\":\"$to\",\"keys_only\":true}" |
        python3 -c '
import base64, json, sys
keys = [base64.b64decode(row["key"]).decode()
        for row in json.load(sys.stdin).get("kvs", [])]
print(sum("/alive/" in key for key in keys))'
}

cluster3_make etcd 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
cluster3_load --clients 4 --pace 10
cluster3_await_acked 100
[ "$(alive_keys)" = 3 ] || fail "$(alive_keys) signs of life of three nodes"

old=$(cluster3_primary)
cluster3_stop "$old" || fail "$old ended with $?"
[ "$(alive_keys)" = 2 ] || fail "$old left its sign of life behind"
wait_for 10 cluster3_leads || fail 'nobody leads 10 s after an orderly stop'
[ "$(cluster3_primary)" != "$old" ] || fail 'who was stopped leads'
cluster3_await_acked 100

cluster3_start "$old"
wait_for 60 cluster3_in_sync "$old" || fail "$old is not a member again"
cluster3_await_acked 50
cluster3_load_end
cluster3_finish
