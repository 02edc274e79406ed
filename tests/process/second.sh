#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# What the programs say of a log, its checkpoint, its tree of tiles and proofs
# is what implementations in other languages say: Python, and Go's own sumdb.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

cluster_make 'commands_per_second_person = 1000000'
cluster_start
cluster_actors
for number in 1 2 3; do
    as operator --receipts "$cluster/receipts" system.ping "text=$number" \
        >"$cluster/answer.txt" || fail 'a ping was refused'
done
as operator bench --commands 550 --sessions 1 >"$cluster/bench.txt" ||
    fail "$(cat "$cluster/bench.txt")"
cluster_stop || fail "the node ended with $?"

mkdir "$cluster/second"
# Debian's packages golang-go and golang-golang-x-mod-dev.
if command -v go >/dev/null &&
    [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ]; then
    GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$cluster/go GOFLAGS='' \
        go build -o "$cluster/second/check" tests/second/go/check.go ||
        fail 'the check in Go was not built'
fi
PYTHONPATH=tests/process:tests/second python3 tests/process/_second.py \
    "$cluster/c/cluster.conf" "$node" "$cluster/receipts" "$cluster/second" ||
    fail 'they do not agree'
