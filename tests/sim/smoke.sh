#!/usr/bin/env bash
# ctest-timeout: 600
# The simulator in a few minutes: seeds that failed once, some hundred others,
# a canary that must sing, and some rules broken that must be missed.
set -u
sim=$DEFTER_BUILD/bin/sim
failed=0

fail() {
    printf 'smoke: %s\n' "$*" >&2
    failed=1
}

# With ASan, what it can show; what failed once is left to the release build.
if [ "${2:-}" = short ]; then
    "$sim" --from 1 --seeds "$1" || fail "a seed failed ($?)"
    "$sim" --full --from 62 --seeds 2 || fail "a full seed failed ($?)"
    exit $failed
fi
"$sim" --regressions "$DEFTER_SOURCE/tests/sim/seeds.txt" \
    --from 1 --seeds "${1:-700}" || fail "a seed failed ($?)"
# Among them 64, which is run twice.
"$sim" --full --from 1 --seeds 64 || fail "a full seed failed ($?)"

"$sim" --canary --seed 1 >/dev/null
code=$?
[ $code -eq 129 ] || fail "the canary ended with $code"

# Each is noticed within a hundred seeds.
for number in 1 2 3 7 9 13 18 33 40 59 85 101 102 103 105 109 110; do
    "$sim" --mutants --mutant $number --seeds 300 ||
        fail "mutant $number lives"
done
exit $failed
