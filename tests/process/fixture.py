#!/usr/bin/env python3
# ctest-label: quick
"""The fixture is repeatable, and is the nation that it says it is."""
import collections
import json
import os
import subprocess
import sys

PROGRAM = os.path.join(os.environ["DEFTER_BIN"], "fixture")
WEIGHTS = (4, 1, 8, 6, 2, 7, 5, 3)


def fixture(*options):
    return subprocess.run([PROGRAM, *options], check=True,
                          stdout=subprocess.PIPE).stdout


def check(condition, what):
    if not condition:
        print("not so: " + what)
        sys.exit(1)


def main():
    whole = fixture("--subjects", "4000", "--seed", "7")
    check(whole == fixture("--subjects", "4000", "--seed", "7"),
          "the same options give the same bytes")
    parts = [fixture("--subjects", "2000", "--seed", "7", "--first", first)
             for first in ("0", "2000")]
    check(whole == b"".join(parts), "a part is what it is in the whole")
    check(whole != fixture("--subjects", "4000", "--seed", "8"),
          "another seed gives other subjects")

    records = [json.loads(line) for line in whole.splitlines()]
    numbers = collections.OrderedDict()
    fins, classes = [], collections.Counter()
    for record in records:
        numbers[record["subject"]] = None
        inner = record["record"]
        if record["section"] == "S01":
            people = inner.get("representatives", [inner])
            fins += [person["fin"] for person in people]
        if record["section"] == "S06":
            classes[inner["class"]] += 1
    check(len(numbers) == 4000, "4000 numbers, each once")
    check(len(set(fins)) == len(fins), "nobody's personal number is another's")
    for number in numbers:
        total = sum(int(d) * w for d, w in zip(number, WEIGHTS))
        check(total % 11 == int(number[8]), number + " has its check digit")
        check(number[9] in "12", number + " ends in 1 or 2")
    individuals = sum(number[9] == "2" for number in numbers) / 4000
    check(0.84 < individuals < 0.90, "87 % are individuals")
    check(classes["micro"] / 4000 > 0.95, "97 % are micro")
    baku = sum(10 <= int(number[:2]) <= 20 for number in numbers) / 4000
    check(0.45 < baku < 0.53, "49 % are in Baku")
    sections = {record["section"] for record in records}
    check(sections == {"S%02d" % n for n in range(1, 14)},
          "every section occurs")


main()
