#!/usr/bin/env python3
"""A second verifier of logs, tiles trees and proofs.

    verify_log.py log FOLDER [--checkpoint FILE] [--policy FILE]
    verify_log.py tiles FOLDER [--checkpoint FILE] [--policy FILE]
                  [--tree-only]
    verify_log.py proof FILE [--entry FILE | --leaf HEX] [--policy FILE]
    verify_log.py receipts FILE FOLDER

It shares no code with the programs: what it knows stands in the documents and
in the C2SP specifications.  It prints one JSON object, whose members have the
names of those of `defter verify --json` where they mean the same, and ends with
0 (good), 1 (tampered) or 2 (incomplete).  Of the log it reads framing, chain,
tree, commitments and signatures; not who was allowed to do what.

--signatures N verifies those of the first N entries only: without
python3-cryptography they are slow.
"""
import argparse
import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "process"))

import _reader  # noqa: E402
import _tlog  # noqa: E402
from _tlog import Refused, need  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
GOOD, TAMPERED, INCOMPLETE = 0, 1, 2
NAMES = {GOOD: "good", TAMPERED: "tampered", INCOMPLETE: "incomplete"}
RECEIPT_SIZE, RECORD_SIZE = 144, 392


class Bad(Exception):
    """The first fault: where, and what."""

    def __init__(self, what, **where):
        super().__init__(what)
        self.fault = dict(where, what=what)


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def operations():
    return _reader.operations_of(os.path.join(ROOT, "docs", "PROTOCOL.md"))


def log_key_of(genesis):
    """Origin and log key, from entry 0 (PROTOCOL, system.genesis)."""
    fields = _reader.Entry(genesis, 0).items[0].fields("genesis")
    origin = fields.text(1, 64).encode()
    fields.take(1 + 2 + 32 + 16 + 32 + 32)
    return _tlog.Key.of(origin, _tlog.ED25519, fields.take(32))


def judge_checkpoint(report, checkpoint, file, policy, genesis):
    """Who signed it; whether that is enough to rely on it."""
    if genesis is not None:
        origin = log_key_of(genesis).name
        rest = checkpoint.origin[len(origin):]
        if not checkpoint.origin.startswith(origin) or rest and not (
                rest.startswith(b"/") and len(rest) == 9):
            raise Bad("the checkpoint is of another log", file=file)
    told = {"file": file, "origin": checkpoint.origin.decode(),
            "size": checkpoint.size, "root": checkpoint.root.hex(),
            "log_signed": False, "cosigned": [], "quorum": "no policy"}
    report["checkpoints"].append(told)
    try:
        if policy is not None:
            told["log_signed"], cosigned, met = policy.judge(checkpoint)
            told["cosigned"] = sorted(cosigned)
            told["quorum"] = "met" if met else "not met"
        elif genesis is not None:
            key = _tlog.Key.of(checkpoint.origin, _tlog.ED25519,
                               log_key_of(genesis).key)
            told["log_signed"] = bool(checkpoint.note.signed_by(key))
    except Refused as why:
        raise Bad(str(why), file=file) from None
    if not told["log_signed"] and (policy or genesis):
        raise Bad("the checkpoint is not signed by the log", file=file)
    return told["log_signed"] and told["quorum"] != "not met"


def load_checkpoint(path):
    try:
        return _tlog.Checkpoint(read_file(path))
    except Refused as why:
        raise Bad(str(why), file=os.path.basename(path)) from None


def cover(report, leaves, checkpoint, relied, name):
    """What the checkpoint covers of the leaves."""
    if checkpoint.size > len(leaves):
        raise Bad("the log ends before the checkpoint", file=name,
                  expected=str(checkpoint.size), found=str(len(leaves)))
    root = _tlog.root_of(leaves[:checkpoint.size])
    if root != checkpoint.root:
        raise Bad("another root than the checkpoint's", file=name,
                  expected=checkpoint.root.hex(), found=root.hex())
    if relied:
        report["covered"] = max(report["covered"], checkpoint.size)


# ---- Segments ---------------------------------------------------------------

def entries_of(folder):
    """The entries of a folder of segments, each as its bytes."""
    entries, last = [], _reader.ZEROS
    for name in sorted(os.listdir(folder)):
        if _reader.SEGMENT_NAME.fullmatch(name):
            more, _, _ = _reader.segment_at(os.path.join(folder, name),
                                            len(entries), last)
            entries += more
            last = _tlog.leaf_of(entries[-1])
    return entries


