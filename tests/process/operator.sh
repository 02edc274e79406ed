#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 120
# The operator's commands against three nodes that state what this script says:
# promotions, members, what is refused, and all three locks against signing two
# successors of one configuration.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly defter=$DEFTER_BIN/defter
readonly stage=$DEFTER_BIN/operator_stage
declare -A id_of pid_of identity_of

# exits CODE WORD...: with that status; what was said is in said.txt.
exits() {
    local want=$1 got
    shift
    "$@" >"$cluster/said.txt" 2>&1 </dev/null
    got=$?
    [ $got -eq "$want" ] || {
        cat "$cluster/said.txt" >&2
        fail "exit status $got, not $want: $*"
    }
}

says() {
    grep -q -- "$1" "$cluster/said.txt" || {
        cat "$cluster/said.txt" >&2
        fail "it does not say: $1"
    }
}

tool() {
    "$defter" --cluster "$cluster/c/cluster.conf" \
        --key "$cluster/c/operator.key" "$@"
}

# nth N: the id of the Nth node in the list.
nth() {
    sed -n "s/^node = \\([0-9a-f]*\\) .*/\\1/p" "$cluster/c/nodes.conf" |
        sed -n "$1p"
}

# state NODE NUMBER...: flags, size, committed, incarnation, and of the other
# node its incarnation and what it acknowledged.
state() {
    local node=$1
    shift
    echo "$*" >"$cluster/common/${id_of[$node]}.said"
}

stage_is_ready() {
    grep -q 'stage is ready' "$cluster/$1.txt" 2>/dev/null ||
        ! kill -0 "${pid_of[$1]}" 2>/dev/null
}

# Every stage begins with the first configuration again.
start() {
    rm -f "$cluster/$1.txt"
    "$stage" serve "$cluster/serve.$1/defterd.conf" "${identity_of[$1]}" \
        "$cluster/common" 2>"$cluster/$1.txt" &
    pid_of[$1]=$!
    cluster_pids+=("$!")
    wait_for 60 stage_is_ready "$1"
    kill -0 "${pid_of[$1]}" 2>/dev/null && return
    cat "$cluster/$1.txt" >&2
    fail "the stage of $1 does not start"
}

stop() {
    kill -TERM "${pid_of[$1]}"
    wait "${pid_of[$1]}" 2>/dev/null
}

# ---- Three nodes -----------------------------------------------------------

cluster=$(mktemp -d "${TMPDIR:-/tmp}/defter.XXXXXX") || exit 1
trap cluster_end EXIT
trap 'exit 1' INT TERM
port=$(free_port)
for node in a b z; do
    # Three that differ, whoever else asks for one.
    address[$(printf '%d' "'$node")]=127.0.0.1:$port
    port=$((port + 37))
