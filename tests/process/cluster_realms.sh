#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 240
# T_P_6_1_4, T_R_8_2_5a, T_R_8_2_5b on real nodes: after an unplanned failover
# the log tells epoch, incident and activation of the portal, in this order; the
# registry answers 604 until it is let, and is served from then on.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1 CLUSTER3_NO_ORDER=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh

# What the new primary's log says since it leads: operations and realms.
told() {
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        dump "$(cluster3_dir "$new")" | awk '
        $1 == "entry.epoch:" { epoch = $2 }
        epoch < 2 { next }
        / opcode: |opcode: / && $3 != "system.attest" {
            printf "%s%s", sep, $3; sep = " "
        }
        /fields.for_realm: / { printf ":%s", $2 }'
}

# registry: a command of the registry; its client asks on for half a minute.
registry() {
    as ops --json system.ping text=here >"$cluster/last.txt" 2>&1
}

cluster3_make etcd 'commands_per_second_person = 1000000'
cluster3_begin
enrol ops staff 1
duty ops OPS
must registry
old=$(cluster3_primary)
cluster3_kill "$old"
wait_for 60 cluster3_leads || fail 'nobody leads'
new=$(cluster3_primary)

# It is told at once, and the portal is served; the registry waits.
must as ministry --json incident.list after=0 limit=9
grep -q '"state":"open","realms":"P+R"' "$cluster/last.txt" ||
    fail "the incident: $(cat "$cluster/last.txt")"
must as ministry --json downtime.list after=0 limit=9
grep -q '"realm":"R",[^}]*"to":"none","kind":"unplanned"' "$cluster/last.txt" ||
    fail "the stoppage: $(cat "$cluster/last.txt")"
! grep -q '"realm":"P",[^}]*"to":"none"' "$cluster/last.txt" ||
    fail "the portal is not served: $(cat "$cluster/last.txt")"
waits_for() {
    as operator --json status >"$cluster/last.txt" 2>&1
    tr -d ' \n\t' <"$cluster/last.txt" |
        grep -q "\"realm\":\"R\",\"for\":\"$1\""
}
wait_for 10 waits_for failover.request ||
    fail "status does not say that R waits: $(cat "$cluster/last.txt")"
as operator status >"$cluster/last.txt" 2>&1
grep -q '^Realm R waits' "$cluster/last.txt" ||
    fail "status does not say it to people: $(cat "$cluster/last.txt")"
order=0102030405060708090a0b0c0d0e0f10
for who in ops head; do
    must as "$who" --json failover.request "as=${duty_of[$who]}" \
        "order=$order" for_realm=R kind=real \
        target=00000000000000000000000000000000 incident=0 head=0 \
        "until=$(date -u -d '+1 day' +%FT%TZ)" reason=fire
done
wait_for 10 waits_for failover.approve ||
    fail "status does not say who has to let it: $(cat "$cluster/last.txt")"
! registry || fail 'the registry is served before it was let'
grep -q '"code":604' "$cluster/last.txt" ||
    fail "the registry says: $(cat "$cluster/last.txt")"
seen=$(told)
[[ $seen == system.epoch\ *incident.open*failover.activate:P* ]] ||
    fail "the log tells: $seen"
[[ $seen != *failover.activate:R* && $seen != *system.ping* ]] ||
    fail "the log tells of the registry: $seen"

# Two persons asked; the ministry lets it, and it is served.
must as ministry --json failover.approve "order=$order" until=none \
    "basis=$basis"
must registry
waits_for . && fail 'R still waits, says status'
seen=$(told)
[[ $seen == *failover.request:R*failover.approve*failover.activate:R*ping* ]] ||
    fail "the log tells: $seen"
cluster3_start "$old"
cluster3_await 60 || fail "$old does not come back"
echo "$seen"
