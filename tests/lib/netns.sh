# netns.sh: three sites on one machine: network namespaces for scripts.
#
#   . tests/lib/netns.sh
#   netns_up                   na, nb and nz, joined by a bridge in a fourth
#   netns_exec na COMMAND...   in a namespace's network
#   netns_address na           10.77.0.1 (nb: .2, nz: .3); inside only
#   netns_cut na nb            what na sends to nb is lost; the other way works
#   netns_heal na nb
#   netns_exec clients CMD...  where clients are: on the bridge, reached by all
#   netns_isolate na [clients] no other site is heard or reached (nor clients)
#   netns_heal_all
#   netns_stop na | netns_cont na   SIGSTOP, SIGCONT to all that runs there
#   netns_down                 ends what runs in them and removes them
#
# The names on the machine carry this process's number, so that two runs do not
# meet and what a killed run left behind is found and removed by the next.  The
# script that uses this calls netns_down when it ends, whatever ends it.
set -u

readonly netns_sites=(na nb nz)
netns_tag=

# netns_missing: why there can be no namespaces here; nothing if there can.
netns_missing() {
    local tool
    [ "$(id -u)" -eq 0 ] || {
        echo 'network namespaces need root'
        return
    }
    for tool in ip nft; do
        command -v "$tool" >/dev/null || {
            echo "there is no $tool (packages iproute2, nftables)"
            return
        }
    done
}

netns_name() {
    local name=$1
    [ "$name" != clients ] || name=bridge
    printf 'defter-%s-%s' "$netns_tag" "$name"
}

netns_address() {
    case $1 in
    na) echo 10.77.0.1 ;;
    nb) echo 10.77.0.2 ;;
    nz) echo 10.77.0.3 ;;
    clients) echo 10.77.0.100 ;;
    *) return 1 ;;
    esac
}

netns_exec() {
    local site=$1
    shift
    ip netns exec "$(netns_name "$site")" "$@"
}

# Ends the processes of one namespace, by their numbers, and removes it.
netns_remove() {
    local name=$1 pids
    for _ in $(seq 50); do
        pids=$(ip netns pids "$name" 2>/dev/null)
        [ -n "$pids" ] || break
        # shellcheck disable=SC2086
        kill -KILL $pids 2>/dev/null
        # shellcheck disable=SC2086
        kill -CONT $pids 2>/dev/null
        sleep 0.02
    done
    ip netns delete "$name" 2>/dev/null
}

# What a run left behind that could not clean up: its process is gone.
netns_remove_stale() {
    local name pid
    while read -r name _; do
        [[ $name =~ ^defter-([0-9]+)x[0-9]+-(na|nb|nz|bridge)$ ]] || continue
        pid=${BASH_REMATCH[1]}
        kill -0 "$pid" 2>/dev/null || netns_remove "$name"
    done < <(ip netns list 2>/dev/null)
}

# One site: a veth whose other end is a port of the bridge.
netns_make_site() {
    local site=$1 name bridge
    name=$(netns_name "$site")
    bridge=$(netns_name bridge)
    ip netns add "$name" &&
        ip -n "$bridge" link add "$site" type veth \
            peer name eth0 netns "$name" &&
        ip -n "$bridge" link set "$site" master bridge up &&
        ip -n "$name" address add "$(netns_address "$site")/24" dev eth0 &&
        ip -n "$name" link set lo up &&
        ip -n "$name" link set eth0 up &&
        # Drops are decided where they are sent; a refused connection would
        # tell more than a dead line does.
        ip netns exec "$name" nft -f - <<END
table inet chaos {
    set cut_to { type ipv4_addr; }
    set cut_from { type ipv4_addr; }
    chain going {
        type filter hook output priority 0; policy accept;
        ip daddr @cut_to drop
    }
    chain coming {
        type filter hook input priority 0; policy accept;
        ip saddr @cut_from drop
    }
}
END
}

netns_up() {
    local site why
    why=$(netns_missing)
    [ -z "$why" ] || {
        printf 'failed: %s\n' "$why" >&2
        return 1
    }
    netns_remove_stale
    netns_tag=${BASHPID}x$RANDOM
    ip netns add "$(netns_name bridge)" &&
        ip -n "$(netns_name bridge)" link add bridge type bridge \
            forward_delay 0 &&
        ip -n "$(netns_name bridge)" link set bridge up &&
        ip -n "$(netns_name bridge)" link set lo up &&
        ip -n "$(netns_name bridge)" address add \
            "$(netns_address clients)/24" dev bridge || return 1
    for site in "${netns_sites[@]}"; do
        netns_make_site "$site" || return 1
    done
}

netns_down() {
    local site
    [ -n "$netns_tag" ] || return 0
    for site in "${netns_sites[@]}" bridge; do
        netns_remove "$(netns_name "$site")"
    done
    netns_tag=
}

# netns_set add|delete SITE SET OTHER
netns_set() {
    local address
    address=$(netns_address "$4")
    netns_exec "$2" nft "$1" element inet chaos "$3" "{ $address }"
}

netns_cut() {
    netns_set add "$1" cut_to "$2"
}

netns_heal() {
    netns_set delete "$1" cut_to "$2" 2>/dev/null
    return 0
}

netns_isolate() {
    local other
    for other in "${netns_sites[@]}" ${2-}; do
        [ "$other" != "$1" ] || continue
        netns_set add "$1" cut_to "$other"
        netns_set add "$1" cut_from "$other"
    done
}

netns_heal_all() {
    local site
    for site in "${netns_sites[@]}"; do
        netns_exec "$site" nft flush set inet chaos cut_to
        netns_exec "$site" nft flush set inet chaos cut_from
    done
}

# netns_signal SITE SIGNAL: to all processes of the namespace.
netns_signal() {
    local pids
    pids=$(ip netns pids "$(netns_name "$1")")
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill "-$2" $pids 2>/dev/null
    return 0
}

netns_stop() {
    netns_signal "$1" STOP
}

netns_cont() {
    netns_signal "$1" CONT
}
