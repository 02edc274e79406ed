#!/usr/bin/env python3
"""Signs what a node would sign, for tests of those who verify it.

    sign_checkpoint.py checkpoint LOG-KEY FOLDER SIZE [--witness NAME:SEED ...]
    sign_checkpoint.py proof FOLDER INDEX CHECKPOINT [--bare]
    sign_checkpoint.py vkey LOG-KEY FOLDER
    sign_checkpoint.py witness NAME:SEED

LOG-KEY is a key file (LOG-FORMAT, section 5), FOLDER one of segments, SEED one
byte in hex, 32 times the same.  It needs python3-cryptography.
"""
import argparse
import base64
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import _tlog
import verify_log

TIME = 1_800_000_000


def keys_of(seed):
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return private, private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def log_keys(path):
    return keys_of(verify_log.read_file(path)[32:64])


def witness_keys(text):
    name, _, seed = text.rpartition(":")
    private, public = keys_of(bytes.fromhex(seed) * 32)
    return private, _tlog.Key.of(name.encode(), _tlog.COSIGNATURE, public)


def vkey_of(key):
    return b"+".join([key.name, key.keyid.hex().encode(),
                      base64.b64encode(bytes([key.type]) + key.key)])


def line(key, blob):
    return (_tlog.DASH + b" " + key.name + b" "
            + base64.b64encode(key.keyid + blob) + b"\n")


def entries_of(folder):
    """The raw entries; the folder is sound."""
    log = verify_log.entries_of(folder)
    return log, [_tlog.leaf_of(entry) for entry in log]


def checkpoint(options):
    folder, size = options.words[1], int(options.words[2])
    private, public = log_keys(options.words[0])
    entries, leaves = entries_of(folder)
    origin = verify_log.log_key_of(entries[0]).name
    key = _tlog.Key.of(origin, _tlog.ED25519, public)
    text = b"%s\n%d\n%s\n" % (origin, size, base64.b64encode(
        _tlog.root_of(leaves[:size])))
    out = text + b"\n" + line(key, private.sign(text))
    for name in options.witness:
        private, key = witness_keys(name)
        message = b"cosignature/v1\ntime %d\n" % TIME + text
        out += line(key, TIME.to_bytes(8, "big") + private.sign(message))
    sys.stdout.buffer.write(out)


def path_of(index, leaves):
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return path_of(index, leaves[:half]) + [_tlog.root_of(leaves[half:])]
    return (path_of(index - half, leaves[half:])
            + [_tlog.root_of(leaves[:half])])


def proof(options):
    folder, index, note = options.words
    index, note = int(index), verify_log.read_file(note)
    entries, leaves = entries_of(folder)
    size = _tlog.Checkpoint(note).size
    out = b"c2sp.org/tlog-proof@v1\n"
    if not options.bare:
        out += b"extra " + base64.b64encode(entries[index]) + b"\n"
    out += b"index %d\n" % index
    for hash_ in path_of(index, leaves[:size]):
        out += base64.b64encode(hash_) + b"\n"
    sys.stdout.buffer.write(out + b"\n" + note)


def vkey(options):
    origin = verify_log.log_key_of(entries_of(options.words[1])[0][0]).name
    _, public = log_keys(options.words[0])
    print(vkey_of(_tlog.Key.of(origin, _tlog.ED25519, public)).decode())


def witness(options):
    print(vkey_of(witness_keys(options.words[0])[1]).decode())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["checkpoint", "proof", "vkey",
                                         "witness"])
    parser.add_argument("words", nargs="+")
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    globals()[options.what](options)


if __name__ == "__main__":
    main()
