#!/usr/bin/env bash
# ctest-timeout: 90
# defter as a person meets it: help for everything, exit codes as documented,
# reasons at once, and a password that is set, used and changed.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# exits CODE WORD...: with that status, and something said.
exits() {
    local want=$1 got
    shift
    "$@" >"$cluster/said.txt" 2>&1 </dev/null
    got=$?
    [ $got -eq "$want" ] || {
        cat "$cluster/said.txt" >&2
        fail "exit status $got, not $want: $*"
    }
    [ -s "$cluster/said.txt" ] || fail "nothing said: $*"
}

# by_name PASSWORDS WORD...: operator.1 logs in with the first line.
by_name() {
    local passwords=$1
    shift
    printf '%b' "$passwords" | "$DEFTER_BIN/defter" --user operator.1 \
        --cluster "$cluster/c/cluster.conf" "$@"
}

cluster_make
readonly defter=$DEFTER_BIN/defter
for name in init node keygen prove password shell load status promote member \
    switchover force certificate bench extract verify dump; do
    exits 0 "$defter" "$name" --help
    exits 0 "$defter" help "$name"
    exits 3 "$defter" "$name" --no-such-option --neither-this
done
exits 0 "$defter" help
exits 0 "$defter" help consent.ask
exits 0 "$defter" help S06
exits 0 "$defter" --version
exits 3 "$defter"
exits 3 "$defter" --no-such-option
exits 3 "$defter" help no.such.operation
exits 3 "$defter" no.such.operation
exits 3 "$defter" init "$cluster/other" --listen localhost
exits 0 "$DEFTER_BIN/defterd" --help
exits 3 "$DEFTER_BIN/defterd" --listen 127.0.0.1:0
mkfifo "$cluster/pipe"
mkdir "$cluster/empty"
exits 3 "$defter" dump "$cluster/pipe"
exits 3 "$defter" dump "$cluster/empty"
grep -q 'no log' "$cluster/said.txt" || fail 'no reason given'
exits 3 "$defter" dump "$cluster/none"
exits 1 "$defter" dump "$cluster/c/cluster.conf"
exits 0 "$defter" dump "$node/genesis.entry"

# Nobody serves yet, and that is said at once.
exits 2 as operator status
grep -q 'CONNECT' "$cluster/said.txt" || fail 'no reason given'

cluster_start
cp "$keys/operator.key" "$keys/wrong_role.key"
role_of[wrong_role]=auditor
exits 1 as wrong_role status
grep -q -- '--role' "$cluster/said.txt" || fail 'no advice given'
exits 3 as operator status --wrong
exits 3 as operator section.get sections=S99
exits 3 as operator load "$cluster/init.txt" --duty two
exits 3 as operator load "$cluster/init.txt" --duty 4294967296
exits 3 as operator load "$cluster/init.txt" --sections 0x2000
exits 3 as operator load "$cluster/init.txt" --items 257
exits 3 as operator bench --seconds 1h
exits 3 as operator bench --commands 0

as operator password operator.1 <<<'birinci uzun parol' >/dev/null ||
    fail 'the password was not set'
by_name 'birinci uzun parol\n' status >/dev/null || fail 'no login by password'
by_name 'birinci uzun parol\nikinci uzun parol\n' password operator.1 \
    >/dev/null || fail 'the password was not changed'
by_name 'birinci uzun parol\n' status >/dev/null 2>&1 &&
    fail 'the old password opens'
by_name 'ikinci uzun parol\n' status >/dev/null || fail 'the new one does not'
as operator password Operator <<<'birinci uzun parol' 2>/dev/null
[ $? -eq 3 ] || fail 'a name with a capital was taken'
as operator password operator.1 <<<'qisa' 2>/dev/null
[ $? -eq 3 ] || fail 'a short password was taken'
cluster_stop || fail 'the node did not drain'
grep -rqa 'uzun parol' "$node" && fail 'a password is in the files of the node'
exit 0
