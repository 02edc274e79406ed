#!/usr/bin/env bash
# ctest-timeout: 120
# A node that halted starts no more, whatever its configuration says by now,
# until a person takes the halt away; and what it kept is not thrown away.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# resume STATUS WORDS: what the command says, and how it ends.
resume() {
    "$DEFTER_BIN/defterd" --resume "$node/defterd.conf" \
        >"$cluster/resume.txt" 2>&1
    local status=$?
    [ $status -eq "$1" ] && grep -q "$2" "$cluster/resume.txt" && return
    cat "$cluster/resume.txt" >&2
    fail "resume ends with $status"
}

cluster_make
cluster_start
resume 1 'another process holds this directory'
cluster_stop || fail "the node ended with $?"
resume 1 'this node is not halted'

# As LOG-FORMAT says: two certificates of number 7.
python3 - "$node/halted" <<'END'
import hashlib
import struct
import sys
body = b"DFTHALT\0" + struct.pack("<IIQq", 3, 5, 7, 1767225600000000) + b"bytes"
with open(sys.argv[1], "xb") as file:
    file.write(body + hashlib.blake2b(body, digest_size=32).digest()[:8])
END
chmod 600 "$node/halted"
before=$(cksum <"$node/halted")
"$DEFTER_BIN/defterd" --config "$node/defterd.conf" >"$cluster/node.txt" 2>&1
[ $? -eq 1 ] || fail 'a node that halted starts'
grep -q 'it halted; see OPERATING' "$cluster/node.txt" || fail 'it says not why'

resume 0 'because there are two certificates of one number (number 7, 5 bytes'
grep -q 'kept in divergent/halted-1' "$cluster/resume.txt" ||
    fail 'it does not say where the evidence is'
[ "$(cksum <"$node/divergent/halted-1")" = "$before" ] ||
    fail 'the evidence is another'
resume 1 'this node is not halted'
cluster_start
must as operator system.ping
cluster_stop || fail "the node ended with $?"
