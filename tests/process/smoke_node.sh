#!/usr/bin/env bash
# ctest-timeout: 90
# A node starts, does a command once although its answer was lost and the node
# killed, and stops in good order.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

figure() {
    as operator status | sed -n "s/^$1  *//p"
}

is_entered() {
    [ "$(figure commands.applied)" -ge 2 ]
}

cluster_make
cluster_start
must as operator --json system.ping text=first
[ "$(got code)" = 0 ] || fail 'the ping was refused'

# The answer to this command never reaches its sender (D102).
coproc RESEND { "$DEFTER_BIN/resend" "$cluster/c/cluster.conf" \
    "$keys/operator.key"; }
# The descriptors go away with the process.
exec 5<&"${RESEND[0]}" 6>&"${RESEND[1]}"
resend=$RESEND_PID
read -r word <&5 && [ "$word" = sent ] || fail 'nothing was sent'
wait_for 20 is_entered || fail 'the command is not an entry'
cluster_kill
cluster_start
echo go >&6
read -r first <&5 || fail 'no answer after the kill'
read -r second <&5 || fail 'no answer the second time'
wait "$resend" || fail 'the sender failed'
[[ $first =~ ^code\ 0\ index\ ([0-9]+)\ duplicate\ 1$ ]] ||
    fail "not known as done before: $first"
[ "$first" = "$second" ] || fail "$first is not $second"

# It is one entry: the index is of before the kill, and the text is there once.
must as operator --json system.ping text=last
[ "${BASH_REMATCH[1]}" -lt "$(got index)" ] || fail 'the index is not of before'
[ "$(figure commands.duplicates)" -ge 2 ] || fail 'duplicates are not counted'

cluster_stop || fail "the node ended with $?"
cluster_start
must as operator system.ping
cluster_stop || fail "the node ended with $?"
