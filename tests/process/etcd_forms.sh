#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 180
# Everything that is ever said to etcd: a real one and the one in memory answer
# the same, to the revision.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/etcd.sh
. tests/lib/etcd.sh
: "${DEFTER_BIN:?the folder of the programs}"

seed=${SEED:-$RANDOM}
etcd_start 1
"$DEFTER_BIN/etcd_forms" "$etcd_endpoints" "$seed" 2000 ||
    fail "repeat it with SEED=$seed"

# What the register in memory refuses, etcd lets pass: that is why there is one
# function that writes transactions, and a self-test.
answer=$(etcd_post 1 /v3/kv/txn '{"compares":[{"target":"MOD",
    "key":"eA==","mod_revision":"999"}],
    "success":[{"request_put":{"key":"eA==","value":"eA=="}}]}')
[[ $answer == *'"succeeded":true'* ]] ||
    fail 'this etcd knows a wrong field when it sees one; tell etcd_text.h'
