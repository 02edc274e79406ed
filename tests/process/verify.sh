#!/usr/bin/env bash
# A node's log is verified offline; a changed copy is caught, and located.
# ctest-timeout: 120
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# verify STATUS WORDS...: ends with that status.
verify() {
    local expected=$1 status
    shift
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" verify "$@" \
        >"$cluster/verdict.txt" 2>&1
    status=$?
    [ $status -eq "$expected" ] || {
        cat "$cluster/verdict.txt" >&2
        fail "verify $* ended with $status, not $expected"
    }
}

# says PATTERN: the verdict holds it.
says() {
    grep -qE -- "$1" "$cluster/verdict.txt" || {
        cat "$cluster/verdict.txt" >&2
        fail "the verdict does not say $1"
    }
}

# flip FILE OFFSET
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 4)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

cluster_make
cluster_start
cluster_actors
for number in 1 2 3; do
    as operator --receipts "$cluster/receipts" system.ping "text=$number" \
        >"$cluster/answer.txt" || fail 'a ping was refused'
done
cluster_stop || fail 'the node did not stop as it should'

verify 2 --receipts "$cluster/receipts" "$node"
says '^incomplete$'
says '^  receipts +3 held'
head=$(sed -n 's/^  head *size //p' "$cluster/verdict.txt")
root=$(sed -n 's/^  root *//p' "$cluster/verdict.txt")
leaf=$(sed -n 's/^  leaf *//p' "$cluster/verdict.txt")

verify 0 --head "$head:$root" "$node/log"
says '^good$'
verify 0 --leaf "$leaf" --no-signatures --json "$node"
says '"verdict":"good","first_bad":null'
python3 -c 'import json, sys; json.load(open(sys.argv[1]))' \
    "$cluster/verdict.txt" || fail 'the verdict is no JSON'
verify 1 --head "$((head + 1)):$root" "$node"
says 'ends before the expected head'
verify 1 --authority "$(printf '%064d' 7)" "$node"
says 'another authority'
verify 3 "$cluster/c/authority"
verify 3 --head nonsense "$node"

segment=00000000000000000000.seg
cp -r "$node/log" "$cluster/copy"
offset=$("$DEFTER_BIN/defter" dump "$node" 5 1 | sed -n "s/^$segment //p")
[ -n "$offset" ] || fail 'dump does not say where entry 5 is'
flip "$cluster/copy/$segment" $((offset + 100))
verify 1 "$cluster/copy"
says '^  entry 5: its checksum does not match$'
says "^  at +$segment, offset $offset$"

# The whole tail away: only what is known from outside tells.
cp "$node/log/$segment" "$cluster/copy/$segment"
dd if=/dev/zero of="$cluster/copy/$segment" bs=1 seek="$offset" count=65536 \
    conv=notrunc status=none
verify 2 "$cluster/copy"
says '^  head +size 5$'
verify 1 --receipts "$cluster/receipts" "$cluster/copy"
says 'ends before an entry that a receipt names'
