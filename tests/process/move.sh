#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 120
# The node is killed and its log goes on at another address, under a load, a
# shell and a bench that know both: each goes on by itself and loses nothing.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

entries() {
    as operator status 2>/dev/null | sed -n 's/^log.entries  *//p'
}

have_come() {
    local now
    now=$(entries)
    [ "${now:-0}" -ge "$1" ]
}

here=
there=
# move: kill the node; its directory serves at the other address.
move() {
    cluster_kill
    sed -i "s/^listen *=.*/listen = 127.0.0.1:$there/" "$node/defterd.conf"
    read -r here there <<<"$there $here"
    cluster_start
}

# goes_on NAME PID: what was begun before the move ends well.
goes_on() {
    wait "$2" || {
        cat "$cluster/$1.txt" >&2
        fail "$1 did not survive the move"
    }
}

cluster_make 'commands_per_second_person = 1000000' \
    'commands_per_second_body = 1000000'
here=$(sed -n 's/^address *= *127.0.0.1://p' "$cluster/c/cluster.conf")
there=$(free_port)
echo "address = 127.0.0.1:$there" >>"$cluster/c/cluster.conf"
cluster_start
cluster_actors
"$DEFTER_BIN/fixture" --subjects 2500 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'

feed_items=4
before=$(entries)
feed "$cluster/records.jsonl" >"$cluster/load.txt" 2>&1 &
loader=$!
cluster_pids=("$loader")
wait_for 30 have_come $((before + 100)) || fail 'the load does not begin'
move
kill -0 "$loader" 2>/dev/null || fail 'the load ended before the move'
goes_on load "$loader"
# All of it is there: a second run has nothing to put.
before=$(entries)
must feed "$cluster/records.jsonl"
[ $(($(entries) - before)) -lt 50 ] || fail 'the load was not whole'

mkfifo "$cluster/lines"
as operator shell <"$cluster/lines" >"$cluster/shell.txt" 2>&1 &
shell=$!
cluster_pids=("$shell")
exec 4>"$cluster/lines"
before=$(entries)
echo 'system.ping text=before' >&4
wait_for 30 have_come $((before + 1)) || fail 'the shell does not begin'
move
# The node has inherited the pipe: its end is said.
printf 'system.ping text=after\nquit\n' >&4
exec 4>&-
goes_on shell "$shell"
[ "$(grep -c '^OK' "$cluster/shell.txt")" -eq 2 ] || fail 'a line was lost'

as operator bench --sessions 4 --commands 10000 --seconds 60 --receipts \
    >"$cluster/bench.txt" 2>&1 &
bench=$!
cluster_pids=("$bench")
before=$(entries)
wait_for 30 have_come $((before + 100)) || fail 'the bench does not begin'
move
kill -0 "$bench" 2>/dev/null || fail 'the bench ended before the move'
goes_on bench "$bench"

# Both addresses were asked; one of them is nobody's now.
as operator --json status >"$cluster/status.json"
[ $? -eq 2 ] || fail 'a cluster with a dead address is not degraded'
grep -q "\"127.0.0.1:$there\"" "$cluster/status.json" &&
    grep -q "\"127.0.0.1:$here\"" "$cluster/status.json" ||
    fail 'an address is missing in the status'
as operator --address "127.0.0.1:$here" status >/dev/null ||
    fail 'a node alone that serves is degraded'
cluster_stop || fail "the node ended with $?"
