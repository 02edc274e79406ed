#!/usr/bin/env python3
"""Every row of docs/BAD-INPUTS.md has a test, and every such test a row.

A test of row 53 is called D53_..., one of several rows D1_D2_... or
D30_to_D32_...; a row may name other tests, or scripts of tests/process/.
Before the tree is read, the checker is shown a good sample and bad ones.
"""
import glob
import os
import re
import sys

ROOT = os.path.realpath(os.environ.get(
    "DEFTER_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
DOCUMENT = "docs/BAD-INPUTS.md"
# The rows of the first specification, and those that came later.
FIRST, LATER = range(1, 124), 201

ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.M)
NUMBERED = re.compile(r"^D(\d+)((?:_(?:to_)?D\d+)*)_")
CHECK_TEST = re.compile(r"^START_TEST\(\s*(\w+)\)", re.M)
SHELL_TEST = re.compile(r"^(\w+)\(\) \{$", re.M)


def numbers_of(name):
    """The rows that a test's name says it is of."""
    match = NUMBERED.match(name)
    if not match:
        return []
    numbers = [int(match.group(1))]
    for to, number in re.findall(r"_(to_)?D(\d+)", match.group(2)):
        first = numbers[-1] + 1 if to else int(number)
        numbers.extend(range(first, int(number) + 1))
    return numbers


def judge(document, names, scripts):
    """Complaints about rows and tests."""
    rows, shown = {}, {}
    for name in names:
        for number in numbers_of(name):
            shown.setdefault(number, []).append(name)
    for match in ROW.finditer(document):
        number = int(match.group(1))
        cells = [cell.strip() for cell in match.group(2).split("|")]
        if number in rows:
            yield "row %d stands twice" % number
        rows[number] = cells
        if len(cells) != 3 or not cells[0] or not cells[1]:
            yield "row %d has no input or no answer" % number
            continue
        named = re.findall(r"`([^`]+)`", cells[2])
        for name in named:
            if name not in names and name not in scripts:
                yield "row %d names %s, which is no test" % (number, name)
        if not named and number not in shown:
            yield "row %d has no test" % number
    for number in FIRST:
        if number not in rows:
            yield "row %d is missing" % number
    later = sorted(number for number in rows if number not in FIRST)
    if later != list(range(LATER, LATER + len(later))):
        yield "the later rows do not count from %d" % LATER
    for number in sorted(set(shown) - set(rows)):
        yield "%s is of row %d, which is not there" % (
            shown[number][0], number)


def self_test():
    sample = "".join("| %d | in | out | |\n" % number for number in FIRST)
    names = ["D1_to_D100_x", "D101_D102_x", "D103_to_D123_x", "other"]
    good = list(judge(sample, names, []))
    assert not good, good
    for bad, tests in (
            (sample.replace("| 7 |", "| 1 |"), names),
            (sample.replace("| 9 | in |", "| 9 | |"), names),
            (sample, names[1:]),
            (sample + "| 201 | in | out | `nobody` |\n", names),
            (sample + "| 202 | in | out | `other` |\n", names),
            (sample + "| 201 | in | out | |\n", names),
            (sample, names + ["D150_x"])):
        assert list(judge(bad, tests, [])), "a bad sample was let pass"
    assert numbers_of("D26_D27_x") == [26, 27]
    assert numbers_of("D07_to_D12_x") == list(range(7, 13))
    assert numbers_of("DIRECTORY_x") == []


def main():
    self_test()
    names, scripts = set(), set()
    for path in glob.glob(os.path.join(ROOT, "tests", "**", "*.c"),
                          recursive=True):
        with open(path, encoding="utf-8") as file:
            names.update(CHECK_TEST.findall(file.read()))
    for path in glob.glob(os.path.join(ROOT, "tests", "process", "*.sh")):
        scripts.add(os.path.basename(path))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # A function that nobody calls shows nothing.
        names.update(name for name in SHELL_TEST.findall(text)
                     if re.search(r"^%s$" % name, text, re.M))
    with open(os.path.join(ROOT, DOCUMENT), encoding="utf-8") as file:
        complaints = list(judge(file.read(), names, scripts))
    for complaint in complaints:
        print("%s: %s" % (DOCUMENT, complaint))
    print("%d tests of rows, %d complaints" % (
        sum(1 for name in names if numbers_of(name)), len(complaints)))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
