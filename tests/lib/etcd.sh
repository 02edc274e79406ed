# etcd.sh: real etcd on 127.0.0.1, for scripts.
#
#   . tests/lib/etcd.sh
#   etcd_start [MEMBERS] [OPTION...]  1 or 3; waits until they serve
#   etcd_kill N | etcd_pause N | etcd_resume N | etcd_again N   member N, from 1
#   etcd_leader                       prints the number of the leader
#   $etcd_endpoints                   with commas between them
#
# Everything is in $etcd, with logs, and gone when the script ends; KEEP=1
# leaves it.  ETCD_TLS=1 before etcd_start makes certificates of its own and
# wants mutual TLS: $etcd/ca.pem, $etcd/node.pem, $etcd/node.key.
set -u
etcd=
etcd_endpoints=
etcd_scheme=http
declare -A etcd_pid=()
declare -A etcd_port=()
declare -A etcd_peer=()
etcd_options=()
etcd_pids=() # Others of this script's own, ended with it.

fail() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}

etcd_end() {
    local pid
    for pid in "${etcd_pid[@]}" "${etcd_pids[@]}"; do
        kill -9 "$pid" 2>/dev/null
    done
    exec 4>&2 2>/dev/null # The shell would say who was killed.
    wait
    exec 2>&4
    if [ -n "${KEEP-}" ]; then
        printf 'kept: %s\n' "$etcd" >&2
    else
        rm -rf "$etcd"
    fi
}

# A port that nobody listens on, below those the system gives to clients.
etcd_free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
            echo "$port"
            return
        }
    done
    fail 'no free port'
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# An authority, etcd's certificate and the node's, all signed by it.
etcd_certificates() {
    local name
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority \
            -keyout "$etcd/ca.key" -out "$etcd/ca.pem" &&
            for name in etcd node; do
                openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" \
                    -keyout "$etcd/$name.key" -out "$etcd/$name.csr" &&
                    openssl x509 -req -days 2 -in "$etcd/$name.csr" \
                        -CA "$etcd/ca.pem" -CAkey "$etcd/ca.key" \
                        -CAcreateserial -out "$etcd/$name.pem" -extfile <(
                            echo subjectAltName=IP:127.0.0.1
                        ) || exit 1
            done
    } >"$etcd/certificates.txt" 2>&1 || fail 'no certificates were made'
    etcd_scheme=https
    etcd_options+=(--client-cert-auth --trusted-ca-file "$etcd/ca.pem"
        --cert-file "$etcd/etcd.pem" --key-file "$etcd/etcd.key")
}

# etcd_post N PATH BODY: what member N answers.
etcd_post() {
    curl -sS --max-time 5 --noproxy '*' --cacert "$etcd/ca.pem" \
        --cert "$etcd/node.pem" --key "$etcd/node.key" \
        "$etcd_scheme://127.0.0.1:${etcd_port[$1]}$2" -d "$3" 2>/dev/null
}

etcd_serves() {
    [[ $(etcd_post "$1" /v3/kv/range '{"key":"eA=="}') == *'"revision"'* ]]
}

etcd_run() {
    local peers=() number
    for number in "${!etcd_peer[@]}"; do
        peers+=("m$number=http://127.0.0.1:${etcd_peer[$number]}")
    done
    # Its own process, without what the environment may set for etcd.
    env -i PATH="$PATH" etcd --name "m$1" --data-dir "$etcd/m$1" \
        --listen-client-urls "$etcd_scheme://127.0.0.1:${etcd_port[$1]}" \
        --advertise-client-urls "$etcd_scheme://127.0.0.1:${etcd_port[$1]}" \
        --listen-peer-urls "http://127.0.0.1:${etcd_peer[$1]}" \
        --initial-advertise-peer-urls "http://127.0.0.1:${etcd_peer[$1]}" \
        --initial-cluster "$(
            IFS=,
            echo "${peers[*]}"
        )" "${etcd_options[@]}" >>"$etcd/m$1.txt" 2>&1 &
    etcd_pid[$1]=$!
}

