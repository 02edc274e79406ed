#!/usr/bin/env bash
# ctest-timeout: 120
# From within its sandbox a node speaks TLS with etcd, by certificates that lie
# outside its directory, leads, serves, and drains.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/etcd.sh
. tests/lib/etcd.sh
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# Each waits for all children of the shell.
both_end() {
    [ -z "$cluster_pid" ] || kill -9 "$cluster_pid"
    etcd_end
    cluster_end
}

ETCD_TLS=1 etcd_start 1
cluster_make
trap both_end EXIT
rm -rf "$cluster/c"
"$DEFTER_BIN/defter" init "$cluster/c" --minimum 1 \
    --listen "127.0.0.1:$(free_port)" \
    --peer-listen "127.0.0.1:$(free_port)" >"$cluster/init.txt" ||
    fail 'the cluster was not made'
cp "$cluster/c/operator.key" "$keys/operator.key"
sed -i -e '/^mode *=/d' "$node/defterd.conf"
printf '%s\n' '[cluster]' 'mode = etcd' "etcd = ${etcd_endpoints//*:\/\//}" \
    "etcd_ca = $etcd/ca.pem" "etcd_certificate = $etcd/node.pem" \
    "etcd_key = $etcd/node.key" >>"$node/defterd.conf"
cluster_start
wait_for 60 as operator system.ping >"$cluster/said" 2>&1 || {
    cat "$cluster/node.txt" "$cluster/said" >&2
    fail 'the node does not lead'
}
grep -q 'sandbox: .*seccomp\|sandbox: none in a build' "$cluster/node.txt" ||
    fail 'there is no sandbox'
cluster_stop || fail "the node ended with $?"
