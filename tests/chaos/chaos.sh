#!/usr/bin/env bash
# Three real nodes, clients that go on, and faults from a seed; then everything
# heals, and what the clients saw is held against all three logs.
#
#   ./dev chaos [--minutes N | --seconds N] [--seed S] [--etcd] [--one] [--plan]
#
# --etcd: a real etcd of three members decides who leads, and is hurt too;
# without it the operator does.  --one: a single node.  --plan: prints what
# would be done and when.  The plan depends on the seed alone; when it meets
# what does not, so a seed makes a failure likely, not certain.  KEEP=1 leaves
# the files.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

seconds=120
seed=$((($(date +%s%N) / 1000) % 1000000))
mode=manual
plan_only=
words=()
while [ $# -gt 0 ]; do
    case $1 in
    --minutes | --seconds | --seed)
        [ $# -gt 1 ] && [[ $2 =~ ^[0-9]{1,9}$ ]] || {
            echo "chaos: $1 takes a number" >&2
            exit 3
        }
        case $1 in
        --minutes) seconds=$((10#$2 * 60)) ;;
        --seconds) seconds=$((10#$2)) ;;
        --seed) seed=$((10#$2)) ;;
        esac
        shift
        ;;
    --etcd)
        mode=etcd
        words+=(--etcd)
        ;;
    --one)
        CLUSTER3_NODES=A
        words+=(--one)
        ;;
    --plan) plan_only=1 ;;
    *)
        echo "chaos: what is $1?" >&2
        exit 3
        ;;
    esac
    shift
done
echo "seed $seed; again: ./dev chaos --seconds $seconds --seed $seed" \
    "${words[*]-}"

cluster3_seed=$seed
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

# ---- The plan ----------------------------------------------------------------

# draw N: $drawn is 0 to N - 1; nothing else may draw from this stream.
stream=$((seed * 2 + 1))
draw() {
    stream=$(((stream * 6364136223846793005 + 1442695040888963407) & \
        0x7fffffffffffffff))
    drawn=$(((stream >> 33) % $1))
}

draw_node() {
    draw "${#cluster3_nodes[@]}"
    drawn_node=${cluster3_nodes[$drawn]}
    # Half of all faults hit whoever leads when they come.
    draw 2
    [ "$drawn" -eq 0 ] || drawn_node=primary
}

draw_site() {
    draw "${#cluster3_nodes[@]}"
    drawn_node=${cluster3_nodes[$drawn]}
}

# Lines "MILLISECONDS FAULT NODE MILLISECONDS-IT-LASTS [OTHER]".
make_plan() {
    local faults=(kill kill power power pause full) at=3000 last kind
    local end=$((seconds * 1000))
    [ ${#cluster3_nodes[@]} -eq 1 ] || faults+=(cut cut isolate blackout)
    [ "$mode" != etcd ] || faults+=(etcdkill etcdpause freeze)
    [ "$mode" != manual ] || [ ${#cluster3_nodes[@]} -eq 1 ] ||
        faults+=(operator failover failover)
    while [ $at -lt $end ]; do
        draw ${#faults[@]}
        kind=${faults[$drawn]}
        case $kind in
        pause | freeze | etcdpause) draw 60000 ;;
        cut | isolate) draw 30000 ;;
        full) draw 15000 ;;
        *) draw 8000 ;;
        esac
        last=$((1000 + drawn))
        case $kind in
        cut | etcd* | operator | failover | blackout) draw_site ;;
        *) draw_node ;;
        esac
        if [ "$kind" = cut ]; then
            draw 2
            echo "$at cut $drawn_node $last $((drawn + 1))"
        else
            echo "$at $kind $drawn_node $last"
        fi
        draw 7000
        at=$((at + 1000 + drawn))
    done
}

plan=$(make_plan)
if [ -n "$plan_only" ]; then
    echo "$plan"
    exit 0
fi

# ---- Faults ------------------------------------------------------------------

