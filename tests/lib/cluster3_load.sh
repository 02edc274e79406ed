# shellcheck shell=bash
# cluster3_load.sh: clients that go on, and what they saw against the logs.
#
#   . tests/lib/cluster3.sh; . tests/lib/cluster3_load.sh
#   cluster3_load [OPTION...]    an auditor's clients begin; options of
#                                tests/chaos/workload
#   cluster3_acked               how many commands were acknowledged so far
#   cluster3_await_acked N [S]   until N more are, in S seconds (60)
#   cluster3_load_end            they end, and every one believes the nodes
#   cluster3_finish              nodes drain; history, receipts, logs: all hold
#   cluster3_line_of NODE TEXT   whether its diagnostics have such a line

cluster3_load_pid=

cluster3_load() {
    local name addresses=()
    if [ -z "${duty_of[auditor]-}" ]; then
        enrol auditor auditor 1
        duty auditor AUD 255
    fi
    for name in "${cluster3_nodes[@]}"; do
        addresses+=(--address "$(cluster3_address "$name")")
    done
    : >>"$cluster/history"
    if [ -n "${CLUSTER3_LOCAL-}" ]; then
        set -- env "$DEFTER_BIN/workload" "$@"
    else
        set -- ip netns exec "$(netns_name clients)" "$DEFTER_BIN/workload" "$@"
    fi
    "$@" --cluster "$cluster/c/cluster.conf" --key "$keys/auditor.key" \
        --duty "${duty_of[auditor]}" --history "$cluster/history" \
        --receipts "$cluster/receipts" "${addresses[@]}" \
        >"$cluster/workload.txt" 2>&1 &
    cluster3_load_pid=$!
    cluster_pids+=("$cluster3_load_pid")
    cluster3_await_acked 1
}

cluster3_acked() {
    grep -c ' acked ' "$cluster/history"
}

cluster3_has_acked() {
    [ "$(cluster3_acked)" -ge "$1" ]
}

cluster3_await_acked() {
    wait_for "${2:-60}" cluster3_has_acked $(($(cluster3_acked) + $1)) && return
    tail -n 5 "$cluster/workload.txt" "$cluster"/?.txt >&2
    fail "$1 more commands are not acknowledged"
}

cluster3_load_end() {
    kill -TERM "$cluster3_load_pid"
    wait "$cluster3_load_pid" || {
        cat "$cluster/workload.txt" >&2
        fail 'a client does not believe a node'
    }
    cluster_pids=()
    cat "$cluster/workload.txt"
}

cluster3_finish() {
    local name
    cluster3_await 120 || {
        as operator status >&2
        tail -n 5 "$cluster"/?.txt >&2
        fail 'the cluster did not come to rest'
    }
    for name in "${cluster3_nodes[@]}"; do
        kill -TERM "${cluster3_pid[$name]}"
    done
    for name in "${cluster3_nodes[@]}"; do
        cluster3_reap "$name" || fail "node $name ended with $?"
    done
    cluster3_check "$cluster/history" "$cluster/receipts" ||
        fail 'the logs do not bear the history'
}

cluster3_line_of() {
    grep -q -- "$2" "$cluster/$1.txt"
}

# cluster3_resend_begin: the node that leads takes a command whose answer gets
# lost; cluster3_resend_end: the same bytes are no second entry, whoever leads.
cluster3_resend_begin() {
    local leader
    leader=$(cluster3_primary)
    rm -f "$cluster/resend.in"
    mkfifo "$cluster/resend.in"
    "$DEFTER_BIN/resend" "$cluster/c/cluster.conf" "$keys/operator.key" \
        <"$cluster/resend.in" >"$cluster/resend.txt" &
    cluster3_resend_pid=$!
    cluster_pids+=("$cluster3_resend_pid")
    exec {cluster3_resend_in}>"$cluster/resend.in"
    wait_for 30 grep -q sent "$cluster/resend.txt" || fail 'nothing was sent'
    # What was sent before is in the log once later commands are.
    cluster3_await_acked 20
}

cluster3_resend_end() {
    echo go >&"$cluster3_resend_in"
    exec {cluster3_resend_in}>&-
    wait "$cluster3_resend_pid" || fail 'it was not answered at last'
    [ "$(grep -c 'code 0 .* duplicate 1' "$cluster/resend.txt")" -eq 2 ] &&
        [ "$(grep -o 'index [0-9]*' "$cluster/resend.txt" | sort -u |
            wc -l)" -eq 1 ] || {
        cat "$cluster/resend.txt" >&2
        fail 'the same bytes became another entry'
    }
}
