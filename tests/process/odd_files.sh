#!/usr/bin/env bash
# ctest-timeout: 120
# What a person names is a pipe, a folder, a device, or another file of his: the
# program says which file and why, waits for nobody, and changes nothing.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly wrong_usage=3

# lays KIND: $odd, of that kind.
lays() {
    rm -rf "$odd"
    case $1 in
    pipe) mkfifo "$odd" ;;
    folder) mkdir "$odd" ;;
    loop) ln -s odd "$odd" ;;
    device) ln -s /dev/zero "$odd" ;;
    esac
}

# refuses WORD...: defter must end with 3 and name the file.
refuses() {
    timeout 20 "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        --key "$keys/operator.key" "$@" >"$cluster/said" 2>&1 </dev/null
    local status=$?
    [ $status -eq $wrong_usage ] && grep -qF -- "$odd: " "$cluster/said" ||
        {
            cat "$cluster/said" >&2
            fail "$*, $kind: ended with $status, or does not name the file"
        }
}

cluster_make
cluster_start
cluster_stop || fail "the node ended with $?"
odd=$cluster/odd
recovery=$cluster/c/authority/recovery.key
for kind in pipe folder loop device; do
    lays $kind
    refuses --cluster "$odd" status
    refuses --key "$odd" system.ping
    refuses --receipts "$odd" system.ping
    refuses load "$odd" --duty 1
    refuses prove "$odd" --as staff --organisation 1
    refuses proof --receipt "$odd" --out "$cluster/none"
    refuses verify --receipts "$odd" "$node"
    refuses verify --checkpoint "$odd" "$node"
    refuses verify --policy "$odd" "$node"
    refuses verify "$odd"
    refuses extract show "$odd"
    refuses archive escrow show "$odd"
    refuses archive escrow show --recovery-key "$odd" "$recovery"
    refuses init "$cluster/none" --sibling "$odd"
    mv "$odd" "$cluster/c/nodes.conf"
    odd=$cluster/c/nodes.conf
    [ $kind = loop ] && ln -sf nodes.conf "$odd"
    refuses member enrol 1234
    rm -rf "$odd"
    odd=$cluster/odd
done

# A file of something else is no file of receipts, and stays as it is.
kind='another file'
for name in keys/operator.key c/cluster.conf init.txt; do
    odd=$cluster/$name
    cp "$odd" "$cluster/before"
    refuses --receipts "$odd" system.ping
    cmp "$odd" "$cluster/before" || fail "$odd was changed"
done

# A line of a file of records is taken whole, or not at all.
odd=$cluster/records
printf '\0{"subject":"1000000171"}\n' >"$odd"
cluster_start
cluster_actors
feed "$odd" >"$cluster/said" 2>&1 && fail 'a zero byte was passed over'
grep -q "$odd:1: a zero byte" "$cluster/said" || {
    cat "$cluster/said" >&2
    fail 'does not name the line'
}
cluster_stop || fail "the node ended with $?"