started=
now_ms() {
    local now
    read -r now _ </proc/uptime
    echo $((10#${now/./} * 10 - ${started:-0}))
}

say() {
    printf '%7d %s\n' "$(now_ms)" "$*"
}

declare -A hurt=() # Nodes that a fault holds just now, and etcd's as etcd-A.
declare -A was_full=() # When a node's disk last ceased to be full.
endings=()         # "MILLISECONDS WORD..." of faults that are on.

end_later() {
    endings+=("$(($(now_ms) + $1)) ${*:2}")
}

# The site that is $2 places behind $1.
other_site() {
    local i
    for i in 0 1 2; do
        [ "${cluster3_nodes[$i]}" != "$1" ] || break
    done
    echo "${cluster3_nodes[$(((i + $2) % 3))]}"
}

# An act of the operator's; a tool or a node may well refuse it.
act() {
    "cluster3_$1" "$2" >"$cluster/act.txt" 2>&1 &&
        say "the operator: $1 $2" ||
        say "the operator: no $1 $2: $(tail -n 1 "$cluster/act.txt")"
}

# The other one of the two that may lead.
other_leader() {
    [ "$1" = A ] && echo B || echo A
}

# He hands over, or makes one lead that runs where nobody does.
operator_operator() {
    local leader
    leader=$(cluster3_primary)
    if [ -n "$leader" ]; then
        act switchover "$(other_leader "$leader")"
    elif cluster3_runs A; then
        act promote A
    else
        act promote B
    fi
}

# Who leads dies; he makes the other one lead at once, and has it go on without
# the dead one.
operator_failover() {
    local leader
    leader=$(cluster3_primary)
    [ -n "$leader" ] && [ -z "${hurt[$leader]-}" ] || return 0
    hurt[$leader]='kill'
    say "kill $leader, who leads"
    cluster3_kill "$leader"
    end_later "$1" start "$leader"
    act promote "$(other_leader "$leader")"
    act remove "$leader"
}

begin_fault() {
    local kind=$1 node=$2 last=$3 other
    if [ "$node" = primary ]; then
        node=$(cluster3_primary)
        [ -n "$node" ] || {
            say "nobody leads: no $kind"
            return 0
        }
    fi
    case $kind in
    etcd*) [ -z "${hurt[etcd-$node]-}" ] || return 0 ;;
    freeze)
        [ -z "${hurt[$node]-}${hurt[etcd-$node]-}" ] &&
            cluster3_runs "$node" || return 0
        hurt[$node]=$kind
        ;;
    cut | isolate | operator | failover | blackout) ;;
    *)
        [ -z "${hurt[$node]-}" ] && cluster3_runs "$node" || return 0
        hurt[$node]=$kind
        ;;
    esac
    say "$kind $node for $last ms"
    case $kind in
    blackout)
        for node in "${cluster3_nodes[@]}"; do
            cluster3_runs "$node" && [ -z "${hurt[$node]-}" ] || continue
            hurt[$node]=power
            cluster3_power "$node"
            end_later "$last" start "$node"
        done
        ;;
    freeze)
        hurt[etcd-$node]=1
        cluster3_freeze "$node"
        end_later "$last" thaw "$node"
        ;;
    kill | power)
        "cluster3_$kind" "$node"
        end_later "$last" start "$node"
        ;;
    pause)
        cluster3_pause "$node"
        end_later "$last" cont "$node"
        ;;
    full)
        cluster3_fill "$node"
        end_later "$last" unfill "$node"
        ;;
    cut)
        other=$(other_site "$node" "$4")
        cluster3_cut "$node" "$other"
        end_later "$last" heal "$node" "$other"
        ;;
    isolate)
        cluster3_isolate "$node"
        end_later "$last" heal_all
        ;;
    operator | failover) "operator_$kind" "$last" ;;
    etcd*)
        hurt[etcd-$node]=1
        cluster3_etcd "${kind#etcd}" "$node"
        end_later "$last" "$kind" "$node"
        ;;
    esac
}

