#!/usr/bin/env bash
# run.sh: what a node does on this machine, beside what the machine can do.
# ./dev bench builds and runs it.
#
#   run.sh [--seconds N] [--subjects N]
#
# The node, its disk and all clients share the machine; rates are not limited.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

seconds=5
subjects=20000
while [ $# -gt 1 ]; do
    case $1 in
    --seconds) seconds=$2 ;;
    --subjects) subjects=$2 ;;
    *) fail "$1: not known" ;;
    esac
    shift 2
done

say() {
    printf '\n== %s\n' "$*"
}

# json NAME: the number of that member in the line on standard input.
json() {
    sed -n "s/.*\"$1\":\\([0-9.]*\\).*/\\1/p"
}

figure() {
    as operator status | sed -n "s/^$1  *//p"
}

now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    echo $((now / 1000))
}

# row TITLE VALUE UNIT LIMIT LIMIT'S-NAME
row() {
    awk -v t="$1" -v v="$2" -v u="$3" -v l="${4:-0}" -v n="${5-}" 'BEGIN {
        printf "%-42s %12.0f %-10s", t, v, u
        if (l > 0) printf " %5.0f %% of %s", 100 * v / l, n
        print "" }'
}

# A row of commands, from the JSON of `defter bench`.
command_rows() {
    local title=$1 line
    shift
    "$@" >"$cluster/last.txt" 2>&1 || {
        cat "$cluster/last.txt" >&2
        fail "$*"
    }
    while read -r line; do
        case $line in *'"operation"'*) ;; *) continue ;; esac
        row "$title, $(json sessions <<<"$line") sessions" \
            "$(json per_second <<<"$line")" '/s' "$verify_limit" \
            "verify; p50 $(json p50_us <<<"$line") us,\
 p99 $(json p99_us <<<"$line") us"
    done <"$cluster/last.txt"
}

cluster_make commands_per_second_body=1000000 \
    commands_per_second_person=1000000 connections_per_organisation=4096 \
    connections_per_person=4096 connections_per_source=4096 \
    connections_before_login=4096
cluster_start
cluster_actors

say "the machine: $(nproc) processors, $(sed -n \
    's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
must as operator --json bench --seconds 1 --sessions 1 --directory "$node"
verify_limit=$(json ed25519_verify <"$cluster/last.txt")
hash_limit=$(json sha256_bytes <"$cluster/last.txt")
row 'Ed25519 verify, one core' "$verify_limit" /s
row 'Ed25519 sign, one core' "$(json ed25519_sign <"$cluster/last.txt")" /s
row 'SHA-256, one core' "$((hash_limit / 1000000))" MB/s
row 'fdatasync of 4 KiB' "$(json fdatasync <"$cluster/last.txt")" /s

say 'single signed commands (system.ping), closed loop'
command_rows 'no receipt' as operator --json bench --seconds "$seconds"
command_rows 'signed receipt' as operator --json bench --seconds "$seconds" \
    --receipts

say "feed of $subjects subjects, 64 records a signature, with begin and commit"
"$DEFTER_BIN/fixture" --subjects "$subjects" --provider "$tax_service" \
    >"$cluster/first.jsonl" || fail 'no fixture'
must feed "$cluster/first.jsonl" --json
row 'records fed' "$(json records_per_second <"$cluster/last.txt")" /s \
    $((verify_limit * 64)) 'verify x 64'

say 'reads'
subject=$(first_individual "$cluster/first.jsonl")
person owner "$subject" "$cluster/first.jsonl"
soon=$(date -u -d '+10 days' +%Y-%m-%dT%H:%M:%SZ)
: >"$cluster/reads.txt"
for _ in 1 2 3 4; do
    must as asker --json consent.ask "as=${duty_of[asker]}" \
        "subject=$subject" purpose=7 sections=S06 file_number=1 \
        operations=view "until=$soon"
    consent=$(got consent)
    must as owner consent.grant "subject=$subject" expect=1 \
        "consent=$consent" sections=S06 uses_max=1000 "until=$soon" \
        operations=view after_use=destroy revocation=any
    must as asker --json bench --sessions 16 --commands 1000 consent.read \
        "as=${duty_of[asker]}" "subject=$subject" purpose=7 \
        "consent=$consent" sections=S06 file_number=1
    json per_second <"$cluster/last.txt" >>"$cluster/reads.txt"
done
row 'under a consent, 16 sessions' \
    "$(awk '{ s += $1 } END { print s / NR }' "$cluster/reads.txt")" /s \
    "$verify_limit" verify
command_rows 'of own sections' as owner --json bench --seconds "$seconds" \
    --sessions 16 section.get "subject=$subject" sections=S01+S06 \
    file_number=1

say 'the log'
entries=$(figure log.entries)
items=$(figure commands.items)
cluster_stop || fail 'the node did not stop as it should'
verify() {
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" --json verify \
        "$@" "$node" >"$cluster/last.txt" 2>"$cluster/error.txt" ||
        [ $? -eq 2 ] || fail "verify: $(cat "$cluster/error.txt")"
}
row 'entries' "$entries" ''
row 'items' "$items" ''
for way in --no-signatures ''; do
    from=$(now_ms)
    # shellcheck disable=SC2086
    verify $way
    took=$(($(now_ms) - from + 1))
    bytes=$(json bytes <"$cluster/last.txt" | head -n 1)
    if [ -n "$way" ]; then
        row 'bytes per entry' $((bytes / entries)) bytes
        row 'bytes per item' $((bytes / items)) bytes
        row 'verify without signatures' $((entries * 1000 / took)) entries/s
        row 'verify without signatures' $((bytes / took / 1000)) MB/s \
            $((hash_limit / 1000000)) 'one core of SHA-256'
    else
        row 'verify with signatures' $((entries * 1000 / took)) entries/s \
            "$verify_limit" 'one core of verify'
    fi
done
from=$(now_ms)
cluster_start 600
row 'restart' $((($(now_ms) - from) * 1000000 / entries)) 'ms / million entries'
cluster_stop || fail 'the node did not stop as it should'
rm -f "$node"/state.db*
from=$(now_ms)
cluster_start 600
took=$(($(now_ms) - from))
row 'restart with the state made anew' $((took * 1000000 / entries)) \
    'ms / million entries'
row 'the same, by items' $((items * 1000 / took)) items/s
cluster_stop || fail 'the node did not stop as it should'

say 'the parts alone'
for part in journal keyring state search feed verify archive; do
    printf -- '-- bench_%s\n' "$part"
    case $part in
    journal) "$DEFTER_BUILD/tests/bench_journal" "$cluster" ;;
    keyring) "$DEFTER_BUILD/tests/bench_keyring" "$cluster/bench.keyring" ;;
    state) "$DEFTER_BUILD/tests/bench_state" "$cluster/bench.state" ;;
    search) "$DEFTER_BUILD/tests/bench_search" ;;
    feed) RECORDS=16384 "$DEFTER_BUILD/tests/bench_feed" ;;
    verify) "$DEFTER_BUILD/tests/bench_verify" ;;
    archive) "$DEFTER_BUILD/tests/bench_archive" ;;
    esac || fail "bench_$part"
done
