#!/usr/bin/env bash
# The N-th call of a class fails while a backup is promoted: in the node that is
# to lead ("promote"), or in the tool by which the operator signs ("decide").
# The primary is dead.  Then all starts again with nothing in its way: the
# operator's next try succeeds, the node leads, and every log of those that hold
# a copy has what was acknowledged.
#
#   torture_promote.sh [--scenario WORD] [--class WORD] [--every K] [--from N]
#                      [--to N] [--paths] [--valgrind]
#
# On 127.0.0.1; needs no root.  Classes: tests/lib/torture.sh.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck disable=SC2034
CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/torture.sh
. tests/lib/torture.sh

scenarios=(promote decide)
torture_options "$@"
readonly parts=(c disk-A disk-B disk-Z)

# As all was when the primary died.
fresh() {
    local part
    for part in "${parts[@]}"; do
        rm -rf "${cluster:?}/$part"
        cp -a "$cluster/fresh/$part" "$cluster/$part"
    done
    rm -f "$cluster/receipts" "$cluster"/[ABZ].txt
    cp "$cluster/receipts.fresh" "$cluster/receipts"
}

# node_serves NODE: it has begun, or is gone.
node_serves() {
    ! cluster3_runs "$1" || tac "$cluster/$1.txt" | sed '/^-- start/q' |
        grep -q 'serving on'
}

# begin WORD...: the two that live, the backup with these words for env(1).
begin() {
    cluster3_start Z
    echo '-- start' >>"$cluster/B.txt"
    env "$@" "${under[@]}" "$DEFTER_BIN/defterd" \
        --config "$(cluster3_dir B)/defterd.conf" >>"$cluster/B.txt" 2>&1 &
    cluster3_pid[B]=$!
    wait_for 60 node_serves Z || complain 'the archive hangs'
    wait_for 60 node_serves B || complain 'the node hangs'
    cluster3_runs B || complain 'it does not start'
}

gone() {
    ! cluster3_runs B
}

# end: how the backup ended is in $ended.
end() {
    kill -TERM "${cluster3_pid[B]}" 2>/dev/null
    wait_for 60 gone || complain 'the node does not end'
    cluster3_reap B
    ended=$?
    cluster3_stop Z
}

# sign PROGRAM WORD...: the operator's act, with his key and state.
sign() {
    (cd "$cluster/c" && timeout 60 "$@" --yes </dev/null) \
        >"$cluster/tool.txt" 2>&1
}

readonly tool=("$DEFTER_BIN/defter" --cluster cluster.conf --key operator.key)

# A command that is acknowledged leaves its receipt.
command_is_taken() {
    timeout 10 "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        --key "$keys/operator.key" --role staff \
        --receipts "$cluster/receipts" system.ping "text=$1" \
        >"$cluster/tool.txt" 2>&1
}

# What the operator does until the backup leads without the dead one; what he
# signed before and could not deliver, he delivers.
backup_leads() {
    command_is_taken after && return
    sign "${tool[@]}" certificate again
    sign "${tool[@]}" promote "${cluster3_id[B]}"
    sign "${tool[@]}" member remove "${cluster3_id[A]}"
    command_is_taken after
}

logs_hold_everything() {
    local name
    for name in B Z; do
        "$DEFTER_BIN/defter" verify "$(cluster3_dir "$name")/log" \
            --receipts "$cluster/receipts" >"$cluster/tool.txt" 2>&1
        [[ $? == [02] ]] || complain "the log of $name is not what it was"
    done
}

all_is_well() {
    begin --
    wait_for 60 backup_leads || complain 'nobody leads afterwards'
    end
    [ $ended -eq 0 ] || complain "it drained with $ended"
    logs_hold_everything
}

promote_run() {
    fresh
    torture_env "$number" TORTURE_WAIT=1
    begin "${words[@]}"
    kill -USR2 "${cluster3_pid[B]}"
    sign "${tool[@]}" promote "${cluster3_id[B]}"
    sign "${tool[@]}" member remove "${cluster3_id[A]}"
    command_is_taken under
    end
    judge_end $ended "$node_statuses" "$cluster/B.txt"
    all_is_well
}

decide_run() {
    local status
    fresh
    begin --
    torture_env "$number"
    sign env "${words[@]}" "${under[@]}" "${tool[@]}" promote \
        "${cluster3_id[B]}"
    status=$?
    judge_end $status "$tool_statuses" "$cluster/tool.txt"
    end
    all_is_well
}

torture_prepare() {
    :
}

cluster3_make manual 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
# A sandbox lets nothing through that stands before the C library's calls.
sed -i '/^\[node\]/a sandbox = off' "$(cluster3_dir B)/defterd.conf"
cluster3_begin
wait_for 20 command_is_taken before || fail 'nothing is acknowledged'
cluster3_await 60 || fail 'the copies do not become equal'
for name in B Z A; do
    cluster3_stop "$name"
done
mv "$cluster/receipts" "$cluster/receipts.fresh"
mkdir "$cluster/fresh"
for part in "${parts[@]}"; do
    cp -a "$cluster/$part" "$cluster/fresh/"
done
told=("$cluster/tool.txt" "$cluster/B.txt" "$cluster/Z.txt")
torture_all