end_fault() {
    say "end: $*"
    case $1 in
    start)
        cluster3_runs "$2" || cluster3_start "$2"
        case ${hurt[$2]-} in
        kill | power) unset "hurt[$2]" ;;
        esac
        ;;
    thaw)
        cluster3_thaw "$2"
        unset "hurt[$2]" "hurt[etcd-$2]"
        ;;
    cont)
        cluster3_cont "$2"
        unset "hurt[$2]"
        ;;
    unfill)
        cluster3_unfill "$2"
        unset "hurt[$2]"
        was_full[$2]=$(now_ms)
        ;;
    heal) cluster3_heal "$2" "$3" ;;
    heal_all) cluster3_heal_all ;;
    etcdkill)
        cluster3_etcd start "$2"
        unset "hurt[etcd-$2]"
        ;;
    etcdpause)
        cluster3_etcd cont "$2"
        unset "hurt[etcd-$2]"
        ;;
    esac
}

# Ends the faults whose time is over; all of them with "all".
end_faults() {
    local now ending still=()
    now=$(now_ms)
    for ending in "${endings[@]}"; do
        if [ "${1-}" = all ] || [ "${ending%% *}" -le "$now" ]; then
            # shellcheck disable=SC2086
            end_fault ${ending#* }
        else
            still+=("$ending")
        fi
    done
    endings=("${still[@]}")
}

# Its disk is full, or was just now.
is_full() {
    [ "${hurt[$1]-}" = full ] ||
        [ "$(now_ms)" -lt $((${was_full[$1]:--9999} + 5000)) ]
}

# A node that ended by itself is started again, as a supervisor would; why it
# ended is judged at once.
watch_nodes() {
    local node status
    for node in "${cluster3_nodes[@]}"; do
        [ -n "${cluster3_pid[$node]-}" ] || continue
        ! cluster3_runs "$node" || continue
        cluster3_reap "$node"
        status=$?
        say "node $node ended by itself with $status"
        # A full disk may end it, and in the midst of a start; never a signal.
        if [ $status -ge 128 ] || { [ $status -eq 5 ] && ! is_full "$node"; }
        then
            tail -n 5 "$cluster/$node.txt" >&2
            fail "node $node crashed with $status (seed $seed)"
        fi
        # A fault that holds it ends later by itself; it only comes back.
        end_later 1000 start "$node"
    done
}

run_plan() {
    local at words
    while read -r at words <&3; do
        while [ "$(now_ms)" -lt "$at" ]; do
            end_faults
            watch_nodes
            sleep 0.1
        done
        # shellcheck disable=SC2086
        begin_fault $words
    done 3<<<"$plan"
}

heal() {
    say 'everything heals'
    cluster3_heal_all
    while [ ${#endings[@]} -gt 0 ]; do
        end_faults all
        watch_nodes
    done
}

# Where nobody leads and nothing decides who, the operator does, now and then;
# and a node that is whole again is taken in again.
next_act=0
operator_mends() {
    local node
    [ "$mode" = manual ] && [ ${#cluster3_nodes[@]} -gt 1 ] &&
        [ "$(now_ms)" -ge "$next_act" ] || return 0
    next_act=$(($(now_ms) + 5000))
    if ! cluster3_leads; then
        draw 2
        [ "$drawn" -eq 0 ] && act promote A || act promote B
        return 0
    fi
    for node in A B; do
        cluster3_in_sync "$node" || act add "$node"
    done
}

# recovered CONDITION: while it is awaited, what ended is started again.
recovered() {
    watch_nodes
    end_faults
    ! "$@" || return 0
    operator_mends
    return 1
}

# ---- One run -----------------------------------------------------------------

cluster3_make "$mode" 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
cluster3_load --clients 8

started=$(now_ms)
run_plan
heal
wait_for 180 recovered cluster3_serves || {
    as operator status >&2
    fail "the cluster did not come to rest (seed $seed)"
}
say "healed; $(cluster3_primary) leads"
cluster3_await_acked 100 120
cluster3_load_end
wait_for 180 recovered cluster3_settled || {
    as operator status >&2
    fail "the nodes do not come to hold the same (seed $seed)"
}
cluster3_finish
echo "good: seed $seed, $(wc -l <<<"$plan") faults, $seconds s"
