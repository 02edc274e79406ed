#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 180
# What lies among archive units, in a tree and beside the operator's key is a
# pipe, a link or of an odd name: nothing hangs, nothing is called good that is
# not all there, and what is at fault is named.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# ends STATUS WORDS ARGUMENT...: defter ends so, and says the words.
ends() {
    local want=$1 words=$2 status
    shift 2
    timeout 60 "$DEFTER_BIN/defter" "$@" >"$cluster/said" 2>&1 </dev/null
    status=$?
    [ $status -eq "$want" ] &&
        { [ -z "$words" ] || grep -qF -- "$words" "$cluster/said"; } && return
    cat "$cluster/said" >&2
    fail "$*: ended with $status, not $want, or does not say: $words"
}

# lays KIND PATH
lays() {
    rm -rf "$2"
    case $1 in
    pipe) mkfifo "$2" ;;
    folder) mkdir "$2" ;;
    loop) ln -s "$(basename "$2")" "$2" ;;
    away) ln -s /nowhere/unit "$2" ;;
    device) ln -s /dev/zero "$2" ;;
    esac
}

cluster_make 'commands_per_second_person = 1000000'
cluster_start
must as operator bench --commands 300 --sessions 2
cluster_stop || fail "the node ended with $?"
units=$cluster/units
mkdir "$units"
must "$DEFTER_BIN/defter" archive make --to 255 "$node" "$units/unit-000001"
must "$DEFTER_BIN/defter" archive make --number 2 --from 256 "$node" \
    "$units/unit-000002"
ends 0 good archive verify "$units"

# Something in a unit's place that is no unit: the others are not all.
mv "$units/unit-000002" "$cluster/aside"
odd=$units/unit-000002
for kind in pipe folder loop away device; do
    lays $kind "$odd"
    ends 2 "$odd" archive verify "$units"
    ends 2 "$odd" archive list "$units"
    ends 2 "$odd" archive restore "$units" "$cluster/none"
    [ ! -e "$cluster/none" ] || fail "something was restored beside a $kind"
done
rm -rf "$odd"
echo 'tape LTO-0017' >"$units/README"
ends 0 good archive verify "$units"
if [ "$(id -u)" -ne 0 ]; then
    cp -r "$cluster/aside" "$odd"
    chmod 0 "$odd"
    ends 2 'cannot be read' archive verify "$units"
    ends 3 "$odd: cannot be read" archive list "$units"
    chmod 700 "$odd"
    rm -rf "$odd"
fi

# Whatever a unit's folder is called, JSON is JSON and a line a line.
for name in $'a\nb\e[31m' 'a"b\c' "$(printf 'n%.0s' {1..255})" $'\xff'; do
    mv "$cluster/aside" "$units/$name"
    ends 0 '"last":255' archive list --json "$units"
    python3 -c 'import json, sys
paths = [json.loads(line)["path"] for line in open(sys.argv[1])]
sys.exit(len(paths) != 2)' "$cluster/said" || fail 'no JSON'
    ends 0 'entries 0 to 255' archive list "$units"
    ! grep -q $'\e' "$cluster/said" || fail 'an escape reaches the terminal'
    mv "$units/$name" "$cluster/aside"
done
ends 0 '"path"' archive make --json "$node" "$cluster/"$'u\n"\e'
python3 -m json.tool "$cluster/said" >/dev/null || fail 'no JSON'

# It is the one at fault that is named.
odd=$cluster/odd
for kind in pipe folder loop away device; do
    lays $kind "$odd"
    ends 1 "$odd: " archive make --checkpoint "$odd" "$node" "$cluster/none"
    ends 3 "$odd: " archive make --policy "$odd" "$node" "$cluster/none"
    ends 1 "$odd: " export tiles --checkpoint "$odd" "$node" "$cluster/none"
    ends 3 "$odd: " certificate show "$odd"
    [ ! -e "$cluster/none" ] || fail "something was made with a $kind"
    [ $kind = folder ] && continue
    ends 3 "$odd: " archive make "$node" "$odd"
    ends 3 "$odd: " archive make --due "$node" "$odd"
    ends 3 "$odd: " archive restore "$odd" "$cluster/none"
    [ ! -e "$cluster/none" ] || fail "something was restored from a $kind"
done
echo nothing >"$cluster/paper"
ends 1 "$cluster/paper: " certificate show "$cluster/paper"

# What lies under a new file's name is taken away, and not waited for.
mkdir -p "$cluster/tree/tile"
mkfifo "$cluster/tree/checkpoint.new"
ends 0 'size' export tiles "$node" "$cluster/tree"
printf '[nodes]\nnode = %s backup 127.0.0.1:1 127.0.0.1:2\n' \
    "$(printf '%032d' 1)" >"$cluster/c/nodes.conf"
mkfifo "$cluster/c/operator.state.new"
ends 0 '' --cluster "$cluster/c/cluster.conf" --key "$cluster/c/operator.key" \
    certificate paper 1 0011aabb
[ -s "$cluster/c/operator.state" ] || fail 'there is no state'
