"""Verify a .tlog-proof, from c2sp.org/tlog-proof and signed-note alone.

    python3 _tlog_proof.py FILE VKEY

The entry is taken from the line "extra".  Shares nothing with our C code.
Prints index and tree size; exit status 1 and a word if it does not verify.
"""
import base64
import hashlib
import sys

import _ed25519


def sha256(data):
    return hashlib.sha256(data).digest()


def fail(why):
    sys.exit("not verified: " + why)


def note_text(note, vkey):
    """The note's text, once the key's own line over it verifies."""
    name, keyid, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    if key[0] != 1 or sha256(name.encode() + b"\n" + key)[:4].hex() != keyid:
        fail("the key is none")
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, who, blob = line.split(" ")
        blob = base64.b64decode(blob, validate=True)
        if dash != "\u2014" or who != name or blob[:4].hex() != keyid:
            continue
        if not _ed25519.is_signed(key[1:], text.encode(), blob[4:]):
            fail("the signature is wrong")
        return text
    fail("the log did not sign it")


def root_from(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    at, last, node = index, size - 1, leaf
    for other in path:
        if last == 0:
            fail("the path is too long")
        if at & 1 or at == last:
            node = sha256(b"\1" + other + node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = sha256(b"\1" + node + other)
        at, last = at >> 1, last >> 1
    if last != 0:
        fail("the path is too short")
    return node


def main(path, vkey):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    head, note = text.split("\n\n", 1)
    lines = head.split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        fail("another format")
    entry = base64.b64decode(lines.pop(0).removeprefix("extra "),
                             validate=True)
    index = int(lines.pop(0).removeprefix("index "))
    hashes = [base64.b64decode(line, validate=True) for line in lines]
    origin, size, root = note_text(note, vkey).split("\n")[:3]
    if origin != vkey.split("+")[0] or not 0 <= index < int(size):
        fail("another log, or beyond it")
    found = root_from(sha256(b"\0" + entry), index, int(size), hashes)
    if found != base64.b64decode(root):
        fail("the log does not hold the entry")
    print(index, size)


main(*sys.argv[1:])
