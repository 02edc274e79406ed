#!/usr/bin/env python3
"""Two verifiers, one file with one bit changed, as often as time allows.

    damage_extract.py EXTRACT AUTHORITY POLICY PROGRAM

Both must call the file true; of each damaged copy both must give the same exit
status, and none may be 0.  Without its first line, or with any byte of it
changed, a copy is still an extract, and tampered with; so is one with its
sections in another order, or one of them twice.
"""
import os
import random
import re
import subprocess
import sys
import tempfile

from verify_extract import policy_of, verdict

ROUNDS = 150


def copies(whole):
    """The file itself, and damaged ones, each with the verdict that it must
    have, or None for any but true."""
    pick = random.Random(int(os.environ.get("SEED", "17")))
    yield whole, 0
    first = whole.index(b"\n") + 1
    yield whole[first:], 1
    begin, end = whole.index(b"section "), whole.index(b"\n\n") + 1
    sections = re.split(rb"(?m)^(?=section )", whole[begin:end])[1:]
    for others in (sections[1:] + sections[:1], sections[::-1],
                   sections[:1] + sections):
        yield whole[:begin] + b"".join(others) + whole[end:], 1
    bits = [8 * byte + pick.randrange(8) for byte in range(first)]
    bits += [pick.randrange(8 * len(whole)) for _ in range(ROUNDS)]
    for bit in bits:
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        yield bytes(data), 1 if bit < 8 * first else None


def main():
    path, authority, policy_path, program = sys.argv[1:]
    key, policy = bytes.fromhex(authority), policy_of(policy_path)
    whole = open(path, "rb").read()
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, "copy")
        for number, (data, expected) in enumerate(copies(whole)):
            with open(copy, "wb") as file:
                file.write(data)
            ours = subprocess.run(
                [program, "verify", copy, "--authority", authority,
                 "--policy", policy_path], capture_output=True, check=False)
            theirs, why = verdict(data, key, policy)
            if (ours.returncode != theirs or (number == 0) != (theirs == 0) or
                    theirs != (theirs if expected is None else expected)):
                sys.exit("copy %d: %d by us, %d (%s) by the second one: %s" %
                         (number, ours.returncode, theirs, why,
                          ours.stdout.decode() + ours.stderr.decode()))
    print("%d damaged copies" % number)


if __name__ == "__main__":
    main()
