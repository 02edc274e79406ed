# shellcheck shell=bash
# cluster3.sh: a cluster of three real nodes at three sites, for scripts.
#
#   . tests/lib/cluster3.sh
#   cluster3_make manual|etcd [LINE...]  namespaces, disks, keys, files; lines
#                                        are added to each [net] section
#   cluster3_begin                       starts all, and joins them
#   cluster3_start NODE      NODE is A, B (eligible) or Z (the archive)
#   cluster3_kill NODE       kill -9        cluster3_stop NODE   SIGTERM
#   cluster3_power NODE      its power goes (tests/chaos/amnesia)
#   cluster3_pause NODE, cluster3_cont NODE      SIGSTOP, SIGCONT
#   cluster3_fill NODE, cluster3_unfill NODE     its disk is full
#   cluster3_cut A B, cluster3_heal A B, cluster3_isolate A, cluster3_heal_all
#   cluster3_line A B OPTION...  A calls B over a bad line; before A starts
#   cluster3_freeze NODE, cluster3_thaw NODE     all that runs at its site
#   cluster3_etcd start|kill|pause|cont NODE     its member of etcd
#   cluster3_status NODE     its JSON; empty if it does not answer
#   cluster3_figure NODE NAME   one figure of it
#   cluster3_primary         the node that leads, or nothing
#   cluster3_promote NODE, cluster3_switchover NODE, cluster3_add NODE,
#   cluster3_remove NODE     the operator signs
#   cluster3_operator WORD...   another act of his
#   cluster3_operator_exits CODE WORD...   with that status, or the test fails;
#                            what was said is in said.txt
#   cluster3_await SECONDS   until all run, one leads and all hold the same
#   cluster3_check HISTORY RECEIPTS   all that must hold at the end
#   as NAME WORD...          defter with NAME's key, to the node that leads
#
# Namespaces need root.  CLUSTER3_LOCAL=1 does without: 127.0.0.1, and folders
# instead of disks; there nothing can be cut, frozen, filled or lose its power.
# CLUSTER3_NO_ORDER=1: without it the registry is served after a failover at
# once, by a standing order.  $cluster3_timers are lines of [cluster], tight
# ones unless said.  Needs $DEFTER_BIN.
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/netns.sh
. tests/lib/netns.sh

# Each question to a cluster is a dozen programs.
wait_pause=0.25
# shellcheck source=tests/lib/amnesia.sh
. tests/lib/amnesia.sh

# CLUSTER3_NODES=A: one node alone, for what can be shown with one.
read -ra cluster3_nodes <<<"${CLUSTER3_NODES:-A B Z}"
declare -A cluster3_site=([A]=na [B]=nb [Z]=nz)
declare -A cluster3_role=([A]=backup [B]=backup [Z]=archive)
declare -A cluster3_pid=()      # Of nodes that should be running.
declare -A cluster3_etcd_pid=() # The same of members of etcd.
declare -A cluster3_id=()       # Node numbers, 32 hexadecimal digits.
declare -A cluster3_losses=()   # Starts so far, for the seed of each.
cluster3_mode=
cluster3_seed=${cluster3_seed:-1}
cluster3_disk_size=${cluster3_disk_size:-1G}
# Not set: tight.  Set to nothing: what the program has by itself.
cluster3_timers=${cluster3_timers-beacon_ms=100 remove_ms=600 grace_ms=1200}
declare -A cluster3_local_port=() # Where nodes and etcd listen on 127.0.0.1.
readonly cluster3_port=7840 cluster3_peer_port=7841

# ---- How nodes are made, joined, asked and promoted --------------------------

# cluster3_at NODE WHAT PORT: where it listens.
cluster3_at() {
    if [ -n "${CLUSTER3_LOCAL-}" ]; then
        printf '127.0.0.1:%s' "${cluster3_local_port[$1-$2]}"
    else
        printf '%s:%s' "$(netns_address "${cluster3_site[$1]}")" "$3"
    fi
}

cluster3_address() {
    cluster3_at "$1" client "$cluster3_port"
}

cluster3_peer_address() {
    cluster3_at "$1" peer "$cluster3_peer_port"
}

# Ports for all that will listen; each of them once.
cluster3_ports() {
    local name what port taken=' '
    for name in "${cluster3_nodes[@]}"; do
        for what in client peer etcd etcdpeer; do
            port=$(free_port)
            while [[ $taken == *" $port "* ]]; do
                port=$(free_port)
            done
            taken+="$port "
            cluster3_local_port[$name-$what]=$port
        done
    done
}

