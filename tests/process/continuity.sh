#!/usr/bin/env bash
# ctest-timeout: 90
# What the owner's people and the coordinating bodies enter about incidents and
# failovers, by the program, on one node.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# refused CODE COMMAND...: the answer has that code.
refused() {
    local code=$1
    shift
    if "$@" >"$cluster/last.txt" 2>&1; then
        fail "done: $*"
    fi
    grep -q "\"code\":$code\\b" "$cluster/last.txt" ||
        fail "$* is not refused by $code: $(cat "$cluster/last.txt")"
}

# setting NUMBER VALUE: by the head.
setting() {
    must as head --json config.change "as=${duty_of[head]}" "setting=$1" \
        "value=$2" note=paper "basis=$basis"
}

cluster_make
cluster_start
organisation fund 'support institution' none 'Fond'
organisation ministry 'coordinating body' none 'Nazirlik'
organisation cloud 'cloud operator' none 'Bulud'
enrol asker participant "${organisation_of[fund]}"
duty asker REQ
enrol ministry coordinator "${organisation_of[ministry]}"
enrol cloud cloud "${organisation_of[cloud]}"
enrol ops staff 1
duty ops OPS
enrol head staff 1
duty head DIR
setting 12 "${organisation_of[ministry]}"

# An incident, its notices, the register.
must as ops --json incident.open "as=${duty_of[ops]}" kind=error \
    place=channel realms=R detected=2026-01-01T00:00:00Z epoch=0 \
    'text=the line is down'
[ "$(got notices)" = 2 ] || fail "notices: $(cat "$cluster/last.txt")"
must as asker --json notice.list "as=${duty_of[asker]}" after=0 unread=yes \
    limit=9
[ "$(got kind)" = 'incident opened' ] || fail 'the participant was not told'
notice=$(got notice)
must as asker --json notice.ack "as=${duty_of[asker]}" "notice=$notice"
must as ministry --json notice.list after=0 unread=yes limit=9
[ "$(got kind)" = 'incident opened' ] || fail 'the ministry was not told'
must as ops --json incident.update "as=${duty_of[ops]}" incident=1 \
    state=restored 'text=the line is up'
must as ops --json incident.close "as=${duty_of[ops]}" incident=1 \
    'text=a digger'
must as ministry --json incident.list after=0 limit=9
[ "$(got state)" = closed ] || fail 'the register is wrong'

# A drill for the registry is asked for by two and let by the ministry.
order=0102030405060708090a0b0c0d0e0f10
must as cloud --json repl.status
primary=$(got node_id)
until=$(date -u -d '+1 day' +%FT%TZ)
ask() {
    as "$1" --json failover.request "as=${duty_of[$1]}" "order=$order" \
        for_realm=R kind=drill "target=$primary" incident=0 head=0 \
        "until=$until" 'reason=yearly drill'
}
approve() {
    as ministry --json failover.approve "order=$order" until=none
}
must ask ops
refused 504 approve
refused 217 ask ops
must ask head
must approve
refused 503 approve
must as ministry --json failover.order for_realm=R \
    from=2026-01-01T00:00:00Z "to=$until" automatic=yes times=3 'nodes=' \
    "basis=$basis"
must as cloud --json failover.list after=0 after_standing=0 limit=9
grep -q '"state":"approved"' "$cluster/last.txt" || fail 'it is not approved'
grep -q '"state":"live"' "$cluster/last.txt" || fail 'no standing order'

# The cloud's operator sees no contents.
refused 210 as cloud --json incident.list after=0 limit=9
refused 210 as cloud --json subject.find text=a limit=1 file_number=

# Whoever has no keys finds nothing wrong; that the log ends here, nobody told
# him.
cluster_stop
"$DEFTER_BIN/defter" verify "$node/log" >"$cluster/last.txt" 2>&1
[ $? -eq 2 ] || fail "the verdict: $(cat "$cluster/last.txt")"
