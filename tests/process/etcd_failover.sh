#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 300
# The register on three members of etcd: the leader is killed, another is
# paused, and whoever asks goes on with the others.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/etcd.sh
. tests/lib/etcd.sh
: "${DEFTER_BIN:?the folder of the programs}"

# propose NAME NUMBER VALUE: until it is known what became of it, as the core
# would: the same bytes again.  Leaves the revision in $revision.
token=0
revision=0
propose() {
    while :; do
        token=$((token + 1))
        says "$1" "cas $token $revision $2 $3"
        hears "$1" "answered $token (won [0-9]+ $3|unknown 0 -)"
        [[ $heard == *unknown* ]] || break
        sleep 0.1 # The core would wait as well.
    done
    # shellcheck disable=SC2086
    set -- $heard
    revision=$4
}

etcd_start 3
register_open a aa ttl_s=10 request_ms=1000 poll_ms=1000
register_open b bb ttl_s=10 request_ms=1000 poll_ms=1000
hears a ready
hears b ready
says a 'incarnation 1'
hears a 'registered 1 done 1'
propose a 1 C1
says a 'healthy 1'
hears b "seen $revision C1 alive aa"

# The leader is killed: the next proposal wins all the same, once.
killed=$(etcd_leader)
etcd_kill "$killed"
propose a 2 C2
hears b "seen $revision C2 alive aa"
etcd_again "$killed"
propose a 3 C3
hears b "seen $revision C3 alive aa"

# The leader is paused: it takes connections and does not answer.
paused=$(etcd_leader)
etcd_pause "$paused"
propose a 4 C4
hears b "seen $revision C4 alive aa"
etcd_resume "$paused"
propose b 5 C5
hears a "seen $revision C5 alive aa"

# Two of three are away: nothing is known, and nothing is lost.
others=()
for number in 1 2 3; do
    [ "$number" = "$paused" ] || others+=("$number")
done
etcd_kill "${others[0]}"
etcd_kill "${others[1]}"
token=$((token + 1))
says a "cas $token $revision 6 C6"
hears a "answered $token unknown 0 -"
says b read
hears b 'reached 0 .*'
etcd_run "${others[0]}"
etcd_again "${others[1]}"
propose a 6 C6
hears b "reached 1 "
hears b "seen $revision C6 alive.*"
# The alive key was kept, or has come back, with its lease.
[[ $heard == *' aa' ]] || hears b "seen $revision C6 alive aa"
never_heard b 'went back.*'
never_heard a 'went back.*'

# The primary dies: its key goes with the lease.
kill -9 "${register_pid[a]}"
hears b "seen $revision C6 alive"
register_close b

# Each value was written once.
count=$(etcd_post "${others[0]}" /v3/kv/range "{\"count_only\":true,
    \"key\":\"$(printf /defter/%032d/hist/ 0 | base64 -w0)\",
    \"range_end\":\"$(printf /defter/%032d/hist0 0 | base64 -w0)\"}" |
    sed 's/.*"count":"\([0-9]*\)".*/\1/')
[ "$count" = 6 ] || fail "$count values in the history"
echo 'etcd_failover: went on with the others'
