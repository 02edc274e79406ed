#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 180
# Three sites in network namespaces: each hears the others, a cut holds one way
# only, an isolated site hears nobody, and all of it heals and is gone.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/netns.sh
. tests/lib/netns.sh

fail() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}

# say FROM TO WORD: a datagram.
say() {
    netns_exec "$1" python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(3):
    try:
        s.sendto(b'$3', ('$(netns_address "$2")', 7841))
    except PermissionError:
        pass"
}

# hears FROM TO: what FROM sends is there before what the clients send next.
hears() {
    local from=$1 to=$2
    rm -f "$scratch/ready" "$scratch/heard"
    netns_exec "$to" timeout 30 python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$(netns_address "$to")', 7841))
open('$scratch/ready', 'w').close()
word = b''
while word != b'end':
    word = s.recv(9)
    if word == b'word':
        open('$scratch/heard', 'w').close()" &
    wait_for 20 test -e "$scratch/ready" || fail 'nobody listens'
    say "$from" "$to" word
    say clients "$to" end
    wait
    [ -e "$scratch/heard" ]
}

# A first word waits until addresses are known.
must_hear() {
    for _ in 1 2 3 4 5 6 7 8; do
        ! hears "$1" "$2" || return 0
    done
    fail "$2 does not hear $1: $3"
}

wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.02
    done
}

state_is() {
    grep -q "^State:.$1" "/proc/$sleeper/status"
}

scratch=$(mktemp -d) || exit 1
trap 'netns_down; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
netns_up || exit 1

for from in na nb nz; do
    for to in na nb nz; do
        [ $from = $to ] || must_hear $from $to 'nothing was cut'
    done
done
netns_cut na nb
hears na nb && fail 'a cut line carried something'
must_hear nb na 'the cut held the other way too'
must_hear na nz 'the cut held for a third site'
netns_heal na nb
must_hear na nb 'the line did not heal'
netns_isolate nz
hears na nz && fail 'an isolated site heard something'
hears nz nb && fail 'an isolated site was heard'
must_hear na nb 'the isolation held for others'
netns_heal_all
must_hear na nz 'the isolation did not heal'
must_hear nz nb 'the isolation did not heal'

# A site that stands still goes on where it was.
ip netns exec "$(netns_name nb)" sleep 60 &
sleeper=$!
runs_there() {
    ip netns pids "$(netns_name nb)" | grep -qx "$sleeper"
}
wait_for 20 runs_there || fail 'nothing runs in the site'
netns_stop nb
wait_for 20 state_is T || fail 'the site does not stand still'
netns_cont nb
wait_for 20 state_is S || fail 'the site does not go on'

# The next run removes what a killed one left.
bash -c '. tests/lib/netns.sh; netns_up && echo $netns_tag; kill -KILL $$' \
    >"$scratch/left" 2>/dev/null
left=$(cat "$scratch/left")
ip netns list | grep -q "defter-$left-na" || fail 'nothing was left behind'
netns_remove_stale
ip netns list | grep -q "defter-$left-" && fail 'what was left is still there'
ip netns list | grep -q "$(netns_name na)" || fail 'a live run lost its sites'
tag=$netns_tag
netns_down
ip netns list | grep -q "defter-$tag-" && fail 'namespaces are left'
echo 'three sites, cut and healed'
