# shellcheck shell=bash
# nodes.sh: real nodes on 127.0.0.1 under a real etcd, for measuring.
#
#   . tests/bench/nodes.sh
#   nodes_make [--timers LINE...] NODE...   keys, files and an etcd; the first
#                                           of a, b founds, z is an archive
#   nodes_begin              starts all; waits until they are one cluster
#   nodes_start NODE         nodes_stop NODE    nodes_kill NODE
#   nodes_status NODE        its JSON           nodes_figure NODE NAME
#   nodes_primary            the node that leads, or nothing
#   nodes_addresses          of all, with commas
#   nodes_end                ends and forgets them
#   as NAME WORD...          defter with NAME's key, to the node that leads
#
# Each cluster is made anew; the script's `cluster` is its folder.
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

declare -A nodes_pid=() nodes_id=() nodes_port=() nodes_link=()
nodes_all=()
nodes_etcd=

nodes_dir() {
    printf '%s/%s' "$cluster" "node-$1"
}

nodes_role() {
    [ "$1" = z ] && echo archive || echo backup
}

nodes_addresses() {
    local name list=()
    for name in "${nodes_all[@]}"; do
        list+=("127.0.0.1:${nodes_port[$name]}")
    done
    (
        IFS=,
        echo "${list[*]}"
    )
}

# nodes_new NODE: its directory, certificate and configuration.
nodes_new() {
    local name=$1
    "$DEFTER_BIN/defter" node new "$(nodes_dir "$name")" \
        --cluster "$cluster/c" --role "$(nodes_role "$name")" \
        --listen "127.0.0.1:${nodes_port[$name]}" \
        --peer-listen "127.0.0.1:${nodes_link[$name]}" \
        >"$cluster/new-$name.txt" || fail "node $name was not made"
    nodes_id[$name]=$(sed -n 's/^Made node \([0-9a-f]*\) .*/\1/p' \
        "$cluster/new-$name.txt")
}

# Every node names all others, etcd, and the timers that are measured.
nodes_introduce() {
    local name other conf
    for name in "${nodes_all[@]}"; do
        conf=$(nodes_dir "$name")/defterd.conf
        sed -i '/^peer = /d; /^mode = /d' "$conf"
        for other in "${nodes_all[@]}"; do
            [ "$other" != "$name" ] || continue
            sed -i "/^\\[cluster\\]/a peer = ${nodes_id[$other]} \
$(nodes_role "$other") 127.0.0.1:${nodes_link[$other]} \
127.0.0.1:${nodes_port[$other]}" "$conf"
        done
        sed -i "/^\\[cluster\\]/a mode = etcd\netcd = 127.0.0.1:$nodes_etcd" \
            "$conf"
        for other in "${nodes_timers[@]}"; do
            sed -i "/^\\[cluster\\]/a $other" "$conf"
        done
        for other in commands_per_second_body=1000000 \
            connections_per_organisation=4096 connections_per_source=4096 \
            connections_per_person=4096 connections_before_login=4096 \
            commands_per_second_person=1000000 \
            handshakes_per_source_burst=10000; do
            sed -i "/^\\[net\\]/a $other" "$conf"
        done
    done
    sed -i '/^address/d' "$cluster/c/cluster.conf"
    echo "address = $(nodes_addresses)" >>"$cluster/c/cluster.conf"
}

nodes_etcd_serves() {
    curl -sS --max-time 2 --noproxy '*' "http://127.0.0.1:$nodes_etcd/health" \
        2>/dev/null | grep -q true
}

nodes_etcd_start() {
    local peer
    nodes_etcd=$(free_port)
    peer=http://127.0.0.1:$(free_port)
    env -i PATH="$PATH" ETCD_UNSUPPORTED_ARCH="$(uname -m)" etcd --name m \
        --data-dir "$cluster/etcd" \
        --listen-client-urls "http://127.0.0.1:$nodes_etcd" \
        --advertise-client-urls "http://127.0.0.1:$nodes_etcd" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
        --initial-cluster "m=$peer" >"$cluster/etcd.txt" 2>&1 &
    cluster_pids+=("$!")
    wait_for 60 nodes_etcd_serves || fail 'etcd does not serve'
}

