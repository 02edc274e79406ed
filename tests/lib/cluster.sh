# cluster.sh: a cluster of one node in a folder of its own, for scripts.
#
#   . tests/lib/cluster.sh
#   cluster_make [LINE...]     keys, genesis and configuration; lines are added
#                              to the node's [net] section
#   cluster_start              waits until the node serves
#   cluster_actors             organisations, people, duties, gateway, purpose
#   as NAME WORD...            defter with NAME's key
#   cluster_stop | cluster_kill
#
# Needs $DEFTER_BIN.  Everything is in $cluster, and is gone when the script
# ends; KEEP=1 leaves it.  A command that fails ends the script with its words.
set -u
: "${DEFTER_BIN:?the folder of the programs}"
export LANG=C.UTF-8
unset DEFTER_CLUSTER DEFTER_KEY

cluster=
cluster_pid=
cluster_pids=() # Others of this script's own, ended with it.
declare -A role_of=([operator]=staff)
declare -A person_of=([operator]=1)
declare -A duty_of=([operator]=1)
declare -A organisation_of=([operator]=1)

# What papers say is not in the log, only their digest.
readonly basis=5f1d0c9be2a74d10a1f0b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f701
readonly tax_service='Dövlət Vergi Xidməti'

fail() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}

cluster_end() {
    local pid
    for pid in $cluster_pid "${cluster_pids[@]}"; do
        kill -9 "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    if [ -n "${KEEP-}" ]; then
        printf 'kept: %s\n' "$cluster" >&2
    else
        rm -rf "$cluster"
    fi
}

# A port that nobody listens on, below those the system gives to clients.
free_port() {
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

cluster_make() {
    cluster=$(mktemp -d "${TMPDIR:-/tmp}/defter.XXXXXX") || exit 1
    trap cluster_end EXIT
    trap 'exit 1' INT TERM
    "$DEFTER_BIN/defter" init "$cluster/c" \
        --listen "127.0.0.1:$(free_port)" >"$cluster/init.txt" ||
        fail 'the cluster was not made'
    node=$cluster/c/node
    keys=$cluster/keys
    mkdir "$keys"
    cp "$cluster/c/operator.key" "$keys/operator.key"
    # A script logs in anew for each command, faster than a person would.
    printf '%s\n' handshakes_per_source_burst=10000 "$@" \
        >>"$node/defterd.conf"
}

# wait_for SECONDS COMMAND...: until the command succeeds; $wait_pause seconds
# between, where what asks is itself a load.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep "${wait_pause-0.05}"
    done
}

node_is_gone() {
    ! kill -0 "$cluster_pid" 2>/dev/null
}

node_has_said() {
    grep -q "$1" "$cluster/node.txt" 2>/dev/null || node_is_gone
}

cluster_start() {
    rm -f "$cluster/node.txt" # What the last run said counts no more.
    "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/node.txt" 2>&1 &
    cluster_pid=$!
    wait_for "${1:-60}" node_has_said 'serving on' &&
        ! node_is_gone && return
    cat "$cluster/node.txt" >&2
    fail 'the node does not serve'
}

# Gives the node's exit status; empties $cluster_pid.
cluster_wait() {
    local status
    wait "$cluster_pid" 2>/dev/null
    status=$?
    cluster_pid=
    return $status
}

cluster_stop() {
    kill -TERM "$cluster_pid"
    cluster_wait
}

cluster_kill() {
    kill -KILL "$cluster_pid"
    cluster_wait
    return 0
}

# as NAME WORD...: with that actor's key and role.
as() {
    local name=$1
    shift
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        --key "$keys/$name.key" --role "${role_of[$name]}" "$@"
}

# through CARRIER NAME WORD...: NAME signs, CARRIER's connection carries.
through() {
    local carrier=$1 name=$2
    shift 2
    as "$carrier" --signer "$keys/$name.key" "$@"
}

# The same, and the script ends where they fail.
must() {
    "$@" >"$cluster/last.txt" 2>&1 && return
    cat "$cluster/last.txt" >&2
    fail "$*"
}

