#!/usr/bin/env python3
"""Two verifiers, one file with one bit changed, as often as time allows.

    damage_extract.py EXTRACT AUTHORITY POLICY PROGRAM

Both must call the file true; of each damaged copy both must give the same exit
status, and none may be 0.
"""
import os
import random
import subprocess
import sys
import tempfile

from verify_extract import policy_of, verdict

ROUNDS = 150


def main():
    path, authority, policy_path, program = sys.argv[1:]
    key, policy = bytes.fromhex(authority), policy_of(policy_path)
    whole = open(path, "rb").read()
    pick = random.Random(int(os.environ.get("SEED", "17")))
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, "copy")
        for number in range(ROUNDS):
            data = bytearray(whole)
            if number > 0:
                bit = pick.randrange(8 * len(data))
                data[bit // 8] ^= 1 << bit % 8
            with open(copy, "wb") as file:
                file.write(data)
            ours = subprocess.run(
                [program, "verify", copy, "--authority", authority,
                 "--policy", policy_path], capture_output=True, check=False)
            theirs, why = verdict(bytes(data), key, policy)
            expected = ours.returncode
            # Without its first line the file is taken for a log's folder.
            if expected == 3 and theirs == 1:
                continue
            if theirs != expected or (number == 0) != (theirs == 0):
                sys.exit("round %d: %d by us, %d (%s) by the second one: %s" %
                         (number, expected, theirs, why,
                          ours.stdout.decode() + ours.stderr.decode()))
    print("%d damaged copies" % (ROUNDS - 1))


if __name__ == "__main__":
    main()