etcd_start() {
    local members=${1:-1} number
    [ $# -eq 0 ] || shift
    etcd_options=("$@")
    command -v etcd >/dev/null ||
        fail 'etcd is not installed (Debian: apt-get install etcd-server)'
    command -v curl >/dev/null ||
        fail 'curl is not installed (Debian: apt-get install curl)'
    etcd=$(mktemp -d "${TMPDIR:-/tmp}/defter-etcd.XXXXXX") || exit 1
    trap etcd_end EXIT
    trap 'exit 1' INT TERM
    [ -z "${ETCD_TLS-}" ] || etcd_certificates
    for number in $(seq "$members"); do
        etcd_port[$number]=$(etcd_free_port)
        etcd_peer[$number]=$(etcd_free_port)
        etcd_endpoints+=${etcd_endpoints:+,}
        etcd_endpoints+=$etcd_scheme://127.0.0.1:${etcd_port[$number]}
    done
    for number in $(seq "$members"); do
        etcd_run "$number"
    done
    for number in $(seq "$members"); do
        wait_for 60 etcd_serves "$number" || {
            tail -n 5 "$etcd/m$number.txt" >&2
            fail "etcd's member $number does not serve"
        }
    done
}

etcd_kill() {
    {
        kill -9 "${etcd_pid[$1]}"
        wait "${etcd_pid[$1]}"
    } 2>/dev/null
    unset "etcd_pid[$1]"
}

# Every thread has stopped; the signal alone is only on its way.
etcd_is_stopped() {
    ! grep -qhvE '^[0-9]+ \(.*\) T' /proc/"${etcd_pid[$1]}"/task/*/stat
}

etcd_pause() {
    kill -STOP "${etcd_pid[$1]}"
    wait_for 60 etcd_is_stopped "$1" || fail "etcd's member $1 does not stop"
}

etcd_resume() {
    kill -CONT "${etcd_pid[$1]}"
}

# Member N, which was killed, with the data that it has.
etcd_again() {
    etcd_run "$1"
    wait_for 60 etcd_serves "$1" || fail "etcd's member $1 is not back"
}

# What member N says of its own id, and of the leader's.
etcd_says() {
    etcd_post "$1" /v3/maintenance/status '{}' |
        sed -n "s/.*\"$2\":\"\\([0-9]*\\)\".*/\\1/p"
}

etcd_leader() {
    local number
    for number in "${!etcd_pid[@]}"; do
        if [ "$(etcd_says "$number" member_id)" = \
            "$(etcd_says "$number" leader)" ]; then
            echo "$number"
            return
        fi
    done
    fail 'no member leads'
}

# ---- A register, driven by lines -------------------------------------------
#
#   register_open NAME NODE [NAME=VALUE...]   see tests/programs/etcd_register.c
#   says NAME LINE                            gives it a line
#   hears NAME PATTERN [SECONDS]              waits for a line that matches (an
#                                             extended regular expression over
#                                             the whole line), behind those
#                                             heard before; it is in $heard
#   register_close NAME
declare -A register_in=()
declare -A register_line=()
declare -A register_pid=()
heard=

register_open() {
    local name=$1 node=$2 fd
    shift 2
    rm -f "$etcd/$name.in" "$etcd/$name.txt"
    mkfifo "$etcd/$name.in" && : >"$etcd/$name.txt" || exit 1
    "$DEFTER_BIN/etcd_register" "$node" "$etcd_endpoints" "$@" \
        <"$etcd/$name.in" >"$etcd/$name.txt" 2>"$etcd/$name.err" &
    register_pid[$name]=$!
    etcd_pids+=($!)
    exec {fd}>"$etcd/$name.in"
    register_in[$name]=$fd
    register_line[$name]=0
}

says() {
    echo "$2" >&"${register_in[$1]}"
}

hears_now() {
    local found
    # A line that is being written has no end yet, and is not one.
    found=$(tail -n +"$((register_line[$1] + 1))" "$etcd/$1.txt" |
        grep -nE -m 1 "^($2)\$") || return 1
    register_line[$1]=$((register_line[$1] + ${found%%:*}))
    heard=${found#*:}
}

hears() {
    wait_for "${3:-60}" hears_now "$1" "$2" && return
    cat "$etcd/$1.txt" "$etcd/$1.err" >&2
    fail "$1 does not say: $2"
}

# It must not have said this since the last line heard.
never_heard() {
    if hears_now "$1" "$2"; then
        cat "$etcd/$1.txt" >&2
        fail "$1 said: $heard"
    fi
}

# The program must end in good order: sanitizers speak at the end.
register_close() {
    local fd=${register_in[$1]} status
    says "$1" end
    exec {fd}>&-
    wait "${register_pid[$1]}"
    status=$?
    [ $status -eq 0 ] && [ ! -s "$etcd/$1.err" ] && return
    cat "$etcd/$1.err" >&2
    fail "$1 ended with $status"
}
