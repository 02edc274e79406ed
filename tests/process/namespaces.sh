#!/usr/bin/env bash
# ctest-timeout: 60
# Three sites in network namespaces: each hears the others, a cut holds one way
# only, an isolated site hears nobody, and all of it heals and is gone.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/netns.sh
. tests/lib/netns.sh

fail() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}

# hears FROM TO: a datagram from FROM arrives at TO within half a second.
hears() {
    local from=$1 to=$2 address
    address=$(netns_address "$to")
    netns_exec "$to" timeout 30 python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$address', 7841))
open('$scratch/ready', 'w').close()
s.settimeout(0.5)
try:
    s.recv(9)
    open('$scratch/heard', 'w').close()
except TimeoutError:
    pass" &
    wait_for 20 test -e "$scratch/ready" || fail 'nobody listens'
    netns_exec "$from" python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    s.sendto(b'word', ('$address', 7841))
except PermissionError:
    pass"
    wait
    rm "$scratch/ready"
    [ -e "$scratch/heard" ] && rm "$scratch/heard"
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
        [ $from = $to ] || hears $from $to || fail "$to does not hear $from"
    done
done
netns_cut na nb
hears na nb && fail 'a cut line carried something'
hears nb na || fail 'the cut held the other way too'
hears na nz || fail 'the cut held for a third site'
netns_heal na nb
hears na nb || fail 'the line did not heal'
netns_isolate nz
hears na nz && fail 'an isolated site heard something'
hears nz nb && fail 'an isolated site was heard'
hears na nb || fail 'the isolation held for others'
netns_heal_all
hears na nz || fail 'the isolation did not heal'
hears nz nb || fail 'the isolation did not heal'

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
