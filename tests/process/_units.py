"""Compares `defter archive` with the second implementation (tests/second):
units that are good, and what was damaged.

    _units.py all NODE WORK          makes units of a stopped node's log
    _units.py both CODE UNIT...      both end with CODE and say the same; what
                                     `defter` says of the fault is printed
"""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys

DEFTER = os.path.join(os.environ["DEFTER_BIN"], "defter")
SECOND = os.path.join("tests", "second", "verify_unit.py")
GOOD, TAMPERED, INCOMPLETE = 0, 1, 2
SAME = ["verdict", "size", "leaf", "root", "first", "last", "units", "entries",
        "bytes", "items", "sealed_items", "by_category", "by_operation",
        "epochs", "epoch", "keys", "attestations", "attested", "refused_items"]
STRANGERS = "whether the cosigners that a unit's keys name are nodes of"


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
        said = any(line.startswith(STRANGERS) for line in report["not_checked"])
        assert said == (theirs["strange_cosigners"] > 0), (report, theirs)
    else:
        for name, value in theirs["first_bad"].items():
            if name != "what":  # Each has its own words.
                assert report["first_bad"][name] == value, (
                    name, report["first_bad"], theirs["first_bad"])
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


# ---- Damage under a manifest that is made anew ------------------------------

class Remade:
    """A unit in which a file is changed, and its hash in the manifest; in the
    end everything is as it was."""

    def __init__(self, unit, name, data):
        self.paths = [os.path.join(unit, name), os.path.join(unit, "manifest")]
        self.before = []
        for path in self.paths:
            with open(path, "rb") as file:
                self.before.append(file.read())
        lines = self.before[1].decode().split("\n")[:-2]
        at = next(i for i, line in enumerate(lines)
                  if line.split(" ")[0] == "file" and line.endswith(" " + name))
        digest = hashlib.sha256(data).hexdigest()
        lines[at] = f"file {digest} {len(data)} {name}"
        body = "".join(line + "\n" for line in lines).encode()
        self.after = [data, body + b"end %s\n" % hashlib.sha256(
            body).hexdigest().encode()]

    def write(self, contents):
        for path, data in zip(self.paths, contents):
            with open(path, "wb") as file:
                file.write(data)

    def __enter__(self):
        self.write(self.after)

    def __exit__(self, *_):
        self.write(self.before)


def zstd(option, data):
    return subprocess.run(["zstd", option, "-cq"], input=data,
                          stdout=subprocess.PIPE, check=True).stdout


def sealed_item(bundle):
    """Where the bundle's first sealed item is."""
    at = 0
    while at < len(bundle):
        item = at + 2 + 192
        at += 2 + int.from_bytes(bundle[at:at + 2], "big")
        while item < at:
            if any(bundle[item + 64:item + 72]):
                return item
            item += 80 + int.from_bytes(bundle[item + 72:item + 76], "little")
    raise AssertionError("nothing is sealed in the bundle")


def check_sealed(units):
    """Of a sealed item nothing can be read, and nothing can be changed."""
    name = "entries/000.zst"
    with open(os.path.join(units[0], name), "rb") as file:
        bundle = zstd("-d", file.read())
    item = sealed_item(bundle)
    for offset in (0, 32, 63, 64, 71, 80):  # Clear, commitment, key, data.
        changed = zstd("-3", flip(item + offset)(bundle))
        with Remade(units[0], name, changed):
            report, _ = both(TAMPERED, *units)
        assert report["first_bad"]["file"] == os.path.join(units[0], name)
        assert report["first_bad"]["index"] != 0


def cosigner(name, key):
    body = bytes([4]) + key
    keyid = hashlib.sha256(name + b"\n" + body).digest()[:4]
    return b"cosigner %s+%s+%s\n" % (name, keyid.hex().encode(),
                                     base64.b64encode(body))


def check_cosigners(units):
    """The node's key is the log's; who is not in the log is only named."""
    path = os.path.join(units[1], "keys")
    with open(path, "rb") as file:
        before = file.read()
    lines = before.splitlines(keepends=True)
    own = next(line for line in lines if line.startswith(b"cosigner "))
    name, _, text = own.split(b" ")[1].strip().split(b"+", 2)
    key = base64.b64decode(text)[1:]
    for code, line in ((TAMPERED, cosigner(name, flip(3)(key))),
                       (TAMPERED, cosigner(name + b"x", key)),
                       (GOOD, own + cosigner(b"witness.example", bytes(32)))):
        with Remade(units[1], "keys", before.replace(own, line)):
            report, theirs = both(code, *units)
            both(GOOD, units[1], units[2])  # There the log is not known.
        assert code == GOOD or report["first_bad"]["file"] == path
        assert code != GOOD or theirs["strange_cosigners"] == 1


def judge_all(node, work):
    units = [os.path.join(work, name) for name in "abc"]
    for number, (unit, first, last) in enumerate(zip(
            units, ("0", "300", "701"), ("299", "700", None)), 1):
        end = ["--to", last] if last else []
        run(DEFTER, "archive", "make", "--number", str(number), "--from", first,
            *end, node, unit)
        both(GOOD, unit)
    report, theirs = both(GOOD, *units)
    assert report["sealed_items"] > 0 and report["attestations"] > 0, report
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
    check_sealed(units)
    check_cosigners(units)
    both(GOOD, *units)
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


def main():
    what, *words = sys.argv[1:]
    if what == "all":
        judge_all(*words)
    else:
        report, _ = both(int(words[0]), *words[1:])
        fault = report["first_bad"] or {"what": "none"}
        print(fault["what"], "index", fault.get("index"), fault.get("file"))


if __name__ == "__main__":
    main()
