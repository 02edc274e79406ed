#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 600
# A share of the calls that can fail while a backup is promoted; ./dev torture
# lets each of them fail.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# share SCENARIO CLASS EVERY TO
share() {
    bash tests/chaos/torture_promote.sh --scenario "$1" --class "$2" \
        --every "$3" --to "$4" || exit 1
}

share promote disk 131 263
share promote calls 67 68
share decide disk 23 24
# Both ways: numbers that are odd or even set the clock forward, or back.
share promote clock 1 2
