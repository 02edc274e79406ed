#!/usr/bin/env bash
# ctest-timeout: 60
# Text of strangers does nothing to the terminal that shows it: control bytes,
# broken UTF-8 and what turns text around come out as the bytes that they are,
# from the node's diagnostics and from the client's messages and dumps.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# Clears the screen, sets the title, goes back over a line, ends in half a code
# point; C1's own CSI; and text that reads from right to left.
readonly evil=$'a\e[2J\e]0;t\a\b\r\x7f\xc2\x9b31m\xe2\x80\xaeb\xff\xc3'
readonly shown='a\\x1b\[2J\\x1b\]0;t\\x07\\x08\\x0d\\x7f\\xc2\\x9b31m'\
'\\xe2\\x80\\xaeb\\xff\\xc3'
readonly obeyed='[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|'\
'\xe2\x80[\xaa-\xae]|\xff'

# clean FILE: lines of text without anything of the above, and the text shown.
clean() {
    grep -q -- "$shown" "$1" || {
        od -c "$1" >&2
        fail "$2 does not show the text"
    }
    LC_ALL=C grep -q -P "$obeyed" "$1" &&
        fail "$2 lets through what a terminal obeys"
    return 0
}

cluster_make
"$DEFTER_BIN/defterd" --config "$cluster/$evil" >"$cluster/said" 2>&1
clean "$cluster/said" 'the node'
"$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    --key "$cluster/$evil" status >"$cluster/said" 2>&1
clean "$cluster/said" 'the client, of a file'
"$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    --key "$keys/operator.key" "$evil" >"$cluster/said" 2>&1
clean "$cluster/said" 'the client, of a word'

# The text that is no harm passes as it is, line ends of usages too.
"$DEFTER_BIN/defter" --cluster "$cluster/Qızılgül" status >"$cluster/said" 2>&1
grep -q 'Qızılgül' "$cluster/said" || fail 'good text is not shown as it is'
"$DEFTER_BIN/defter" load >"$cluster/said" 2>&1
[ "$(wc -l <"$cluster/said")" -gt 2 ] || fail 'a usage is not of several lines'
