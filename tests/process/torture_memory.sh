#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# The share of memory: with a sanitizer, its own calls would fail as well, and
# it ends the process then.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
bash tests/chaos/torture.sh --scenario start --class memory --every 1601 &&
    bash tests/chaos/torture.sh --scenario verify --class memory --every 4 &&
    bash tests/chaos/torture.sh --scenario start --class memory --paths \
        --every 211
