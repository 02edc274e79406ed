#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 240
# Three nodes and a witness outside: backup and archive cosign what the primary
# signs, the witness is asked over HTTP, and Python alone finds all their
# signatures on the note.  Without the witness nothing waits, and nothing is
# witnessed; it catches up.  Another primary goes on where the old one was, and
# nodes without a key, or with one that is not enrolled, cosign nothing.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh

# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

readonly origin=defter.local/log
witness_port=
witness_pid=

notes() {
    python3 tests/process/_notes.py "$@"
}

vkeys() {
    local name
    log_vkey=$(notes vkey "$origin" 1 "$(cluster3_dir A)/log.key")
    for name in A B Z; do
        vkey_of[$name]=$(notes node "$(cluster3_dir "$name")" "$origin")
    done
}
log_vkey=
declare -A vkey_of=()

witness_start() {
    "$DEFTER_BIN/defter" witness --dir "$cluster/witness" \
        --listen "127.0.0.1:$witness_port" >>"$cluster/witness.txt" 2>&1 &
    witness_pid=$!
    cluster_pids=("$witness_pid")
}

witness_kill() {
    kill -9 "$witness_pid"
    wait "$witness_pid" 2>/dev/null
    cluster_pids=()
}

# One policy for all nodes: those who do not lead, and the witness outside.
policy() {
    local name
    witness_port=$(free_port)
    "$DEFTER_BIN/defter" witness init --dir "$cluster/witness" \
        --name outside.example/w >"$cluster/witness.vkey" ||
        fail 'no witness'
    echo "log $log_vkey" >"$cluster/witness/logs"
    {
        echo "log $log_vkey"
        for name in A B Z; do
            echo "witness $name ${vkey_of[$name]}"
        done
        echo "witness outside $(cat "$cluster/witness.vkey")" \
            "http://127.0.0.1:$witness_port/"
        echo 'group nodes 2 A B Z'
        echo 'group all 2 nodes outside'
        echo 'quorum all'
    } >"$cluster/policy"
    for name in A B Z; do
        printf '\n[evidence]\npolicy = %s/policy\n' "$cluster" \
            >>"$(cluster3_dir "$name")/defterd.conf"
    done
}

# judged NODE FILE SIZE KEY...
judged() {
    local file
    file=$(cluster3_dir "$1")/$2
    shift 2
    [ -f "$file" ] && notes judge "$file" "$@" >"$cluster/judged.txt" 2>&1
}

# await_judged NODE FILE SIZE KEY...
await_judged() {
    wait_for 30 judged "$@" || {
        cat "$cluster/judged.txt" >&2
        tail -n 5 "$cluster"/[ABZ].txt >&2
        fail "$1's $2 is not of $3 entries with all signatures"
    }
}

entries_now() {
    cluster3_figure "$1" committed
}

ping_some() {
    local i
    for i in $(seq "$1"); do
        must as operator system.ping "text=$i" numbers=
    done
}

cluster3_make manual 'commands_per_second_person = 1000000'
vkeys
policy
witness_start
cluster3_begin
all=("$log_vkey" "${vkey_of[B]}" "${vkey_of[Z]}"
    "$(cat "$cluster/witness.vkey")")

# What the primary serves has everybody's signature, and the others have it too.
size=$(entries_now A)
await_judged A checkpoint.witnessed "$size" "${all[@]}"
await_judged B checkpoint.witnessed "$size" "${all[@]}"
await_judged Z checkpoint.witnessed "$size" "${all[@]}"
curl -sf "http://127.0.0.1:$witness_port/$(printf %s "$origin" | sha256sum |
    cut -d' ' -f1)/checkpoint" >"$cluster/served" || fail 'it serves nothing'
notes judge "$cluster/served" 1 "$log_vkey" "$(cat "$cluster/witness.vkey")" ||
    fail 'what the witness serves'
[ -f "$(cluster3_dir B)/checkpoint" ] || fail 'B publishes nothing'

# Whoever is to write a policy finds the keys in the log.
as operator --json node.list as=1 after=00000000000000000000000000000000 \
    >"$cluster/nodes.txt" 2>&1 || {
    cat "$cluster/nodes.txt" >&2
    fail "the nodes are not listed"
}
for name in A B Z; do
    grep -q "$(tail -c +65 "$(cluster3_dir "$name")/cosigner.key" | head -c 32 |
        od -An -tx1 | tr -d ' \n')" "$cluster/nodes.txt" ||
        fail "the key with which $name cosigns is not listed"
done

# The witness is gone: everything goes on, and nothing is witnessed.
witness_kill
ping_some 20
size=$(entries_now A)
await_judged A checkpoint "$size" "$log_vkey" "${vkey_of[B]}" "${vkey_of[Z]}"
! judged A checkpoint.witnessed "$size" "$log_vkey" ||
    fail 'witnessed without the witness'
wait_for 20 cluster3_line_of A 'witness outside: ' ||
    fail 'A says nothing of it'
witness_start
await_judged A checkpoint.witnessed "$size" "${all[@]}"
wait_for 20 cluster3_line_of A 'it signs again' || fail 'A does not say so'

# Another primary knows nothing of the witness, and learns its size from it.
cluster3_switchover B >"$cluster/said.txt" 2>&1 || {
    cat "$cluster/said.txt" >&2
    fail 'B does not lead'
}
ping_some 5
size=$(entries_now B)
await_judged B checkpoint.witnessed "$size" "$log_vkey" "${vkey_of[A]}" \
    "${vkey_of[Z]}" "$(cat "$cluster/witness.vkey")"
await_judged A checkpoint.witnessed "$size" "$log_vkey" "${vkey_of[A]}"

# A directory of before: the node says so once, and goes on as ever.
cluster3_stop Z
rm "$(cluster3_dir Z)/cosigner.key"
cluster3_start Z
cluster3_await 60 || fail 'Z does not come back'
cluster3_line_of Z 'no cosigner.key: this node cosigns nothing' ||
    fail 'Z does not say that it has no key'
ping_some 5
size=$(entries_now B)
await_judged B checkpoint "$size" "$log_vkey" "${vkey_of[A]}"
! judged B checkpoint "$size" "${vkey_of[Z]}" || fail 'Z cosigned without a key'

# A key that the log has not enrolled counts for nothing.
cluster3_stop Z
head -c 104 "$cluster/witness/witness.key" >"$(cluster3_dir Z)/cosigner.key"
chmod 600 "$(cluster3_dir Z)/cosigner.key"
cluster3_start Z
cluster3_await 60 || fail 'Z does not come back with a key'
ping_some 5
wait_for 30 cluster3_line_of B 'a cosignature of node' ||
    fail 'B does not refuse a key that is not enrolled'
for name in A B Z; do
    cluster3_stop "$name"
done
echo 'cosign: good'
