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

verify 2 --receipts "$cluster/receipts" "$node/log"
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
verify 3 "$cluster/c" # What somebody gives who made a cluster.
grep -q 'in the folder node in it' "$cluster/verdict.txt" ||
    fail 'it does not say where the log is'
verify 3 --head nonsense "$node"

# A claim that nobody attests is not good, however much of it there is.
python3 - "$node/log" "$cluster/many" 9000 <<'END' >"$cluster/leaf" ||
import os
import struct
import sys
sys.path.insert(0, "tests/process")
from _reader import leaf_of
from _xxh3 import xxh3_64
name, size, at, leaf, last = f"{0:020d}.seg", 1 << 26, 4096, bytes(32), b""
with open(os.path.join(sys.argv[1], name), "rb") as file:
    log = file.read()
entries = []
while (length := struct.unpack_from("<I", log, at)[0]) > 0:
    entries.append(log[at + 8:at + 8 + length])
    at += length + 16
ping = next(entry for entry in reversed(entries)
            if struct.unpack_from("<H", entry, 192)[0] == 0x10)
entries += [ping] * int(sys.argv[3])
header = log[:12] + struct.pack("<I", size) + log[16:56]
header += struct.pack("<Q", xxh3_64(header))
out = bytearray(header.ljust(4096, b"\0"))
for index, entry in enumerate(entries):
    time = max(last, entry[16:24], key=lambda b: b[::-1])
    entry = (entry[:8] + struct.pack("<Q", index) + time + leaf + entry[56:])
    frame = struct.pack("<II", len(entry), 0) + entry
    out += frame + struct.pack("<Q", xxh3_64(frame))
    leaf, last = leaf_of(entry), time
os.mkdir(sys.argv[2])
with open(os.path.join(sys.argv[2], name), "wb") as file:
    file.write(out)
    file.truncate(size)
print(leaf.hex())
END
    fail 'no long log'
verify 2 --no-signatures --leaf "$(cat "$cluster/leaf")" "$cluster/many"
says 'more waits for an attestation'
rm -r "$cluster/many"

# How far it came is kept, and a later run goes on there.
progress=$cluster/progress
verify 0 --leaf "$leaf" --resume "$progress" --json "$node"
says '"signatures":[1-9]'
grep -q "^size $head\$" "$progress" || fail "$(cat "$progress")"
verify 0 --leaf "$leaf" --resume "$progress" --progress "$node"
says '; 0 signatures verified$'
says "signatures of the first $head entries were verified before"
says '^.verifying'
sed -i 's/^size ./size 9/' "$progress"
verify 3 --resume "$progress" "$node"
verify 3 --resume "$cluster/none/there" --no-signatures "$node"
verify 3 --policy "$progress" "$node"
says 'line 1: neither log'
verify 3 --checkpoint "$cluster/none" "$node"

# An entry's own leaf hash.
must "$DEFTER_BIN/defter" dump --full "$node" $((head - 1))
grep -q "^  leaf: $leaf\$" "$cluster/last.txt" ||
    fail 'dump gives another leaf'

segment=00000000000000000000.seg
cp -r "$node/log" "$cluster/copy"
offset=$("$DEFTER_BIN/defter" dump "$node" 5 1 | sed -n "s/^$segment //p")
[ -n "$offset" ] || fail 'dump does not say where entry 5 is'
flip "$cluster/copy/$segment" $((offset + 100))
verify 1 "$cluster/copy"
says '^  entry 5: its checksum does not match$'
says "^  at +$segment, offset $offset$"
"$DEFTER_BIN/defter" dump "$cluster/copy" >"$cluster/last.txt" 2>&1
[ $? -eq 1 ] || fail 'dump finds nothing'
grep -q '^  error: ' "$cluster/last.txt" || fail 'dump does not say what'

# The whole tail away: only what is known from outside tells.
cp "$node/log/$segment" "$cluster/copy/$segment"
dd if=/dev/zero of="$cluster/copy/$segment" bs=1 seek="$offset" count=65536 \
    conv=notrunc status=none
verify 2 "$cluster/copy"
says '^  head +size 5$'
verify 1 --receipts "$cluster/receipts" "$cluster/copy"
says 'ends before an entry that a receipt names'