def verify_log(report, options):
    folder = options.path
    inner = os.path.join(folder, "log")
    own = os.path.join(folder, "checkpoint")
    paths = [options.checkpoint] if options.checkpoint else []
    if os.path.isdir(inner) and os.path.exists(own):
        paths.append(own)
    log = _reader.Log(operations(), options.signatures)
    report["entries"] = 0
    if os.path.isdir(inner):
        folder = inner
    try:
        log = _reader.read(folder, log.operations, options.signatures)
    except _reader.Refused as why:
        raise Bad(str(why)) from None
    report.update(entries=len(log.leaves), size=len(log.leaves),
                  signatures=log.signatures, leaf=log.leaves[-1].hex(),
                  root=_tlog.root_of(log.leaves).hex())
    report["leaves"] = log.leaves
    for path in paths:
        checkpoint = load_checkpoint(path)
        relied = judge_checkpoint(report, checkpoint, os.path.basename(path),
                                  options.policy, entries_of(folder)[0])
        cover(report, log.leaves, checkpoint, relied, os.path.basename(path))


# ---- Tiles ------------------------------------------------------------------

class Tree:
    """The files of a tiles tree for one size."""

    def __init__(self, folder, size):
        self.folder, self.size = folder, size

    def tile(self, kind, number, width):
        """Bytes and name; of a full tile where the partial one is gone."""
        whole = f"tile/{kind}/{_tlog.tile_name(number)}"
        name = whole if width == 256 else f"{whole}.p/{width}"
        for at in dict.fromkeys((name, whole)):
            path = os.path.join(self.folder, at)
            if os.path.isfile(path):
                return read_file(path), at
        raise Bad("a tile is missing", file=name)

    def entries(self):
        """(index, file, offset, entry)."""
        for number, width in _tlog.tiles_of(self.size, 0):
            data, name = self.tile("entries", number, width)
            is_whole = width < 256 and not name.endswith(f".p/{width}")
            try:
                for i, (at, entry) in enumerate(_tlog.bundle_entries(
                        data, 256 if is_whole else width, name)):
                    if i < width:
                        yield number * 256 + i, name, at, entry
            except Refused as why:
                raise Bad(str(why), file=name) from None

    def odd_hash(self, leaves):
        """The first hash of a tile that is not that of the leaves:
        (leaf's index if the level is 0, name, number of the hash)."""
        hashes, level = leaves, 0
        while self.size >> 8 * level:
            for number, width in _tlog.tiles_of(self.size, level):
                data, name = self.tile(level, number, width)
                if len(data) < width * 32 or (
                        len(data) != width * 32 and "/" in name[-4:]
                        and ".p/" in name):
                    raise Bad("size of a tile", file=name)
                for i in range(width):
                    if data[32 * i:32 * i + 32] != hashes[number * 256 + i]:
                        return (level, number * 256 + i, name, i,
                                data[32 * i:32 * i + 32])
                if len(data) != (width if ".p/" in name else 256) * 32:
                    raise Bad("size of a tile", file=name)
            hashes = [_tlog.root_of(hashes[i:i + 256])
                      for i in range(0, len(hashes) & ~255, 256)]
            level += 1
        return None


def verify_tiles(report, options):
    own = os.path.join(options.path, "checkpoint")
    paths = [options.checkpoint] if options.checkpoint else []
    if os.path.exists(own) or not paths:
        paths.append(own)
    checkpoint = load_checkpoint(paths[-1])
    tree = Tree(options.path, checkpoint.size)
    leaves, places, genesis, broken = [], [], None, None
    log = None
    if not options.tree_only:
        log = _reader.Log(operations(), options.signatures)
    for index, name, at, entry in tree.entries():
        leaves.append(_tlog.leaf_of(entry))
        places.append((name, at))
        if log is None or broken is not None:
            continue
        genesis = genesis or entry
        try:
            log.take(entry)
        except (_reader.Refused, struct.error, IndexError,
                UnicodeDecodeError) as why:
            broken = Bad(str(why), index=index, file=name, offset=at)
    root = _tlog.root_of(leaves)
    report.update(entries=len(leaves), size=len(leaves), root=root.hex(),
                  leaf=leaves[-1].hex() if leaves else "")
    report["leaves"] = leaves
    odd = tree.odd_hash(leaves)
    if broken is not None or (root != checkpoint.root and odd is not None):
        if odd is not None and odd[0] == 0 and (
                broken is None or odd[1] <= broken.fault["index"]):
            raise Bad("the entry is not the tree's", index=odd[1],
                      file=places[odd[1]][0], offset=places[odd[1]][1],
                      expected=odd[4].hex(), found=leaves[odd[1]].hex())
        if broken is not None:
            raise broken
    for path in paths:
        name = os.path.basename(path)
        checkpoint = load_checkpoint(path)
        relied = judge_checkpoint(report, checkpoint, name, options.policy,
                                  genesis)
        cover(report, leaves, checkpoint, relied, name)
    if odd is not None:
        raise Bad("a hash of the tile is not that of the entries",
                  file=odd[2], hash=odd[3], offset=32 * odd[3])
    if log is not None:
        report["signatures"] = log.signatures


