#!/usr/bin/env bash
# ctest-timeout: 600
# A share of the calls that can fail; ./dev torture lets each of them fail.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# share SCENARIO CLASS EVERY
share() {
    bash tests/chaos/torture.sh --scenario "$1" --class "$2" --every "$3" ||
        exit 1
}

share start memory 4001
share start disk 101
share start room 19
share start calls 23
share start clock 11
share serve memory 1501
share serve disk 67
share serve room 13
share serve calls 19
share serve clock 29
share verify memory 7
share verify disk 7
share init memory 307
share init disk 17
share init room 5
