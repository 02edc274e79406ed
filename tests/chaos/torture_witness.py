#!/usr/bin/env python3
"""The N-th call of a class fails while `defter witness` starts and serves.

    torture_witness.py [--scenario witness] [--class WORD] [--every K]
                       [--from N] [--to N] [--valgrind]

It may go on, or end by a status with a line that says why.  Whatever fails, it
signs no two roots of one size, and after a start with nothing in its way it
knows of every size that it signed.  Classes: tests/lib/torture.sh.
"""
import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "process"))
from witness import BIN, Witness, history, request, root_of  # noqa: E402

ERRORS = {"memory": errno.ENOMEM, "disk": errno.EIO, "room": errno.ENOSPC,
          "calls": errno.EMFILE, "clock": 0}
STATUSES = (0, 1, 3)  # As `defter` ends; 3 also without memory.
UNDER = ["/usr/bin/valgrind.bin", "-q", "--error-exitcode=99"]


def environment(options, number, report):
    words = dict(os.environ)
    words.update({
        "LD_PRELOAD": BIN + "/../lib/libtorture.so",
        "ASAN_OPTIONS": words.get("ASAN_OPTIONS", "") +
        ":verify_asan_link_order=0:detect_leaks=0",
        "MALLOC_PERTURB_": "165",
        "TORTURE_CLASS": options.word, "TORTURE_NTH": str(number),
        "TORTURE_ERROR": str(ERRORS[options.word]), "TORTURE_REPORT": report,
        "TORTURE_ON": str(int(number // options.every % 3 == 2)),
        "TORTURE_STEP": "7200" if number % 2 == 1 else "-7200"})
    return words


def hit_of(report):
    with open(report, encoding="ascii") as lines:
        hits = [line[4:].strip() for line in lines if line.startswith("hit ")]
    return hits[0] if hits else None


def offer(witness, signed):
    """Two histories, of which one is true; what is signed is remembered."""
    known = max(signed)
    for which, size in ((0, known + 1), (1, known + 2), (0, known + 4),
                        (1, known + 4), (0, known + 5), (0, known + 5)):
        leaves = history(which, size)
        got = witness.add(request(known, leaves))
        if got is None or got[0] in (408, 500, 503):
            continue
        if got[0] == 409:
            known = int(got[2])
            continue
        assert got[0] in (200, 422), got
        if got[0] == 200:
            root = root_of(leaves)
            assert signed.setdefault(size, root) == root, \
                "two roots of size %d" % size
            known = size
    witness.served()


def ended(witness, how):
    """Status and last words; a process that hangs is a failure."""
    process, witness.process = witness.process, None
    process.send_signal(how)
    try:
        said = process.communicate(timeout=60)[1].decode(errors="replace")
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError("it does not end") from None
    return process.returncode, said


def begun(witness, words, under):
    witness.process = subprocess.Popen(
        under + [BIN + "/defter", "witness", "--dir", witness.directory,
                 "--listen", "127.0.0.1:0", "--sandbox", "off"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=words)
    line = witness.process.stdout.readline().decode()
    if "port " in line:
        witness.port = int(line.split("port ")[1])
    return "port " in line


def tortured(witness, options, number, report, signed):
    words = environment(options, number, report)
    under = UNDER if options.valgrind else []
    if begun(witness, words, under):
        offer(witness, signed)
    status, said = ended(witness, signal.SIGTERM)
    assert status in STATUSES or status == -signal.SIGTERM, \
        "it ended with %d: %s" % (status, said)
    assert status <= 0 or said.strip(), "it ended with %d, silently" % status


def well(witness, signed):
    """Nothing in its way: it serves what it signed, and signs on."""
    assert begun(witness, dict(os.environ), []), \
        witness.process.stderr.read().decode()
    got = witness.served()
    assert got is not None and got[0] == 200, got
    size = int(got[2].decode().split("\n")[1])
    assert size >= max(signed), "a signature left that is not kept"
    for which in (1, 0):
        leaves = history(which, size + 1)
        got = witness.add(request(size, leaves))
        assert got is not None and got[0] == (422, 200)[which == 0], got
    status, said = ended(witness, signal.SIGTERM)
    assert status == 0, said


def torture(witness, options, fresh):
    report = os.path.join(os.path.dirname(fresh), "report")
    runs, unhit, number = 0, 0, options.first
    while number <= options.last and unhit < 2:
        shutil.rmtree(witness.directory)
        shutil.copytree(fresh, witness.directory)
        with open(report, "w", encoding="ascii"):
            pass
        signed = {9: root_of(history(0, 9))}
        try:
            witness.patience = 2  # It may have lost what was asked.
            tortured(witness, options, number, report, signed)
            witness.patience = 20
            well(witness, signed)
        except AssertionError:
            print("witness, %s %d (%s)" % (options.word, number,
                                           hit_of(report)), file=sys.stderr)
            raise
        runs += 1
        unhit = 0 if hit_of(report) else unhit + 1
        number += options.every
    print("witness, %s: up to %d, every %d" %
          (options.word, number - options.every, options.every))
    print("%d runs" % runs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenario", choices=["witness"])
    parser.add_argument("--class", dest="word", choices=sorted(ERRORS))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--to", dest="last", type=int, default=10 ** 9)
    parser.add_argument("--valgrind", action="store_true")
    options = parser.parse_args()
    wanted = [options.word] if options.word else sorted(ERRORS)
    with tempfile.TemporaryDirectory(prefix="defter-witness.") as folder:
        witness = Witness(folder + "/w")
        try:
            witness.start("--sandbox", "off")
            got = witness.add(request(0, history(0, 9)))
            assert got is not None and got[0] == 200, got
            assert witness.end(signal.SIGTERM)[0] == 0
            shutil.copytree(witness.directory, folder + "/fresh")
            for options.word in wanted:
                if options.word != "memory" or not options.valgrind:
                    torture(witness, options, folder + "/fresh")
        finally:
            if witness.process is not None:
                witness.process.kill()


if __name__ == "__main__":
    main()
