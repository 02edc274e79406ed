#!/usr/bin/env python3
"""Checkpoints and who signed them, read in Python alone.

  _notes.py vkey NAME TYPE KEYFILE     a key as others are given it
  _notes.py node DIRECTORY ORIGIN      the same of a node's cosigner
  _notes.py judge FILE SIZE KEY...     exit 0 if the note is of at least SIZE
                                       entries and every key signed it; a line
                                       that does not verify is an error
"""
import base64
import hashlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import _ed25519  # noqa: E402

LOG, COSIGNER = 1, 4
PUBLIC_AT, NODE_ID_AT = 64, 40  # In a key file; in a certificate.


def keyid_of(name, blob):
    return hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]


def vkey(name, kind, path):
    with open(path, "rb") as file:
        blob = bytes([kind]) + file.read()[PUBLIC_AT:PUBLIC_AT + 32]
    return "%s+%s+%s" % (name, keyid_of(name, blob).hex(),
                         base64.b64encode(blob).decode())


def node_vkey(directory, origin):
    with open(directory + "/node.cert", "rb") as file:
        node = file.read()[NODE_ID_AT:NODE_ID_AT + 4].hex()
    return vkey("%s/node/%s" % (origin, node), COSIGNER,
                directory + "/cosigner.key")


def is_signed(text, blob, signature):
    if blob[0] == LOG:
        return _ed25519.is_signed(blob[1:], text.encode(), signature)
    stamp = int.from_bytes(signature[:8], "big")
    message = "cosignature/v1\ntime %d\n%s" % (stamp, text)
    return _ed25519.is_signed(blob[1:], message.encode(), signature[8:])


def judge(path, least, keys):
    with open(path, encoding="utf-8") as file:
        note = file.read()
    head, _, lines = note.rpartition("\n\n")
    text = head + "\n"
    size = int(text.split("\n")[1])
    known = {}
    for key in keys:
        name, keyid, blob = key.split("+", 2)
        blob = base64.b64decode(blob, validate=True)
        assert keyid_of(name, blob).hex() == keyid, key
        known[name, bytes.fromhex(keyid)] = blob
    signed = set()
    for line in lines.rstrip("\n").split("\n"):
        dash, name, data = line.split(" ")
        data = base64.b64decode(data, validate=True)
        who = (name, data[:4])
        assert dash == "\u2014", line
        if who in known:
            if not is_signed(text, known[who], data[4:]):
                sys.exit("%s: the line of %s does not verify" % (path, name))
            signed.add(who)
    missing = sorted(name for name, _ in set(known) - signed)
    if size < least or missing:
        print("size %d, lacks %s" % (size, " ".join(missing) or "nobody"))
        return 1
    print("size %d, signed by %d" % (size, len(signed)))
    return 0


def main(words):
    if words[0] == "vkey":
        print(vkey(words[1], int(words[2]), words[3]))
    elif words[0] == "node":
        print(node_vkey(words[1], words[2]))
    elif words[0] == "judge":
        return judge(words[1], int(words[2]), words[3:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
