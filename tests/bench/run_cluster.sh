#!/usr/bin/env bash
# run_cluster.sh: what a cluster of real nodes does on this machine.
# ./dev bench runs it behind run.sh; alone it wants $DEFTER_BIN, $DEFTER_BUILD.
#
#   run_cluster.sh [--seconds N] [--rounds N] [--sim-seeds N]
#
# All nodes, etcd and the clients share the machine and its disk.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/bench/nodes.sh
. tests/bench/nodes.sh

seconds=5
rounds=3
sim_seeds=500
while [ $# -gt 1 ]; do
    case $1 in
    --seconds) seconds=$2 ;;
    --rounds) rounds=$2 ;;
    --sim-seeds) sim_seeds=$2 ;;
    *) fail "$1: not known" ;;
    esac
    shift 2
done

say() {
    printf '\n== %s\n' "$*"
}

# json NAME: the number of that member in the line on standard input.
json() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([0-9.]*\).*/\1/p"
}

now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    echo $((now / 1000))
}

# row TITLE VALUE UNIT [REMARK]
row() {
    printf '%-44s %10.0f %-10s %s\n' "$1" "$2" "$3" "${4-}"
}

# ---- Commands ----------------------------------------------------------------

declare -A rate_alone

# commands alone|backup: a row for each number of sessions.
commands() {
    local line sessions rate remark
    must as operator --json bench --seconds "$seconds" --sessions 1,16,64
    while read -r line; do
        case $line in *'"operation"'*) ;; *) continue ;; esac
        sessions=$(json sessions <<<"$line")
        rate=$(json per_second <<<"$line")
        remark="p50 $(json p50_us <<<"$line") us, p99 $(json \
            p99_us <<<"$line") us"
        if [ "$1" = alone ]; then
            rate_alone[$sessions]=$rate
        else
            remark+=", $((100 * rate / (rate_alone[$sessions] + 1))) % of alone"
        fi
        row "$1, $sessions sessions" "$rate" /s "$remark"
    done <"$cluster/last.txt"
}

say "signed commands (system.ping), closed loop, $(nproc) processors"
cluster_make commands_per_second_body=1000000 \
    commands_per_second_person=1000000 connections_per_organisation=4096 \
    connections_per_person=4096 connections_per_source=4096 \
    connections_before_login=4096
# shellcheck disable=SC2119
cluster_start
commands alone
cluster_stop || fail 'the node did not stop as it should'
cluster_end
nodes_make a b
nodes_begin
commands 'one backup'

cluster_end

# ---- Changes of the primary --------------------------------------------------

# gap_begin: a client that measures; ready when this returns.
gap_begin() {
    rm -f "$cluster/gap.txt"
    "$DEFTER_BUILD/tests/bench_gap" \
        "$(sed -n 's/^authority = //p' "$cluster/c/cluster.conf")" \
        "$keys/operator.key" "$(nodes_addresses)" 60 \
        >"$cluster/gap.txt" 2>&1 &
    gap_pid=$!
    wait_for 30 grep -qs . "$cluster/gap.txt"
    grep -q ready "$cluster/gap.txt" || fail "$(cat "$cluster/gap.txt")"
}

# gap_end: the milliseconds, behind those of earlier rounds.
gap_end() {
    wait "$gap_pid" || fail "$(cat "$cluster/gap.txt")"
    gaps+=("$(sed -n 's/^gap_ms \([0-9]*\) .*/\1/p' "$cluster/gap.txt")")
}

# row_of_gaps TITLE: the median, the least and the most.
row_of_gaps() {
    local sorted
    mapfile -t sorted < <(printf '%s\n' "${gaps[@]}" | sort -n)
    row "$1" "${sorted[$((${#sorted[@]} / 2))]}" ms \
        "median of ${#sorted[@]}, ${sorted[0]} to ${sorted[-1]}"
    gaps=()
}

other_than() {
    [ "$1" = a ] && echo b || echo a
}