nodes_timers=()
nodes_make() {
    local name
    nodes_timers=()
    while [ "$1" = --timer ]; do
        nodes_timers+=("$2")
        shift 2
    done
    nodes_all=("$@")
    cluster=$(mktemp -d "${TMPDIR:-/tmp}/defter.XXXXXX") || exit 1
    trap cluster_end EXIT
    trap 'exit 1' INT TERM
    for name in "${nodes_all[@]}"; do
        nodes_port[$name]=$(free_port)
        nodes_link[$name]=$(free_port)
    done
    "$DEFTER_BIN/defter" init "$cluster/c" \
        --listen "127.0.0.1:${nodes_port[${nodes_all[0]}]}" \
        --peer-listen "127.0.0.1:${nodes_link[${nodes_all[0]}]}" \
        >"$cluster/init.txt" || fail 'the cluster was not made'
    keys=$cluster/keys
    mkdir "$keys"
    cp "$cluster/c/operator.key" "$keys/operator.key"
    cp -a "$cluster/c/node" "$(nodes_dir "${nodes_all[0]}")"
    nodes_id[${nodes_all[0]}]=$(sed -n 's/^node = \([0-9a-f]*\) .*/\1/p' \
        "$cluster/c/nodes.conf" | head -n 1)
    for name in "${nodes_all[@]:1}"; do
        nodes_new "$name"
    done
    nodes_etcd_start
    nodes_introduce
}

nodes_start() {
    "$DEFTER_BIN/defterd" --config "$(nodes_dir "$1")/defterd.conf" \
        >>"$cluster/$1.txt" 2>&1 &
    nodes_pid[$1]=$!
    cluster_pids+=("$!")
}

nodes_kill() {
    kill -KILL "${nodes_pid[$1]}"
    wait "${nodes_pid[$1]}" 2>/dev/null
    return 0
}

nodes_stop() {
    kill -TERM "${nodes_pid[$1]}"
    wait "${nodes_pid[$1]}" 2>/dev/null
}

nodes_status() {
    timeout 5 "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        --key "$keys/operator.key" --role staff \
        --address "127.0.0.1:${nodes_port[$1]}" --json status 2>/dev/null
}

nodes_figure() {
    nodes_status "$1" | python3 -c '
import json, sys
try:
    status = json.load(sys.stdin)
except ValueError:
    sys.exit()
for inner in (*(status.get("nodes") or [])[:1], status):
    if sys.argv[1] in inner:
        print(inner[sys.argv[1]])
        sys.exit()
' "$2"
}

nodes_primary() {
    local name epoch best='' best_epoch=-1
    for name in "${nodes_all[@]}"; do
        [ "$(nodes_figure "$name" role)" = primary ] || continue
        epoch=$(nodes_figure "$name" epoch)
        [ "${epoch:-0}" -gt "$best_epoch" ] || continue
        best=$name
        best_epoch=${epoch:-0}
    done
    echo "$best"
}

nodes_leads() {
    [ -n "$(nodes_primary)" ]
}

# Every node of a and b that should run is in sync, and the archive follows.
nodes_settled() {
    local name lead size
    lead=$(nodes_primary)
    [ -n "$lead" ] || return 1
    size=$(nodes_figure "$lead" committed_size)
    for name in "${nodes_all[@]}"; do
        [ "$(nodes_figure "$name" committed_size)" = "$size" ] || return 1
        [ "$name" = "$lead" ] && continue
        case $(nodes_figure "$name" role) in
        backup | archive) ;;
        *) return 1 ;;
        esac
    done
}

nodes_begin() {
    local name
    for name in "${nodes_all[@]}"; do
        nodes_start "$name"
    done
    wait_for 60 nodes_leads || fail 'no node leads'
    for name in "${nodes_all[@]:1}"; do
        # shellcheck disable=SC2046
        must as operator $(sed -n '/node\.enrol/,/proof=/p' \
            "$cluster/new-$name.txt" | tr -d '\\\n' |
            sed 's/.*node\.enrol/node.enrol/') "basis=$basis"
    done
    wait_for 60 nodes_settled || fail 'the nodes did not become one cluster'
}

nodes_end() {
    cluster_end
    cluster_pids=()
    nodes_pid=()
}
