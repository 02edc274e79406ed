#!/usr/bin/env bash
# ctest-timeout: 180
# Files of a node that has served are pipes, links or gone: each start ends
# with a line that names the file, says nothing of what it could not read, and
# leaves the log as it is.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly could_not_start=1 damaged=2
readonly segment=log/00000000000000000000.seg

# ends STATUS WORDS: the node must end with it and say them, and the log is as
# it was.
ends() {
    timeout 30 "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/node.txt" 2>&1
    local status=$?
    [ $status -eq "$1" ] && grep -q -- "failure: $2" "$cluster/node.txt" || {
        cat "$cluster/node.txt" >&2
        fail "ended with $status, not $1, or does not say: $2"
    }
    ! grep -q 'C1\|were cut off' "$cluster/node.txt" || {
        cat "$cluster/node.txt" >&2
        fail 'it judges a log that it could not read, or did not cut'
    }
    if [ -f "$node/$segment" ]; then
        chmod 0600 "$node/$segment"
        cmp -n 1000000 "$node/$segment" "$cluster/segment" ||
            fail 'the log was changed'
    fi
}

# again: the node as it was stopped, with its log as $cluster/segment has it.
again() {
    rm -rf "$node"
    cp -r --sparse=always "$cluster/good" "$node"
    cp --sparse=always "$cluster/segment" "$node/$segment"
}

# lays KIND FILE
lays() {
    again
    rm -rf "${node:?}/$2"
    case $1 in
    pipe) mkfifo "$node/$2" ;;
    loop) ln -s "$(basename "$2")" "$node/$2" ;;
    esac
}

cluster_make
cluster_start
must as operator system.ping
cluster_stop || fail "the node ended with $?"
cp -r --sparse=always "$node" "$cluster/good"
cp --sparse=always "$node/$segment" "$cluster/segment"

for kind in pipe loop; do
    for file in mark meta log $segment; do
        lays $kind $file
        ends $could_not_start "$file: .*: a link, no plain file"
    done
    for file in tree keyring.db state.db genesis.entry node.cert; do
        lays $kind $file
        timeout 30 "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
            >"$cluster/node.txt" 2>&1
        [ $? -eq $could_not_start ] &&
            grep -q "failure: .*$file: .*: a link, no plain file" \
                "$cluster/node.txt" || {
            cat "$cluster/node.txt" >&2
            fail "does not name $file, a $kind"
        }
    done
done
# Whoever put a file back as root has to be told so.
if [ "$(id -u)" -ne 0 ]; then
    for file in mark meta $segment; do
        again
        chmod 0 "$node/$file"
        ends $could_not_start "$file: .*: a link, no plain file, or of a wrong"
    done
fi
lays none log
ends $damaged "$segment: the log is damaged"
lays none $segment
ends $damaged "$segment: the log is damaged"

# A torn tail for which there is no place.
python3 - "$cluster/segment" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as file:
    end = len(file.read(1000000).rstrip(b"\0"))
    file.seek((end + 7) // 8 * 8)
    file.write(b"\x11" * 100)
PYTHON
for kind in pipe loop; do
    lays $kind divergent
    ends $could_not_start 'divergent: '
done
lays none divergent
cluster_start
grep -q 'C2 .*kept in divergent/' "$cluster/node.txt" ||
    fail 'the torn tail is not kept'
cluster_stop || fail "the node ended with $?"
