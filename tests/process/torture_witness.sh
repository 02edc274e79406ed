#!/usr/bin/env bash
# ctest-timeout: 300
# A share of the calls that can fail in a witness; ./dev torture lets each of
# them fail.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# share CLASS EVERY
share() {
    python3 tests/chaos/torture_witness.py --class "$1" --every "$2" || exit 1
}

share disk 3
share room 2
share calls 31
share clock 1
share memory 61
