#!/usr/bin/env bash
# The N-th call of a class fails, for each N (or each K-th): while a node
# starts, while it serves, while a log or an extract is verified, while fields
# of an extract are kept back, while keys are made.  The process may go on or
# end by a status that is documented, with a line that says why.  Then a node is
# started again with nothing in its way: it serves, and what was acknowledged is
# in its log; a file that was written is whole, or not there.
#
#   torture.sh [--scenario WORD] [--class WORD] [--every K] [--from N] [--to N]
#              [--paths] [--valgrind]
#
# scenarios: start serve verify extract redact init; classes: memory disk room
# calls clock.
# Without a word: all of them.  On 127.0.0.1; needs no root.  --valgrind: the
# process runs under memcheck, without the class memory.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/torture.sh
. tests/lib/torture.sh

scenarios=(start serve verify extract redact init)
torture_options "$@"

# The node in its own way, with what it was given before; pid in $cluster_pid.
node_begin() {
    rm -f "$cluster/node.txt"
    env "$@" "${under[@]}" "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/node.txt" 2>&1 &
    cluster_pid=$!
    wait_for 60 node_has_said 'serving on' || complain 'the node hangs'
}

node_end() {
    local status
    kill -TERM "$cluster_pid" 2>/dev/null
    wait_for 60 node_is_gone || complain 'the node does not end'
    cluster_wait 2>/dev/null
    status=$?
    judge_end $status "$node_statuses" "$cluster/node.txt"
}

fresh() {
    rm -rf "$cluster/c" "$cluster/receipts"
    cp -a "$cluster/fresh" "$cluster/c"
}

# Started again it serves, drains, and holds every receipt that was given.
node_is_well() {
    node_begin -- # Nothing in its way.
    ! node_is_gone || complain 'it does not start again'
    as operator system.ping text=after >"$cluster/tool.txt" 2>&1 ||
        complain 'it does not serve again'
    kill -TERM "$cluster_pid"
    cluster_wait || complain "it drained with $?"
    [ -s "$cluster/receipts" ] || : >"$cluster/receipts"
    "$DEFTER_BIN/defter" verify "$node/log" --receipts "$cluster/receipts" \
        --checkpoint "$node/checkpoint" >"$cluster/tool.txt" 2>&1
    [[ $? == [02] ]] || complain 'its log is not what it was'
}

# ---- The scenarios ----

start_run() {
    fresh
    torture_env "$number"
    node_begin "${words[@]}"
    node_end
    node_is_well
}

# Commands of two kinds, each with its receipt when one comes; who waited for
# the first answer in vain waits for no other.
serve_load() {
    local words
    for words in 'system.ping text=one' purpose.list 'system.ping text=two' \
        purpose.list 'system.ping text=three' purpose.list; do
        # shellcheck disable=SC2086
        timeout 5 "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
            --key "$keys/operator.key" --role staff \
            --receipts "$cluster/receipts" $words >"$cluster/tool.txt" 2>&1
        [ $? -ne 124 ] || return
    done
}

serve_run() {
    fresh
    torture_env "$number" TORTURE_WAIT=1
    node_begin "${words[@]}"
    ! node_is_gone || complain 'it did not start'
    kill -USR2 "$cluster_pid"
    serve_load
    node_end
    node_is_well
}

# judge_verdict STATUS USUAL: 1 says that somebody changed what is verified:
# never for a failure of one's own.  Without memory nothing is judged; who says
# 2 has judged.
judge_verdict() {
    [ "$1" -ne 1 ] || complain 'it says tampered'
    judge_end "$1" "$tool_statuses" "$cluster/tool.txt"
    [ "$class" = memory ] && [ "$1" -ne "$2" ] || return 0
    [ "$1" -eq 3 ] || complain "it ended with $1"
    grep -q 'memory' "$cluster/tool.txt" || complain 'it says no reason'
}

verify_run() {
    local status
    torture_env "$number"
    env "${words[@]}" "${under[@]}" "$DEFTER_BIN/defter" verify "$node/log" \
        --checkpoint "$node/checkpoint" >"$cluster/tool.txt" 2>&1
    status=$?
    judge_verdict $status "$verify_status"
    [ $status -ne 0 ] || grep -q "^  *head  *size $verify_size" \
        "$cluster/tool.txt" || complain 'it verified something else'
}

# verify_extract FILE [WORD...]: WORDs for env(1) and in front of the program.
verify_extract() {
    local file=$1
    shift
    env "$@" "$DEFTER_BIN/defter" verify "$file" --policy "$sample/policy" \
        --authority "$(cat "$sample/authority")" >"$cluster/tool.txt" 2>&1
}

extract_run() {
    local status
    torture_env "$number"
    verify_extract "$sample/whole.extract" "${words[@]}" "${under[@]}"
    status=$?
    judge_verdict $status 0
    [ $status -ne 0 ] || grep -q '^true: ' "$cluster/tool.txt" ||
        complain 'it found something else'
}

# What was written is a true extract, without what was kept back.
redact_run() {
    local status some=$sample/some.extract
    rm -f "$some"
    torture_env "$number"
    env "${words[@]}" "${under[@]}" "$DEFTER_BIN/defter" extract redact \
        "$sample/whole.extract" --hide S01.full_name --out "$some" \
        >"$cluster/tool.txt" 2>&1
    status=$?
    judge_end $status "$tool_statuses" "$cluster/tool.txt"
    [ -e "$some" ] || [ $status -ne 0 ] || complain 'it wrote nothing'
    [ -e "$some" ] || return 0
    ! grep -q 'full_name' "$some" || complain 'it shows what it keeps back'
    verify_extract "$some" -- || complain 'what it wrote is not true'
}

# A new cluster's keys: it makes all of them, or says what is the matter.
init_run() {
    local status
    rm -rf "$cluster/new"
    torture_env "$number"
    env "${words[@]}" "${under[@]}" "$DEFTER_BIN/defter" init "$cluster/new" \
        --listen "127.0.0.1:1" >"$cluster/tool.txt" 2>&1
    status=$?
    judge_end $status "$tool_statuses" "$cluster/tool.txt"
}

torture_prepare() {
    node=$cluster/c/node
    fresh
    if [ "$scenario" = verify ]; then
        "$DEFTER_BIN/defter" verify "$node/log" \
            --checkpoint "$node/checkpoint" >"$cluster/tool.txt" 2>&1
        verify_status=$?
        verify_size=$(sed -n 's/^  *head  *size //p' "$cluster/tool.txt")
    fi
}

cluster_make 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
# A sandbox lets nothing through that stands before the C library's calls.
sed -i '/^\[node\]/a sandbox = off' "$node/defterd.conf"
cluster_start
must as operator --receipts "$cluster/receipts" system.ping text=before
cluster_stop || fail "the node drained with $?"
cp -a "$cluster/c" "$cluster/fresh"
sample=$cluster/extracts
mkdir "$sample"
DIRECTORY=$sample "$DEFTER_BIN/make_extract" >"$cluster/tool.txt" 2>&1 ||
    fail 'no extracts'

told=("$cluster/tool.txt" "$cluster/node.txt")
torture_all
