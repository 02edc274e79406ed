#!/usr/bin/env bash
# ctest-timeout: 90
# A node for trying things out: its sample people can do what they are said to,
# up to a failover of the registry that is asked for and let.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

cluster=$(mktemp -d "${TMPDIR:-/tmp}/defter.XXXXXX") || exit 1
trap cluster_end EXIT
trap 'exit 1' INT TERM
keys=$cluster/dev
dev_start() {
    rm -f "$cluster/node.txt"
    "$DEFTER_BIN/defterd" --dev "$keys" --listen "$1" \
        >"$cluster/node.txt" 2>&1 &
    cluster_pid=$!
    wait_for 60 node_has_said 'In another terminal' && ! node_is_gone || {
        cat "$cluster/node.txt" >&2
        fail 'the node does not serve'
    }
}

# by NAME ROLE WORD...: done by the sample key, under the duty that the node
# printed for it.
by() {
    local name=$1 role=$2 duty
    shift 2
    duty=$(sed -n "s/^ *$name\.key .*as=\([0-9]*\).*/as=\1/p" \
        "$cluster/node.txt")
    "$DEFTER_BIN/defter" --cluster "$keys/cluster.conf" \
        --key "$keys/$name.key" --role "$role" "$1" $duty "${@:2}" \
        >"$cluster/last.txt" 2>&1 ||
        fail "$name: $*: $(cat "$cluster/last.txt")"
}

address=127.0.0.1:$(free_port)
dev_start "$address"
by registrar staff subject.open subject=1000000171 kind=legal opened=2024-01-15
order=0102030405060708090a0b0c0d0e0f10
for name in engineer director; do
    by "$name" staff failover.request "order=$order" for_realm=R kind=real \
        target=00000000000000000000000000000000 incident=0 head=0 \
        "until=$(date -u -d '+1 day' +%FT%TZ)" reason=demonstration
done
by coordinator coordinator failover.approve "order=$order" until=none \
    "basis=$basis"
by director staff failover.list after=0 after_standing=0 limit=9
grep -q approved "$cluster/last.txt" ||
    fail "the order is not approved: $(cat "$cluster/last.txt")"
cluster_stop || fail "the node ended with $?"

# Started again, it enters nobody twice.
dev_start "$address"
by director staff failover.list after=0 after_standing=0 limit=9
cluster_stop || fail "the node ended with $?"
