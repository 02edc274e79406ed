"""Compares `defter archive` with the second implementation (tests/second) on a
stopped node's log: units that are good, and what was damaged.

    _units.py NODE WORK
"""
import json
import os
import shutil
import subprocess
import sys

DEFTER = os.path.join(os.environ["DEFTER_BIN"], "defter")
SECOND = os.path.join("tests", "second", "verify_unit.py")
GOOD, TAMPERED, INCOMPLETE = 0, 1, 2
SAME = ["verdict", "size", "leaf", "root", "first", "last", "units"]


def run(*words, codes=(0,)):
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    assert done.returncode in codes, (words, done.returncode, done.stdout)
    return done.returncode, done.stdout


def both(code, *units, signatures="20"):
    """Both verify the same units, and come to the same; their reports."""
    first, out = run(DEFTER, "archive", "verify", "--json", *units,
                     codes=(0, 1, 2))
    other, said = run(sys.executable, SECOND, "--signatures", signatures,
                      *units, codes=(0, 1, 2))
    report, theirs = json.loads(out), json.loads(said)
    assert first == other == code, (units, first, other, report, theirs)
    if code == GOOD:
        for name in SAME:
            assert report[name] == theirs[name], (name, report, theirs)
        assert report.get("manifest") == theirs.get("manifest")
    else:
        assert report["first_bad"]["file"] == theirs["first_bad"]["file"], (
            report, theirs)
    return report, theirs


def damage(unit, name, change):
    """Both name the file; then it is as it was."""
    path = os.path.join(unit, name)
    with open(path, "rb") as file:
        before = file.read()
    with open(path, "wb") as file:
        file.write(change(before))
    report, _ = both(TAMPERED, unit)
    assert report["first_bad"]["file"] == name, report
    with open(path, "wb") as file:
        file.write(before)


def flip(at):
    def change(data):
        out = bytearray(data)
        out[at] ^= 1
        return bytes(out)
    return change


def main():
    node, work = sys.argv[1:]
    units = [os.path.join(work, name) for name in "abc"]
    for number, (unit, first, last) in enumerate(zip(
            units, ("0", "300", "701"), ("299", "700", None)), 1):
        end = ["--to", last] if last else []
        run(DEFTER, "archive", "make", "--number", str(number), "--from", first,
            *end, node, unit)
        both(GOOD, unit)
    _, theirs = both(GOOD, *units)
    both(GOOD, units[1], units[2])
    both(INCOMPLETE, units[0], units[2])
    both(INCOMPLETE, units[2], units[1])
    names = [line.split()[-1] for line in run(
        "sed", "-n", "s/^file //p", os.path.join(units[1], "manifest"))[1]
        .decode().split("\n") if line]
    for name in ["manifest", *names]:
        for change in (flip(0), flip(-1), lambda data: data[:-1],
                       lambda data: data + b"x"):
            damage(units[1], name, change)
    again = os.path.join(work, "again")
    run(DEFTER, "archive", "restore", *units, again)
    run(sys.executable, SECOND, "--signatures", "0", "--restore",
        os.path.join(work, "theirs"), *units)
    run("diff", "-r", os.path.join(again, "log"),
        os.path.join(work, "theirs"))
    shutil.rmtree(os.path.join(work, "theirs"))
    for name in os.listdir(os.path.join(again, "log")):
        run("cmp", os.path.join(again, "log", name),
            os.path.join(node, "log", name))
    print("units agree, to size", theirs["size"])


if __name__ == "__main__":
    main()