# cluster3_exec NODE|clients COMMAND...: at that site.
cluster3_exec() {
    local site=${cluster3_site[$1]-$1}
    shift
    if [ -n "${CLUSTER3_LOCAL-}" ]; then
        "$@"
    else
        netns_exec "$site" "$@"
    fi
}

# The directory of a node; in a namespace its parent is a file system of its
# own.
cluster3_dir() {
    printf '%s/disk-%s/node' "$cluster" "$1"
}

# What defter calls a node in words of the operator.
cluster3_name() {
    printf '%s' "${cluster3_id[$1]}"
}

# The directories, keys, certificates and configurations of all three.
cluster3_found() {
    local name
    local peers=(--peer-listen "$(cluster3_peer_address A)")
    [ ${#cluster3_nodes[@]} -gt 1 ] || peers=()
    "$DEFTER_BIN/defter" init "$cluster/c" \
        --listen "$(cluster3_address A)" "${peers[@]}" \
        >"$cluster/init.txt" || fail 'the cluster was not made'
    cp -a "$cluster/c/node/." "$(cluster3_dir A)"
    [ ${#cluster3_nodes[@]} -gt 1 ] || return 0
    cluster3_id[A]=$(sed -n 's/^node = \([0-9a-f]*\) .*/\1/p' \
        "$cluster/c/nodes.conf" | head -n 1)
    for name in "${cluster3_nodes[@]:1}"; do
        "$DEFTER_BIN/defter" node new "$cluster/new-$name" \
            --cluster "$cluster/c" --role "${cluster3_role[$name]}" \
            --listen "$(cluster3_address "$name")" \
            --peer-listen "$(cluster3_peer_address "$name")" \
            >"$cluster/new-$name.txt" || fail "node $name was not made"
        cp -a "$cluster/new-$name/." "$(cluster3_dir "$name")"
        cluster3_id[$name]=$(sed -n 's/^Made node \([0-9a-f]*\) .*/\1/p' \
            "$cluster/new-$name.txt")
    done
    cluster3_introduce
    # Clients know all three.
    sed -i '/^address/d' "$cluster/c/cluster.conf"
    printf 'address = %s,%s,%s\n' "$(cluster3_address A)" \
        "$(cluster3_address B)" "$(cluster3_address Z)" \
        >>"$cluster/c/cluster.conf"
}

# Each node's [cluster] section names every other, and the mode.
cluster3_introduce() {
    local name other conf line
    for name in "${cluster3_nodes[@]}"; do
        conf=$(cluster3_dir "$name")/defterd.conf
        for other in "${cluster3_nodes[@]}"; do
            [ "$other" != "$name" ] || continue
            ! grep -q "^peer = ${cluster3_id[$other]}" "$conf" || continue
            # What `defter node new` said to add; the first node is older.
            line=$(sed -n 's/^ *\(peer = .*\)/\1/p' "$cluster/new-$other.txt" \
                2>/dev/null)
            sed -i "/^\\[cluster\\]/a ${line:-peer = ${cluster3_id[$other]} \
${cluster3_role[$other]} $(cluster3_peer_address "$other")}" "$conf"
        done
        # shellcheck disable=SC2086
        for line in $cluster3_timers; do
            sed -i "/^\\[cluster\\]/a $line" "$conf"
        done
        [ "$cluster3_mode" = etcd ] || continue
        sed -i '/^mode = /d' "$conf"
        sed -i "/^\\[cluster\\]/a mode = etcd\\netcd = $(cluster3_at A etcd \
            2379),$(cluster3_at B etcd 2379),$(cluster3_at Z etcd 2379)" "$conf"
    done
}

# The running node becomes a member, as `defter node new` says; where etcd
# decides, the primary lets it in by itself.
cluster3_add() {
    cluster3_operator member add "$(cluster3_name "$1")"
}

cluster3_added() {
    cluster3_add "$1" >"$cluster/add-$1.txt" 2>&1
}

# It is entered in the log, and may lead from then on.
cluster3_enrol() {
    local words
    words=$(sed -n '/node\.enrol/,/basis=/p' "$cluster/new-$1.txt" |
        tr -d '\\\n' | sed "s/.*node\.enrol/node.enrol/;s/BASIS/$basis/")
    # shellcheck disable=SC2086
    must as operator $words
}

# The people who let the registry be served after a failover.
cluster3_people() {
    organisation ministry 'coordinating body' none 'Nazirlik'
    enrol ministry coordinator "${organisation_of[ministry]}"
    enrol head staff 1
    duty head DIR
    must as head --json config.change "as=${duty_of[head]}" setting=12 \
        "value=${organisation_of[ministry]}" note=paper "basis=$basis"
}

# The registry opens by itself after each failover.
cluster3_standing_order() {
    must as ministry --json failover.order for_realm=R \
        from=2026-01-01T00:00:00Z "to=$(date -u -d '+1 day' +%FT%TZ)" \
        automatic=yes times=60000 nodes= "basis=$basis"
}

cluster3_status() {
    cluster3_exec clients timeout "${cluster3_patience:-5}" \
        "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        --key "$keys/operator.key" \
        --role staff --address "$(cluster3_address "$1")" --json status \
        2>/dev/null
}

# One node is asked, so it is the first in the report; each figure has a line.
cluster3_figure() {
    local name=$2
    case $name in
    size) name=log_size ;;
    committed) name=committed_size ;;
    config) name=configuration ;;
    esac
    cluster3_status "$1" |
        sed -n "s/^.*\"$name\":[[:blank:]]*\"\{0,1\}\([^\",]*\).*/\1/p" |
        head -n 1
}

# The operator signs: his key, his state and the list of nodes lie in one
# folder.
# What is signed but not countersigned, or reached no node, he delivers again.
cluster3_operator() {
    local status
    cluster3_operator_once "$@"
    status=$?
    for _ in 1 2 3 4 5; do
        [ $status -eq 2 ] || break
        sleep 1
        cluster3_operator_once certificate again
        status=$?
    done
    return $status
}

cluster3_operator_exits() {
    local want=$1 status
    shift
    cluster3_operator "$@" >"$cluster/said.txt" 2>&1
    status=$?
    [ $status -eq "$want" ] && return
    cat "$cluster/said.txt" >&2
    fail "exit status $status, not $want: $*"
}

cluster3_operator_once() {
    (cd "$cluster/c" && cluster3_exec clients timeout 60 "$DEFTER_BIN/defter" \
        --cluster cluster.conf --key operator.key "$@" --yes </dev/null)
}

cluster3_promote() {
    cluster3_operator promote "$(cluster3_name "$1")"
}

# Whoever leads goes on without it.
cluster3_remove() {
    cluster3_operator member remove "$(cluster3_name "$1")"
}

cluster3_switchover() {
    cluster3_operator switchover "$(cluster3_name "$1")"
}

# ---- Making and ending -------------------------------------------------------

# A disk of its own that can be full, and loses nothing by itself.
cluster3_mount() {
    [ -z "${CLUSTER3_LOCAL-}" ] || {
        mkdir -p -m 0700 "$cluster/disk-$1/node"
        return
    }
    local image=$cluster/image-$1 point=$cluster/disk-$1
    mkdir "$point"
    truncate -s "$cluster3_disk_size" "$image"
    mkfs.ext4 -q -F -m 0 "$image" &&
        mount -o loop,noatime "$image" "$point" || fail 'a disk was not made'
    mkdir -m 0700 "$point/node"
}

# Disks of runs that ended without cleaning up; their paths hold the script's
# process number.
cluster3_unmount_stale() {
    local point pid
    while read -r _ point _; do
        [[ $point =~ /defter3\.([0-9]+)\.[^/]*/disk-[ABZ]$ ]] || continue
        pid=${BASH_REMATCH[1]}
        kill -0 "$pid" 2>/dev/null || umount "$point"
    done </proc/mounts
}

cluster3_end() {
    local name
    exec 4>&2 2>/dev/null # The shell would say who was killed.
    for name in "${cluster3_pid[@]}" "${cluster3_etcd_pid[@]}" \
        "${cluster_pids[@]}"; do
        kill -9 "$name" 2>/dev/null
        kill -CONT "$name" 2>/dev/null
    done
    [ -n "${CLUSTER3_LOCAL-}" ] || netns_down
    wait
    exec 2>&4
    if [ -n "${KEEP-}" ]; then
        for name in "${cluster3_nodes[@]}"; do
            cp -a "$cluster/disk-$name" "$cluster/kept-$name" 2>/dev/null
        done
    fi
    for name in "${cluster3_nodes[@]}"; do
        [ -n "${CLUSTER3_LOCAL-}" ] || umount "$cluster/disk-$name" 2>/dev/null
    done
    if [ -n "${KEEP-}" ]; then
        printf 'kept: %s\n' "$cluster" >&2
    else
        rm -rf "$cluster"
    fi
}

cluster3_make() {
    local name
    cluster3_mode=$1
    shift
    [ -n "${CLUSTER3_LOCAL-}" ] || cluster3_unmount_stale
    cluster=$(mktemp -d "${TMPDIR:-/tmp}/defter3.$$.XXXXXX") || exit 1
    trap cluster3_end EXIT
    trap 'exit 1' INT TERM
    if [ -n "${CLUSTER3_LOCAL-}" ]; then
        cluster3_ports
    else
        netns_up || exit 1
    fi
    keys=$cluster/keys
    mkdir "$keys"
    for name in "${cluster3_nodes[@]}"; do
        cluster3_mount "$name"
    done
    cluster3_found
    cp "$cluster/c/operator.key" "$keys/operator.key"
    for name in "${cluster3_nodes[@]}"; do
        for line in handshakes_per_source_burst=10000 "$@"; do
            sed -i "/^\\[net\\]/a $line" "$(cluster3_dir "$name")/defterd.conf"
        done
        cluster3_losses[$name]=0
    done
}

# as: from where the clients are, to whichever node leads.
as() {
    local name=$1
    shift
    cluster3_exec clients "$DEFTER_BIN/defter" \
        --cluster "$cluster/c/cluster.conf" --key "$keys/$name.key" \
        --role "${role_of[$name]}" "$@"
}

cluster3_begin() {
    local name
    if [ "$cluster3_mode" = etcd ]; then
        for name in "${cluster3_nodes[@]}"; do
            cluster3_etcd start "$name"
        done
    fi
    for name in "${cluster3_nodes[@]}"; do
        cluster3_start "$name"
    done
    # In manual mode the first node leads once a second one is a member.
    if [ "$cluster3_mode" = manual ]; then
        for name in "${cluster3_nodes[@]:1}"; do
            wait_for 60 cluster3_added "$name" || {
                cat "$cluster/add-$name.txt" >&2
                fail "$name did not become a member"
            }
        done
    fi
    wait_for 60 cluster3_leads || fail 'no node leads'
    for name in "${cluster3_nodes[@]:1}"; do
        cluster3_enrol "$name"
    done
    if [ ${#cluster3_nodes[@]} -gt 1 ]; then
        cluster3_people
        [ -n "${CLUSTER3_NO_ORDER-}" ] || cluster3_standing_order
    fi
    cluster3_await 60 || {
        as operator status >&2
        for name in "${cluster3_nodes[@]}"; do
            tail -n 20 "$cluster/$name.txt" >&2
        done
        fail 'the nodes did not become one cluster'
    }
}

# ---- Nodes -------------------------------------------------------------------

# Each start has a seed of its own for what a power loss takes.
cluster3_start() {
    local name=$1 loss
    loss=$((cluster3_losses[$name] + 1))
    cluster3_losses[$name]=$loss
    rm -rf "$(cluster3_dir "$name").amnesia"
    echo "-- start $loss" >>"$cluster/$name.txt"
    if [ -n "${CLUSTER3_LOCAL-}" ]; then
        "$DEFTER_BIN/defterd" --config "$(cluster3_dir "$name")/defterd.conf" \
            >>"$cluster/$name.txt" 2>&1 &
    else
        amnesia_env "$(cluster3_dir "$name")" \
            $((cluster3_seed * 1000 + loss))
        amnesia_config "$(cluster3_dir "$name")/defterd.conf"
        ip netns exec "$(netns_name "${cluster3_site[$name]}")" \
            env "${amnesia_words[@]}" AMNESIA_REPORT="$cluster/$name.losses" \
            "$DEFTER_BIN/defterd" \
            --config "$(cluster3_dir "$name")/defterd.conf" \
            >>"$cluster/$name.txt" 2>&1 &
    fi
    cluster3_pid[$name]=$!
}

# cluster3_reap NODE: its exit status, once it is gone.
cluster3_reap() {
    local status
    wait "${cluster3_pid[$1]}" 2>/dev/null
    status=$?
    unset "cluster3_pid[$1]"
    return $status
}

cluster3_runs() {
    [ -n "${cluster3_pid[$1]-}" ] && kill -0 "${cluster3_pid[$1]}" 2>/dev/null
}

cluster3_kill() {
    kill -KILL "${cluster3_pid[$1]}"
    cluster3_reap "$1"
    return 0
}

cluster3_stop() {
    kill -TERM "${cluster3_pid[$1]}"
    cluster3_reap "$1"
}

# A process that had not yet come to the library's own code has written nothing
# that could be lost; the signal ended it.
cluster3_power() {
    local status unready=$((128 + $(kill -l USR2)))
    amnesia_lose "${cluster3_pid[$1]}"
    cluster3_reap "$1"
    status=$?
    [ $status -eq "$amnesia_exit" ] || [ $status -eq $unready ] ||
        fail "node $1 ended with $status when its power went"
}

cluster3_pause() {
    kill -STOP "${cluster3_pid[$1]}"
}

cluster3_cont() {
    kill -CONT "${cluster3_pid[$1]}"
}

cluster3_freeze() {
    netns_stop "${cluster3_site[$1]}"
}

cluster3_thaw() {
    netns_cont "${cluster3_site[$1]}"
}

cluster3_fill() {
    fallocate -l "$(df --output=avail -B1 "$cluster/disk-$1" | tail -n 1)" \
        "$cluster/disk-$1/filler" 2>/dev/null
    # The last blocks too.
    dd if=/dev/zero of="$cluster/disk-$1/filler2" bs=4k count=100000 \
        status=none 2>/dev/null
    return 0
}

cluster3_unfill() {
    rm -f "$cluster/disk-$1/filler" "$cluster/disk-$1/filler2"
}

cluster3_cut() {
    netns_cut "${cluster3_site[$1]}" "${cluster3_site[$2]}"
}

cluster3_heal() {
    netns_heal "${cluster3_site[$1]}" "${cluster3_site[$2]}"
}

cluster3_isolate() {
    netns_isolate "${cluster3_site[$1]}" "${@:2}"
}

cluster3_heal_all() {
    netns_heal_all
}

# cluster3_line FROM TO OPTION...: what FROM calls TO by becomes a bad line
# (tests/chaos/proxy.c).  Before FROM starts; ends with the script.
cluster3_line() {
    local from=$1 to=$2 port said
    port=79$(printf '%s%s' "$from" "$to" | tr ABZ 123)
    said=$cluster/line-$from-$to.txt
    ip netns exec "$(netns_name "${cluster3_site[$from]}")" \
        "$DEFTER_BIN/proxy" --listen "127.0.0.1:$port" \
        --to "$(cluster3_peer_address "$to")" "${@:3}" >"$said" 2>&1 &
    cluster_pids+=("$!")
    wait_for 20 grep -q ready "$said" || fail "the line $from to $to is not up"
    sed -i \
        "s/^\(peer = ${cluster3_id[$to]} [a-z]*\) [^ ]*/\1 127.0.0.1:$port/" \
        "$(cluster3_dir "$from")/defterd.conf"
}

# ---- etcd --------------------------------------------------------------------

cluster3_etcd_start() {
    local name=$1 here peer words=()
    here=http://$(cluster3_at "$name" etcd 2379)
    peer=http://$(cluster3_at "$name" etcdpeer 2380)
    words=(--name "$name" --data-dir "$cluster/etcd-$name"
        --listen-client-urls "$here" --advertise-client-urls "$here"
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer"
        --initial-cluster "A=http://$(cluster3_at A etcdpeer 2380),\
B=http://$(cluster3_at B etcdpeer 2380),Z=http://$(cluster3_at Z etcdpeer 2380)"
        --initial-cluster-state new)
    if [ -n "${CLUSTER3_LOCAL-}" ]; then
        # Its own process, without what the environment may set for etcd.
        env -i PATH="$PATH" ETCD_UNSUPPORTED_ARCH="$(uname -m)" \
            etcd "${words[@]}" >>"$cluster/etcd-$name.txt" 2>&1 &
    else
        env -i PATH="$PATH" ETCD_UNSUPPORTED_ARCH="$(uname -m)" ip netns exec \
            "$(netns_name "${cluster3_site[$name]}")" \
            etcd "${words[@]}" >>"$cluster/etcd-$name.txt" 2>&1 &
    fi
    cluster3_etcd_pid[$name]=$!
}

cluster3_etcd() {
    local pid=${cluster3_etcd_pid[$2]-}
    case $1 in
    start) cluster3_etcd_start "$2" ;;
    kill)
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
        unset "cluster3_etcd_pid[$2]"
        ;;
    pause) kill -STOP "$pid" ;;
    cont) kill -CONT "$pid" ;;
    esac
    return 0
}

