#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# A share of the calls that can fail while a backup is promoted; ./dev torture
# lets each of them fail.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# share SCENARIO CLASS EVERY
share() {
    bash tests/chaos/torture_promote.sh --scenario "$1" --class "$2" \
        --every "$3" || exit 1
}

share promote disk 131
share promote calls 131
share decide disk 23
# Both ways: numbers that are odd or even set the clock forward, or back.
bash tests/chaos/torture_promote.sh --scenario promote --class clock --to 2
