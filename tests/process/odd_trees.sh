#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 120
# `defter verify` of what is no tree or proof, or not all of one, and `defter
# export` of what it cannot export: every ending has its status, JSON is JSON,
# nothing hangs, and nothing is called good.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly vectors=tests/vectors/tlog

# ends STATUS WORDS...: verify ends so, and --json gives one object, or none
# when there is nothing to tell.
ends() {
    local expected=$1 status
    shift
    timeout 60 "$DEFTER_BIN/defter" verify --json "$@" \
        >"$cluster/report.json" 2>"$cluster/said.txt"
    status=$?
    [ $status -eq "$expected" ] || {
        cat "$cluster/report.json" "$cluster/said.txt" >&2
        fail "verify $* ended with $status, not $expected"
    }
    if [ $status -eq 3 ]; then
        [ ! -s "$cluster/report.json" ] && [ -s "$cluster/said.txt" ] ||
            fail "verify $* does not say what is wrong"
    else
        python3 -c 'import json, sys; json.load(open(sys.argv[1]))' \
            "$cluster/report.json" || fail "verify $* gives no JSON"
    fi
}

# says PATTERN: in the last report, or on standard error.
says() {
    cat "$cluster/report.json" "$cluster/said.txt" | grep -qE -- "$1" ||
        fail "the last verdict does not say $1: $(cat "$cluster/report.json")"
}

# exports STATUS WORDS...
exports() {
    local expected=$1 status
    shift
    timeout 60 "$DEFTER_BIN/defter" export tiles "$@" \
        >"$cluster/report.json" 2>"$cluster/said.txt"
    status=$?
    [ $status -eq "$expected" ] ||
        fail "export $* ended with $status: $(cat "$cluster/said.txt")"
}

# fresh: a tree that others made, in $odd.
fresh() {
    odd=$cluster/odd
    rm -rf "$odd"
    cp -r "$vectors/log5" "$odd"
    chmod -R u+w "$odd"
}

cluster_make
policy=$cluster/policy
printf 'log %s\nwitness w %s\nquorum w\n' "$(cat $vectors/log.vkey)" \
    "$(cat $vectors/witness.vkey)" >"$policy"
fresh
ends 0 --tree-only --policy "$policy" "$odd"
ends 1 --policy "$policy" "$odd" # Its entries are none of ours.
ends 2 --tree-only "$odd"
says 'nothing says with which key'
ends 3 --tree-only --policy "$cluster/none" "$odd"
ends 3 --tree-only --checkpoint "$cluster/none" "$odd"
ends 3 --tree-only --resume "$cluster/resume" "$odd"
ends 3 --tree-only --receipts "$cluster/none" --policy "$policy" "$odd"
ends 3 --entry "$odd/checkpoint" --policy "$policy" "$odd"

# Checkpoints that are none.
for content in '' $'\n' 'test' "$(head -c 100000 /dev/zero | tr '\0' x)"; do
    fresh
    printf '%s' "$content" >"$odd/checkpoint"
    ends 1 --tree-only --policy "$policy" "$odd"
    says '"file":"checkpoint"'
done
fresh
rm "$odd/checkpoint"
ends 1 --tree-only --policy "$policy" "$odd"
says 'checkpoint is missing'
ends 0 --tree-only --policy "$policy" --checkpoint \
    "$vectors/log5/checkpoint" "$odd"
mkfifo "$odd/checkpoint"
ends 3 --tree-only --policy "$policy" "$odd"
# Of another log, and of a larger one than any tree here.
fresh
cp "$vectors/log70000/checkpoint" "$odd/checkpoint"
chmod u+w "$odd/checkpoint"
ends 1 --tree-only "$odd"
says 'the bundle is missing'
printf 'x\n4611686018427387904\n%s\n\n— x AAAAAAA=\n' \
    "$(head -c 32 /dev/zero | base64)" >"$odd/checkpoint"
ends 3 --tree-only "$odd"
printf 'x\n0\n%s\n\n— x AAAAAAA=\n' \
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= >"$odd/checkpoint"
ends 2 --tree-only "$odd"

# Tiles that are no plain files: never read through, never waited for.
for kind in pipe link folder device; do
    for tile in tile/0/000.p/5 tile/entries/000.p/5; do
        fresh
        rm "$odd/$tile"
        case $kind in
        pipe) mkfifo "$odd/$tile" ;;
        link) ln -s "$PWD/$vectors/log5/$tile" "$odd/$tile" ;;
        folder) mkdir "$odd/$tile" ;;
        device) ln -s /dev/zero "$odd/$tile" ;;
        esac
        ends 2 --tree-only --policy "$policy" "$odd"
        says 'no plain file'
        says "\"file\":\"$tile\""
    done
done
# Files of other sizes.
for tile in tile/0/000.p/5 tile/entries/000.p/5; do
    for size in 0 1 33 44 46 10000 1T; do
        fresh
        truncate -s $size "$odd/$tile"
        ends 1 --tree-only --policy "$policy" "$odd"
        says "\"file\":\"$tile\""
    done
done

# Proofs that are none.
proof=$cluster/a.tlog-proof
: >"$proof"
ends 1 --policy "$policy" "$proof"
cp "$vectors/log5.tlog-proof" "$cluster/other"
ends 2 --policy "$policy" "$cluster/other"
says 'nothing says which entry'
printf 'entry-2' >"$cluster/entry"
ends 1 --policy "$policy" --entry "$cluster/entry" "$cluster/other"
says 'not well formed'
ends 3 --policy "$policy" --entry "$cluster/none" "$cluster/other"
echo 'nothing' >"$cluster/other"
ends 3 --policy "$policy" "$cluster/other"
truncate -s 1M "$proof"
ends 3 --policy "$policy" "$proof"

# What cannot be exported.
exports 3
exports 3 "$cluster/none" "$cluster/tree"
exports 3 --checkpoint "$vectors/log5/checkpoint" "$cluster" "$cluster/tree"
cluster_start
cluster_stop || fail "the node ended with $?"
rm -f "$node/checkpoint"
exports 1 "$node" "$cluster/tree"
grep -q 'there is no checkpoint' "$cluster/said.txt" || fail 'it does not say'
exports 1 --checkpoint "$vectors/log5/checkpoint" "$node" "$cluster/tree"
grep -q 'another log' "$cluster/said.txt" || fail 'it does not say'
[ ! -e "$cluster/tree/checkpoint" ] || fail 'a checkpoint was written'
exports 3 --checkpoint "$vectors/log5/checkpoint" "$node" \
    "$cluster/no/tree"