# ---- Proofs and receipts ----------------------------------------------------

def verify_proof(report, options):
    name = os.path.basename(options.path)
    try:
        proof = _tlog.Proof(read_file(options.path))
        leaf = None
        if options.leaf:
            leaf = bytes.fromhex(options.leaf)
        elif options.entry:
            leaf = _tlog.leaf_of(read_file(options.entry))
        if proof.extra is not None:
            entry = _reader.Entry(proof.extra, proof.index)
            need(entry.index == proof.index, "the entry has another index")
            need(leaf in (None, entry.leaf), "the entry is another one")
            leaf = entry.leaf
        report.update(index=proof.index, size=proof.checkpoint.size,
                      root=proof.checkpoint.root.hex(),
                      leaf=(leaf or bytes(32)).hex())
        if leaf is not None:
            root = _tlog.root_from_path(leaf, proof.index,
                                        proof.checkpoint.size, proof.path)
            need(root == proof.checkpoint.root,
                 "the path does not lead to the checkpoint's root")
    except (Refused, _reader.Refused) as why:
        raise Bad(str(why), file=name) from None
    relied = judge_checkpoint(report, proof.checkpoint, name, options.policy,
                              None)
    if relied and leaf is not None:
        report["covered"] = proof.checkpoint.size


def verify_receipts(report, options):
    """Each names an entry of the log; the certificate is the authority's."""
    log = _reader.read(options.folder, operations(), 0)
    data = read_file(options.path)
    report.update(entries=len(log.leaves), size=len(log.leaves), receipts=0)
    for at in range(0, len(data) - len(data) % RECORD_SIZE, RECORD_SIZE):
        receipt = data[at:at + RECEIPT_SIZE]
        signature = data[at + 144:at + 208]
        certificate = data[at + 208:at + RECORD_SIZE]
        index, = struct.unpack_from("<Q", receipt, 8)
        where = {"file": options.path, "offset": at}
        if not _tlog.is_signed(
                log.authority, _reader.tag("DFT1/nodecert")
                + certificate[:120], certificate[120:]):
            raise Bad("the certificate is not the authority's", **where)
        if not _tlog.is_signed(
                certificate[88:120], _reader.tag("DFT1/receipt")
                + log.cluster_id + receipt, signature):
            raise Bad("the receipt is not signed by its node", **where)
        if index >= len(log.leaves) or receipt[80:112] != log.leaves[index]:
            raise Bad("the receipt names another entry", index=index, **where)
        report["receipts"] += 1


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["log", "tiles", "proof", "receipts"])
    parser.add_argument("path")
    parser.add_argument("folder", nargs="?")
    for name in ("checkpoint", "policy", "entry", "leaf"):
        parser.add_argument("--" + name)
    parser.add_argument("--tree-only", action="store_true")
    parser.add_argument("--signatures", type=int)
    parser.add_argument("--leaves", action="store_true")
    return parser.parse_args()


def main():
    options = parse()
    report = {"kind": options.what, "first_bad": None, "checkpoints": [],
              "covered": 0, "leaves": []}
    try:
        if options.policy:
            options.policy = _tlog.Policy(read_file(options.policy))
        {"log": verify_log, "tiles": verify_tiles, "proof": verify_proof,
         "receipts": verify_receipts}[options.what](report, options)
        good = report["covered"] > 0 and report["covered"] == report["size"]
        code = GOOD if good else INCOMPLETE
    except Bad as why:
        report["first_bad"] = why.fault
        code = TAMPERED
    except (Refused, _reader.Refused, OSError) as why:
        sys.exit(f"verify_log.py: {why}")
    report["verdict"] = NAMES[code]
    leaves = report.pop("leaves")
    if options.leaves:
        report["leaves"] = [leaf.hex() for leaf in leaves]
    print(json.dumps(report))
    return code


if __name__ == "__main__":
    sys.exit(main())