switchovers() {
    local lead
    for _ in $(seq "$rounds"); do
        lead=$(nodes_primary)
        gap_begin
        (cd "$cluster/c" && "$DEFTER_BIN/defter" --cluster cluster.conf \
            --key operator.key switchover \
            "${nodes_id[$(other_than "$lead")]}" --yes \
            </dev/null >"$cluster/last.txt" 2>&1) ||
            fail "switchover: $(cat "$cluster/last.txt")"
        gap_end
        wait_for 60 nodes_settled || fail 'the nodes do not settle'
    done
}

failovers() {
    local lead
    for _ in $(seq "$rounds"); do
        lead=$(nodes_primary)
        gap_begin
        nodes_kill "$lead"
        gap_end
        nodes_start "$lead"
        wait_for 60 nodes_settled || fail 'the nodes do not settle'
    done
}

say 'without an answer, as a client sees it (two nodes, an archive, etcd)'
gaps=()
nodes_make a b z
nodes_begin
switchovers
row_of_gaps 'planned switchover'
failovers
row_of_gaps 'kill -9 of the primary, LAN timers'

# ---- A backup that returns ---------------------------------------------------


log_bytes() {
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" --json verify \
        --no-signatures "$(nodes_dir "$1")" >"$cluster/last.txt" 2>&1
    json bytes <"$cluster/last.txt" | head -n 1
}

# catches_up TITLE COMMAND...: what that enters while a backup is away.
catches_up() {
    local lead away from size took bytes entries
    lead=$(nodes_primary)
    away=$(other_than "$lead")
    nodes_stop "$away"
    entries=$(nodes_figure "$lead" log_size)
    bytes=$(log_bytes "$away")
    "${@:2}"
    size=$(nodes_figure "$lead" log_size)
    : >"$cluster/$away.txt"
    nodes_start "$away"
    # Who calls whom, and when, is not what is measured.
    wait_for 60 grep -q "linked with node ${nodes_id[$lead]}" \
        "$cluster/$away.txt"
    from=$(now_ms)
    wait_for 120 at_least "$away" "$size" || fail 'it does not catch up'
    took=$(($(now_ms) - from + 1))
    wait_for 120 nodes_settled || fail 'the nodes do not settle'
    nodes_stop "$away"
    bytes=$(($(log_bytes "$away") - bytes))
    nodes_start "$away"
    wait_for 60 nodes_settled || fail 'the nodes do not settle'
    entries=$((size - entries))
    row "$1" $((entries * 1000 / took)) entries/s "$entries entries in $took ms"
    row "$1" $((bytes / took / 1000)) MB/s "$((bytes / 1000)) kB"
}

at_least() {
    local now
    now=$(nodes_figure "$1" log_size)
    [ -n "$now" ] && [ "$now" -ge "$2" ]
}

pings() {
    must as operator --json bench --seconds $((seconds * 2)) --sessions 64
}

cluster_end
# Nobody approved those failovers: realm R waits, and takes no commands.
nodes_make a b z
nodes_begin
say 'a backup that returns'
catches_up 'the log, small entries' pings
cluster_actors
"$DEFTER_BIN/fixture" --subjects 20000 --provider "$tax_service" \
    >"$cluster/first.jsonl" || fail 'no fixture'
records() {
    must feed "$cluster/first.jsonl" --json
}
catches_up 'the log, entries of 64 records' records
cluster_end

say 'the same with tight timers: beacon_ms 100, remove_ms 600, grace_ms 1500'
nodes_make --timer beacon_ms=100 --timer remove_ms=600 --timer grace_ms=1500 \
    a b z
nodes_begin
switchovers
row_of_gaps 'planned switchover'
failovers
row_of_gaps 'kill -9 of the primary, tight timers'
cluster_end
trap - EXIT

# ---- The simulator -----------------------------------------------------------

say 'the simulator, one processor'
from=$(now_ms)
"$DEFTER_BIN/sim" --from 1 --seeds "$sim_seeds" --jobs 1 >/dev/null ||
    fail 'a seed failed: see build/bin/sim --help'
row 'seeds' $((sim_seeds * 1000 / ($(now_ms) - from + 1))) /s
