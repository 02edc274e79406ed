#!/usr/bin/env bash
# ctest-timeout: 90
# Files that are not what they should be stop the node before it does anything,
# with a line that names them.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly could_not_start=1 wrong_usage=3

# refuses STATUS WORDS: the node must end with it and say them.
refuses() {
    timeout 20 "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/node.txt" 2>&1
    local status=$?
    [ $status -eq "$1" ] || {
        cat "$cluster/node.txt" >&2
        fail "ended with $status, not $1: $2"
    }
    grep -q -- "$2" "$cluster/node.txt" || {
        cat "$cluster/node.txt" >&2
        fail "does not say: $2"
    }
    [ ! -e "$node/log/0000000000000000.seg" ] || fail 'it made a log'
}

again() {
    rm -rf "$node"
    cp -r "$cluster/good" "$node"
}

cluster_make
cp -r "$node" "$cluster/good"

D120_a_key_that_others_may_read_a_link_or_damage_stops_the_node() {
    local key byte
    for key in channel keyring receipt; do
        again
        chmod 0644 "$node/$key.key"
        refuses $could_not_start "$key.key"
        again
        chmod 0640 "$node/$key.key"
        refuses $could_not_start "$key.key"
        again
        mv "$node/$key.key" "$node/elsewhere.key"
        ln -s elsewhere.key "$node/$key.key"
        refuses $could_not_start "$key.key"
        again
        head -c 31 "$cluster/good/$key.key" >"$node/$key.key"
        refuses $could_not_start "$key.key"
        again
        : >"$node/$key.key"
        refuses $could_not_start "$key.key"
        again
        printf 'x' >>"$node/$key.key"
        refuses $could_not_start "$key.key"
        again
        # One byte of the secret: the checksum no longer fits.
        byte=$(od -An -tu1 -j 40 -N 1 "$node/$key.key")
        # shellcheck disable=SC2059
        printf "\\x$(printf %02x $((byte ^ 1)))" |
            dd of="$node/$key.key" bs=1 seek=40 conv=notrunc status=none
        refuses $could_not_start "$key.key"
        again
        rm "$node/$key.key"
        refuses $could_not_start "$key.key"
        again
        # Another kind of key under this name.
        cat "$cluster/c/operator.key" >"$node/$key.key"
        refuses $could_not_start "$key.key"
    done
}

D228_a_genesis_or_certificate_that_is_cut_short_stops_the_node() {
    again
    head -c 100 "$cluster/good/genesis.entry" >"$node/genesis.entry"
    refuses $could_not_start genesis
    again
    head -c 183 "$cluster/good/node.cert" >"$node/node.cert"
    refuses $could_not_start node.cert
}

D121_a_configuration_with_a_fault_is_not_begun_with() {
    again
    printf 'nonsense = 1\n' >>"$node/defterd.conf"
    refuses $wrong_usage nonsense
    again
    printf 'loops = many\n' >>"$node/defterd.conf"
    refuses $wrong_usage loops
    rm "$node/defterd.conf"
    refuses $wrong_usage 'no such file'
    mkfifo "$node/defterd.conf"
    refuses $wrong_usage 'no plain file'
    rm "$node/defterd.conf"
    ln -s /dev/zero "$node/defterd.conf"
    refuses $wrong_usage 'no plain file'
    ln -sf defterd.conf "$node/defterd.conf"
    refuses $wrong_usage 'symbolic links'
    ln -sf "$cluster" "$node/defterd.conf"
    refuses $wrong_usage 'no plain file'
    rm "$node/defterd.conf"
    head -c 70000 /dev/zero | tr '\0' '#' >"$node/defterd.conf"
    refuses $wrong_usage 'over the limit'
    # A library opens these when etcd answers, and would wait there.
    again
    mkfifo "$node/pipe"
    printf '%s\n' '[cluster]' 'minimum = 1' 'listen = 127.0.0.1:1' \
        'mode = etcd' 'etcd = 127.0.0.1:1' 'etcd_ca = pipe' \
        'etcd_certificate = pipe' 'etcd_key = pipe' >>"$node/defterd.conf"
    refuses $wrong_usage 'etcd_ca: no plain file'
}

D120_a_key_that_others_may_read_a_link_or_damage_stops_the_node
D228_a_genesis_or_certificate_that_is_cut_short_stops_the_node
D121_a_configuration_with_a_fault_is_not_begun_with

again
cluster_start
must as operator system.ping
cluster_stop || fail "the node ended with $?"

# The client holds a person's key to the same rule.
client_refuses() {
    as operator system.ping >"$cluster/said" 2>&1 && fail "takes a key $1"
    grep -q 'operator.key' "$cluster/said" || fail 'does not name the key'
}
cp "$keys/operator.key" "$cluster/operator.key"
chmod 0640 "$keys/operator.key"
client_refuses 'that others may read'
chmod 0600 "$keys/operator.key"
if [ "$(id -u)" -eq 0 ]; then
    chown 1:1 "$keys/operator.key"
    client_refuses "of another user"
    chown 0:0 "$keys/operator.key"
fi
ln -sf "$cluster/operator.key" "$keys/operator.key"
client_refuses 'that is a link'