# ---- What holds --------------------------------------------------------------

# A node alone leads when it answers.
cluster3_leads_itself() {
    case $(cluster3_figure "$1" role) in
    primary | single) return 0 ;;
    '') [ ${#cluster3_nodes[@]} -eq 1 ] &&
        [ "$(cluster3_figure "$1" reachable)" = true ] ;;
    *) return 1 ;;
    esac
}

cluster3_primary() {
    local name epoch best='' best_epoch=-1
    for name in "${cluster3_nodes[@]}"; do
        cluster3_runs "$name" || continue
        cluster3_leads_itself "$name" || continue
        # One that was deposed and does not know it has an older epoch.
        epoch=$(cluster3_figure "$name" epoch)
        [ "${epoch:-0}" -gt "$best_epoch" ] || continue
        best=$name
        best_epoch=${epoch:-0}
    done
    echo "$best"
}

cluster3_leads() {
    [ -n "$(cluster3_primary)" ]
}

# It is a member, as the one that leads sees it.
cluster3_in_sync() {
    local leader
    leader=$(cluster3_primary)
    [ -n "$leader" ] && cluster3_status "$leader" | python3 -c '
import json, sys
try:
    members = json.load(sys.stdin).get("members", [])
except ValueError:
    sys.exit(1)
sys.exit(not any(member["node_id"] == sys.argv[1] and member["in_sync"]
                 for member in members))
' "${cluster3_id[$1]}"
}

