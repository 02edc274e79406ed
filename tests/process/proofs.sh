#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 120
# A person takes proofs home that a stranger's program verifies; a log that was
# rewritten is called so by its clients, and is not signed by its own node.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

figure() {
    as operator status | sed -n "s/^$1  *//p"
}

stands() {
    [ "$(figure evidence)" = "$1" ]
}

verify() {
    python3 tests/process/_tlog_proof.py "$@"
}

cluster_make
cluster_start
wait_for 10 stands 'signs' || fail 'the node does not sign'

# Receipts, and what proves them.
for text in first second third; do
    must as operator --receipts "$cluster/receipts" system.ping "text=$text"
done
must as operator proof --receipt "$cluster/receipts" --out "$cluster/1.proof"
vkey=$(as operator checkpoint | python3 -c '
import base64, hashlib, sys
name = sys.stdin.readline().strip()
# Of genesis: the key of the log is in node/log.key, bytes 64 to 96.
key = b"\1" + open(sys.argv[1], "rb").read()[64:96]
keyid = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex()
print(name + "+" + keyid + "+" + base64.b64encode(key).decode())' \
    "$node/log.key")
read -r index size < <(verify "$cluster/1.proof" "$vkey") ||
    fail 'a stranger does not verify the proof'
[ "$size" -gt "$index" ] || fail "entry $index of $size"

# By its index; with the key given; each is the last where nothing is said.
must as operator proof $((index - 1)) --log-key "$vkey" \
    --out "$cluster/2.proof"
[ "$(verify "$cluster/2.proof" "$vkey" | cut -d' ' -f1)" = $((index - 1)) ] ||
    fail 'the proof of an index does not verify'

# Any bit of it counts.
python3 - "$cluster/1.proof" "$cluster/bad.proof" <<'PYTHON'
import base64, sys
text = open(sys.argv[1]).read()
lines = text.split("\n")
entry = bytearray(base64.b64decode(lines[1][6:]))
entry[100] ^= 1
lines[1] = "extra " + base64.b64encode(entry).decode()
open(sys.argv[2], "w").write("\n".join(lines))
PYTHON
verify "$cluster/bad.proof" "$vkey" 2>/dev/null &&
    fail 'a changed entry verifies'

# What somebody else signed, what is not there, and another log's key.
as operator proof 1 >/dev/null 2>&1 && fail 'the entry of the node was given'
as operator proof 999999 >/dev/null 2>&1 && fail 'what is not there was proven'
other=${vkey#*+}
as operator proof "$index" --log-key "other.example+$other" >/dev/null 2>&1 &&
    fail 'a key of another name was taken'

# Checkpoints follow each other, over a start.
must as operator checkpoint
cluster_stop || fail "the node ended with $?"
cp -a "$node" "$cluster/before"
cluster_start
wait_for 10 stands 'signs' || fail 'the node does not sign after its start'
for text in fourth fifth; do
    must as operator system.ping "text=$text"
done
sleep 1.2
must as operator checkpoint
seen=$(sed -n 2p "$cluster/last.txt")
[ "$seen" -gt "$size" ] || fail 'the checkpoint did not grow'
cluster_stop || fail "the node ended with $?"

# The tree's files are nothing that could be lost.
rm -r "$node/tree"
cluster_start
wait_for 10 stands 'signs' || fail 'the node does not sign without its tree'
must as operator proof --receipt "$cluster/receipts" --out "$cluster/3.proof"
verify "$cluster/3.proof" "$vkey" >/dev/null || fail 'the new tree is another'
must as operator checkpoint
cluster_stop || fail "the node ended with $?"

# An older copy of everything goes another way: its clients see it.
mv "$node" "$cluster/after"
cp -a "$cluster/before" "$node"
cluster_start
for i in $(seq 12); do
    must as operator system.ping "text=other$i"
done
wait_for 10 stands 'signs' || fail 'the copy does not sign'
sleep 1.2
as operator checkpoint >"$cluster/last.txt" 2>&1
status=$?
[ $status = 1 ] && grep -q 'REWRITTEN' "$cluster/last.txt" ||
    fail "the rewritten log was not seen ($status): $(cat "$cluster/last.txt")"
for file in checkpoint checkpoint.contradicts; do
    [ -s "$cluster/c/cluster.conf.$file" ] || fail "$file was not kept"
done
cluster_stop || fail "the node ended with $?"

# The same with what the node itself had signed: it signs no more, and serves.
cp "$cluster/after/evidence" "$node/evidence"
cluster_start
wait_for 10 stands 'contradicts what was signed' ||
    fail "the rewritten log is signed: $(figure evidence)"
grep -q 'not the one that was signed here' "$cluster/node.txt" ||
    fail 'the node did not say so'
must as operator system.ping text=served
cluster_stop || fail "the node ended with $?"
