#!/usr/bin/env bash
# ctest-timeout: 120
# What tests/fuzz/fuzz.sh says of targets that crash, hang, or wait for a
# machine that does something else.
# shellcheck disable=SC2016
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/tests/fuzz" "$tree/build-fuzz/tests"
cp tests/fuzz/fuzz.sh "$tree/tests/fuzz/"
found=build-fuzz/found

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    cat "$tree/said.txt" >&2
    exit 1
}

# target NAME: one that does what stands in the standard input.
target() {
    printf '/* fuzz-runs: 7 plain\n' >"$tree/tests/fuzz/fz_$1.c"
    {
        echo '#!/bin/bash'
        echo 'give_up() {
            echo input >"'$found/'${0##*/}-$1-0a1b"
            echo "Test unit written to '$found/'${0##*/}-$1-0a1b"
            exit 70
        }'
        cat
    } >"$tree/build-fuzz/tests/fz_$1"
    chmod +x "$tree/build-fuzz/tests/fz_$1"
}

# fuzz ARGUMENT...: as ./dev fuzz calls it.
fuzz() {
    (cd "$tree" && env --default-signal=INT HANG_CPU_S=1 \
        bash tests/fuzz/fuzz.sh "$@") \
        >"$tree/said.txt" 2>&1
}

target good <<<'echo "$*" >arguments; echo "#9 DONE cov: 3 ft: 4 corp: 1"
    echo "stat::number_of_executed_units: 9"'
target crash <<<'give_up crash'
target waits <<<'[ "$1" = -timeout=0 ] || give_up timeout'
target hangs <<<'[ "$1" = -timeout=0 ] || give_up timeout; while :; do :; done'

fuzz libfuzzer good 2 || fail 'a target without a finding fails'
grep -q 'max_total_time=120 ' "$tree/arguments" || fail 'not for two minutes'
grep -q '^stat::cpu_seconds: [0-9]' "$tree/said.txt" ||
    fail 'no CPU seconds are told'
grep -qE '^fz_good 9 [0-9.]+$' "$tree/build-fuzz/campaigns.txt" ||
    fail 'the campaign is not in the list'
fuzz smoke good || fail 'a target without a finding fails'
grep -q 'runs=70 -seed=1 ' "$tree/arguments" ||
    fail 'a dear target is not run less often'

fuzz libfuzzer crash 1 && fail 'a crash is no failure'
[ -f "$tree/$found/fz_crash-crash-0a1b" ] || fail 'what crashes is not kept'

fuzz libfuzzer waits 1 || fail 'waiting for the machine is a failure'
grep -q 'fz_waits ended early' "$tree/said.txt" ||
    fail 'nobody is told that it ended early'
[ ! -e "$tree/$found/fz_waits-timeout-0a1b" ] || fail 'an innocent is kept'

fuzz libfuzzer hangs 1 && fail 'a hang is no failure'
[ -f "$tree/$found/fz_hangs-timeout-0a1b" ] || fail 'what hangs is not kept'
fuzz libfuzzer '' 1 2 && fail 'a finding among several is no failure'
for name in good crash waits hangs; do
    grep -q "^== fz_$name for 1 min" "$tree/said.txt" || fail "no fz_$name"
done

# What is reached of decoders, from a report that calls them by longer paths.
mkdir -p "$tree/build-coverage/tests" "$tree/bin"
for name in good crash waits hangs; do
    ln -s /bin/true "$tree/build-coverage/tests/fz_$name"
done
decoders=()
# shellcheck source=/dev/null
. <(sed -n '/^readonly decoders=(/,/^)/p' tests/fuzz/fuzz.sh)
printf 'elsewhere/%s 1 1 1 1 1 1 8 2 75.00%%\n' "${decoders[@]}" \
    other/thing.c >"$tree/report"
echo 'cat report' >"$tree/bin/llvm-cov"
ln -s /bin/true "$tree/bin/llvm-profdata"
chmod +x "$tree/bin/llvm-cov"
PATH=$tree/bin:$PATH
fuzz coverage || fail 'no table of the lines that are reached'
grep -qE '^protocol/frame.c +8 lines +2 not reached +75.0 %' \
    "$tree/said.txt" || fail 'a decoder is not in the table'
grep -qE "^all of them +$((8 * ${#decoders[@]})) lines .* 75.0 %" \
    "$tree/said.txt" || fail 'the sum is not that of all decoders'
sed -i '/protocol\/frame.c/d' "$tree/report"
fuzz coverage && fail 'nobody misses a decoder that is not in the report'

# Who interrupts means all of them; a fuzzer ends with its figures.
target asked <<<'kill -INT "$PPID"; exit 72'
fuzz smoke && fail 'who interrupts is told that all is well'
grep -q fz_asked "$tree/said.txt" || fail 'the first target does not run'
grep -q fz_crash "$tree/said.txt" && fail 'the next target runs nevertheless'
exit 0
