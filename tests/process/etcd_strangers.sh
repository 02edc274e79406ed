#!/usr/bin/env bash
# ctest-timeout: 120
# Something stands between the register and etcd: whatever it does to an answer,
# the proposal that was applied is unknown, and won when it is given again.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/etcd.sh
. tests/lib/etcd.sh
: "${DEFTER_BIN:?the folder of the programs}"

etcd_start 1
mode() {
    echo "$1" >"$etcd/mode.new"
    mv "$etcd/mode.new" "$etcd/mode"
}
mode pass
python3 tests/process/_etcd_stranger.py "${etcd_port[1]}" "$etcd/mode" \
    >"$etcd/stranger.txt" &
etcd_pids+=($!)
stranger_serves() {
    [ -s "$etcd/stranger.txt" ]
}
wait_for 60 stranger_serves || fail 'nobody stands between'
etcd_endpoints=http://127.0.0.1:$(cat "$etcd/stranger.txt")

register_open a aa request_ms=1000 poll_ms=60000
hears a ready
number=0
revision=0
for how in cut short drop broken html huge silent; do
    number=$((number + 1))
    mode "$how"
    says a "cas $number $revision $number C$number"
    hears a "answered $number unknown 0 -"
    mode pass
    says a "cas $number $revision $number C$number"
    hears a "answered $number won [0-9]+ C$number"
    # shellcheck disable=SC2086
    set -- $heard
    revision=$4
done
# An incarnation of which the answer was lost.
mode drop
says a 'incarnation 1'
hears a 'registered 1 unknown 0'
mode pass
says a 'incarnation 1'
hears a 'registered 1 done 1'
says a read
hears a "seen $revision C$number alive"
# Signs that steer a terminal do not get through.
mode html
says a read
hears a 'reached 0 not an answer of etcd'
mode pass
hears a 'reached 1 '
hears a "seen $revision C$number alive"

# It begins to answer as another etcd: no more of it.
mode other
says a "cas 90 $revision 90 C90"
hears a 'barred: the endpoints lead to different etcds'
hears a 'answered 90 unknown 0 -'
says a "cas 91 $revision 90 C90"
hears a 'refused 91 WRONG_STATE'
register_close a

# One that does not compare is found out before anything is proposed.
mode lie
register_open b bb
hears b 'barred: a compare that cannot hold succeeded'
says b 'cas 92 0 1 C'
hears b 'refused 92 WRONG_STATE'
register_close b
echo 'etcd_strangers: nothing was taken for an answer'
