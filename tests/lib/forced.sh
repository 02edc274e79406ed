# shellcheck shell=bash
# forced.sh: every member of a cluster is gone, and the operator forces a node.
#
#   . tests/lib/cluster3.sh; . tests/lib/forced.sh
#   force NODE NAME WORD...   as the operator does; NAME is typed
#   says TEXT                 whether the last of these said it
#   node_said NODE TEXT, said_in_time NODE TEXT   since its newest start
#   serves TEXT               it leads, and takes a command
#   verify NODE WORD...       its log is good, but for an end that nobody
#                             vouches for
#
# What was said is in $cluster/said.txt.

says() {
    grep -q "$1" "$cluster/said.txt" && return
    cat "$cluster/said.txt" >&2
    fail "not said: $1"
}

force() {
    local node=$1 name=$2
    shift 2
    (cd "$cluster/c" && printf '%s\n' "$name" | "$DEFTER_BIN/defter" \
        --cluster cluster.conf --key operator.key force \
        "${cluster3_id[$node]}" --authority authority/authority.key "$@") \
        >"$cluster/said.txt" 2>&1
}

node_said() {
    tac "$cluster/$1.txt" | sed '/^-- start/q' | grep -q "$2"
}

said_in_time() {
    wait_for 60 node_said "$@" && return
    cat "$cluster/$1.txt" >&2
    fail "node $1 does not say: $2"
}

ping() {
    must as operator --json system.ping "text=$1"
}

serves() {
    wait_for 60 cluster3_leads || {
        cat "$cluster"/?.txt >&2
        fail 'nobody leads'
    }
    ping "$1"
}

verify() {
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" "${@:2}" \
        verify "$(cluster3_dir "$1")" >"$cluster/said.txt" 2>&1
    [ $? -ne 1 ] && return
    cat "$cluster/said.txt" >&2
    fail "the log of $1 does not verify"
}