# got NAME: a number or text of the last answer that `must` got as JSON.
got() {
    sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p" "$cluster/last.txt" |
        head -n 1
}

# organisation NAME KIND SECTIONS TITLE: enrolled by the operator.
organisation() {
    must as operator --json organisation.enrol as=1 "kind=$2" "name=$4" \
        "sections=$3" "ehis_code=$1" "basis=$basis"
    organisation_of[$1]=$(got organisation)
}

# enrol NAME ROLE ORGANISATION [BY]: a new key and its person.
enrol() {
    local by=${4:-operator}
    role_of[$1]=$2
    organisation_of[$1]=$3
    must "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        keygen "$keys/$1.key"
    must "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        prove "$keys/$1.key" --as "$2" --organisation "$3"
    # shellcheck disable=SC2046
    must as "$by" --json actor.enrol "as=${duty_of[$by]}" \
        "evidence=$basis" $(cat "$cluster/last.txt")
    person_of[$1]=$(got person)
    key_of[$1]=$(got key_id)
}
declare -A key_of

# duty NAME DUTY [SCOPE]: assigned by the operator, acknowledged by NAME.
duty() {
    must as operator --json duty.assign as=1 "person=${person_of[$1]}" \
        "organisation=${organisation_of[$1]}" "duty=$2" "scope=${3:-0}" \
        from=2020-01-01 to=none "basis=$basis"
    duty_of[$1]=$(got assignment)
    must as "$1" duty.ack "assignment=${duty_of[$1]}"
}

# carrier NAME KIND ROLE: the owner's gateway or portal component.
carrier() {
    enrol "$1" "$3" 1
    duty_of[$1]=0
    must as operator --json carrier.enrol as=1 "key_id=${key_of[$1]}" \
        "kind=$2" "label=$1"
}

# The cast: the tax service that feeds through EHIS, a support institution
# that asks, a body that has no grant, the owner's people, an auditor.
cluster_actors() {
    organisation tax 'body with own system' all "$tax_service"
    organisation fund 'support institution' none \
        'Sahibkarlığın İnkişafı Fondu'
    organisation bank 'body without own system' none 'Kredit Bürosu'
    carrier gateway EHIS EHIS
    carrier portal web portal
    enrol supplier participant "${organisation_of[tax]}"
    duty supplier SUP
    enrol asker participant "${organisation_of[fund]}"
    duty asker REQ
    enrol stranger participant "${organisation_of[bank]}"
    duty stranger REQ
    enrol officer staff 1
    duty officer DPO
    enrol auditor auditor 1
    duty auditor AUD 255
    must as officer purpose.put "as=${duty_of[officer]}" purpose=7 \
        'title=Qrant müsabiqəsi' 'legal_basis=Nizamnamə, 9.1.3' \
        sections=all kinds=1023
}

# feed FILE OPTION...: load a file of records through the gateway, $feed_items
# to a signature.
feed_items=64
feed() {
    local file=$1
    shift
    through gateway supplier "$@" load "$file" --items "$feed_items" \
        --duty "${duty_of[supplier]}"
}

# person NAME VOEN FILE: a key for the individual VOEN of the fixture FILE; by
# the personal number the registry knows whom it belongs to.
person() {
    local line
    line=$(grep -m 1 "\"subject\":\"$2\",\"section\":\"S01\"" "$3") ||
        fail "$2 is not in $3"
    enrol "$1" user 0 portal
    must as portal actor.identity "key_id=${key_of[$1]}" \
        "surname=$(member surname "$line")" "given=$(member given "$line")" \
        "patronymic=$(member patronymic "$line")" "fin=$(member fin "$line")"
}

# member NAME LINE: a text in a line of JSON.
member() {
    printf '%s\n' "$2" | sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"
}

# The first individual of a fixture file.
first_individual() {
    sed -n '/"kind":"individual"/{s/.*"subject":"\([0-9]*\)".*/\1/p;q}' "$1"
}
