#!/usr/bin/env python3
"""A second verifier of archive units, written from their FORMAT.md.

    verify_unit.py [--policy FILE] [--authority HEX] [--signatures N]
                   [--restore FOLDER] UNIT...

It shares no code with the programs.  It prints one JSON object, whose members
have the names of those of `defter verify --json` where they mean the same, and
ends with 0 (good), 1 (tampered) or 2 (incomplete).  Units are joined in the
order in which they are given.  From the unit of entry 0 on they are read as the
log that they are (_reader.py), and held against what it says of its units; what
its entries say of duties is left to `defter verify`.  --restore writes the
log's files.

It needs python3-zstandard or the program zstd.  --signatures N verifies N of
each unit: without python3-cryptography they are slow.
"""
import argparse
import hashlib
import json
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "process"))

import _reader  # noqa: E402
import _tlog  # noqa: E402
import _unit_log  # noqa: E402
from _tlog import Refused, need  # noqa: E402

GOOD, TAMPERED, INCOMPLETE = 0, 1, 2
NAMES = {GOOD: "good", TAMPERED: "tampered", INCOMPLETE: "incomplete"}
BUNDLE_MAX = 256 * (2 + 65535)
UNATTESTED_MAX = 8192  # AUDIT: a node leaves no more waiting.
ZEROS = bytes(32)
NUMBER = r"(0|[1-9][0-9]*)"


class Bad(Exception):
    """The first fault: in which file, and what."""

    def __init__(self, what, file, **where):
        super().__init__(what)
        self.fault = dict(where, file=file, what=what)


class Gap(Bad):
    """Units are missing, or are not those that the log counts."""


