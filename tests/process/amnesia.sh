#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 120
# The power loss of libamnesia.so: a program that syncs what it promises keeps
# it at every seed, and each one that forgets a sync is caught.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/amnesia.sh
. tests/lib/amnesia.sh

fail() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

# lose KIND SEED: runs it until the power goes; 1: it had promised too much.
lose() {
    local status promised
    rm -rf "$scratch/disk" "$scratch/disk.amnesia"
    mkdir "$scratch/disk"
    amnesia_env "$scratch/disk" "$2"
    env "${amnesia_words[@]}" AMNESIA_AFTER=$((3 + $2 * 7 % 61)) \
        AMNESIA_REPORT="$scratch/report" \
        "$DEFTER_BIN/amnesia_victim" "$1" "$scratch/disk" >"$scratch/said"
    status=$?
    [ $status -eq "$amnesia_exit" ] || fail "$1, seed $2: ended with $status"
    promised=$(tail -n 1 "$scratch/said")
    "$DEFTER_BIN/amnesia_victim" check "$1" "$scratch/disk" "${promised:-0}"
}

for kind in honest dsync named replace; do
    for seed in $(seq "${SEEDS:-20}"); do
        lose $kind "$seed" || fail "$kind, seed $seed: a synced number is lost"
    done
done
for kind in liar unnamed hasty cutter; do
    caught=0
    for seed in $(seq "${SEEDS:-20}"); do
        lose $kind "$seed" || caught=$((caught + 1))
    done
    echo "$kind: caught by $caught of ${SEEDS:-20} seeds"
    [ $caught -gt 0 ] || fail "$kind was never caught"
done

# The same seed and call leave the same disk.
lose liar 5
cp -r "$scratch/disk" "$scratch/first"
lose liar 5
diff -r "$scratch/first" "$scratch/disk" >&2 || fail 'a seed does not repeat'

# From outside, at any time.
rm "$scratch/report" "$scratch/said"
amnesia_env "$scratch/disk" 9
env "${amnesia_words[@]}" AMNESIA_REPORT="$scratch/report" \
    "$DEFTER_BIN/amnesia_victim" honest "$scratch/disk" >"$scratch/said" &
victim=$!
for _ in $(seq 3000); do
    [ ! -s "$scratch/said" ] || break
    sleep 0.01
done
amnesia_lose $victim
wait $victim
[ $? -eq "$amnesia_exit" ] || fail 'the signal took no power'
grep -q '^power lost: seed 9 ' "$scratch/report" || fail 'there is no report'
"$DEFTER_BIN/amnesia_victim" check honest "$scratch/disk" \
    "$(tail -n 1 "$scratch/said")" || fail 'a synced number is lost'
echo 'every promise kept, every lie caught'
