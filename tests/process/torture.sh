#!/usr/bin/env bash
# ctest-timeout: 600
# A share of the calls that can fail; ./dev torture lets each of them fail.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# share SCENARIO CLASS EVERY
share() {
    bash tests/chaos/torture.sh --scenario "$1" --class "$2" --every "$3" ||
        exit 1
}

share start disk 151
share start room 19
share start calls 23
share start clock 11
share serve room 41
share verify disk 97
# These make few calls: all of them.
for class in disk room memory; do
    share extract $class 1
    share redact $class 1
done