def unpack(data):
    """One frame of zstd, of at most BUNDLE_MAX bytes."""
    try:
        import zstandard
    except ImportError:
        done = subprocess.run(["zstd", "-dcq", "--memory=64MB"], input=data,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        need(done.returncode == 0 and 0 < len(done.stdout) <= BUNDLE_MAX,
             "it is no frame of zstd")
        return done.stdout
    worker = zstandard.ZstdDecompressor(max_window_size=1 << 26).decompressobj()
    try:
        out = worker.decompress(data)
    except zstandard.ZstdError:
        raise Refused("it is no frame of zstd") from None
    need(not worker.unused_data and 0 < len(out) <= BUNDLE_MAX,
         "it is not one frame of zstd")
    return out


# ---- The manifest -----------------------------------------------------------

class Manifest:
    HEAD = [("number", NUMBER), ("cluster", "([0-9a-f]{32})"),
            ("origin", r"([^\s+]+)"), ("authority", "([0-9a-f]{64})"),
            ("segment", NUMBER), ("first", NUMBER), ("last", NUMBER),
            ("entries", NUMBER), ("bytes", NUMBER), ("size", NUMBER),
            ("leaf-before", "([0-9a-f]{64})"), ("leaf-after", "([0-9a-f]{64})"),
            ("root", "([0-9a-f]{64})")]

    def __init__(self, data):
        text = data.decode("ascii")
        need(text.endswith("\n"), "the manifest ends early")
        lines = text[:-1].split("\n")
        before = data[:len(data) - len(lines[-1]) - 1]
        need(lines[-1] == "end " + hashlib.sha256(before).hexdigest(),
             "the manifest's last line is not the hash of those before")
        lines = iter(lines[:-1])
        need(next(lines) == "defter-archive-unit 1", "no manifest")
        self.head = {}
        for name, pattern in self.HEAD:
            found = re.fullmatch(name + " " + pattern, next(lines, ""))
            need(found, "line of the manifest:", name)
            value = found.group(1)
            self.head[name] = int(value) if pattern == NUMBER else value
        self.categories = []
        for number in range(1, 9):
            found = re.fullmatch(f"category {number} {NUMBER}",
                                 next(lines, ""))
            need(found, "line of the manifest: category", number)
            self.categories.append(int(found.group(1)))
        self.first, self.last = self.head["first"], self.head["last"]
        self.size = self.head["size"]
        need(self.head["number"] > 0 and self.first <= self.last < self.size
             and self.head["entries"] == self.last - self.first + 1
             == sum(self.categories), "the manifest contradicts itself")
        self.files = {}
        for line in lines:
            found = re.fullmatch(f"file ([0-9a-f]{{64}}) {NUMBER} (\\S+)", line)
            need(found, "line of the manifest: file")
            self.files[found.group(3)] = (found.group(1), int(found.group(2)))
        wanted = list(self.wanted())
        if "policy" in self.files:
            wanted.insert(4, "policy")
        need(list(self.files) == wanted, "the manifest names other files")

    def bundles(self):
        """(number, width), of the checkpoint's tree."""
        for number in range(self.first >> 8, (self.last >> 8) + 1):
            yield number, min(256, self.size - 256 * number)

    def tiles(self):
        """(level, number, width)."""
        for level in range(8):
            numbers = set(range(self.first >> 8 * level >> 8,
                                (self.last >> 8 * level >> 8) + 1))
            numbers.add(self.size >> 8 * level >> 8)
            for number in sorted(numbers):
                width = min(256, (self.size >> 8 * level) - 256 * number)
                if width > 0:
                    yield level, number, width

    def wanted(self):
        yield from ("FORMAT.md", "checkpoint", "genesis", "keys")
        for bundle in self.bundles():
            yield bundle_name(*bundle)
        for tile in self.tiles():
            yield tile_name(*tile)


def part(number, width):
    return _tlog.tile_name(number) + ("" if width == 256 else f".p/{width}")


def bundle_name(number, width):
    return "entries/" + part(number, width) + ".zst"


def tile_name(level, number, width):
    return f"tile/{level}/" + part(number, width)


# ---- One unit ---------------------------------------------------------------

class Unit:
    def __init__(self, path, options):
        self.path, self.options = path, options
        self.signatures = self.items = 0
        self.cosigners, self.places = [], []
        self.manifest_bytes = self.read("manifest")
        self.digest = hashlib.sha256(self.manifest_bytes).hexdigest()
        try:
            self.manifest = Manifest(self.manifest_bytes)
        except (Refused, UnicodeDecodeError) as why:
            raise Bad(str(why), "manifest") from None
        self.check_files()
        for name in ("genesis", "checkpoint", "keys", "policy"):
            if name in self.manifest.files:
                try:
                    getattr(self, "check_" + name)(self.read(name))
                except (Refused, _reader.Refused, UnicodeDecodeError,
                        struct.error, IndexError) as why:
                    raise Bad(str(why), name) from None
        self.check_tiles()
        self.entries = list(self.check_entries())

    def read(self, name):
        path = os.path.join(self.path, name)
        if os.path.islink(path) or not os.path.isfile(path):
            raise Bad("the file is missing, or is none", name)
        with open(path, "rb") as file:
            return file.read()

    def check_files(self):
        for folder, folders, names in os.walk(self.path):
            for name in names + [f for f in folders if os.path.islink(
                    os.path.join(folder, f))]:
                below = os.path.relpath(os.path.join(folder, name), self.path)
                if below not in self.manifest.files and below != "manifest":
                    raise Bad("the unit has no such file", below)
        for name, (digest, size) in self.manifest.files.items():
            data = self.read(name)
            if len(data) != size:
                raise Bad("it is not as long as the manifest says", name)
            if hashlib.sha256(data).hexdigest() != digest:
                raise Bad("its SHA-256 is not what the manifest says", name)

    def check_genesis(self, data):
        head = self.manifest.head
        entry = _reader.Entry(data, 0)
        fields = entry.items[0].fields("genesis")
        self.origin = fields.text(1, 64).encode()
        fields.take(3)
        self.authority = fields.take(32)
        fields.take(16 + 32 + 32)
        self.log_key = fields.take(32)
        self.cluster = _reader.sha(_reader.tag("DFT1/cluster"),
                                   self.authority)[:16]
        need(_tlog.is_signed(self.authority, entry.signed_bytes(self.cluster),
                             entry.signature), "signature of the genesis")
        self.genesis = data
        if (self.authority.hex(), self.cluster.hex()) != (
                head["authority"], head["cluster"]):
            raise Bad("the genesis is of another authority", "manifest")
        wanted = self.options.authority
        need(wanted in (None, head["authority"]), "another authority")

    def check_checkpoint(self, data):
        self.checkpoint = checkpoint = _tlog.Checkpoint(data)
        rest = checkpoint.origin[len(self.origin):]
        need(checkpoint.origin.startswith(self.origin) and (
            not rest or re.fullmatch(b"/[0-9a-f]{8}", rest)), "another origin")
        if (checkpoint.origin.decode(), checkpoint.size) != (
                self.manifest.head["origin"], self.manifest.size):
            raise Bad("the checkpoint has another origin or size", "manifest")
        key = _tlog.Key.of(checkpoint.origin, _tlog.ED25519, self.log_key)
        need(checkpoint.note.signed_by(key), "the log did not sign it")
        self.quorum = "no policy"
        if self.options.policy is not None:
            _, _, met = self.options.policy.judge(checkpoint)
            self.quorum = "met" if met else "not met"

    def check_keys(self, data):
        lines = data.decode("ascii").split("\n")
        need(lines.pop() == "", "the keys end early")
        lines = iter(lines)
        need(next(lines, "") == "defter-archive-keys 1", "no keys")
        need(next(lines, "") == "authority " + self.authority.hex(),
             "another authority")
        need(next(lines, "") == "log " + vkey(_tlog.Key.of(
            self.checkpoint.origin, _tlog.ED25519, self.log_key)),
             "another log key")
        self.signers, last = {}, None
        for line in lines:
            kind, _, value = line.partition(" ")
            if kind == "cosigner" and last is None:
                key = _tlog.Key(value.encode())
                need(key.type == _tlog.COSIGNATURE, "no cosigner's key")
                self.cosigners.append(key)
                continue
            need(kind == "signer", "line of the keys")
            key = _tlog.base64_of(value.encode(), "a signer")
            key_id = _reader.key_id_of(key)
            need(len(key) == 32 and (last is None or last < key_id),
                 "order of the signers")
            last = key_id
            self.signers[key_id] = key
        for key in self.cosigners:
            try:
                self.checkpoint.note.signed_by(key)
            except Refused as why:
                raise Bad(str(why), "checkpoint") from None

    def check_policy(self, data):
        _tlog.Policy(data)

    def tile(self, level, number, width):
        data = self.read(tile_name(level, number, width))
        if len(data) != 32 * width:
            raise Bad("length of a tile", tile_name(level, number, width))
        return [data[i:i + 32] for i in range(0, len(data), 32)]

    def check_tiles(self):
        """Every full tile is in the one above; the last ones are the root."""
        self.hashes = {(level, number): self.tile(level, number, width)
                       for level, number, width in self.manifest.tiles()}
        for (level, number), hashes in self.hashes.items():
            if len(hashes) == 256 and _tlog.root_of(hashes) != self.hashes[
                    level + 1, number >> 8][number & 255]:
                raise Bad("its root is not in the tile above",
                          tile_name(level, number, 256))
        if self.root(self.manifest.size) != self.checkpoint.root:
            raise Bad("another root than the checkpoint's", "checkpoint")
        if self.root(self.manifest.last + 1).hex() != \
                self.manifest.head["root"]:
            raise Bad("another root at the unit's end", "manifest")

    def root(self, size):
        root = None
        for level in range(8):
            width = size >> 8 * level & 255
            if width == 0:
                continue
            hashes = self.hashes[level, size >> 8 * level >> 8][:width]
            while hashes:
                run = len(hashes) & -len(hashes)
                top = _tlog.root_of(hashes[-run:])
                root = top if root is None else _tlog.node_of(top, root)
                hashes = hashes[:-run]
        return root

    def check_entries(self):
        """Gives those of the range, as bytes."""
        head, used = self.manifest.head, set()
        count, categories, before = 0, [0] * 8, None
        for number, width in self.manifest.bundles():
            name = bundle_name(number, width)
            try:
                bundle = list(_tlog.bundle_entries(
                    unpack(self.read(name)), width, name))
            except Refused as why:
                raise Bad(str(why), name) from None
            for i, (at, data) in enumerate(bundle):
                index = 256 * number + i
                try:
                    entry = self.check_entry(
                        data, index, self.hashes[0, number][i], before, used)
                except (Refused, _reader.Refused, struct.error, IndexError,
                        UnicodeDecodeError) as why:
                    raise Bad(str(why), name, index=index,
                              offset=at) from None
                before = entry
                if self.manifest.first <= index <= self.manifest.last:
                    count += len(data)
                    categories[entry.category - 1] += 1
                    self.leaf, self.epoch = entry.leaf, entry.epoch
                    self.items += len(entry.items)
                    self.places.append((name, at))
                    yield data
        if self.leaf.hex() != head["leaf-after"] or count != head["bytes"] or \
                categories != self.manifest.categories:
            raise Bad("the manifest counts other entries", "manifest")
        if used != set(self.signers):
            raise Bad("keys that signed nothing", "keys")

    def check_entry(self, data, index, leaf, before, used):
        need(_tlog.leaf_of(data) == leaf, "it is not the tree's entry")
        entry = _reader.Entry(data, index)
        need(entry.index == index, "its index is another")
        if index == self.manifest.first:
            need(entry.previous.hex() == self.manifest.head["leaf-before"],
                 "it follows another entry than the manifest says")
        if before is not None or index == 0:
            need(entry.previous == (before.leaf if before else ZEROS),
                 "it does not follow the entry before")
        need(before is None or entry.epoch >= before.epoch
             and entry.time >= before.time, "its epoch or time falls")
        need(entry.env_tag == self.cluster[0], "of another cluster")
        key = self.authority
        if index > 0:
            need(entry.key_id in self.signers, "a key that the unit has not")
            used.add(entry.key_id)
            key = self.signers[entry.key_id]
        else:
            need(data == self.genesis, "another genesis")
        if self.signatures < self.options.signatures:
            need(_tlog.is_signed(key, entry.signed_bytes(self.cluster),
                                 entry.signature), "its signature is wrong")
            self.signatures += 1
        return entry


def vkey(key):
    import base64
    return b"+".join([key.name, key.keyid.hex().encode(), base64.b64encode(
        bytes([key.type]) + key.key)]).decode()


# ---- All of them ------------------------------------------------------------

def check_follows(unit, before):
    if unit.genesis != before.genesis:
        raise Bad("a unit of another log", "genesis")
    if unit.manifest.first != before.manifest.last + 1:
        raise Gap("it does not begin where the one before ends", "manifest")
    if unit.manifest.head["leaf-before"] != before.manifest.head["leaf-after"]:
        raise Bad("it does not follow the unit before", "manifest")


def restore(units, folder):
    """Section 8."""
    size = units[0].manifest.head["segment"]
    os.makedirs(folder)
    out, leaf, index = b"", ZEROS, 0

    def flush():
        first, = struct.unpack_from("<Q", out, 16)
        with open(os.path.join(folder, "%020d.seg" % first), "wb") as file:
            file.write(out.ljust(size, b"\0"))

    for data in (data for unit in units for data in unit.entries):
        frame = struct.pack("<II", len(data), 0) + data
        frame += struct.pack("<Q", _reader.xxh3_64(frame))
        if out and len(out) + len(frame) > size:
            flush()
            out = b""
        if not out:
            head = struct.pack("<8sIIQ32s", b"DFTLOG1\0", 1, size, index, leaf)
            out = (head + struct.pack("<Q", _reader.xxh3_64(head))
                   ).ljust(4096, b"\0")
        out += frame
        leaf, index = _tlog.leaf_of(data), index + 1
    flush()


def read_log(units, shown):
    """The units, read as the log that they are together."""
    log = _unit_log.UnitLog()
    for unit in units:
        for (name, at), data in zip(unit.places, unit.entries):
            index = len(log.leaves)
            try:
                log.take(data)
            except (_reader.Refused, struct.error, UnicodeDecodeError) as why:
                raise Bad(str(why), shown(unit, name), index=index,
                          offset=at) from None
        if _tlog.root_of(log.leaves).hex() != unit.manifest.head["root"]:
            raise Bad("another root than the manifest's",
                      shown(unit, "manifest"))
    return log


def check_record(unit, log, shown):
    """A unit that was sealed is this one; one that only was prepared may have
    been made by another rule."""
    found = log.other_record(unit.manifest, unit.digest)
    if found is None:
        return
    record, what = found
    where = {"file": shown(unit, "manifest"), "index": record.index}
    if record.sealed is not None:
        where.update(index=record.sealed, expected=record.manifest,
                     found=unit.digest)
        raise Bad(what, **where)
    expected, actual = record.last, unit.manifest.last
    if expected == actual:
        expected, actual = record.number, unit.manifest.head["number"]
    raise Gap(what, expected=str(expected), found=str(actual), **where)


def judge_log(report, units, shown):
    log = read_log(units, shown)
    for unit in units:
        check_record(unit, log, shown)
    strangers = 0
    for unit in units:
        try:
            strangers += sum(not log.is_cosigner(key)
                             for key in unit.cosigners)
        except Refused as why:
            raise Bad(str(why), shown(unit, "keys")) from None
    report.update(
        items=log.items, sealed_items=log.sealed,
        by_category=_unit_log.category_counts(log),
        by_operation=log.by_operation, epochs=log.epochs, epoch=log.epoch,
        keys=len(log.keys), attestations=log.attestations,
        attested=log.attested, refused_items=log.refused,
        strange_cosigners=strangers)
    return len(log.leaves) - log.attested <= UNATTESTED_MAX


def count_alone(report, units):
    """Nothing of what is counted from entry 0 on."""
    report.update(
        items=sum(unit.items for unit in units), sealed_items=0,
        by_category={str(number + 1): sum(unit.manifest.categories[number]
                                          for unit in units)
                     for number in range(8)},
        by_operation={}, epochs=0, epoch=units[-1].epoch, keys=0,
        attestations=0, attested=0, refused_items=0,
        strange_cosigners=sum(len(unit.cosigners) for unit in units))
    return True


def verify(report, options):
    def shown(unit, name):
        return os.path.join(unit.path, name) if len(options.units) > 1 else name

    units = []
    for path in options.units:
        try:
            units.append(Unit(path, options))
            if len(units) > 1:
                check_follows(*units[:-3:-1])
        except Bad as why:
            if len(options.units) > 1:
                why.fault["file"] = os.path.join(path, why.fault["file"])
            raise
    first, last = units[0], units[-1]
    if first.manifest.first == 0:
        is_whole = judge_log(report, units, shown)
    else:
        is_whole = count_alone(report, units)
    report.update(first=first.manifest.first, last=last.manifest.last,
                  size=last.manifest.last + 1, units=len(units),
                  leaf=last.manifest.head["leaf-after"],
                  root=last.manifest.head["root"],
                  entries=sum(u.manifest.head["entries"] for u in units),
                  bytes=sum(u.manifest.head["bytes"] for u in units))
    if len(units) == 1:
        report["manifest"] = last.digest
    if options.restore:
        need(first.manifest.first == 0, "the first unit is not the first")
        restore(units, options.restore)
    return GOOD if is_whole and last.quorum != "not met" else INCOMPLETE


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("units", nargs="+")
    parser.add_argument("--policy")
    parser.add_argument("--authority")
    parser.add_argument("--restore")
    parser.add_argument("--signatures", type=int, default=1 << 62)
    options = parser.parse_args()
    report = {"kind": "unit", "first_bad": None}
    if options.policy:
        with open(options.policy, "rb") as file:
            options.policy = _tlog.Policy(file.read())
    try:
        code = verify(report, options)
    except Bad as why:
        report["first_bad"] = why.fault
        code = INCOMPLETE if isinstance(why, Gap) else TAMPERED
    report["verdict"] = NAMES[code]
    print(json.dumps(report))
    return code


if __name__ == "__main__":
    sys.exit(main())
