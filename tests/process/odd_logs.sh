#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 120
# `defter verify` of what is no log, or not all of one: every ending has its
# status, JSON is JSON, nothing hangs, and nothing is called good.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly segment=00000000000000000000.seg

# ends STATUS WORDS...: verify ends so, and --json gives one object, or none
# when there is nothing to tell.
ends() {
    local expected=$1 status json
    shift
    timeout 60 "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        verify "$@" --json >"$cluster/report.json" 2>"$cluster/said.txt"
    status=$?
    [ $status -eq "$expected" ] || {
        cat "$cluster/report.json" "$cluster/said.txt" >&2
        fail "verify $* ended with $status, not $expected"
    }
    if [ $status -eq 3 ]; then
        [ ! -s "$cluster/report.json" ] && [ -s "$cluster/said.txt" ] ||
            fail "verify $* does not say what is wrong"
        return
    fi
    json=$(python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
print(report["verdict"], len(report["not_checked"]) > 0)' \
        "$cluster/report.json") || fail "verify $* gives no JSON"
    case "$status $json" in
    '0 good True' | '1 tampered True' | '2 incomplete True') ;;
    *) fail "verify $* says $json and ends with $status" ;;
    esac
}

# says PATTERN: in the last report, or on standard error.
says() {
    cat "$cluster/report.json" "$cluster/said.txt" | grep -qE -- "$1" ||
        fail "the last verdict does not say $1"
}

# fresh: an empty folder $odd.
fresh() {
    odd=$cluster/odd
    rm -rf "$odd"
    mkdir "$odd"
}

cluster_make
cluster_start
must as operator --receipts "$cluster/receipts" system.ping text=1
must as operator --receipts "$cluster/receipts" system.ping text=2
cluster_stop || fail "the node ended with $?"
ends 2 --receipts "$cluster/receipts" "$node/log"
leaf=$(sed -n 's/.*"leaf":"\([0-9a-f]*\)".*/\1/p' "$cluster/report.json")
ends 0 --leaf "$leaf" "$node"

# What is no log.
fresh
ends 3 "$odd"
ends 3 "$odd/none"
ends 3 ''
ends 3
ends 3 "$node" "$node"
ends 3 "$node/log/$segment"
ends 3 /dev/zero
mkdir "$odd/log"
ends 3 "$odd"
says 'no log is there'

# Segments that are no plain files: never read through, never waited for.
for kind in pipe link folder loop device; do
    fresh
    case $kind in
    pipe) mkfifo "$odd/$segment" ;;
    link) ln -s "$node/log/$segment" "$odd/$segment" ;;
    folder) mkdir "$odd/$segment" ;;
    loop) ln -s "$segment" "$odd/$segment" ;;
    device) ln -s /dev/zero "$odd/$segment" ;;
    esac
    ends 2 "$odd"
    says 'no plain file'
done
ln -s "$node" "$cluster/link"
ends 0 --leaf "$leaf" "$cluster/link"

# Files of every size.
fresh
: >"$odd/$segment"
ends 2 "$odd"
truncate -s 4T "$odd/$segment"
ends 1 "$odd"
cp "$node/log/$segment" "$odd/$segment"
truncate -s 4T "$odd/$segment"
ends 1 --leaf "$leaf" "$odd"
says 'longer than its header says'
truncate -s 5000 "$odd/$segment"
ends 2 "$odd"
says 'shorter than its header says'
head -c 100000 /dev/urandom >"$odd/$segment"
ends 1 "$odd"

# Other names are no part of the log; another's name is.
fresh
cp "$node/log/$segment" "$odd/$segment"
touch "$odd/note" "$odd/1.seg" "$odd/$segment.old"
mkfifo "$odd/spare"
ends 0 --leaf "$leaf" "$odd"
mv "$odd/$segment" "$odd/00000000000000000001.seg"
ends 1 "$odd"

# What is expected of it.
ends 1 --authority "$(printf '%064d' 7)" "$node"
says 'another authority'
ends 1 --leaf "$(printf '%064d' 7)" "$node"
for head in 5 0:00 "99999999999999999999:$leaf" "-1:$leaf" ":$leaf"; do
    ends 3 --head "$head" "$node"
done
for threads in 0 -1 x 1x; do
    ends 3 --threads "$threads" "$node"
done

# Receipts: none there, unfinished, changed.
ends 3 --receipts "$odd/none" "$node"
says "$odd/none"
head -c -5 "$cluster/receipts" >"$odd/receipts"
ends 2 --receipts "$odd/receipts" "$node/log"
says 'the last receipt of the file: it is unfinished'
printf 'no receipts %0400d' 1 >"$odd/receipts"
ends 1 --receipts "$odd/receipts" "$node"
says "\"file\":\"$odd/receipts\""

# An answer that nobody could read is not given for one.
"$DEFTER_BIN/defter" verify --leaf "$leaf" "$node" >/dev/full 2>&1
[ $? -eq 2 ] || fail 'a report that was not written is called good'

# Who may not read is told so; root may read everything.
if [ "$(id -u)" -ne 0 ]; then
    fresh
    cp "$node/log/$segment" "$odd/$segment"
    chmod 0 "$odd/$segment"
    ends 2 "$odd"
    chmod 0 "$odd"
    ends 3 "$odd"
    says 'cannot be read'
    chmod 700 "$odd"
    mkdir "$cluster/outer" "$cluster/outer/log"
    chmod 0 "$cluster/outer/log"
    ends 3 "$cluster/outer"
    says 'cannot be read'
fi
