#!/usr/bin/env python3
"""What whoever has a node's receipt key can make of a true extract: one of
other words, which the node never gave out, under a receipt that is right.

    forge_extract.py EXTRACT RECEIPT_KEY FORGED
"""
import base64
import re
import sys

from verify_extract import Extract, sha, tag

import _ed25519

RESULT_AT = 112  # Of the result's hash in a receipt.


def main():
    path, key_path, out = sys.argv[1:]
    data = open(path, "rb").read()
    # A class of four: there is none.
    old = re.search(rb"(?m)^field (\S+) (class number \d+)$", data)
    section = re.search(rb"(?m)^section (S06 .*)$", data).group(1)
    salt = base64.b64decode(old.group(1))
    hashes = [sha(tag("extract"), b"\1", salt, section, b"\n", line)
              for line in (old.group(2), b"class number 4")]
    whole = Extract(data)
    whole.commitments[whole.commitments.index(hashes[0])] = hashes[1]
    whole.commitments.sort()
    receipt = whole.receipt[:RESULT_AT] + sha(whole.result())
    seed = open(key_path, "rb").read()[32:64]
    cluster = whole.certificate[24:40]
    signature = _ed25519.sign(seed, tag("receipt") + cluster + receipt)
    lines = [line for line in data.split(b"\n")
             if not line.startswith(b"commitment ")]
    values = {b"receipt ": receipt, b"signature ": signature}
    for at, line in enumerate(lines):
        for word, value in values.items():
            if line.startswith(word):
                lines[at] = word + base64.b64encode(value)
        if line == old.group(0):
            lines[at] = line.replace(old.group(2), b"class number 4")
    at = [line[:5] for line in lines].index(b"salt ") + 1
    lines[at:at] = [b"commitment " + base64.b64encode(c)
                    for c in whole.commitments]
    with open(out, "wb") as file:
        file.write(b"\n".join(lines))


if __name__ == "__main__":
    main()
