#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 240
# A plan follows its seed alone, and one node lives through a short one.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

fail() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}

plan() {
    bash tests/chaos/chaos.sh --plan --minutes 5 "$@" | tail -n +2
}

for mode in --etcd --one ''; do
    # shellcheck disable=SC2086
    [ "$(plan $mode --seed 5)" = "$(plan $mode --seed 5)" ] ||
        fail "a seed does not repeat its plan ($mode)"
    # shellcheck disable=SC2086
    [ "$(plan $mode --seed 5)" != "$(plan $mode --seed 6)" ] ||
        fail "two seeds have one plan ($mode)"
done
plan --etcd --seed 5 | grep -q etcd || fail 'etcd is never hurt'
bash tests/chaos/chaos.sh --one --seconds 12 --seed 5
