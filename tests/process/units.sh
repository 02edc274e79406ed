#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# Archive units of a node's log: two implementations say the same of them, good
# and damaged, and make the same files of a log again.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

cluster_make 'commands_per_second_person = 1000000'
cluster_start
cluster_actors
as operator bench --commands 900 --sessions 2 >"$cluster/bench.txt" ||
    fail "$(cat "$cluster/bench.txt")"
cluster_stop || fail "the node ended with $?"
[ -f "$node/checkpoint" ] || fail 'the node signed no checkpoint'

mkdir "$cluster/units"
PYTHONPATH=tests/process:tests/second python3 tests/process/_units.py \
    all "$node" "$cluster/units" || fail 'they do not agree'