# All run, one leads, and both that may lead are members.
cluster3_serves() {
    local name
    for name in "${cluster3_nodes[@]}"; do
        cluster3_runs "$name" || return 1
    done
    cluster3_leads || return 1
    [ ${#cluster3_nodes[@]} -gt 1 ] || return 0
    for name in "${cluster3_nodes[@]}"; do
        [ "${cluster3_role[$name]}" = archive ] || cluster3_in_sync "$name" ||
            return 1
    done
}

# The same, and all hold the same, all of it committed.
cluster3_settled() {
    local name size='' figure
    cluster3_serves || return 1
    [ ${#cluster3_nodes[@]} -gt 1 ] || return 0
    for name in "${cluster3_nodes[@]}"; do
        figure=$(cluster3_figure "$name" size)/$(
            cluster3_figure "$name" committed)
        [ "${figure%/*}" = "${figure#*/}" ] && [ "$figure" != / ] &&
            [ "${size:-$figure}" = "$figure" ] || return 1
        size=$figure
    done
}

cluster3_await() {
    wait_for "$1" cluster3_settled
}

# The names of a node's segments that another one follows.
cluster3_sealed() {
    find "$(cluster3_dir "$1")/log" -name '*.seg' -printf '%f\n' | sort |
        head -n -1
}

cluster3_segments_equal() {
    local name
    for name in $(comm -12 <(cluster3_sealed "$1") <(cluster3_sealed "$2")); do
        cmp "$(cluster3_dir "$1")/log/$name" \
            "$(cluster3_dir "$2")/log/$name" || return 1
    done
}

# The nodes are stopped.  The history and every receipt against every log.
cluster3_check() {
    local history=$1 receipts=$2 name bad=0 logs=() verdict
    verdict='"verdict":"\(good\|incomplete\)"'
    : >>"$receipts"
    head -c $(($(stat -c %s "$receipts") / 392 * 392)) "$receipts" \
        >"$cluster/receipts.all"
    for name in "${cluster3_nodes[@]}"; do
        "$DEFTER_BIN/log_list" "$name" "$(cluster3_dir "$name")" \
            >"$cluster/log-$name" || bad=1
        logs+=("$cluster/log-$name")
        "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" --json \
            verify "$(cluster3_dir "$name")" \
            --receipts "$cluster/receipts.all" >"$cluster/verify-$name.json"
        [ $? -le 2 ] && grep -q "$verdict" "$cluster/verify-$name.json" || {
            echo "node $name does not verify:" >&2
            cat "$cluster/verify-$name.json" >&2
            bad=1
        }
    done
    "$DEFTER_BIN/history_check" "$history" "${logs[@]}" || bad=1
    for name in "${cluster3_nodes[@]:1}"; do
        cluster3_segments_equal A "$name" || {
            echo "sealed segments of A and $name differ" >&2
            bad=1
        }
    done
    echo "$(($(stat -c %s "$cluster/receipts.all") / 392)) receipts" \
        'against each log'
    return $bad
}
