#!/usr/bin/env bash
# run_hostile.sh: profile W10: what honest clients feel while a fifth of the
# traffic is hostile.  ./dev bench --hostile builds and runs it.
#
#   run_hostile.sh [--seconds N] [--rate N] [--rounds N]
#
# The node has the limits that it has by default, but for the rate of honest
# bodies.  Node and all clients share the machine.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

seconds=10
rounds=3
rate=1000
while [ $# -gt 1 ]; do
    case $1 in
    --seconds) seconds=$2 ;;
    --rate) rate=$2 ;;
    --rounds) rounds=$2 ;;
    *) fail "$1: not known" ;;
    esac
    shift 2
done

cluster_make commands_per_second_body=1000000
cluster_start
cluster_actors
cluster_stop || fail 'the node did not stop as it should'
# What let the script make its people is not what strangers meet.
sed -i '/^handshakes_per_source_burst/d' "$node/defterd.conf"
cluster_start

printf '\n== %s honest commands a second beside hostile clients\n' \
    "$rate"
port=$(sed -n 's/^listen *= *.*:\([0-9]*\)$/\1/p' "$node/defterd.conf")
"$DEFTER_BUILD/tests/bench_w10" \
    "$(sed -n 's/^authority = //p' "$cluster/c/cluster.conf")" \
    "$port" "$keys" "$rate" "$seconds" "$rounds" || fail 'bench_w10'
printf -- '-- what the node refused\n'
must as supplier status
sed -n '/^ *limit\./{/ 0$/!p}' "$cluster/last.txt"
cluster_stop || fail 'the node did not stop as it should'