done
address() { echo "${address[$(printf '%d' "'$1")]}"; }

"$defter" init "$cluster/c" --listen "$(address a)" \
    --peer-listen 127.0.0.2:7841 >"$cluster/init.txt" || fail 'init'
"$defter" node new "$cluster/b" --role backup --listen "$(address b)" \
    --peer-listen 127.0.0.3:7841 --cluster "$cluster/c" >"$cluster/b.txt" ||
    fail 'node new backup'
"$defter" node new "$cluster/z" --role archive --listen "$(address z)" \
    --peer-listen 127.0.0.4:7841 --cluster "$cluster/c" >"$cluster/z.txt" ||
    fail 'node new archive'
id_of=([a]=$(nth 1) [b]=$(nth 2) [z]=$(nth 3))
grep -q "node.enrol as=1 node_id=${id_of[b]} role=" "$cluster/b.txt" ||
    fail 'no operation to enrol the node'
grep -q "peer = ${id_of[z]} archive 127.0.0.4:7841" "$cluster/z.txt" ||
    fail 'no line for the others'
grep -q "peer = ${id_of[b]} backup 127.0.0.3:7841" \
    "$cluster/z/defterd.conf" || fail 'the archive does not know the backup'
grep -q "defter node new DIR .* --cluster $cluster/c " "$cluster/init.txt" ||
    fail 'init does not say that the other nodes come before the first start'
grep -q 'a test environment; its log is called defter.local/log, its owner ' \
    "$cluster/init.txt" || fail 'init does not say what stays for good'
for one in b z; do
    grep -q "  address = $(address "$one")\$" "$cluster/$one.txt" ||
        fail "node new does not say what clients need of $one"
done
grep -q "member add ${id_of[b]}" "$cluster/b.txt" || fail 'backup: member add'
! grep -q 'member add\|be primary' "$cluster/z.txt" ||
    fail 'an archive is told to be a member, or to lead'
[ -e "$cluster/b/log.key" ] || fail 'a backup cannot sign checkpoints'
[ ! -e "$cluster/z/log.key" ] || fail 'an archive could sign checkpoints'
exits 1 "$defter" node new "$cluster/b" --role backup \
    --listen 127.0.0.1:1 --peer-listen 127.0.0.1:2 --cluster "$cluster/c"
says 'holds a node already'
exits 3 "$defter" node new "$cluster/q" --role backup \
    --listen "$(address a)" --peer-listen 127.0.0.1:2 --cluster "$cluster/c"
exits 3 "$defter" node new "$cluster/q" --role primary \
    --listen 127.0.0.1:1 --peer-listen 127.0.0.1:2 --cluster "$cluster/c"
[ "$(grep -c '^node = ' "$cluster/c/nodes.conf")" -eq 3 ] ||
    fail 'a node that was not made is in the list'

exits 3 "$defter" init "$cluster/q" --peer-listen 127.0.0.1
exits 3 "$defter" init "$cluster/q" --peer-listen 127.0.0.1:7840
exits 3 "$defter" init "$cluster/q" --peer-listen 127.0.0.1:1 --minimum 0
exits 3 "$defter" init "$cluster/q" --peer-listen 127.0.0.1:1 --minimum 8
[ ! -e "$cluster/q" ] || fail 'something was made all the same'
for row in 'node = 00 backup 127.0.0.1:1 127.0.0.1:2' \
    "node = ${id_of[a]} primary 127.0.0.1:1 127.0.0.1:2" \
    "node = ${id_of[a]} backup 127.0.0.1:1" 'peer = x' \
    "$(printf 'node = %s backup h:1 h:2\n' "${id_of[a]}" "${id_of[a]}")"; do
    printf '[nodes]\n%s\n' "$row" >"$cluster/bad.conf"
    exits 3 tool promote "${id_of[a]}" --nodes "$cluster/bad.conf"
    says 'not the row of a node'
done
exits 3 tool promote "${id_of[a]}" --nodes "$cluster/no.such.file"
echo 'not a certificate' >"$cluster/bad.certificate"
exits 1 "$defter" certificate show "$cluster/bad.certificate"
exits 3 tool certificate deliver "$cluster/bad.certificate"

# Each serves a single node's copy, and speaks as the node whose keys it has.
identity_of=([a]=$cluster/i [b]=$cluster/b [z]=$cluster/z)
mkdir -m 700 "$cluster/common" "$cluster/i"
for node in a b z; do
    cp -r "$cluster/c/node" "$cluster/serve.$node"
    printf '[node]\ndirectory = .\n[net]\nlisten = %s\nloops = 1\n%s\n' \
        "$(address $node)" handshakes_per_source_burst=10000 \
        >"$cluster/serve.$node/defterd.conf"
done
cp "$cluster/c/node/receipt.key" "$cluster/c/node/link.certificate" \
    "$cluster/c/node/genesis.entry" "$cluster/i/"
cp "$cluster/z/link.certificate" "$cluster/common/archive.certificate"
"$stage" boot "$cluster/common" "$(sed -n 's/^id = //p' \
    "$cluster/c/cluster.conf")" "${id_of[a]}" "${id_of[b]}" "${id_of[z]}" ||
    fail 'the first configuration was not made'
state a 0 1000 998 1 1 1000
state b 0 1000 998 1 3 1000
state z 0 998 998 3 1 998
for node in a b z; do
    start $node
done

# ---- Refused while the primary leads ---------------------------------------

b=${id_of[b]:0:8}
z=${id_of[z]:0:8}
a=${id_of[a]:0:8}
exits 1 tool promote "$b"
says 'the primary leads'
exits 1 tool --az promote "$b"
says 'Bu imzalana bilməz'
exits 3 tool promote nosuchnode
exits 3 tool promote
exits 3 tool --json promote "$b" # Nobody would see what he agrees to.
exits 3 tool member
exits 3 tool member add
exits 3 tool force "$b"
says 'two keys'
exits 1 tool force "$b" --authority "$cluster/c/authority/authority.key"
says 'a member answers and is whole'
exits 1 tool member remove "$b"
says 'fewer members than the minimum'
exits 1 tool switchover "$b" --wait 0
says 'not everything is committed'
state a 0 1000 998 1 3 1000 # Of z, in its third start.
exits 1 tool member add "$z" # Nobody says yes.
says 'nothing was signed; the node is named'
says 'defter member settle'
exits 0 tool certificate paper
says '^0 00000000$'
stop z # The archive: known before the primary is asked to stop.
exits 1 tool switchover "$b" --yes
says 'must countersign, and none answers'
start z

# ---- The primary is gone ---------------------------------------------------

cp "$cluster/c/operator.state" "$cluster/older.state"
kill -KILL "${pid_of[a]}"
wait "${pid_of[a]}" 2>/dev/null
state b 1 1000 998 1 3 1000 # LOST
exits 1 tool promote "$b" --yes
says 'lacks entries that it had acknowledged'
state b 0 997 997 1 3 1000
exits 1 tool promote "$b" --yes
says 'others know are committed'
state b 0 1000 998 1 3 1000
exits 1 tool promote "$z" --yes
says 'V3'
! grep -q 'promote .* --via' "$cluster/said.txt" ||
    fail 'an archive is told how it may lead'
exits 0 tool promote "$b" --yes
says 'took it'
says "^Next: defter member replace $a $z " # A is silent, two must hold all.
says 'For the paper: 3 '
paper=$(sed -n 's/^For the paper: //p' "$cluster/said.txt")
exits 0 tool certificate paper
says "^$paper\$"
third=$cluster/c/${paper/ /-}.certificate
exits 0 tool certificate show "$third"
says 'signed by operator'
says "signed by witness $z"
exits 1 tool promote "$b" --yes # It leads already.
exits 0 tool --json member replace "$a" "$z" --yes
python3 - "$cluster/said.txt" "${id_of[b]}" "${id_of[z]}" <<'PYTHON' ||
import json, sys
said = json.load(open(sys.argv[1], encoding="utf-8"))
assert said["may_be_signed"] and said["next"]["number"] == 4
assert sorted(said["next"]["members"]) == sorted(sys.argv[2:4])
assert [n["delivered"] for n in said["nodes"] if n["answers"]] == [0, 0]
PYTHON
    fail 'the JSON says something else'

# ---- Two successors of one configuration (all nodes forgot, say) -----------

stop b
stop z
cp "$cluster/c/operator.state" "$cluster/newer.state"
start b
start z
exits 1 tool promote "$b" --yes
says 'another configuration of this number was signed'
cp "$cluster/older.state" "$cluster/c/operator.state"
exits 2 tool promote "$b" --yes # A state from a backup: the archive refuses.
says 'no archive countersigned'
cp "$cluster/newer.state" "$cluster/c/operator.state"

# ---- A certificate that was lost, and a state that was lost ----------------

fourth=$(echo "$cluster"/c/4-*.certificate)
rm "$fourth"
exits 2 tool certificate again # Number 4 does not follow what b and z know.
says 'did not take it'
[ -s "$fourth" ] || fail 'the certificate was not made anew'
exits 0 tool certificate deliver "$third"
exits 0 tool certificate deliver "$fourth"
rm "$cluster/c/operator.state"
exits 1 tool member minimum 1 --yes
says 'nothing is signed without it'
exits 3 tool certificate paper 4 xyz
exits 0 tool certificate paper 4 01234567
exits 1 tool certificate paper 4 01234567
state b 0 1000 1000 1 1 1000
exits 0 tool member minimum 1 --yes
says 'For the paper: 5 '

# ---- Nothing but force is left ---------------------------------------------

start a
state a 0 1000 1000 2 1 1000
stop b
state z 1 998 998 3 1 998 # The archive lost what it had.
exits 1 tool promote "$a" --yes --without "$b"
says 'V3'
says "defter promote $a --via MEMBER"
exits 1 tool force "$a" --authority "$cluster/c/authority/authority.key"
says 'the newest configuration: deliver that first'
for certificate in "$third" "$fourth" "$cluster"/c/5-*.certificate; do
    exits 0 tool certificate deliver "$certificate"
done
printf 'a wrong name\n' | tool force "$a" --yes \
    --authority "$cluster/c/authority/authority.key" >"$cluster/said.txt" 2>&1
[ $? -eq 1 ] || fail 'forced on a wrong name'
says 'is lost too'
says 'No node of the old lineage is ever spoken with again'
# Another key of that kind takes no number.
mkdir "$cluster/other"
"$DEFTER_BIN/defter" init "$cluster/other/c" --peer-listen 127.0.0.1:1 \
    >/dev/null || fail 'no other cluster'
cp "$cluster/c/operator.state" "$cluster/state.before"
printf 'defter.local/log\n' | tool force "$a" --authority \
    "$cluster/other/c/authority/authority.key" >"$cluster/said.txt" 2>&1
[ $? -eq 3 ] || fail 'forced with the key of another authority'
says "not this cluster's authority"
cmp -s "$cluster/c/operator.state" "$cluster/state.before" ||
    fail 'a number was taken for what nobody signed'
printf 'defter.local/log\n' | tool force "$a" \
    --authority "$cluster/c/authority/authority.key" >"$cluster/said.txt" 2>&1
says 'For the paper: 6 '
exits 0 tool certificate show "$cluster"/c/6-*.certificate
says 'signed by authority'
stop a
stop z

# ---- A single node has nothing to decide -------------------------------------

"$DEFTER_BIN/defterd" --config "$cluster/serve.a/defterd.conf" \
    2>"$cluster/node.txt" &
cluster_pid=$!
wait_for 60 node_has_said 'serving on'
node_is_gone && {
    cat "$cluster/node.txt" >&2
    fail 'the single node does not serve'
}
exits 1 tool promote "$a" --yes
says 'single node'
exits 2 tool certificate deliver "$third"
cluster_stop || fail 'the node did not drain'
exit 0
